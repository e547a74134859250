//! Floating quotations: paragraphs that are quoted from end to end and attribute themselves to nobody, behind one that
//! does. Whoever spoke there goes on.

use super::quotation::{Kind, Quotations};
use super::statement::Statement;
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
            found.push(Statement::floating(Vec::new(), paragraph.clone(), score * CERTAINTY));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::act::Act;
    use super::super::polarity::Polarity;
    use super::*;
    use crate::decode::spans::Segment;
    use crate::decode::spans::paragraphs::of_lines;

    /// A line a paragraph. The first line that has a cue is a statement, whose content is what is quoted in it.
    fn found(lines: &[&str], kind: Kind) -> Vec<String> {
        let (text, paragraphs) = of_lines(lines);
        let said = text.find(" said").map(|at| Statement {
            source: Vec::new(),
            cue: vec![Segment { bytes: at + 1..at + 5, score: 1.0 }],
            content: vec![Segment { bytes: text.find('“').unwrap_or(0)..at, score: 1.0 }],
            kind,
            act: Act::Speech,
            polarity: Polarity::Positive,
            floating: false,
            score: 0.8,
        });
        let statements: Vec<Statement> = said.into_iter().collect();
        let floating = floating(&text, &paragraphs, &Quotations::find(&text), &statements);
        assert!(floating.iter().all(|statement| statement.floating && statement.score == 0.4));
        floating.iter().map(|statement| text[statement.content[0].bytes.clone()].to_owned()).collect()
    }

    #[test]
    fn quotations_float_behind_an_attributed_one() {
        let lines =
            ["“We waited a week,” Holt said.", "“Nobody called us back.”", "“So we left the town.”", "Holt left."];
        assert_eq!(found(&lines, Kind::Direct), ["“Nobody called us back.”", "“So we left the town.”"]);
    }

    #[test]
    fn nothing_floats_elsewhere() {
        let none: [&str; 0] = [];
        assert_eq!(found(&["“We waited a week,” Holt said.", "“Gone.”"], Kind::Direct), none, "too short");
        assert_eq!(found(&["Holt said so.", "“Nobody called us back.”"], Kind::Indirect), none, "nobody was quoted");
        assert_eq!(found(&["Holt left.", "“Nobody called us back.”"], Kind::Direct), none, "nobody spoke");
        let interrupted = ["“We waited a week,” Holt said.", "Rain fell on the pier.", "“Nobody called us back.”"];
        assert_eq!(found(&interrupted, Kind::Direct), none, "somebody else may be speaking");
    }
}
