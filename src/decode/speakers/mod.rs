//! Speakers: who is spoken of, and the person or organisation behind each statement.
//!
//! Names are grouped, pronouns and descriptions are resolved to them, and each statement's source leads to one. This room may
//! know `spans` and `statements`.

mod attribution;
mod beside;
mod carried;
mod cast;
mod descriptions;
mod mentions;
mod names;
mod referents;
mod resolve;
mod source_heads;

pub(super) use attribution::resolve_speakers;
pub use attribution::{Attribution, Speaker, Via};
pub use mentions::{Form, Mention, Pronoun, find_mentions};
pub(super) use mentions::{place, possible_mentions};
pub use referents::{Referent, find_referents};
