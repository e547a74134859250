//! What ends a run early.

use std::io;
use std::path::{Path, PathBuf};

use arrow_schema::ArrowError;

/// What ends a run early. Whatever it is, the parts that the manifest lists are whole, and `--resume` goes on.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// What was asked for does not fit together.
    #[error("{0}")]
    Usage(String),
    /// A file of the output cannot be written or read.
    #[error("cannot {action} {path}: {error}")]
    File {
        /// What was tried.
        action: &'static str,
        /// With what.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The system has no thread for reading.
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
    /// The output is not what this run can go on with.
    #[error("{0}")]
    Output(String),
    /// Results do not fit the form that they are to be written in.
    #[error("cannot write {path}: {error}")]
    Form {
        /// The part.
        path: PathBuf,
        /// What Arrow says.
        error: ArrowError,
    },
    /// More documents failed than allowed.
    #[error("stopped: {errors} documents failed, more than --max-errors {limit}; {path} says why")]
    TooManyErrors {
        /// How many failed.
        errors: u64,
        /// How many may.
        limit: u64,
        /// The file of errors.
        path: PathBuf,
    },
    /// The caller said to stop.
    #[error("interrupted; --resume goes on after the last whole part")]
    Interrupted,
    /// A fault in this program.
    #[error("the program failed; please report it")]
    Fault,
}

/// Says what was tried with which file, when it fails.
pub(super) fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> BatchError {
    let path = path.to_owned();
    move |error| BatchError::File { action, path, error }
}
