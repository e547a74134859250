//! Statements: which cue a source and a content belong to, and what kind of statement they make together.
//!
//! Spans are linked and assembled into statements; quotation marks decide their kind, the words of the cue their act and
//! polarity; quotations that stand by themselves and turns of transcripts are added. This room may know `spans`, and nothing of
//! speakers.

mod act;
mod assemble;
mod floating;
mod links;
mod polarity;
mod quotation;
mod statement;
mod transcript;

pub use act::{Act, act};
pub(super) use assemble::assemble;
pub(super) use links::{LinkSpan, View};
pub use polarity::{Polarity, polarity};
pub use quotation::{Kind, Quotations};
pub use statement::Statement;
pub(super) use statement::sources_of;
