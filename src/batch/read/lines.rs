//! JSON Lines: a line is a document.

use std::io::{self, BufRead, Read};
use std::sync::Arc;

use super::compression;
use super::record::{Reading, Record, Rows, document, failure, place, row_too_large, unreadable};
use crate::batch::columns::RowError;
use crate::batch::inputs::Input;
use crate::batch::kept::Kept;
use crate::json::{Field, fields};
use crate::text::{Document, DocumentError};

struct Lines {
    reader: Box<dyn BufRead + Send>,
    path: Arc<str>,
    /// Lines read so far.
    number: u64,
    /// The fields that are wanted: the text, the id, and those that are kept.
    names: Vec<String>,
    reading: Arc<Reading>,
}

pub(super) fn open(input: &Input, reading: &Arc<Reading>) -> Result<Box<dyn Rows>, RowError> {
    let settings = &reading.settings;
    // The output's types come from the first input that has any.
    reading.kept.iter().try_for_each(super::columnar::must_be_text)?;
    let own = [settings.text_column.clone(), settings.id_column().0.to_owned()];
    Ok(Box::new(Lines {
        reader: compression::open(input, &reading.counters)?,
        path: input.name().into(),
        number: 0,
        names: own.into_iter().chain(settings.keep.iter().cloned()).collect(),
        reading: Arc::clone(reading),
    }))
}

impl Rows for Lines {
    fn next(&mut self) -> Option<Record> {
        loop {
            self.number += 1;
            let record = match self.line() {
                Ok(Some(line)) if line.trim_ascii().is_empty() => continue,
                Ok(Some(line)) => self.record(&line),
                Ok(None) => return None,
                Err(error) => failure(&self.path, Some(self.number), error),
            };
            return Some(record);
        }
    }

    // Blank lines are no rows, and so only reading tells how many lines to pass over; but nothing need be understood.
    fn skip(&mut self, rows: u64) {
        let mut passed = 0;
        while passed < rows {
            self.number += 1;
            match self.line() {
                Ok(Some(line)) if line.trim_ascii().is_empty() => {}
                Ok(None) => return,
                Ok(Some(_)) | Err(_) => passed += 1,
            }
        }
    }
}

impl Lines {
    /// The next line with its end; `None` at the end of the input. Of a line that is too long the rest is passed over
    /// without being kept.
    fn line(&mut self) -> Result<Option<Vec<u8>>, RowError> {
        let limit = self.reading.settings.max_row_bytes();
        let mut line = Vec::new();
        let read = self.reader.by_ref().take(limit as u64).read_until(b'\n', &mut line);
        let read = read.and_then(|bytes| {
            let too_long = line.len() == limit && line.last() != Some(&b'\n');
            if too_long {
                line = Vec::new();
                self.reader.skip_until(b'\n')?;
            }
            Ok((bytes, too_long))
        });
        match read {
            Ok((0, _)) => Ok(None),
            Ok((_, true)) => Err(row_too_large(&self.reading.settings)),
            Ok(_) => Ok(Some(line)),
            Err(error) => {
                // Nothing more can be expected of this input.
                self.reader = Box::new(io::empty());
                Err(unreadable(error))
            }
        }
    }

    fn record(&self, line: &[u8]) -> Record {
        let text = match std::str::from_utf8(line) {
            Ok(line) => line.trim_start_matches('\u{feff}').trim_ascii(),
            Err(error) => {
                let error = DocumentError::InvalidUtf8 { at: error.valid_up_to() };
                return failure(&self.path, Some(self.number), error.into());
            }
        };
        let mut values = match self.values(text) {
            Ok(values) => values.into_iter(),
            Err(error) => return failure(&self.path, Some(self.number), error),
        };
        let (text, id) = (values.next().flatten(), values.next().flatten());
        let kept = if values.len() == 0 { Kept::Nothing } else { Kept::Texts(values.map(as_text).collect()) };
        let (id, document) = self.document(text, id);
        Record { path: Arc::clone(&self.path), row: Some(self.number), id, document, kept }
    }

    /// The fields that are wanted, in their order.
    fn values(&self, line: &str) -> Result<Vec<Option<Field>>, RowError> {
        if !line.starts_with('{') {
            return Err(self.invalid("it is not a JSON object".to_owned()));
        }
        fields(line, &self.names).map_err(|reason| self.invalid(reason))
    }

    /// The id of a line, if it can be told, and its document.
    fn document(&self, text: Option<Field>, id: Option<Field>) -> (Option<String>, Result<Document, RowError>) {
        let settings = &self.reading.settings;
        let (id_column, required) = settings.id_column();
        let id = match id {
            None | Some(Field::Null) if !required => None,
            None => return (None, Err(self.invalid(format!("it has no {id_column:?}")))),
            Some(Field::Text(id) | Field::Number(id)) => Some(id),
            Some(other) => {
                let reason = format!("its {id_column:?} is {}, not a string or a number", other.kind());
                return (None, Err(self.invalid(reason)));
            }
        };
        let text_column = &settings.text_column;
        let document = match text {
            None => Err(self.invalid(format!("it has no {text_column:?}"))),
            Some(Field::Text(text)) => {
                document(id.clone().unwrap_or_else(|| place(&self.path, self.number)), text, settings)
            }
            Some(other) => Err(self.invalid(format!("its {text_column:?} is {}, not a string", other.kind()))),
        };
        (id, document)
    }

    fn invalid(&self, reason: String) -> RowError {
        RowError { code: "invalid_json", message: format!("not a document: {reason}") }
    }
}

/// What is kept of a value: a string as it is, anything else as JSON.
fn as_text(value: Option<Field>) -> Option<String> {
    match value? {
        Field::Null => None,
        Field::Text(text) | Field::Number(text) => Some(text),
        Field::Other { json, .. } => Some(json),
    }
}
