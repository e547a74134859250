//! The engine: documents in, extractions out, in batches, on all the cores it was given.
//!
//! Knows nothing of files, HTTP or progress bars. A document that cannot be processed costs its own error.

mod batch;
mod error;
mod extraction;
mod fault;
mod flow;
mod options;
#[cfg(feature = "benchmarks")]
pub mod recording;
pub mod service;
pub mod windows;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

pub use error::EngineError;
pub use extraction::{
    ExtractedEntity, ExtractedSegment, ExtractedSpeaker, ExtractedStatement, Extraction, SCHEMA, SpeakerLink, TextSpan,
};
pub(crate) use extraction::{GAP, joined};
pub use options::{EntityScheme, Options};

use crate::model::Model;
use crate::text::{BorrowedDocument, Document, WindowSize};
use batch::BatchRunner;
use options::entity_head;

/// A model with its workers.
pub struct Engine {
    runner: BatchRunner,
    workers: rayon::ThreadPool,
}

impl Engine {
    /// Starts `threads` workers (0: one per core). Windows are as long as those that the model was trained with.
    ///
    /// # Errors
    /// [`EngineError::Threads`], or [`EngineError::Model`] where the model has no such entity scheme.
    pub fn new(model: Model, options: Options, threads: usize) -> Result<Self, EngineError> {
        let window = window_size(&model, None)?;
        entity_head(&model, options.entity_scheme)?;
        let runner = BatchRunner { model, options, window, tokens: AtomicU64::new(0) };
        Ok(Self { runner, workers: pool(threads)? })
    }

    /// The same engine with windows of at most so many tokens, special ones included; `None`: as the model was trained.
    ///
    /// # Errors
    /// [`EngineError::Window`] for what the model cannot read at a time.
    pub fn with_max_window(mut self, tokens: Option<usize>) -> Result<Self, EngineError> {
        self.runner.window = window_size(&self.runner.model, tokens)?;
        Ok(self)
    }

    /// The model.
    pub fn model(&self) -> &Model {
        &self.runner.model
    }

    /// Number of worker threads.
    pub fn threads(&self) -> usize {
        self.workers.current_num_threads()
    }

    /// Tokens that have been through the encoder so far, those of overlaps counted twice.
    pub fn tokens_run(&self) -> u64 {
        self.runner.tokens.load(Ordering::Relaxed)
    }

    /// What it was told about extractions.
    pub fn options(&self) -> &Options {
        &self.runner.options
    }

    /// Processes documents together; results stand in their order.
    pub fn extract(&self, documents: &[Document]) -> Vec<Result<Extraction, EngineError>> {
        let borrowed: Vec<BorrowedDocument<'_>> = documents.iter().map(Document::borrowed).collect();
        self.extract_borrowed(&borrowed)
    }

    /// As [`Self::extract`], for documents whose texts lie elsewhere; no text is copied.
    pub fn extract_borrowed(&self, documents: &[BorrowedDocument<'_>]) -> Vec<Result<Extraction, EngineError>> {
        self.extract_until(&AtomicBool::new(false), documents)
    }

    /// As [`Self::extract_borrowed`], until `stop` is set: then it takes no further step, and returns within some
    /// milliseconds. What is not ready by then has [`ModelError::GivenUp`](crate::model::ModelError::GivenUp) for its result.
    pub fn extract_until(
        &self,
        stop: &AtomicBool,
        documents: &[BorrowedDocument<'_>],
    ) -> Vec<Result<Extraction, EngineError>> {
        let run =
            |documents: &[BorrowedDocument<'_>]| caught(|| self.workers.install(|| self.runner.run(documents, stop)));
        // What makes the program fail is found by trying one by one, and costs its own error.
        run(documents).unwrap_or_else(|_| {
            let alone = |document| run(std::slice::from_ref(document)).map(|mut results| results.pop());
            documents.iter().map(|document| alone(document)?.unwrap_or(Err(EngineError::Panic))).collect()
        })
    }
}

/// What work gives, or [`EngineError::Panic`] where a fault in this program ends it.
fn caught<T>(work: impl FnOnce() -> T) -> Result<T, EngineError> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| {
        metrics::counter!("onrecord_panics_total").increment(1);
        EngineError::Panic
    })
}

/// The windows that the model reads: of `asked` tokens, special ones included, or what it was trained with.
fn window_size(model: &Model, asked: Option<usize>) -> Result<WindowSize, EngineError> {
    let limit = model.config().encoder.window_limit();
    let asked = asked.unwrap_or(model.config().max_window);
    if !(3..=limit).contains(&asked) {
        return Err(EngineError::Window { asked, limit });
    }
    // [CLS] and [SEP] take two places.
    Ok(WindowSize::new(asked - 2))
}

/// Threads that share work: so many, or, for 0, one per core that this process may use.
fn pool(threads: usize) -> Result<rayon::ThreadPool, EngineError> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
    let pool = pool.thread_name(|index| format!("onrecord-{index}"));
    pool.build().map_err(|error| EngineError::Threads(error.to_string()))
}
