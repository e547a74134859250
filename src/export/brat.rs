//! brat standoff (<https://brat.nlplab.org/standoff.html>): text-bound annotations for entities and for the parts of
//! statements, relations from a content to its source, its cue and its speaker's name, attributes, and a note that says
//! who speaks.

use std::collections::HashMap;
use std::io::{self, Write};

use super::Annotated;
use super::annotated::Statement;
use crate::text::{ByteRange, trimmed};

/// What brat must know of the labels: `annotation.conf`, to lie beside the texts. Entity labels are those of the
/// built-in model; brat shows others too, and says that it does not know them.
pub const CONFIGURATION: &str = "\
[entities]
Source
Cue
Content
PER
ORG
LOC
NORP
FAC
PRODUCT
DATE
MONEY
MISC

[relations]
SaidBy\tArg1:Content, Arg2:Source
CuedBy\tArg1:Content, Arg2:Cue
Means\tArg1:Content, Arg2:<ENTITY>
<OVERLAP>\tArg1:<ANY>, Arg2:<ANY>, <OVL-TYPE>:<ANY>

[events]

[attributes]
Kind\tArg:Content, Value:direct|indirect|mixed
Act\tArg:Content, Value:speech|thought
Negative\tArg:Content
Floating\tArg:Content
";

pub(super) fn write(document: &Annotated<'_>, output: &mut impl Write) -> io::Result<()> {
    let mut lines = Lines { document, output, spans: HashMap::new(), relations: 0, attributes: 0, notes: 0 };
    let mut entities = HashMap::new();
    for entity in &document.entities {
        let number = lines.span(&label(&entity.found.label), std::slice::from_ref(&entity.bytes))?;
        entities.insert(entity.found.id.as_str(), number);
    }
    for statement in &document.statements {
        lines.statement(statement, &entities)?;
    }
    Ok(())
}

/// A type that brat can read: letters, digits, dashes and underscores.
fn label(name: &str) -> String {
    let fits = |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
    name.chars().map(|character| if fits(character) { character } else { '_' }).collect()
}

struct Lines<'a, W: Write> {
    document: &'a Annotated<'a>,
    output: &'a mut W,
    /// Numbers of the text-bound annotations so far: what two statements share is one.
    spans: HashMap<(String, Vec<ByteRange>), usize>,
    relations: usize,
    attributes: usize,
    notes: usize,
}

impl<W: Write> Lines<'_, W> {
    fn statement(&mut self, statement: &Statement<'_>, entities: &HashMap<&str, usize>) -> io::Result<()> {
        let found = statement.found;
        let content = self.span("Content", &statement.content)?;
        for (relation, kind, segments) in [("SaidBy", "Source", &statement.source), ("CuedBy", "Cue", &statement.cue)] {
            if !segments.is_empty() {
                let other = self.span(kind, segments)?;
                self.relation(relation, content, other)?;
            }
        }
        self.attribute("Kind", content, Some(&found.kind))?;
        self.attribute("Act", content, Some(&found.act))?;
        if found.polarity == "negative" {
            self.attribute("Negative", content, None)?;
        }
        if found.floating {
            self.attribute("Floating", content, None)?;
        }
        if let Some(speaker) = &found.speaker {
            if let Some(entity) = speaker.entity.as_deref().and_then(|id| entities.get(id)) {
                self.relation("Means", content, *entity)?;
            }
            let names = one_line(&self.document.speakers_of(statement).join(" and "));
            self.notes += 1;
            writeln!(self.output, "#{}\tAnnotatorNotes T{content}\tspeaker: {names}", self.notes)?;
        }
        Ok(())
    }

    /// A text-bound annotation; brat wants its slices free of line ends, so it is in pieces where there are some.
    fn span(&mut self, kind: &str, segments: &[ByteRange]) -> io::Result<usize> {
        let key = (kind.to_owned(), segments.to_vec());
        if let Some(number) = self.spans.get(&key) {
            return Ok(*number);
        }
        let number = self.spans.len() + 1;
        self.spans.insert(key, number);
        let pieces: Vec<ByteRange> = segments.iter().flat_map(|segment| lines(self.document.text, segment)).collect();
        let places = pieces.iter().map(|piece| {
            let (start, end) = self.document.code_points(piece);
            format!("{start} {end}")
        });
        let places = places.collect::<Vec<_>>().join(";");
        let slices = pieces.iter().map(|piece| &self.document.text[piece.clone()]);
        let slices = slices.collect::<Vec<_>>().join(" ");
        writeln!(self.output, "T{number}\t{kind} {places}\t{slices}")?;
        Ok(number)
    }

    fn relation(&mut self, kind: &str, from: usize, to: usize) -> io::Result<()> {
        self.relations += 1;
        writeln!(self.output, "R{}\t{kind} Arg1:T{from} Arg2:T{to}", self.relations)
    }

    fn attribute(&mut self, kind: &str, of: usize, value: Option<&str>) -> io::Result<()> {
        self.attributes += 1;
        let value = value.map(|value| format!(" {value}")).unwrap_or_default();
        writeln!(self.output, "A{}\t{kind} T{of}{value}", self.attributes)
    }
}

/// The pieces of a segment between its line ends, without white space around them.
fn lines(text: &str, segment: &ByteRange) -> Vec<ByteRange> {
    let mut start = segment.start;
    let pieces = text[segment.clone()].split_inclusive(['\n', '\r']).map(|piece| {
        let from = start;
        start += piece.len();
        trimmed(text, from..start)
    });
    pieces.filter(|piece| !piece.is_empty()).collect()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_cut_at_line_ends() {
        let text = "x “One\r\n\r\n two.” y";
        let pieces: Vec<&str> = lines(text, &(2..text.len() - 2)).into_iter().map(|bytes| &text[bytes]).collect();
        assert_eq!(pieces, ["“One", "two.”"]);
    }

    #[test]
    fn a_label_is_one_that_can_be_read() {
        assert_eq!(label("work of art/é"), "work_of_art__");
    }
}
