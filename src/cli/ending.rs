//! How a command ends: exit codes, and failures that lead to them.

use crate::engine::EngineError;
use crate::model::ModelError;

/// Everything went well.
pub(super) const ALL_GOOD: u8 = 0;
/// Some documents failed; the others were written.
pub(super) const SOME_FAILED: u8 = 1;
/// The flags do not fit together, do not fit the model, or are none.
pub(super) const WRONG_USAGE: u8 = 2;
/// The model or an output could not be used.
pub(super) const UNUSABLE: u8 = 3;

/// Why a command ended early.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The flags do not fit together or do not fit the model: exit code 2.
    #[error("{0}")]
    Usage(String),
    /// The model or an output cannot be used: exit code 3.
    #[error("{0}")]
    Unusable(String),
    /// Whoever read our output has seen enough.
    #[error("the output was closed")]
    Closed,
    /// A signal ended it, this one: exit code 128 and its number.
    #[cfg(feature = "batch")]
    #[error("{1}")]
    Interrupted(u8, String),
}

/// Settings by the names of their flags; in the library they go by others.
impl From<ModelError> for Failure {
    fn from(error: ModelError) -> Self {
        match error {
            ModelError::NotEmbedded => {
                Self::Unusable("this build has no embedded model: name one with --model".to_owned())
            }
            error => Self::Unusable(error.to_string()),
        }
    }
}

/// As for the model's errors.
impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Window { asked, limit } => Self::Usage(format!(
                "--max-window {asked} is not between 3 and {limit}, the most tokens that this model reads at a time"
            )),
            error => Self::Unusable(error.to_string()),
        }
    }
}

impl Failure {
    /// A failure to write the results.
    pub(super) fn output(error: &std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => Self::Closed,
            _ => Self::Unusable(format!("cannot write the output: {error}")),
        }
    }
}
