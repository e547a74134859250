//! From tagged tokens to what the token-classification pipeline of `transformers` says of them.
//!
//! The pipeline's quirks are its contract and are kept: what counts as a piece of the word before (any change of
//! length between the text and the vocabulary), I tags that begin entities, and words in the vocabulary's spelling.
//! `tests/fixtures/hugging_face.json` holds what the pipeline itself answered, and a test holds this file to it.

use std::ops::Range;

use super::{AggregationStrategy, Item, Parameters};
use crate::decode::TaggedToken;
use crate::model::TagScheme;
use crate::text::{OffsetUnit, Offsets, Tokenizer, TokenizerError};

/// What the pipeline answers for a text and its tokens, all of them, in text order; `scheme` names their tags.
///
/// # Errors
/// [`TokenizerError::Encode`] when the tokenizer cannot put pieces together.
pub fn token_classification(
    tokenizer: &Tokenizer,
    scheme: &TagScheme,
    text: &str,
    tokens: &[TaggedToken],
    parameters: &Parameters,
) -> Result<Vec<Item>, TokenizerError> {
    let strategy = parameters.aggregation_strategy;
    let offsets = Offsets::new(text, OffsetUnit::Codepoint);
    let ignored = |name: &str| parameters.ignore_labels.iter().any(|label| label == name);
    let word = |token: &TaggedToken| Piece::of(tokenizer, text, token).word;
    let item = |tokens: &[TaggedToken], score, word| Item {
        entity: None,
        entity_group: None,
        score,
        index: None,
        word,
        start: tokens.first().map_or(0, |first| offsets.at(first.bytes.start)),
        end: tokens.last().map_or(0, |last| offsets.at(last.bytes.end)),
    };

    let mut items = Vec::new();
    if strategy == AggregationStrategy::None {
        for (at, token) in tokens.iter().enumerate() {
            let name = scheme.name_of(token.tag);
            if !ignored(name) {
                let (_, score) = decoded(token);
                // The pipeline counts the special token at the start.
                let (entity, index) = (Some(name.to_owned()), Some(at + 1));
                items.push(Item { entity, index, ..item(std::slice::from_ref(token), score, word(token)) });
            }
        }
        return Ok(items);
    }
    let units = units(tokenizer, text, tokens, strategy);
    let continues = |before: &Unit, unit: &Unit| {
        let ((_, before), (begins, label)) = (grouping(scheme.name_of(before.tag)), grouping(scheme.name_of(unit.tag)));
        before == label && !begins
    };
    for group in units.chunk_by(continues) {
        let (Some(first), Some(last)) = (group.first(), group.last()) else { continue };
        // Here the pipeline takes off any prefix, and not only B and I.
        let name = scheme.name_of(first.tag);
        let label = name.split_once('-').map_or(name, |(_, label)| label);
        if ignored(label) {
            continue;
        }
        let mut words = Vec::with_capacity(group.len());
        for unit in group {
            let pieces = &tokens[unit.tokens.clone()];
            words.push(match strategy {
                AggregationStrategy::Simple => pieces.iter().map(word).collect(),
                _ => tokenizer.join(pieces.iter().map(word).collect())?,
            });
        }
        let score = group.iter().map(|unit| unit.score).sum::<f32>() / group.len() as f32;
        let tokens = &tokens[first.tokens.start..last.tokens.end];
        items.push(Item { entity_group: Some(label.to_owned()), ..item(tokens, score, tokenizer.join(words)?) });
    }
    Ok(items)
}

/// What decides whether a tag goes on with the group before: whether it begins one, and its label.
fn grouping(name: &str) -> (bool, &str) {
    match name.split_once('-') {
        Some(("B", label)) => (true, label),
        Some(("I", label)) => (false, label),
        _ => (false, name),
    }
}

/// A token as the pipeline writes it.
struct Piece {
    word: String,
    /// It belongs to the word of the token before.
    is_subword: bool,
}

impl Piece {
    fn of(tokenizer: &Tokenizer, text: &str, token: &TaggedToken) -> Self {
        let source = text.get(token.bytes.clone()).unwrap_or_default();
        if tokenizer.is_unknown(token.id) {
            return Self { word: source.to_owned(), is_subword: false };
        }
        let word = tokenizer.piece(token.id).unwrap_or_default();
        // The pipeline's own tests. Where the vocabulary marks pieces, "##" makes one longer than its text; so does
        // whatever else changes a length. Where it does not, a token without a space at its start or before it goes on.
        let is_subword = match tokenizer.continuing_prefix() {
            Some(_) => word.chars().count() != source.chars().count(),
            None => {
                let before = text.get(..token.bytes.start).and_then(|text| text.chars().next_back());
                let starts_with_space = text.get(token.bytes.start..).is_some_and(|text| text.starts_with(' '));
                before.is_some_and(|before| before != ' ') && !starts_with_space
            }
        };
        Self { word, is_subword }
    }
}

/// What has one tag: a token, or where the strategy keeps words together, a word.
struct Unit {
    tokens: Range<usize>,
    tag: usize,
    score: f32,
}

fn units(tokenizer: &Tokenizer, text: &str, tokens: &[TaggedToken], strategy: AggregationStrategy) -> Vec<Unit> {
    let by_words = !matches!(strategy, AggregationStrategy::None | AggregationStrategy::Simple);
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match ranges.last_mut() {
            Some(word) if by_words && Piece::of(tokenizer, text, token).is_subword => word.end = at + 1,
            _ => ranges.push(at..at + 1),
        }
    }
    let unit = |range: Range<usize>| {
        let (tag, score) = match (strategy, &tokens[range.clone()]) {
            (AggregationStrategy::Average, word) => best(&average(word)),
            (AggregationStrategy::Max, word) => surest(word),
            (_, word) => word.first().map_or((0, 0.0), decoded),
        };
        Unit { tokens: range, tag, score }
    };
    ranges.into_iter().map(unit).collect()
}

/// The decoder's tag of a token, with its probability.
fn decoded(token: &TaggedToken) -> (usize, f32) {
    (token.tag, token.probabilities.get(token.tag).copied().unwrap_or_default())
}

/// The most probable tag, the first of equals.
fn best(probabilities: &[f32]) -> (usize, f32) {
    let tags = probabilities.iter().copied().enumerate();
    tags.reduce(|best, tag| if tag.1 > best.1 { tag } else { best }).unwrap_or_default()
}

/// The most probable tag of the token that is surest of its own, the first of equals.
fn surest(word: &[TaggedToken]) -> (usize, f32) {
    let tags = word.iter().map(|token| best(&token.probabilities));
    tags.reduce(|best, tag| if tag.1 > best.1 { tag } else { best }).unwrap_or_default()
}

/// Mean probabilities of the tags.
fn average(word: &[TaggedToken]) -> Vec<f32> {
    let mut sums = word.first().map(|token| token.probabilities.clone()).unwrap_or_default();
    for token in word.iter().skip(1) {
        sums.iter_mut().zip(&token.probabilities).for_each(|(sum, probability)| *sum += probability);
    }
    sums.iter_mut().for_each(|sum| *sum /= word.len() as f32);
    sums
}
