//! Polarity: whether a statement was made, or is said not to have been.
//!
//! A rule over the words at the cue. A statement is negative when a word of negation stands in the cue ("did not say"),
//! or before it in the same clause, between it and the source or content in front of it ("she never claimed that ..."),
//! or before the source with its verb ("nor did she say"), or when the source is nobody ("no one said"). "Denied", "refused" and "doubted" are cues like any others: who
//! denies something makes a statement, and it stays positive.

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

/// Words that deny what follows. Those that end in "n't" do too.
const NEGATIONS: [&str; 10] =
    ["not", "never", "cannot", "nor", "neither", "without", "hardly", "no longer", "dont", "didnt"];

/// Sources that are nobody.
const NOBODY: [&str; 6] = ["nobody", "no one", "no-one", "none", "neither", "no"];

/// What looks like a negation, and is none of the cue.
const HARMLESS: [&str; 10] = [
    "not only",
    "not just",
    "not least",
    "not surprisingly",
    "not long",
    "not far",
    "if not",
    "whether or not",
    "not to mention",
    "not for the first time",
];

/// A negation more than so many words before the cue denies something else.
const REACH: usize = 6;

/// The polarity of a statement, by the words of its source and cue and those before the cue.
pub fn polarity(text: &str, source: &[Segment], cue: &[Segment], content: &[Segment]) -> Polarity {
    let is_nobody = source.iter().any(|segment| {
        let words = words(&text[segment.bytes.clone()]);
        NOBODY.iter().any(|nobody| begins_with(&words, nobody))
    });
    let is_inverted = source.iter().any(|segment| {
        let from = text.floor_char_boundary(segment.bytes.start.saturating_sub(40));
        let before = words(last_clause(&text[from..segment.bytes.start]));
        // The verb stands between: "nor did she", "never has he".
        before.len() >= 2 && ["nor", "neither", "never"].contains(&before[before.len() - 2].as_str())
    });
    let denies = cue.iter().any(|segment| {
        let parts = source.iter().chain(content);
        let border = parts.map(|part| part.bytes.end).filter(|&end| end <= segment.bytes.start).max();
        let border = border.unwrap_or(0);
        let mut before = words(last_clause(&text[border..segment.bytes.start]));
        before.drain(..before.len().saturating_sub(REACH));
        before.extend(words(&text[segment.bytes.clone()]));
        has_negation(&before)
    });
    if is_nobody || is_inverted || denies { Polarity::Negative } else { Polarity::Positive }
}

/// What stands behind the last mark that ends a clause.
fn last_clause(text: &str) -> &str {
    text.rsplit(['.', '!', '?', ';', ':', '\n', '\r', '”', '"']).next().unwrap_or_default()
}

fn has_negation(words: &[String]) -> bool {
    (0..words.len()).any(|at| {
        let here = &words[at..];
        let denies = here[0].ends_with("n't") || NEGATIONS.iter().any(|negation| begins_with(here, negation));
        let harmless = HARMLESS.iter().any(|phrase| {
            let before = phrase.split(' ').position(|word| word == here[0]).unwrap_or(0);
            at.checked_sub(before).is_some_and(|start| begins_with(&words[start..], phrase))
        });
        denies && !harmless
    })
}

fn begins_with(words: &[String], phrase: &str) -> bool {
    let mut given = words.iter();
    phrase.split(' ').all(|word| given.next().is_some_and(|given| given == word))
}

/// Words in lower case, with straight apostrophes; "did n't", as corpora are printed, is one word of two.
fn words(text: &str) -> Vec<String> {
    let plain = text.replace('’', "'").to_lowercase();
    let split = plain.split(|character: char| !character.is_alphanumeric() && !matches!(character, '\'' | '-'));
    split.filter(|word| !word.is_empty()).map(str::to_owned).collect()
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
