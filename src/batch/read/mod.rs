//! Reading: the rows of all inputs, one by one, in order. A bad one costs its own error, and so does a bad file.

mod claims;
pub(super) mod columnar;
mod compression;
mod lines;
mod page_headers;
mod table;
mod whole;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use arrow_schema::{DataType, Field};

use super::Inputs;
use super::columns::RowError;
use super::inputs::{Input, InputFormat};
use super::kept::Kept;
use super::progress::Counters;
use super::settings::Settings;
use crate::text::{Document, DocumentError};

/// One row of an input, or what came in its place.
pub(super) struct Record {
    /// The input that it came from.
    pub path: Arc<str>,
    /// Its row, from 1, or for JSON Lines its line; `None` for what is no row.
    pub row: Option<u64>,
    /// Its id, where one is readable.
    pub id: Option<String>,
    pub document: Result<Document, RowError>,
    /// The columns that are passed through.
    pub kept: Kept,
}

impl Record {
    /// What decides its shard: its id, or else its place.
    pub fn key(&self) -> String {
        match (&self.document, &self.id, self.row) {
            (Ok(document), _, _) => document.id.clone(),
            (Err(_), Some(id), _) => id.clone(),
            (Err(_), None, Some(row)) => place(&self.path, row),
            (Err(_), None, None) => self.path.to_string(),
        }
    }
}

/// The id of a row that has none.
fn place(path: &str, row: u64) -> String {
    format!("{path}:{row}")
}

/// Where reading stands: how many rows of which input have been read. Failures count as rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Position {
    /// Which input, from 0.
    pub input: usize,
    /// Rows of it that have been read.
    pub row: u64,
}

/// What all readers must know.
pub(super) struct Reading {
    pub settings: Settings,
    /// The columns that are passed through, as they are in the output.
    pub kept: Vec<Field>,
    pub counters: Arc<Counters>,
}

/// The rows of one input.
trait Rows: Send {
    /// The next row; `None` after the last one, or after an error that nothing can follow.
    fn next(&mut self) -> Option<Record>;

    /// Passes over rows.
    fn skip(&mut self, rows: u64) {
        (0..rows).take_while(|_| self.next().is_some()).for_each(drop);
    }
}

/// The rows of all inputs.
pub(super) struct Records {
    inputs: Arc<Inputs>,
    reading: Arc<Reading>,
    position: Position,
    open: Option<Box<dyn Rows>>,
}

impl Records {
    /// Starts at a position that [`Self::position`] has told.
    pub fn new(inputs: Arc<Inputs>, reading: Arc<Reading>, start: Position) -> Self {
        let passed = inputs.files.iter().take(start.input).map(|input| input.bytes).sum();
        reading.counters.bytes_read.store(passed, Ordering::Relaxed);
        reading.counters.bytes_done.store(passed, Ordering::Relaxed);
        let open = inputs.files.get(start.input).filter(|_| start.row > 0).map(|input| {
            let mut rows = open(input, &reading);
            rows.skip(start.row);
            rows
        });
        Self { inputs, reading, position: start, open }
    }

    /// What has been read.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Bytes that have been read, as they are stored.
    pub fn bytes(&self) -> u64 {
        self.reading.counters.bytes_read.load(Ordering::Relaxed)
    }
}

impl Iterator for Records {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        loop {
            if let Some(rows) = &mut self.open {
                if let Some(record) = rows.next() {
                    self.position.row += 1;
                    return Some(record);
                }
                self.open = None;
                self.position = Position { input: self.position.input + 1, row: 0 };
            }
            self.open = Some(open(self.inputs.files.get(self.position.input)?, &self.reading));
        }
    }
}

/// Opens an input; what cannot be opened has its error as its only row.
fn open(input: &Input, reading: &Arc<Reading>) -> Box<dyn Rows> {
    let opened = match input.problem.clone() {
        Some(problem) => Err(unreadable(problem)),
        None => match input.format {
            InputFormat::Text => whole::open(input, reading),
            InputFormat::Jsonl => lines::open(input, reading),
            InputFormat::Csv => table::open(input, reading, b','),
            InputFormat::Tsv => table::open(input, reading, b'\t'),
            InputFormat::Parquet | InputFormat::Arrow => columnar::open(input, reading),
        },
    };
    opened.unwrap_or_else(|error| Box::new(Single(Some(failure(&input.name().into(), None, error)))))
}

/// The columns that are passed through, as the first input that has columns tells them; texts, where none does.
pub(super) fn kept_fields(inputs: &Inputs, settings: &Settings) -> Vec<Field> {
    let texts = || settings.keep.iter().map(|name| Field::new(name, DataType::Utf8, true)).collect();
    if settings.keep.is_empty() {
        return Vec::new();
    }
    let told = inputs.files.iter().filter(|input| input.problem.is_none()).find_map(|input| match input.format {
        InputFormat::Text => None,
        InputFormat::Jsonl | InputFormat::Csv | InputFormat::Tsv => Some(texts()),
        InputFormat::Parquet | InputFormat::Arrow => columnar::fields(input, &settings.keep),
    });
    told.unwrap_or_else(texts)
}

/// An input of one row: a text, or the error of one that cannot be used.
struct Single(Option<Record>);

impl Rows for Single {
    fn next(&mut self) -> Option<Record> {
        self.0.take()
    }
}

/// A row, or a whole input, that has failed.
fn failure(path: &Arc<str>, row: Option<u64>, error: RowError) -> Record {
    Record { path: Arc::clone(path), row, id: None, document: Err(error), kept: Kept::Nothing }
}

fn unreadable(reason: impl ToString) -> RowError {
    RowError { code: "unreadable", message: format!("cannot be read: {}", reason.to_string()) }
}

fn missing(column: &str, columns: &[&str]) -> RowError {
    let columns = if columns.is_empty() { "none".to_owned() } else { columns.join(", ") };
    RowError { code: "missing_column", message: format!("it has no column {column:?}; its columns: {columns}") }
}

/// A row of more bytes than are read.
fn row_too_large(settings: &Settings) -> RowError {
    let limit = settings.max_row_bytes();
    let message = format!("the row is larger than {limit} bytes, twice --max-document-bytes and 64 KiB");
    RowError { code: "document_too_large", message }
}

/// A document from a text that has been read.
fn document(id: String, text: String, settings: &Settings) -> Result<Document, RowError> {
    let limit = settings.max_document_bytes;
    if text.len() > limit {
        return Err(DocumentError::TooLarge { limit }.into());
    }
    Ok(Document::new(id, text)?)
}
