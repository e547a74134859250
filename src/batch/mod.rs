//! The batch room: archives in, results out, in files that programs for data read. Nothing is lost or doubled,
//! whatever ends a run.
//!
//! Knows file formats, and nothing of tensors, terminals or HTTP. A run is a pipeline with bounded queues: one thread
//! reads (`read`) and cuts what it reads into chunks (`chunks`), the engine extracts, and one thread writes parts
//! (`output`) and keeps account of them (`manifest`). `docs/batch.md` is the manual.

mod chunks;
pub mod columns;
mod flat;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod groups;
pub mod in_memory;
mod inputs;
mod kept;
mod manifest;
mod merge;
mod output;
mod pipeline;
mod progress;
mod read;
mod settings;
mod shard;
mod texts;

use std::io;
use std::path::{Path, PathBuf};

use arrow_schema::ArrowError;

pub use inputs::{InputFormat, Inputs};
pub use merge::{Merged, merge};
pub use output::Output;
pub use pipeline::run;
pub use progress::{Counters, Summary};
pub use settings::{Flat, Job, OutputFormat, Settings};
pub use shard::Shard;

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
fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> BatchError {
    let path = path.to_owned();
    move |error| BatchError::File { action, path, error }
}
