//! The command line: flags with environment twins, files in, results out, exit codes.

#[cfg(feature = "batch")]
mod batch;
mod evaluate;
mod export;
mod extract;
mod folder;
mod info;
mod input;
mod model;
mod output;
mod pretty;
#[cfg(feature = "batch")]
mod progress;
mod recorded;
mod results;
#[cfg(feature = "server")]
mod serve;
mod table;

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::engine::{Engine, EngineError, EntityScheme, Options};
use crate::text::OffsetUnit;
use model::ModelArguments;

/// Everything went well.
const ALL_GOOD: u8 = 0;
/// Some documents failed; the others were written.
const SOME_FAILED: u8 = 1;
/// The model or an output could not be used. (2 is clap's, for wrong usage.)
const UNUSABLE: u8 = 3;

/// Reads news text and tells its named entities and who said what.
///
/// Exit codes: 0 all good; 1 some documents failed and the others were written; 2 wrong usage; 3 the model or an
/// output could not be used; `batch` also 130 and 143, when a signal ended it.
#[derive(Debug, Parser)]
#[command(name = "onrecord", version, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Extract entities, statements and speakers from articles.
    Extract(extract::ExtractArguments),
    /// Extract, and write in a form that other tools read.
    ///
    /// docs/exports.md describes the forms: brat standoff, CoNLL columns, displaCy, Web Annotation, BBC Citron, HTML, CSV and
    /// schema.org. With --annotations no model runs, and what extraction can be told has no effect.
    Export(Box<export::ExportArguments>),
    /// Extract from archives into Parquet or JSON Lines, in parts that no interruption can spoil.
    ///
    /// The output is a directory of parts with manifest.json, which lists those that are whole, and errors.jsonl, which
    /// names the documents without a result. docs/batch.md describes all of them. SIGINT and SIGTERM end the command
    /// with exit code 130 or 143 and drop the part that is being written; --resume goes on from there, as it does
    /// after any other end.
    #[cfg(feature = "batch")]
    Batch(Box<batch::BatchArguments>),
    /// Check that the outputs of all shards of `onrecord batch --shard` are complete, and put them together.
    #[cfg(feature = "batch")]
    Merge(batch::MergeArguments),
    /// Answer requests over HTTP.
    ///
    /// The interface is described at /docs and /openapi.json. SIGTERM ends the server once what is under way is
    /// done, SIGHUP reads the file of API keys and the model again.
    #[cfg(feature = "server")]
    Serve(Box<serve::ServeArguments>),
    /// Look at the model.
    Model {
        #[command(subcommand)]
        command: ModelCommand,
    },
    /// Score the model, or a file of its results, against annotated documents.
    Eval {
        #[command(subcommand)]
        command: evaluate::EvalCommand,
    },
}

#[derive(Debug, Subcommand)]
enum ModelCommand {
    /// Print what the model is, what it was trained on, and what that allows.
    Info {
        #[command(flatten)]
        model: ModelArguments,
    },
}

/// How the model is run.
#[derive(Debug, Args)]
struct EngineArguments {
    #[command(flatten)]
    model: ModelArguments,

    /// Worker threads [default: one per core]
    #[arg(long, value_name = "N", env = "ONRECORD_THREADS", value_parser = clap::value_parser!(u16).range(1..))]
    #[arg(allow_negative_numbers = true)]
    threads: Option<u16>,

    /// Most tokens in a window, special tokens included [default: what the model was trained with]
    #[arg(long, value_name = "TOKENS", env = "ONRECORD_MAX_WINDOW")]
    #[arg(allow_negative_numbers = true)]
    max_window: Option<usize>,
}

