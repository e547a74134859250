//! `onrecord batch` and `onrecord merge`: archives in, parts out.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use clap::Args;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::batch::{self, BatchError, Flat, InputFormat, Inputs, Job, Output, OutputFormat, Settings, Shard};
use crate::cli::arguments::{EngineArguments, ExtractionArguments, require_statements};
use crate::cli::ending::{ALL_GOOD, Failure, SOME_FAILED};
use crate::cli::progress::{Progress, Show};

#[derive(Debug, Args)]
pub(in crate::cli) struct BatchArguments {
    /// Files, folders, patterns such as 'news/*.jsonl.gz', or "-" for standard input. In folders, files with a known
    /// extension are read. Compressed files end in .gz or .zst
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<PathBuf>,

    /// Directory to write to; new, empty, or with --resume that of an earlier run
    #[arg(long, short, value_name = "DIR", env = "ONRECORD_OUTPUT")]
    output: PathBuf,

    /// How the input holds documents [default: by extension, else text]
    #[arg(long, value_name = "FORMAT", env = "ONRECORD_INPUT_FORMAT")]
    input_format: Option<InputFormat>,

    /// How parts are written
    #[arg(long, value_name = "FORMAT", env = "ONRECORD_BATCH_OUTPUT_FORMAT", default_value = "parquet")]
    output_format: OutputFormat,

    /// Column, or field, of the texts
    #[arg(long, value_name = "NAME", env = "ONRECORD_TEXT_COLUMN", default_value = "text")]
    text_column: String,

    /// Column, or field, of the ids [default: id where there is one, else file:row]
    #[arg(long, value_name = "NAME", env = "ONRECORD_ID_COLUMN")]
    id_column: Option<String>,

    /// Columns, or fields, that are passed through
    #[arg(long, value_name = "COLUMNS", env = "ONRECORD_KEEP", value_delimiter = ',')]
    keep: Vec<String>,

    /// Write a row for each of these instead of each document
    #[arg(long, value_name = "WHAT", env = "ONRECORD_FLAT")]
    flat: Option<Flat>,

    /// Documents in a part. What an interruption costs is at most a part
    #[arg(long, value_name = "N", env = "ONRECORD_ROWS_PER_PART", default_value = "10000")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..), allow_negative_numbers = true)]
    rows_per_part: u64,

    /// Go on after the last whole part of an earlier run with the same inputs, options and model; start if there is none
    #[arg(long, env = "ONRECORD_RESUME")]
    resume: bool,

    /// Take only the documents of shard I of N, from 1/N to N/N, by their ids
    #[arg(long, value_name = "I/N", env = "ONRECORD_SHARD")]
    shard: Option<Shard>,

    /// Stop when more documents than this have failed
    #[arg(long, value_name = "N", env = "ONRECORD_MAX_ERRORS", allow_negative_numbers = true)]
    max_errors: Option<u64>,

    /// Documents larger than this are refused; rows larger than twice as much and 64 KiB are not even held in memory
    #[arg(long, value_name = "BYTES", env = "ONRECORD_MAX_DOCUMENT_BYTES", default_value = "4194304")]
    #[arg(allow_negative_numbers = true)]
    max_document_bytes: usize,

    /// What to show on standard error: auto (a bar on a terminal, otherwise a summary at the end), json (a line a
    /// second), none
    #[arg(long, value_name = "FORM", env = "ONRECORD_PROGRESS", default_value = "auto")]
    progress: Show,

    #[command(flatten)]
    extraction: ExtractionArguments,

