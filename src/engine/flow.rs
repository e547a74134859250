//! The flow of a text: its lines as they were before something wrapped them.

use crate::model::Model;
use crate::text::unwrapped;

/// What is read of a document: our own models read wrapped lines as they flow, others every text as it is.
#[derive(Debug, Default)]
pub(super) struct Flow(Option<String>);

impl Flow {
    pub(super) fn new(model: &Model, text: &str) -> Self {
        Self(model.finds_statements().then(|| unwrapped(text)).flatten())
    }

    /// The text to read in place of the document's, byte for byte as long.
    pub(super) fn of<'text>(&'text self, text: &'text str) -> &'text str {
        self.0.as_deref().unwrap_or(text)
    }
}
