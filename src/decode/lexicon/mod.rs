//! The words that decoding knows: lists of English words, read from `lexicon.toml`, which says where each comes from.
//!
//! The lists stand by the room that reads them, and what each is for is said in the file; what it is worth, in docs/lexicon.md.

mod forms;
mod list;
#[cfg(feature = "benchmarks")]
mod other;
mod words;

use std::sync::LazyLock;

use serde::Deserialize;

pub(super) use list::{Classes, List};
#[cfg(feature = "benchmarks")]
pub use other::use_lexicon;
pub(super) use words::words;

/// All lists.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Lexicon {
    pub spans: Spans,
    pub statements: Statements,
    pub speakers: Speakers,
}

/// The lists of the room `spans`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Spans {
    pub subjects: List,
    pub no_predicates: List,
}

/// The lists of the room `statements`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Statements {
    pub thought: List,
    pub yielding: List,
    pub speech: List,
    pub negations: List,
    pub nobody: List,
    pub harmless_negations: List,
    pub inverting: List,
    pub linking: List,
    pub contractions: List,
    pub elisions: List,
    pub clipped: List,
}

/// The lists of the room `speakers`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Speakers {
    pub pronouns: Classes,
    pub known: List,
    pub definite: List,
    pub documents: List,
    pub empty: List,
    pub offices: Classes,
    pub additions: List,
    pub followers: List,
    pub prepositions: List,
    pub determiners: List,
    pub conjunctions: List,
    pub of_candidates: List,
    pub nouns_behind: List,
    pub roles: List,
    pub titles: List,
    pub name_follows: List,
    pub titles_of_men: List,
    pub titles_of_women: List,
}

/// The lexicon, which is part of the program.
#[expect(clippy::expect_used, reason = "the file is part of the program, and a test reads it")]
pub(super) fn lexicon() -> &'static Lexicon {
    static LEXICON: LazyLock<Lexicon> =
        LazyLock::new(|| basic_toml::from_str(include_str!("lexicon.toml")).expect("the lexicon can be read"));
    #[cfg(feature = "benchmarks")]
    if let Some(other) = other::in_use() {
        return other;
    }
    &LEXICON
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_of_cues_are_apart() {
        let statements = &lexicon().statements;
        for word in statements.thought.iter() {
            assert!(!statements.speech.has(word), "{word} is in two lists");
        }
        for word in statements.yielding.iter() {
            assert!(!statements.speech.has(word) && !statements.thought.has(word), "{word} is in two lists");
        }
    }
}