    #[command(flatten)]
    engine: EngineArguments,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct MergeArguments {
    /// The outputs of all shards
    #[arg(required = true, value_name = "DIR")]
    outputs: Vec<PathBuf>,

    /// Directory to put them together in, new or empty; without it they are only checked
    #[arg(long, short, value_name = "DIR", env = "ONRECORD_OUTPUT")]
    output: Option<PathBuf>,
}

impl BatchArguments {
    fn settings(&self) -> Settings {
        let options = self.extraction.options();
        Settings {
            input_format: self.input_format,
            text_column: self.text_column.clone(),
            id_column: self.id_column.clone(),
            keep: self.keep.clone(),
            output_format: self.output_format,
            flat: self.flat,
            rows_per_part: self.rows_per_part,
            shard: self.shard,
            max_document_bytes: self.max_document_bytes,
            entity_scheme: options.entity_scheme,
            offset_unit: options.offset_unit,
            min_score: options.min_score,
            floating: options.floating,
            max_window: self.engine.max_window,
        }
    }
}

/// Runs the command; returns the exit code.
pub(in crate::cli) fn run(arguments: &BatchArguments) -> Result<u8, Failure> {
    let inputs = Arc::new(Inputs::find(&arguments.inputs, arguments.input_format).map_err(failure)?);
    let engine = arguments.engine.start(arguments.extraction.options())?;
    if arguments.flat == Some(Flat::Statements) {
        require_statements(&engine, "--flat statements")?;
    }
    let job = Job::new(&engine, arguments.settings(), &inputs);
    let mut output = Output::open(&arguments.output, job, &inputs, arguments.resume).map_err(failure)?;
    let signals = Signals::new(&inputs)?;
    let counters = Arc::default();
    let progress = Progress::new(arguments.progress, &inputs);
    let ended = progress.during(&engine, &counters, || {
        batch::run(&engine, Arc::clone(&inputs), &mut output, arguments.max_errors, &counters, &signals.stop)
    });
    let summary = ended.map_err(|error| match error {
        BatchError::Interrupted => signals.failure(&error),
        error => failure(error),
    })?;
    progress.summary(&engine, &counters, summary, &output.errors_path());
    Ok(if summary.errors > 0 { SOME_FAILED } else { ALL_GOOD })
}

/// Runs the command; returns the exit code.
pub(in crate::cli) fn merge(arguments: &MergeArguments) -> Result<u8, Failure> {
    let merged = batch::merge(&arguments.outputs, arguments.output.as_deref()).map_err(failure)?;
    let (shards, summary) = (merged.shards, merged.summary);
    crate::cli::complaints::complain(&format!(
        "{shards} shards are complete and disjoint: {} documents, {} errors, {} rows in {} parts",
        summary.documents, summary.errors, summary.rows, summary.parts
    ));
    Ok(if summary.errors > 0 { SOME_FAILED } else { ALL_GOOD })
}

fn failure(error: BatchError) -> Failure {
    match error {
        BatchError::Usage(_) => Failure::Usage(error.to_string()),
        _ => Failure::Unusable(error.to_string()),
    }
}

/// Signals that end the run: the first lets it clean up, a second ends it at once.
struct Signals {
    stop: Arc<AtomicBool>,
    which: Arc<AtomicUsize>,
}

impl Signals {
    /// Standard input may be waited for endlessly, and cannot be gone on with: there each signal ends all at once.
    fn new(inputs: &Inputs) -> Result<Self, Failure> {
        let signals = Self { stop: Arc::default(), which: Arc::default() };
        for signal in [SIGINT, SIGTERM].into_iter().filter(|_| !inputs.has_standard()) {
            let registered = flag::register_conditional_default(signal, Arc::clone(&signals.stop))
                .and_then(|_| flag::register_usize(signal, Arc::clone(&signals.which), signal.unsigned_abs() as usize))
                .and_then(|_| flag::register(signal, Arc::clone(&signals.stop)));
            registered.map_err(|error| Failure::Unusable(format!("cannot listen to signals: {error}")))?;
        }
        Ok(signals)
    }

    fn failure(&self, error: &BatchError) -> Failure {
        let signal = u8::try_from(self.which.load(Ordering::Relaxed)).unwrap_or_default();
        Failure::Interrupted(signal, error.to_string())
    }
}
