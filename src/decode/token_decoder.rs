//! Tagging the tokens of one document while its windows come in: for token classifiers.

use super::reading::Reading;
use super::spans::{Arrivals, TaggedToken, stitch, tag_tokens};
use crate::model::{ModelError, WindowOutput};
use crate::text::Window;

/// Takes the outputs of a document's windows in text order, of one tag head and no other, and tells each token's tag.
/// All calls must be about the same [`Reading`].
#[derive(Debug)]
pub struct TokenDecoder {
    scheme: String,
    arrivals: Arrivals,
    tagged: Vec<TaggedToken>,
}

impl TokenDecoder {
    /// A decoder for one document; `scheme` is the head to run.
    pub fn new(scheme: &str) -> Self {
        Self { scheme: scheme.to_owned(), arrivals: Arrivals::default(), tagged: Vec::new() }
    }

    /// Takes the next window's output.
    ///
    /// # Errors
    /// [`ModelError::NoHead`] when the model has no such scheme.
    pub fn push(&mut self, reading: Reading<'_>, window: Window, output: WindowOutput) -> Result<(), ModelError> {
        let scheme = reading.model.scheme(&self.scheme)?;
        self.arrivals.push(window, output);
        while let Some((_, paragraph)) = self.arrivals.next_paragraph(reading.tokens) {
            let scores = stitch(&self.arrivals.pending, paragraph.clone(), 0, scheme.tags());
            let tokens = paragraph.zip(tag_tokens(scheme, &scores));
            self.tagged.extend(tokens.map(|(token, (tag, probabilities))| TaggedToken {
                id: reading.tokens.ids[token],
                bytes: reading.tokens.spans[token].clone(),
                tag,
                probabilities,
            }));
        }
        Ok(())
    }

    /// All tokens, in text order.
    pub fn finish(self) -> Vec<TaggedToken> {
        self.tagged
    }
}
