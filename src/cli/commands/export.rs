//! `onrecord export`: results in the forms of other tools.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use clap::Args;

use crate::cli::arguments::{EngineArguments, ExtractionArguments};
use crate::cli::complaints::Problem;
use crate::cli::ending::{ALL_GOOD, Failure, SOME_FAILED};
use crate::cli::folder::Folder;
use crate::cli::input::InputArguments;
use crate::cli::recorded::Recorded;
use crate::cli::results::{self, Outcome};
use crate::export::{Annotated, Format, Joins};

#[derive(Debug, Args)]
pub(in crate::cli) struct ExportArguments {
    #[command(flatten)]
    input: InputArguments,

    /// Form of the output: brat, conll, displacy, webannotation, citron, html, csv or schemaorg
    #[arg(long, value_name = "FORMAT", env = "ONRECORD_EXPORT_TO")]
    to: Format,

    /// Directory for the files, new or empty: one for each document, but for conll and csv, which make one together
    /// [default: standard output, JSON as lines; brat and html then for a single document]
    #[arg(long, short, value_name = "DIR", env = "ONRECORD_EXPORT_OUTPUT")]
    output: Option<PathBuf>,

    /// Take the results of `onrecord extract` for these articles from a file of JSON Lines, instead of reading the
    /// articles again. They are found by id, and must be those of the same texts
    #[arg(long, value_name = "FILE", env = "ONRECORD_ANNOTATIONS")]
    annotations: Option<PathBuf>,

    #[command(flatten)]
    extraction: ExtractionArguments,

    #[command(flatten)]
    engine: EngineArguments,
}

/// Runs the command; returns the exit code.
pub(in crate::cli) fn run(arguments: &ExportArguments) -> Result<u8, Failure> {
    let format = arguments.to;
    let mut documents = arguments.input.documents();
    let mut recorded = arguments.annotations.as_deref().map(Recorded::open).transpose()?;
    let engine = match recorded {
        Some(_) => None,
        None => Some(arguments.engine.start(arguments.extraction.options())?),
    };
    let target = match &arguments.output {
        Some(directory) => Target::Folder(Folder::create(directory, format)?),
        None => Target::Stream(BufWriter::new(io::stdout().lock())),
    };
    let mut export = Export { format, target, written: 0, code: ALL_GOOD };
    export.head()?;
    if let Some(engine) = &engine {
        while let Some(group) = results::next_group(&mut documents, engine) {
            for outcome in group {
                export.take(outcome)?;
            }
        }
    }
    if let Some(recorded) = &mut recorded {
        for record in documents {
            export.take(recorded.outcome(record)?)?;
        }
        for problem in recorded.left_over() {
            export.fail(&problem);
        }
    }
    export.finish()
}

struct Export {
    format: Format,
    target: Target,
    written: usize,
    code: u8,
}

enum Target {
    Stream(BufWriter<io::StdoutLock<'static>>),
    Folder(Folder),
}

impl Export {
    fn head(&mut self) -> Result<(), Failure> {
        match &mut self.target {
            Target::Stream(output) => self.format.write_head(output).map_err(|error| Failure::output(&error)),
            Target::Folder(folder) => folder.write_head(),
        }
    }

    fn take(&mut self, Outcome { path, line, result }: Outcome) -> Result<(), Failure> {
        let (document, extraction) = match result {
            Ok(found) => found,
            Err(problem) => {
                self.fail(&problem);
                return Ok(());
            }
        };
        match Annotated::new(&document.id, &document.text, &extraction) {
            Ok(annotated) => self.write(&annotated),
            Err(mismatch) => {
                self.fail(&Problem::new(&path, line, Some(document.id), "mismatch", mismatch.to_string()));
                Ok(())
            }
        }
    }

    fn write(&mut self, document: &Annotated<'_>) -> Result<(), Failure> {
        self.written += 1;
        match &mut self.target {
            Target::Folder(folder) => folder.write(document),
            Target::Stream(_) if self.written > 1 && self.format.joins() == Joins::Never => {
                let name = self.format.name();
                let reason =
                    format!("--to {name} makes one file for each document: name a directory for them, --output DIR");
                Err(Failure::Usage(reason))
            }
            Target::Stream(output) => self.format.write(document, output).map_err(|error| Failure::output(&error)),
        }
    }

    fn fail(&mut self, problem: &Problem) {
        problem.report();
        self.code = SOME_FAILED;
    }

    fn finish(self) -> Result<u8, Failure> {
        match self.target {
            Target::Stream(mut output) => output.flush().map_err(|error| Failure::output(&error))?,
            Target::Folder(folder) => folder.finish()?,
        }
        Ok(self.code)
    }
}
