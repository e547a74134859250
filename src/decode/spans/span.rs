//! What spans are once they are decoded.

use crate::text::ByteRange;

/// A labelled stretch of the text.
#[derive(Debug, Clone, PartialEq)]
pub struct Entity {
    /// For example "PER".
    pub label: String,
    /// Where it stands.
    pub bytes: ByteRange,
    /// Mean marginal probability of its tokens' tags, 0 to 1.
    pub score: f32,
}

/// One segment of a statement's source, cue or content.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// Where it stands.
    pub bytes: ByteRange,
    /// Mean marginal probability of its tokens' tags, 0 to 1.
    pub score: f32,
}

/// A token with what one tag head says of it.
#[derive(Debug, Clone, PartialEq)]
pub struct TaggedToken {
    /// Its id in the vocabulary.
    pub id: u32,
    /// Where it stands.
    pub bytes: ByteRange,
    /// Its tag in the best sequence, an index into the head's tags.
    pub tag: usize,
    /// Marginal probabilities of all tags, which sum to 1: `[tags]`.
    pub probabilities: Vec<f32>,
}
