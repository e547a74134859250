//! Writing results: JSON Lines, a JSON array, or for people.

use std::io::{self, Write};

use serde::Serialize;

use super::extract::OutputFormat;
use super::pretty;
use crate::engine::Extraction;
use crate::text::Document;

/// A document that failed, in the form of an output line.
#[derive(Debug, Serialize)]
pub(super) struct Problem {
    id: Option<String>,
    line: Option<usize>,
    error: ProblemError,
    #[serde(skip)]
    path: String,
}

#[derive(Debug, Serialize)]
struct ProblemError {
    code: &'static str,
    message: String,
}

impl Problem {
    /// A problem with the document at `path` (and `line`, from 1, where lines are documents).
    pub fn new(path: &str, line: Option<usize>, id: Option<String>, code: &'static str, message: String) -> Self {
        Self { id, line, error: ProblemError { code, message }, path: path.to_owned() }
    }

    /// For people: "file:line: what was wrong".
    pub fn report(&self) {
        complain_at(&self.path, self.line, &self.error.message);
    }
}

/// Tells people something on standard error. If that is closed or full, there is nobody left to tell.
pub(super) fn complain(message: &str) {
    let _ = writeln!(io::stderr(), "onrecord: {}", pretty::printable(message));
}

/// Tells people something about one document.
pub(super) fn complain_at(path: &str, line: Option<usize>, message: &str) {
    match line {
        Some(line) => complain(&format!("{path}:{line}: {message}")),
        None => complain(&format!("{path}: {message}")),
    }
}

/// Writes results one by one, in the chosen form.
pub(super) struct Writer<W: Write> {
    output: W,
    format: OutputFormat,
    color: bool,
    written: usize,
}

impl<W: Write> Writer<W> {
    pub fn new(output: W, format: OutputFormat, color: bool) -> Self {
        Self { output, format, color, written: 0 }
    }

    pub fn extraction(&mut self, document: &Document, extraction: &Extraction) -> io::Result<()> {
        if self.format == OutputFormat::Pretty {
            if self.written > 0 {
                writeln!(self.output)?;
            }
            self.written += 1;
            return pretty::write(&mut self.output, document, extraction, self.color);
        }
        self.json(extraction)
    }

    /// A failed document: on standard error for people, and in its place among the results for programs.
    pub fn problem(&mut self, problem: &Problem) -> io::Result<()> {
        problem.report();
        match self.format {
            OutputFormat::Pretty => Ok(()),
            _ => self.json(problem),
        }
    }

    fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        if self.format == OutputFormat::Json {
            self.output.write_all(if self.written == 0 { b"[\n" } else { b",\n" })?;
        }
        serde_json::to_writer(&mut self.output, value)?;
        if self.format == OutputFormat::Jsonl {
            self.output.write_all(b"\n")?;
        }
        self.written += 1;
        Ok(())
    }

    pub fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }

    /// Closes what was opened.
    pub fn finish(&mut self) -> io::Result<()> {
        if self.format == OutputFormat::Json {
            self.output.write_all(if self.written == 0 { b"[]\n" } else { b"\n]\n" })?;
        }
        self.flush()
    }
}
