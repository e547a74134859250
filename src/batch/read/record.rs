//! Rows: what each reader gives, what it must know, and the errors that all of them have.

use std::sync::Arc;

use arrow_schema::Field;

use crate::batch::columns::RowError;
use crate::batch::kept::Kept;
use crate::batch::progress::Counters;
use crate::batch::settings::Settings;
use crate::text::{Document, DocumentError};

/// One row of an input, or what came in its place.
pub(in crate::batch) struct Record {
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
pub(super) fn place(path: &str, row: u64) -> String {
    format!("{path}:{row}")
}

/// Where reading stands: how many rows of which input have been read. Failures count as rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub(in crate::batch) struct Position {
    /// Which input, from 0.
    pub input: usize,
    /// Rows of it that have been read.
    pub row: u64,
}

/// What all readers must know.
pub(in crate::batch) struct Reading {
    pub settings: Settings,
    /// The columns that are passed through, as they are in the output.
    pub kept: Vec<Field>,
    pub counters: Arc<Counters>,
}

/// The rows of one input.
pub(super) trait Rows: Send {
    /// The next row; `None` after the last one, or after an error that nothing can follow.
    fn next(&mut self) -> Option<Record>;

    /// Passes over rows.
    fn skip(&mut self, rows: u64) {
        (0..rows).take_while(|_| self.next().is_some()).for_each(drop);
    }
}

/// An input of one row: a text, or the error of one that cannot be used.
pub(super) struct Single(pub Option<Record>);

impl Rows for Single {
    fn next(&mut self) -> Option<Record> {
        self.0.take()
    }
}

/// A row, or a whole input, that has failed.
pub(super) fn failure(path: &Arc<str>, row: Option<u64>, error: RowError) -> Record {
    Record { path: Arc::clone(path), row, id: None, document: Err(error), kept: Kept::Nothing }
}

pub(super) fn unreadable(reason: impl ToString) -> RowError {
    RowError { code: "unreadable", message: format!("cannot be read: {}", reason.to_string()) }
}

pub(super) fn missing(column: &str, columns: &[&str]) -> RowError {
    let columns = if columns.is_empty() { "none".to_owned() } else { columns.join(", ") };
    RowError { code: "missing_column", message: format!("it has no column {column:?}; its columns: {columns}") }
}

/// The place of the only column of a name.
pub(super) fn only_column(names: &[&str], name: &str) -> Result<usize, RowError> {
    let mut places = names.iter().enumerate().filter(|(_, column)| **column == name).map(|(place, _)| place);
    match (places.next(), places.next()) {
        (Some(place), None) => Ok(place),
        (Some(_), Some(_)) => {
            let message = format!("it has several columns {name:?}, and which is meant nobody can tell: rename one");
            Err(RowError { code: "ambiguous_column", message })
        }
        (None, _) => Err(missing(name, names)),
    }
}

/// A row of more bytes than are read.
pub(super) fn row_too_large(settings: &Settings) -> RowError {
    let limit = settings.max_row_bytes();
    let message = format!("the row is larger than {limit} bytes, twice --max-document-bytes and 64 KiB");
    RowError { code: "document_too_large", message }
}

/// A document from a text that has been read.
pub(super) fn document(id: String, text: String, settings: &Settings) -> Result<Document, RowError> {
    let limit = settings.max_document_bytes;
    if text.len() > limit {
        return Err(DocumentError::TooLarge { limit }.into());
    }
    Ok(Document::new(id, text)?)
}
