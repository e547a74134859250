//! How a command ends: exit codes, and failures that lead to them.

/// Everything went well.
pub(super) const ALL_GOOD: u8 = 0;
/// Some documents failed; the others were written.
pub(super) const SOME_FAILED: u8 = 1;
/// The model or an output could not be used. (2 is clap's, for wrong usage.)
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

impl Failure {
    /// A failure to write the results.
    pub(super) fn output(error: &std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => Self::Closed,
            _ => Self::Unusable(format!("cannot write the output: {error}")),
        }
    }
}
