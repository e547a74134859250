//! `onrecord extract`: documents in, results out, in order.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::input::{Documents, InputFormat, Record};
use super::output::{Problem, Writer, complain_at};
use super::{ALL_GOOD, EngineArguments, ExtractionArguments, Failure, SOME_FAILED};
use crate::engine::Engine;
use crate::text::Document;

/// Documents are processed together until they hold this much text per worker (bytes): enough to keep all workers
/// busy with windows of like length, little enough that memory does not grow with the archive.
const GROUP_BYTES: usize = 128 * 1024;

#[derive(Debug, Args)]
pub(super) struct ExtractArguments {
    /// Files to read; none or "-" for standard input
    files: Vec<PathBuf>,

    /// How the input holds documents [default: by extension, else text]
    #[arg(long, value_name = "FORMAT", env = "ONRECORD_INPUT_FORMAT")]
    input_format: Option<InputFormat>,

    /// How results are written [default: pretty on a terminal, else jsonl]
    #[arg(long, value_name = "FORMAT", env = "ONRECORD_OUTPUT_FORMAT")]
    output_format: Option<OutputFormat>,

    /// When to colour the pretty output; NO_COLOR is respected
    #[arg(long, value_name = "WHEN", env = "ONRECORD_COLOR", default_value = "auto")]
    color: Color,

    /// Documents larger than this are refused without being read whole
    #[arg(long, value_name = "BYTES", env = "ONRECORD_MAX_DOCUMENT_BYTES", default_value = "10485760")]
    #[arg(allow_negative_numbers = true)]
    max_document_bytes: usize,

    #[command(flatten)]
    extraction: ExtractionArguments,

    #[command(flatten)]
    engine: EngineArguments,
}

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum OutputFormat {
    /// One JSON object a line, one line a document
    Jsonl,
    /// One JSON array
    Json,
    /// The article with its spans marked, and a table of who said what
    Pretty,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

impl Color {
    fn is_on(self) -> bool {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => !unwanted && io::stdout().is_terminal(),
        }
    }
}

/// Runs the command; returns the exit code.
pub(super) fn run(arguments: &ExtractArguments) -> Result<u8, Failure> {
    let engine = arguments.engine.start(arguments.extraction.options())?;
    let by_terminal = if io::stdout().is_terminal() { OutputFormat::Pretty } else { OutputFormat::Jsonl };
    let format = arguments.output_format.unwrap_or(by_terminal);
    let output = BufWriter::new(io::stdout().lock());
    let mut job = Job {
        engine: &engine,
        writer: Writer::new(output, format, arguments.color.is_on()),
        seen: HashSet::new(),
        failed: false,
    };
    let limit = GROUP_BYTES * engine.threads();
    let (mut group, mut bytes) = (Vec::new(), 0);
    for record in Documents::new(&arguments.files, arguments.input_format, arguments.max_document_bytes) {
        bytes += record.document.as_ref().map_or(0, |document| document.text.len());
        group.push(record);
        if bytes >= limit || group.len() >= 1024 {
            job.process(std::mem::take(&mut group))?;
            bytes = 0;
        }
    }
    job.process(group)?;
    job.writer.finish().map_err(|error| Failure::output(&error))?;
    Ok(if job.failed { SOME_FAILED } else { ALL_GOOD })
}

struct Job<'engine, W: Write> {
    engine: &'engine Engine,
    writer: Writer<W>,
    /// Hashes of the ids seen so far: eight bytes a document, however long its id.
    seen: HashSet<u64>,
    failed: bool,
}

impl<W: Write> Job<'_, W> {
    /// Processes a group of records and writes their results in order.
    fn process(&mut self, records: Vec<Record>) -> Result<(), Failure> {
        let mut documents: Vec<Document> = Vec::with_capacity(records.len());
        let mut places = Vec::with_capacity(records.len());
        for record in records {
            let Record { path, line, id, document } = record;
            let error = document.map(|document| documents.push(document)).err();
            places.push((path, line, id, error));
        }
        let mut results = documents.iter().zip(self.engine.extract(&documents));
        for (path, line, id, error) in places {
            let written = match error {
                Some(error) => {
                    self.failed = true;
                    self.writer.problem(&Problem::new(&path, line, id, error.code(), error.to_string()))
                }
                None => match results.next() {
                    Some((document, Ok(mut extraction))) => {
                        if self.is_repeated(&extraction.id) {
                            let warning = format!("the id {:?} occurs more than once in the input", extraction.id);
                            complain_at(&path, line, &warning);
                            extraction.warnings.push(warning);
                        }
                        self.writer.extraction(document, &extraction)
                    }
                    Some((document, Err(error))) => {
                        self.failed = true;
                        let id = Some(document.id.clone());
                        self.writer.problem(&Problem::new(&path, line, id, "inference_failed", error.to_string()))
                    }
                    None => Ok(()),
                },
            };
            written.map_err(|error| Failure::output(&error))?;
        }
        self.writer.flush().map_err(|error| Failure::output(&error))
    }

    fn is_repeated(&mut self, id: &str) -> bool {
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        !self.seen.insert(hasher.finish())
    }
}
