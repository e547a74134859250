//! Results for people: the article with its spans marked, then a table of who said what.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::table;
use crate::decode::Polarity;
use crate::engine::{ExtractedSegment, ExtractedStatement, Extraction, GAP};
use crate::text::{Document, OffsetUnit, Offsets};

/// Width of the table where there is no terminal to ask, in columns.
const DEFAULT_WIDTH: usize = 100;

const SOURCE: Style = AnsiColor::Cyan.on_default().bold();
const CUE: Style = AnsiColor::Yellow.on_default();
const CONTENT: Style = AnsiColor::Green.on_default();

/// Writes one document.
pub(super) fn write(
    output: &mut impl Write,
    document: &Document,
    extraction: &Extraction,
    color: bool,
) -> io::Result<()> {
    writeln!(output, "{}\n", paint(&printable(&document.id), Style::new().bold(), color))?;
    writeln!(output, "{}\n", marked(&document.text, extraction, color).trim_end())?;
    if color {
        let key = [("source", SOURCE), ("cue", CUE), ("statement", CONTENT), ("entity", Style::new().underline())];
        let key: Vec<String> = key.iter().map(|(name, style)| paint(name, *style, true)).collect();
        writeln!(output, "{}\n", key.join("  "))?;
    }
    let rows: Vec<[String; 3]> = extraction.statements.iter().map(|statement| row(statement, extraction)).collect();
    if rows.is_empty() {
        writeln!(output, "No statements found.")?;
    } else {
        let width = terminal_size::terminal_size().map_or(DEFAULT_WIDTH, |(width, _)| usize::from(width.0));
        table::write(output, ["speaker", "cue", "statement"], &rows, width)?;
    }
    let entities = entity_lines(extraction);
    if !entities.is_empty() {
        writeln!(output, "\n{}", entities.join("\n"))?;
    }
    for warning in &extraction.warnings {
        writeln!(output, "\nwarning: {warning}")?;
    }
    Ok(())
}

fn row(statement: &ExtractedStatement, extraction: &Extraction) -> [String; 3] {
    let join = |segments: &[ExtractedSegment], between: &str| {
        let texts: Vec<String> = segments.iter().map(|segment| printable(&segment.text)).collect();
        texts.join(between)
    };
    let named: Vec<String> = statement.speaker_names(&extraction.speakers).into_iter().map(printable).collect();
    let speaker = match (named.is_empty(), statement.source.is_empty()) {
        (false, _) => named.join(" and "),
        (true, false) => format!("({})", join(&statement.source, " ")),
        (true, true) => "—".to_owned(),
    };
    let cue = join(&statement.cue, " ");
    let cue = if statement.polarity == Polarity::Negative.name() { format!("not: {cue}") } else { cue };
    [speaker, cue, join(&statement.content, GAP)]
}

/// One line per label: its entities, each form once.
fn entity_lines(extraction: &Extraction) -> Vec<String> {
    let mut labels: Vec<(&str, Vec<String>)> = Vec::new();
    for entity in &extraction.entities {
        let words: Vec<&str> = entity.text.split_whitespace().collect();
        let text = printable(&words.join(" "));
        match labels.iter_mut().find(|(label, _)| *label == entity.label) {
            Some((_, forms)) if forms.contains(&text) => {}
            Some((_, forms)) => forms.push(text),
            None => labels.push((&entity.label, vec![text])),
        }
    }
    labels.iter().map(|(label, forms)| format!("{label:<7} {}", forms.join(", "))).collect()
}

/// The text with roles coloured and entities underlined; as it is, where colours are off.
fn marked(text: &str, extraction: &Extraction, color: bool) -> String {
    if !color {
        return printable(text);
    }
    let mut style_of = Marks::new(text, extraction.offset_unit);
    for statement in &extraction.statements {
        for (segments, style) in [(&statement.source, SOURCE), (&statement.cue, CUE), (&statement.content, CONTENT)] {
            segments.iter().for_each(|segment| style_of.add(segment.start, segment.end, |_| style));
        }
    }
    for entity in &extraction.entities {
        style_of.add(entity.start, entity.end, Style::underline);
    }
    let mut out = String::with_capacity(text.len() * 2);
    let mut start = 0;
    for run in style_of.styles.chunk_by(|a, b| a == b) {
        let piece: String = text[style_of.bytes[start]..style_of.bytes[start + run.len()]].to_owned();
        start += run.len();
        // A terminal forgets its colour at a line's end in some pagers: paint line by line.
        let lines: Vec<String> = piece.split('\n').map(|line| paint(&printable(line), run[0], true)).collect();
        out.push_str(&lines.join("\n"));
    }
    out
}

/// A style per character.
struct Marks {
    /// Byte of each character, and of the end.
    bytes: Vec<usize>,
    /// Unit offset of each character, and of the end.
    units: Vec<usize>,
    styles: Vec<Style>,
}

impl Marks {
    fn new(text: &str, unit: OffsetUnit) -> Self {
        let offsets = Offsets::new(text, unit);
        let bytes: Vec<usize> = text.char_indices().map(|(byte, _)| byte).chain([text.len()]).collect();
        Self {
            units: bytes.iter().map(|&byte| offsets.at(byte)).collect(),
            styles: vec![Style::new(); bytes.len() - 1],
            bytes,
        }
    }

    fn add(&mut self, start: usize, end: usize, change: impl Fn(Style) -> Style) {
        let from = self.units.partition_point(|&unit| unit < start);
        let to = self.units.partition_point(|&unit| unit < end).min(self.styles.len());
        self.styles[from.min(to)..to].iter_mut().for_each(|style| *style = change(*style));
    }
}

fn paint(text: &str, style: Style, color: bool) -> String {
    if color && !text.is_empty() && style != Style::new() { format!("{style}{text}{style:#}") } else { text.to_owned() }
}

/// Control characters could make a terminal do things: they are shown as a replacement character.
pub(super) fn printable(text: &str) -> String {
    // Carriage returns would overwrite the line.
    let text = text.replace('\r', "");
    let keep = |c: char| c == '\n' || c == '\t' || !c.is_control();
    text.chars().map(|c| if keep(c) { c } else { '\u{fffd}' }).collect()
}
