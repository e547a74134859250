//! The command line: flags with environment twins, files in, results out, exit codes.

mod arguments;
mod commands;
mod complaints;
mod ending;
mod folder;
mod input;
mod model;
mod output;
mod pretty;
#[cfg(feature = "batch")]
mod progress;
mod recorded;
mod results;
mod table;

use std::ffi::OsString;
use std::io::{self, Write};

use clap::{Parser, Subcommand};

#[cfg(feature = "batch")]
use commands::batch;
#[cfg(feature = "server")]
use commands::serve;
use commands::{evaluate, export, extract, info};
use complaints::complain;
use ending::{ALL_GOOD, Failure, UNUSABLE, WRONG_USAGE};
use model::ModelArguments;

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
    /// docs/exports.md describes the forms: brat standoff, CoNLL columns, displaCy, Web Annotation, BBC Citron, HTML,
    /// CSV and schema.org. With --annotations no model runs, and the options of extraction have no effect.
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

/// Runs the command line, whose first argument is the program's name, and returns the exit code.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let code = match Cli::try_parse_from(arguments) {
        Ok(cli) => execute(cli),
        Err(answer) => {
            // If help, or what is wrong, cannot be written, there is nobody left to tell.
            let _ = answer.print();
            if answer.use_stderr() { WRONG_USAGE } else { ALL_GOOD }
        }
    };
    // A program that is not Rust's ends without it.
    let _ = io::stdout().flush();
    code
}

fn execute(cli: Cli) -> u8 {
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
    match result {
        Ok(code) => code,
        Err(Failure::Closed) => ALL_GOOD,
        Err(failure) => {
            complain(&failure.to_string());
            match failure {
                Failure::Usage(_) => WRONG_USAGE,
                #[cfg(feature = "batch")]
                Failure::Interrupted(signal, _) => 128 + signal,
                _ => UNUSABLE,
            }
        }
    }
}
