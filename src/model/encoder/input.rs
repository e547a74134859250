//! What the encoder reads.

use std::ops::Range;

use crate::text::Tokens;

/// One window as the encoder wants it, special tokens left out.
#[derive(Debug, Clone, Copy)]
pub struct WindowInput<'tokens> {
    /// Vocabulary ids.
    pub ids: &'tokens [u32],
    /// [`Shape`](crate::text::Shape) classes, one per id.
    pub shapes: &'tokens [u8],
    /// [`Gap`](crate::text::Gap) classes, one per id.
    pub gaps: &'tokens [u8],
}

impl<'tokens> WindowInput<'tokens> {
    /// The window of these tokens of a document.
    pub fn new(tokens: &'tokens Tokens, range: Range<usize>) -> Self {
        Self { ids: &tokens.ids[range.clone()], shapes: &tokens.shapes[range.clone()], gaps: &tokens.gaps[range] }
    }
}
