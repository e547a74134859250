//! The decode room: from scores to entities, statements and speakers.
//!
//! Scores are stitched over windows, tags are decoded paragraph by paragraph (`spans`), spans are linked, and links become
//! statements (`statements`), whose sources lead to somebody (`speakers`). The words that they know are lists (`lexicon`).
//! Everything here is in bytes of the document's text; no tensors, no file formats.

mod annotations;
mod document;
mod lexicon;
mod reading;
mod spans;
mod speakers;
mod statements;
mod steps;
mod token_decoder;

pub use annotations::Annotations;
pub use document::DocumentDecoder;
#[cfg(feature = "benchmarks")]
pub use lexicon::use_lexicon;
pub use reading::Reading;
pub use spans::{Entity, Segment, TaggedToken};
pub use speakers::{Attribution, Form, Mention, Pronoun, Referent, Speaker, Via, find_mentions, find_referents};
pub use statements::{Act, Kind, Polarity, Quotations, Statement, act, polarity};
pub use steps::complete;
pub(crate) use steps::complete_until;
pub use token_decoder::TokenDecoder;
