//! The decode room: from scores to entities, statements and speakers.
//!
//! Scores are stitched over windows, tags are decoded paragraph by paragraph, spans are linked, and links become
//! statements. Everything here is in bytes of the document's text; no tensors, no file formats.

mod act;
mod document;
mod links;
mod names;
mod paragraphs;
mod quotation;
mod speakers;
mod statements;
mod stitch;
mod tags;

pub use act::{Act, act};
pub use document::{DocumentDecoder, Reading, TokenDecoder};
pub use quotation::{Kind, Quotations};
pub use speakers::{Attribution, Speaker, Via, resolve_speakers};
pub use statements::Statement;

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

/// What one document says: entities and statements, both in text order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Annotations {
    /// Named entities.
    pub entities: Vec<Entity>,
    /// Statements.
    pub statements: Vec<Statement>,
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
