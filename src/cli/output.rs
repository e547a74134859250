//! Writing results: JSON Lines, a JSON array, or for people.

use std::io::{self, Write};

use clap::ValueEnum;
use serde::Serialize;

use super::complaints::Problem;
use super::pretty;
use crate::engine::Extraction;
use crate::text::Document;

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
