//! Columns as in CoNLL-2003, with IOB2 tags: the word, its statement, its role there, its entity.
//!
//! A blank line ends a line of the article, a line that begins with -DOCSTART- a document. Where CoNLL-2003 has part of
//! speech and chunk, the statements' ids (`_` for none) and roles stand, so that readers of that form find words first
//! and entities last.

use std::io::{self, Write};

use super::Annotated;
use crate::text::touched_tokens;

pub(super) fn write(document: &Annotated<'_>, output: &mut impl Write) -> io::Result<()> {
    let words = document.words();
    let mut entities = vec![None; words.len()];
    let mut roles = vec![None; words.len()];
    let mut statements = vec![String::new(); words.len()];
    for entity in &document.entities {
        mark(&mut entities, touched_tokens(&words, &entity.bytes), &entity.found.label);
    }
    for statement in &document.statements {
        for (role, segments) in statement.roles() {
            for segment in segments {
                let covered = touched_tokens(&words, segment);
                mark(&mut roles, covered.clone(), &role.to_uppercase());
                for ids in &mut statements[covered] {
                    let comma = if ids.is_empty() { "" } else { "," };
                    ids.push_str(comma);
                    ids.push_str(&statement.found.id);
                }
            }
        }
    }
    writeln!(output, "-DOCSTART- -X- O O\n")?;
    let mut before = 0;
    for (index, word) in words.iter().enumerate() {
        if index > 0 && document.text[before..word.start].contains(['\n', '\r', '\u{2028}', '\u{2029}']) {
            writeln!(output)?;
        }
        before = word.end;
        let text = &document.text[word.clone()];
        let statement = if statements[index].is_empty() { "_" } else { &statements[index] };
        let tag = |tags: &[Option<String>]| tags[index].clone().unwrap_or_else(|| "O".to_owned());
        writeln!(output, "{text} {statement} {} {}", tag(&roles), tag(&entities))?;
    }
    writeln!(output)
}

/// Tags a run of words that have no tag yet; one that is there stays, so that the tags are a sequence of spans.
fn mark(tags: &mut [Option<String>], words: std::ops::Range<usize>, label: &str) {
    if tags[words.clone()].iter().any(Option::is_some) {
        return;
    }
    // White space would look like a column.
    let label: String =
        label.chars().map(|character| if character.is_whitespace() { '_' } else { character }).collect();
    for (place, tag) in tags[words].iter_mut().enumerate() {
        *tag = Some(format!("{}-{label}", if place == 0 { 'B' } else { 'I' }));
    }
}
