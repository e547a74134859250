//! The decode room: from scores to entities, statements and speakers.
//!
//! Scores are stitched over windows, tags are decoded paragraph by paragraph, spans are linked, and links become
//! statements. Everything here is in bytes of the document's text; no tensors, no file formats.

mod act;
mod beside;
mod bodies;
mod carried;
mod consistency;
mod descriptions;
mod document;
mod floating;
mod links;
mod mentions;
mod name_words;
mod names;
mod paragraphs;
mod polarity;
mod quotation;
mod resolve;
mod sentence_tails;
mod source_heads;
mod speakers;
mod statements;
mod stitch;
mod surnames;
mod tags;
mod transcript;

pub use act::{Act, act};
pub use document::{DocumentDecoder, Reading, TokenDecoder};
pub use mentions::{Form, Mention, Pronoun, Referent, find_mentions};
pub use polarity::{Polarity, polarity};
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

/// What one document says: entities, statements and mentions, each in text order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Annotations {
    /// Named entities.
    pub entities: Vec<Entity>,
    /// Statements.
    pub statements: Vec<Statement>,
    /// Where the document speaks of somebody.
    pub mentions: Vec<Mention>,
}

impl Annotations {
    /// Leaves out entities and statements that score below a limit, and mentions that rest on them.
    pub fn keep(&mut self, min_score: f32) {
        let mut kept = 0;
        let places: Vec<Option<usize>> = (self.entities.iter())
            .map(|entity| {
                let place = (entity.score >= min_score).then_some(kept);
                kept += usize::from(place.is_some());
                place
            })
            .collect();
        self.entities.retain(|entity| entity.score >= min_score);
        self.statements.retain(|statement| statement.score >= min_score);
        self.mentions.retain_mut(|mention| {
            let Some(entity) = mention.entity else { return true };
            mention.entity = places[entity];
            mention.entity.is_some()
        });
    }
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