impl EngineArguments {
    fn start(&self, options: Options) -> Result<Engine, Failure> {
        let options = Options { max_window: self.max_window, ..options };
        let model = self.model.load()?;
        // Told once, and not for each document.
        if let Some(scheme) = options.entity_scheme.map(EntityScheme::name) {
            let head = model.entity_head(Some(scheme));
            head.map_err(|error| Failure::Usage(format!("--entity-scheme {scheme}: {error}")))?;
        }
        Engine::new(model, options, self.threads.map_or(0, usize::from)).map_err(|error| match error {
            EngineError::Window { .. } => Failure::Usage(error.to_string()),
            _ => Failure::Unusable(error.to_string()),
        })
    }
}

/// What every extraction can be told.
#[derive(Debug, Args)]
struct ExtractionArguments {
    /// Which entity labels: news9 (PER ORG LOC NORP FAC PRODUCT DATE MONEY MISC) or conll4 (PER ORG LOC MISC)
    /// [default: news9; a model from Hugging Face has labels of its own]
    #[arg(long, value_name = "SCHEME", env = "ONRECORD_ENTITY_SCHEME")]
    entity_scheme: Option<EntityScheme>,

    /// Unit of all offsets: codepoint (Python), byte (Rust, Go) or utf16 (JavaScript, Java)
    #[arg(long, value_name = "UNIT", env = "ONRECORD_OFFSET_UNIT", default_value = "codepoint")]
    offset_unit: OffsetUnit,

    /// Leave out entities and statements that score below this (0 to 1)
    #[arg(long, value_name = "SCORE", env = "ONRECORD_MIN_SCORE", default_value = "0", value_parser = score)]
    #[arg(allow_negative_numbers = true)]
    min_score: f32,

    /// Leave out quotations that stand by themselves, without source or cue, behind an attributed one, and turns of
    /// transcripts
    #[arg(long, env = "ONRECORD_NO_FLOATING", value_parser = clap::builder::FalseyValueParser::new())]
    no_floating: bool,
}

impl ExtractionArguments {
    fn options(&self) -> Options {
        Options {
            entity_scheme: self.entity_scheme,
            offset_unit: self.offset_unit,
            min_score: self.min_score,
            max_window: None,
            floating: !self.no_floating,
        }
    }
}

/// Refuses what makes no sense with a model that finds entities only.
fn require_statements(engine: &Engine, what: &str) -> Result<(), Failure> {
    let model = engine.model();
    if model.finds_statements() {
        return Ok(());
    }
    Err(Failure::Usage(format!("{what}: the model {} finds entities only, no statements", model.config().name)))
}

fn score(text: &str) -> Result<f32, String> {
    let number: f32 = text.parse().map_err(|_| format!("{text:?} is not a number"))?;
    if (0.0..=1.0).contains(&number) { Ok(number) } else { Err(format!("{number} is not between 0 and 1")) }
}

/// Why a command ended early.
#[derive(Debug, thiserror::Error)]
enum Failure {
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
    fn output(error: &std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => Self::Closed,
            _ => Self::Unusable(format!("cannot write the output: {error}")),
        }
    }
}

/// Runs the command line and tells how it went.
pub fn run(cli: Cli) -> ExitCode {
    let result = match cli.command {
        Command::Extract(arguments) => extract::run(&arguments),
        Command::Export(arguments) => export::run(&arguments),
        #[cfg(feature = "batch")]
        Command::Batch(arguments) => batch::run(&arguments),
        #[cfg(feature = "batch")]
        Command::Merge(arguments) => batch::merge(&arguments),
        #[cfg(feature = "server")]
        Command::Serve(arguments) => serve::run(*arguments),
        Command::Model { command: ModelCommand::Info { model } } => info::run(&model),
        Command::Eval { command } => evaluate::run(&command),
    };
    ExitCode::from(match result {
        Ok(code) => code,
        Err(Failure::Closed) => ALL_GOOD,
        Err(failure) => {
            output::complain(&failure.to_string());
            match failure {
                Failure::Usage(_) => 2,
                #[cfg(feature = "batch")]
                Failure::Interrupted(signal, _) => 128 + signal,
                _ => UNUSABLE,
            }
        }
    })
}
