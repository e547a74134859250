//! The text room: a document, its offsets, its tokens, and the windows that the model reads.
//!
//! Nothing here knows of tensors. Inside the house every position is a byte of the document's text;
//! [`Offsets`] is the one place that turns bytes into the units that the outside wants.

mod document;
mod features;
mod language;
mod offsets;
mod tokenizer;
mod tokens;
mod touched;
mod windows;
mod wrapped;

pub use document::{BorrowedDocument, Document, DocumentError};
pub(crate) use features::is_line_end;
pub use features::{ENCODER_SHAPES, GAPS, Gap, SHAPES, Shape, capitals_tell_nothing, without_case};
pub use language::language_warning;
pub use offsets::{OffsetUnit, Offsets};
pub use tokenizer::{Tokenisation, Tokenizer, TokenizerError};
pub use tokens::Tokens;
pub(crate) use tokens::trimmed;
pub(crate) use touched::touched_tokens;
pub use windows::{Window, WindowSize, plan_windows};
pub use wrapped::unwrapped;

/// A half-open range of bytes of a document's text, always on character boundaries.
pub type ByteRange = std::ops::Range<usize>;
