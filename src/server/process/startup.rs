//! What the server runs on, and why it may not start.

use crate::engine::EngineError;
use crate::model::ModelError;

/// Why the server could not start, or ended before it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The address, the certificate or the keys cannot be used.
    #[error("{0}")]
    Configuration(String),
    /// The model cannot be loaded.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The engine cannot be started.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The network failed.
    #[error("the server failed: {0}")]
    Network(#[from] std::io::Error),
}

/// What runs beneath the server.
#[derive(Debug, Clone, Copy, Default)]
pub struct EngineConfiguration {
    /// Worker threads; 0: one per core that this process may use.
    pub threads: usize,
    /// Most tokens in a window, special tokens included; `None`: what the model was trained with.
    pub max_window: Option<usize>,
}
