//! A table of statements, with the columns of `onrecord batch --flat statements`, as CSV (RFC 4180).

use std::io::{self, Write};

use super::Annotated;
use crate::engine::{SpeakerLink, joined};

const COLUMNS: [&str; 18] = [
    "document",
    "statement",
    "kind",
    "act",
    "polarity",
    "floating",
    "score",
    "speaker",
    "speaker_id",
    "speaker_label",
    "speaker_via",
    "speaker_score",
    "co_speakers",
    "source",
    "cue",
    "content",
    "start",
    "end",
];

pub(super) fn write_head(output: &mut impl Write) -> io::Result<()> {
    row(output, COLUMNS.map(str::to_owned))
}

pub(super) fn write(document: &Annotated<'_>, output: &mut impl Write) -> io::Result<()> {
    for statement in &document.statements {
        let found = statement.found;
        let speaker = found.speaker.as_ref();
        let of_speaker = |part: fn(&SpeakerLink) -> String| speaker.map(part).unwrap_or_default();
        let others: Vec<&str> = found.co_speaker_names(&document.found.speakers).collect();
        let start = statement.content.iter().map(|segment| segment.start).min().unwrap_or_default();
        let end = statement.content.iter().map(|segment| segment.end).max().unwrap_or_default();
        let (start, end) = document.code_points(&(start..end));
        row(
            output,
            [
                document.found.id.clone(),
                found.id.clone(),
                found.kind.clone(),
                found.act.clone(),
                found.polarity.clone(),
                found.floating.to_string(),
                found.score.to_string(),
                of_speaker(|speaker| speaker.name.clone()),
                of_speaker(|speaker| speaker.id.clone()),
                of_speaker(|speaker| speaker.label.clone()),
                of_speaker(|speaker| speaker.via.clone()),
                of_speaker(|speaker| speaker.score.to_string()),
                others.join("; "),
                joined(&found.source),
                joined(&found.cue),
                joined(&found.content),
                start.to_string(),
                end.to_string(),
            ],
        )?;
    }
    Ok(())
}

fn row<const CELLS: usize>(output: &mut impl Write, cells: [String; CELLS]) -> io::Result<()> {
    let cells = cells.map(|text| cell(&text));
    write!(output, "{}\r\n", cells.join(","))
}

/// A cell. A text that a spreadsheet would take for a formula gets an apostrophe before it, or an article could run one.
fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains(['"', ',', '\r', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn cells_are_quoted_where_they_must_be_and_never_formulas() {
        assert_eq!(cell("said"), "said");
        assert_eq!(cell("told, “again”"), "\"told, “again”\"");
        assert_eq!(cell("a \"b\"\nc"), "\"a \"\"b\"\"\nc\"");
        assert_eq!(cell("=cmd()"), "'=cmd()");
    }
}
