//! A page that stands by itself: the article with its statements marked, and under it the list of who said what. It runs
//! nothing and loads nothing.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use super::Annotated;
use crate::engine::joined;
use crate::text::ByteRange;

const STYLE: &str = include_str!("page.css");

pub(super) fn write(document: &Annotated<'_>, output: &mut impl Write) -> io::Result<()> {
    let title = escaped(&document.found.id);
    write!(
        output,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n\
         </head>\n<body>\n<main>\n<h1>{title}</h1>\n<article>"
    )?;
    output.write_all(article(document).as_bytes())?;
    write!(output, "</article>\n</main>\n")?;
    if !document.statements.is_empty() {
        output.write_all(list(document).as_bytes())?;
    }
    let model = escaped(&document.found.model);
    write!(output, "<footer>Found by onrecord {model}. It errs: check against the text.</footer>\n</body>\n</html>\n")
}

/// What marks a place of the text.
struct Mark<'a> {
    bytes: &'a ByteRange,
    class: &'static str,
    title: String,
}

/// The text, whole: its slices between the borders of marks, each in one element with the classes of all of them, so
/// that no overlap can break the nesting.
fn article(document: &Annotated<'_>) -> String {
    let mut marks = Vec::new();
    for (number, statement) in document.statements.iter().enumerate() {
        for (class, segments) in statement.roles() {
            let title = format!("statement {}: {class}", number + 1);
            marks.extend(segments.iter().map(|bytes| Mark { bytes, class, title: title.clone() }));
        }
    }
    for entity in &document.entities {
        marks.push(Mark { bytes: &entity.bytes, class: "entity", title: entity.found.label.clone() });
    }
    marks.sort_by_key(|mark| mark.bytes.start);
    let mut borders: Vec<usize> = marks.iter().flat_map(|mark| [mark.bytes.start, mark.bytes.end]).collect();
    borders.extend([0, document.text.len()]);
    borders.sort_unstable();
    borders.dedup();
    let ends = ends(document);
    let mut page = String::with_capacity(document.text.len() * 2);
    let (mut next, mut open) = (0, Vec::<&Mark<'_>>::new());
    for piece in borders.windows(2) {
        let (start, end) = (piece[0], piece[1]);
        open.retain(|mark| mark.bytes.end > start);
        while let Some(mark) = marks.get(next).filter(|mark| mark.bytes.start <= start) {
            open.push(mark);
            next += 1;
        }
        let text = escaped(&document.text[start..end]);
        if open.is_empty() {
            page.push_str(&text);
            continue;
        }
        let mut classes: Vec<&str> = open.iter().map(|mark| mark.class).collect();
        classes.sort_unstable();
        classes.dedup();
        let titles: Vec<&str> = open.iter().map(|mark| mark.title.as_str()).collect();
        let (classes, titles) = (classes.join(" "), escaped(&titles.join(", ")));
        page.push_str(&format!("<mark class=\"{classes}\" title=\"{titles}\">{text}</mark>"));
        for number in ends.get(&end).into_iter().flatten() {
            page.push_str(&format!("<sup><a href=\"#statement-{number}\" id=\"text-{number}\">{number}</a></sup>"));
        }
    }
    page
}

/// Numbers of the statements whose content ends at a place, by places.
fn ends(document: &Annotated<'_>) -> HashMap<usize, Vec<usize>> {
    let mut ends: HashMap<usize, Vec<usize>> = HashMap::new();
    for (index, statement) in document.statements.iter().enumerate() {
        if let Some(last) = statement.content.last() {
            ends.entry(last.end).or_default().push(index + 1);
        }
    }
    ends
}

fn list(document: &Annotated<'_>) -> String {
    let mut list = "<section>\n<h2>Who said what</h2>\n<ol>\n".to_owned();
    for (index, statement) in document.statements.iter().enumerate() {
        let number = index + 1;
        let speakers = document.speakers_of(statement).join(" and ");
        let who = if speakers.is_empty() { "not named".to_owned() } else { escaped(&speakers) };
        let found = statement.found;
        let negative = if found.polarity == "negative" { ", negative" } else { "" };
        let cue = escaped(&joined(&found.cue));
        let content = escaped(&joined(&found.content));
        // Writing to a String does not fail.
        let _ = writeln!(
            list,
            "<li id=\"statement-{number}\"><b>{who}</b> <i>{cue}</i> {content} <a href=\"#text-{number}\">in the text</a> \
             <small>{} {}{negative}, score {:.2}</small></li>",
            escaped(&found.kind),
            escaped(&found.act),
            found.score
        );
    }
    list + "</ol>\n</section>\n"
}

/// Text as HTML shows it, also within an attribute.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            // A parser of HTML would make another line end of it.
            '\r' => safe.push_str("&#13;"),
            other => safe.push(other),
        }
    }
    safe
}
