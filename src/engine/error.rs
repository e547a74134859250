//! What can go wrong in the engine.

use crate::model::ModelError;
use crate::text::TokenizerError;

/// Why the engine cannot start, or a document not be processed.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The model failed.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The tokenizer failed.
    #[error(transparent)]
    Tokenizer(#[from] TokenizerError),
    /// The worker threads could not be started.
    #[error("cannot start the worker threads: {0}")]
    Threads(String),
    /// A fault in this program.
    #[error("this document made the program fail; please report it, with the document if you can")]
    Panic,
    /// A window size that the model cannot take.
    #[error("max_window {asked} is not between 3 and {limit}, the most tokens that this model reads at a time")]
    Window {
        /// What was asked for, in tokens.
        asked: usize,
        /// The model's limit, in tokens.
        limit: usize,
    },
}
