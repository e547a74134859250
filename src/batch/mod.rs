//! The batch room: archives in, results out, in files that programs for data read. Nothing is lost or doubled,
//! whatever ends a run.
//!
//! Knows file formats, and nothing of tensors, terminals or HTTP. A run is a pipeline with bounded queues: one thread
//! reads (`read`) and cuts what it reads into chunks (`chunks`), the engine extracts, and one thread writes parts
//! (`output`) and keeps account of them (`manifest`). `docs/batch.md` is the manual.

mod chunks;
pub mod columns;
mod earlier;
mod error;
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

pub use error::BatchError;
pub use inputs::{InputFormat, Inputs};
pub use merge::{Merged, merge};
pub use output::Output;
pub use pipeline::run;
pub use progress::{Counters, Summary};
pub use settings::{Flat, Job, OutputFormat, Settings};
pub use shard::Shard;
