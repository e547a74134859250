//! Polarity: whether a statement was made, or is said not to have been.
//!
//! A rule over the words at the cue. A statement is negative when a word of negation stands in the cue ("did not say"),
//! or before it in the same clause, between it and the source or content in front of it ("she never claimed that ..."),
//! or before the source with its verb ("nor did she say"), or when the source is nobody ("no one said"). "Denied", "refused" and "doubted" are cues like any others: who
//! denies something makes a statement, and it stays positive.

use crate::decode::lexicon::{lexicon, words};
use crate::decode::spans::Segment;

/// Whether the source made the statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Polarity {
    /// It did.
    Positive,
    /// The text says that it did not: "did not say", "never claimed".
    Negative,
}

impl Polarity {
    /// The name used in the output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Positive => "positive",
            Self::Negative => "negative",
        }
    }
}

/// Signs that may be part of a word: "did n't", as corpora are printed, is one word of two.
const SIGNS: &str = "'-";

/// A negation more than so many words before the cue denies something else.
const REACH: usize = 6;

/// The polarity of a statement, by the words of its source and cue and those before the cue.
pub fn polarity(text: &str, source: &[Segment], cue: &[Segment], content: &[Segment]) -> Polarity {
    let lists = &lexicon().statements;
    let is_nobody = source.iter().any(|segment| {
        let words: Vec<String> = words(&text[segment.bytes.clone()], SIGNS).collect();
        lists.nobody.begins(&words)
    });
    let is_inverted = source.iter().any(|segment| {
        let from = text.floor_char_boundary(segment.bytes.start.saturating_sub(40));
        // The verb stands between: "nor did she", "never has he".
        let before = words(last_clause(&text[from..segment.bytes.start]), SIGNS).nth_back(1);
        before.is_some_and(|word| lists.inverting.has(&word))
    });
    let denies = cue.iter().any(|segment| {
        let parts = source.iter().chain(content);
        let border = parts.map(|part| part.bytes.end).filter(|&end| end <= segment.bytes.start).max();
        let border = border.unwrap_or(0);
        let mut before: Vec<String> = words(last_clause(&text[border..segment.bytes.start]), SIGNS).collect();
        before.drain(..before.len().saturating_sub(REACH));
        before.extend(words(&text[segment.bytes.clone()], SIGNS));
        has_negation(&before)
    });
    if is_nobody || is_inverted || denies { Polarity::Negative } else { Polarity::Positive }
}

/// What stands behind the last mark that ends a clause.
fn last_clause(text: &str) -> &str {
    text.rsplit(['.', '!', '?', ';', ':', '\n', '\r', '”', '"']).next().unwrap_or_default()
}

fn has_negation(words: &[String]) -> bool {
    let lists = &lexicon().statements;
    (0..words.len())
        .any(|at| lists.negations.begins(&words[at..]) && !lists.harmless_negations.stands_around(words, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// "[source] {cue} <content>"
    fn judged(marked: &str) -> Polarity {
        let (mut text, mut parts) = (String::new(), [Vec::new(), Vec::new(), Vec::new()]);
        let mut start = 0;
        for character in marked.chars() {
            match character {
                '[' | '{' | '<' => start = text.len(),
                ']' | '}' | '>' => {
                    let segment = Segment { bytes: start..text.len(), score: 1.0 };
                    parts["]}>".find(character).unwrap()].push(segment);
                }
                other => text.push(other),
            }
        }
        polarity(&text, &parts[0], &parts[1], &parts[2])
    }

    #[test]
    fn what_was_not_said_is_negative() {
        for marked in [
            "[Holt] did not {say} <when the pier will open>.",
            "[Holt] {didn’t say} <when the pier will open>.",
            "[Holt] did n't {say} <when the pier will open>.",
            "[She] has never once publicly {claimed} <that>.",
            "Nor did [she] {realize} <that the pier was shut>.",
            "[No one] {said} <why>.",
            "[The board] no longer {believes} <the report>.",
            "[Holt] left without {saying} <why>.",
        ] {
            assert_eq!(judged(marked), Polarity::Negative, "{marked}");
        }
    }

    #[test]
    fn what_was_said_is_positive() {
        for marked in [
            "[Holt] {denied} <that the pier was shut>.",
            "[Holt] {said} <it would not open>.",
            "<“It will not open,”> [Holt] {said}.",
            "The pier is not open. [Holt] {said} <so>.",
            "[Holt], not surprisingly, {said} <so>.",
            "[Holt] not only {said} <so> but {wrote} <it>.",
            "[Holt], who is not a lawyer and has no wish to become one, {said} <so>.",
            "[Nobles] {said} <so>.",
        ] {
            assert_eq!(judged(marked), Polarity::Positive, "{marked}");
        }
    }
}
