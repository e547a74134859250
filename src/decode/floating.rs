//! Floating quotations: paragraphs that are quoted from end to end and attribute themselves to nobody, behind one that
//! does. Whoever spoke there goes on.

use super::{Act, Kind, Polarity, Quotations, Segment, Statement};
use crate::text::ByteRange;

/// A floating quotation scores this part of what the statement before it does.
const CERTAINTY: f32 = 0.5;

/// Fewer words than this are a headline or a title rather than a quotation.
const FEWEST_WORDS: usize = 4;

/// The floating quotations of a document, in text order. `statements` are those that are attributed, in text order.
pub(super) fn floating(
    text: &str,
    paragraphs: &[ByteRange],
    quotations: &Quotations,
    statements: &[Statement],
) -> Vec<Statement> {
    let mut found = Vec::new();
    // Paragraphs in which a statement has a part.
    let mut taken = vec![false; paragraphs.len()];
    // The statement that starts last in each.
    let mut last: Vec<Option<&Statement>> = vec![None; paragraphs.len()];
    let paragraph_of = |byte: usize| paragraphs.partition_point(|paragraph| paragraph.end <= byte);
    for statement in statements {
        for segment in statement.source.iter().chain(&statement.cue).chain(&statement.content) {
            let through = paragraph_of(segment.bytes.end.saturating_sub(1)).min(paragraphs.len().saturating_sub(1));
            (paragraph_of(segment.bytes.start)..=through).for_each(|paragraph| taken[paragraph] = true);
        }
        let home = statement.content.last().map_or(statement.start(), |segment| segment.bytes.end.saturating_sub(1));
        if let Some(last) = last.get_mut(paragraph_of(home)) {
            *last = Some(statement);
        }
    }
    // How sure the quotation is that runs when the paragraph begins.
    let mut running: Option<f32> = None;
    for (number, paragraph) in paragraphs.iter().enumerate() {
        if taken[number] {
            running =
                last[number].filter(|statement| statement.kind != Kind::Indirect).map(|statement| statement.score);
            continue;
        }
        let words = text[paragraph.clone()].split_whitespace().count();
        let is_quoted = words >= FEWEST_WORDS && quotations.kind(text, std::slice::from_ref(paragraph)) == Kind::Direct;
        running = running.filter(|_| is_quoted);
        if let Some(score) = running {
            let score = score * CERTAINTY;
            found.push(Statement {
                source: Vec::new(),
                cue: Vec::new(),
                content: vec![Segment { bytes: paragraph.clone(), score }],
                kind: Kind::Direct,
                act: Act::Speech,
                polarity: Polarity::Positive,
                floating: true,
                score,
            });
        }
    }
    found
}
