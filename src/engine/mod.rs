//! The engine: documents in, extractions out, in batches, on all the cores it was given.
//!
//! Knows nothing of files, HTTP or progress bars. A document that cannot be processed costs its own error.

mod batch;
mod extraction;
mod fault;
pub mod service;
pub mod windows;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

pub use extraction::{
    ExtractedEntity, ExtractedSegment, ExtractedSpeaker, ExtractedStatement, Extraction, SCHEMA, SpeakerLink, TextSpan,
};
pub(crate) use extraction::{GAP, joined};

use crate::model::{Model, ModelError};
use crate::text::{BorrowedDocument, Document, OffsetUnit, TokenizerError, WindowSize, unwrapped};

/// What is read of a document: our own models read wrapped lines as they flow, others every text as it is.
#[derive(Debug, Default)]
struct Flow(Option<String>);

impl Flow {
    fn new(model: &Model, text: &str) -> Self {
        Self(model.finds_statements().then(|| unwrapped(text)).flatten())
    }

    /// The text to read in place of the document's, byte for byte as long.
    fn of<'text>(&'text self, text: &'text str) -> &'text str {
        self.0.as_deref().unwrap_or(text)
    }
}

/// Which entity head answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum EntityScheme {
    /// PER, ORG, LOC, NORP, FAC, PRODUCT, DATE, MONEY, MISC.
    #[default]
    News9,
    /// PER, ORG, LOC, MISC, as in CoNLL-2003.
    Conll4,
}

impl EntityScheme {
    /// The name of the head, on the command line and in the model.
    pub fn name(self) -> &'static str {
        match self {
            Self::News9 => "news9",
            Self::Conll4 => "conll4",
        }
    }
}

impl FromStr for EntityScheme {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        [Self::News9, Self::Conll4]
            .into_iter()
            .find(|scheme| scheme.name() == name)
            .ok_or_else(|| format!("unknown entity scheme {name:?}: use news9 or conll4"))
    }
}

/// What a caller may choose about an extraction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// Which entity head answers; `None`: the model's first choice, `news9`, or the only one of a token classifier.
    pub entity_scheme: Option<EntityScheme>,
    /// The unit of all offsets in the output.
    pub offset_unit: OffsetUnit,
    /// Entities and statements with a lower score are left out, 0 to 1.
    pub min_score: f32,
    /// Most tokens in a window, special tokens included; `None`: what the model was trained with.
    pub max_window: Option<usize>,
    /// Whether quotations that stand by themselves behind an attributed one count as statements, and turns of transcripts.
    pub floating: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            entity_scheme: None,
            offset_unit: OffsetUnit::default(),
            min_score: 0.0,
            max_window: None,
            floating: true,
        }
    }
}

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
    #[error("--max-window {asked} is not between 3 and {limit}, the most tokens that this model reads at a time")]
    Window {
        /// What was asked for, in tokens.
        asked: usize,
        /// The model's limit, in tokens.
        limit: usize,
    },
}

/// A model with its workers.
pub struct Engine {
    model: Model,
    options: Options,
    window: WindowSize,
    workers: rayon::ThreadPool,
    tokens: AtomicU64,
}

impl Engine {
    /// Starts `threads` workers (0: one per core).
    ///
    /// # Errors
    /// [`EngineError::Window`], [`EngineError::Threads`], or [`EngineError::Model`] where the model has no such entity
    /// scheme.
    pub fn new(model: Model, options: Options, threads: usize) -> Result<Self, EngineError> {
        let window = window_size(&model, options.max_window)?;
        entity_head(&model, options.entity_scheme)?;
        Ok(Self { model, options, window, workers: pool(threads)?, tokens: AtomicU64::new(0) })
    }

    /// The model.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Number of worker threads.
    pub fn threads(&self) -> usize {
        self.workers.current_num_threads()
    }

    /// Tokens that have been through the encoder so far, those of overlaps counted twice.
    pub fn tokens_run(&self) -> u64 {
        self.tokens.load(Ordering::Relaxed)
    }

    /// What it was told about extractions.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Processes documents together; results stand in their order.
    pub fn extract(&self, documents: &[Document]) -> Vec<Result<Extraction, EngineError>> {
        let borrowed: Vec<BorrowedDocument<'_>> = documents.iter().map(Document::borrowed).collect();
        self.extract_borrowed(&borrowed)
    }

    /// As [`Self::extract`], for documents whose texts lie elsewhere; no text is copied.
    pub fn extract_borrowed(&self, documents: &[BorrowedDocument<'_>]) -> Vec<Result<Extraction, EngineError>> {
        let run = |documents: &[BorrowedDocument<'_>]| caught(|| self.workers.install(|| batch::run(self, documents)));
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

/// The head for an entity scheme.
fn entity_head(model: &Model, scheme: Option<EntityScheme>) -> Result<&str, ModelError> {
    model.entity_head(scheme.map(EntityScheme::name))
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
