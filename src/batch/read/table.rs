//! CSV and TSV: a row is a document, and the first row names the columns.

use std::io::{self, BufRead};
use std::sync::Arc;

use csv_core::ReadRecordResult;

use super::compression;
use super::record::{Reading, Record, Rows, document, failure, missing, only_column, place, row_too_large, unreadable};
use crate::batch::columns::RowError;
use crate::batch::inputs::Input;
use crate::batch::kept::Kept;
use crate::text::{Document, DocumentError};

struct Table {
    records: Records,
    path: Arc<str>,
    /// Rows read so far, without the header.
    row: u64,
    /// Columns in the header.
    width: usize,
    text: usize,
    id: Option<usize>,
    kept: Vec<usize>,
    reading: Arc<Reading>,
}

pub(super) fn open(input: &Input, reading: &Arc<Reading>, delimiter: u8) -> Result<Box<dyn Rows>, RowError> {
    let settings = &reading.settings;
    let mut records = Records {
        input: compression::open(input, &reading.counters)?,
        parser: csv_core::ReaderBuilder::new().delimiter(delimiter).build(),
        limit: settings.max_row_bytes(),
        bytes: vec![0; 4096],
        ends: vec![0; 16],
        fields: 0,
    };
    let header = match records.next().map_err(unreadable)? {
        Read::End => return Err(missing(&settings.text_column, &[])),
        Read::TooLong => return Err(row_too_large(settings)),
        Read::Row => (0..records.fields).map(|field| records.text(field)).collect::<Result<Vec<_>, _>>()?,
    };
    let names: Vec<&str> = header.iter().map(String::as_str).collect();
    let find = |name: &str| only_column(&names, name);
    let (id, required) = settings.id_column();
    let id = (required || names.contains(&id)).then(|| find(id)).transpose()?;
    let text = find(&settings.text_column)?;
    let kept = settings.keep.iter().map(|name| find(name)).collect::<Result<_, _>>()?;
    // The output's types come from the first input that has any.
    reading.kept.iter().try_for_each(super::columnar::must_be_text)?;
    Ok(Box::new(Table {
        path: input.name().into(),
        row: 0,
        width: header.len(),
        text,
        id,
        kept,
        reading: Arc::clone(reading),
        records,
    }))
}

impl Rows for Table {
    fn next(&mut self) -> Option<Record> {
        self.row += 1;
        match self.records.next() {
            Ok(Read::End) => None,
            Ok(Read::TooLong) => Some(failure(&self.path, Some(self.row), row_too_large(&self.reading.settings))),
            Ok(Read::Row) => Some(self.record()),
            Err(error) => {
                // Nothing more can be expected of this input.
                self.records.input = Box::new(io::empty());
                self.records.parser.reset();
                Some(failure(&self.path, Some(self.row), unreadable(error)))
            }
        }
    }

    fn skip(&mut self, rows: u64) {
        for _ in 0..rows {
            self.row += 1;
            if !matches!(self.records.next(), Ok(Read::Row | Read::TooLong)) {
                return;
            }
        }
    }
}

impl Table {
    fn record(&self) -> Record {
        let (id, document) = self.document();
        // A row of another width has no such columns.
        let columns = if self.records.fields == self.width { &self.kept[..] } else { &[] };
        let kept = columns.iter().map(|&column| self.records.text(column)).collect::<Result<Vec<_>, _>>();
        let (kept, document) = match kept {
            Ok(_) if columns.is_empty() => (Kept::Nothing, document),
            Ok(texts) => (Kept::Texts(texts.into_iter().map(Some).collect()), document),
            Err(error) => (Kept::Nothing, document.and(Err(error))),
        };
        Record { path: Arc::clone(&self.path), row: Some(self.row), id, document, kept }
    }

    fn document(&self) -> (Option<String>, Result<Document, RowError>) {
        if self.records.fields != self.width {
            let message = format!("the row has {} columns, and the header {}", self.records.fields, self.width);
            return (None, Err(RowError { code: "invalid_csv", message }));
        }
        let id = match self.id.map(|column| self.records.text(column)).transpose() {
            Ok(id) => id.filter(|id| !id.is_empty()),
            Err(error) => return (None, Err(error)),
        };
        let document = self.records.text(self.text).and_then(|text| {
            let name = id.clone().unwrap_or_else(|| place(&self.path, self.row));
            document(name, text, &self.reading.settings)
        });
        (id, document)
    }
}

/// How reading a record ended.
enum Read {
    Row,
    TooLong,
    End,
}

/// The records of a file, read into buffers that grow no further than a limit.
struct Records {
    input: Box<dyn BufRead + Send>,
    parser: csv_core::Reader,
    /// Bytes of a record that are kept at most.
    limit: usize,
    /// The fields of the last record, one after another.
    bytes: Vec<u8>,
    /// Where each of them ends.
    ends: Vec<usize>,
    /// How many they are.
    fields: usize,
}

impl Records {
    fn next(&mut self) -> io::Result<Read> {
        let (mut bytes, mut fields) = (0, 0);
        let mut too_long = false;
        loop {
            let input = self.input.fill_buf()?;
            let (result, consumed, written, ended) =
                self.parser.read_record(input, &mut self.bytes[bytes..], &mut self.ends[fields..]);
            self.input.consume(consumed);
            bytes += written;
            fields += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if self.bytes.len() >= self.limit => (bytes, too_long) = (0, true),
                ReadRecordResult::OutputFull => self.bytes.resize((self.bytes.len() * 2).min(self.limit), 0),
                // As many fields as no table has: they need no room either.
                ReadRecordResult::OutputEndsFull if self.ends.len() >= self.limit / 8 => (fields, too_long) = (0, true),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record => {
                    self.fields = fields;
                    if too_long {
                        // What a giant has taken is given back.
                        self.bytes = vec![0; 4096];
                    }
                    return Ok(if too_long { Read::TooLong } else { Read::Row });
                }
                ReadRecordResult::End => return Ok(Read::End),
            }
        }
    }

    /// A field of the last record, which was not too long.
    fn text(&self, field: usize) -> Result<String, RowError> {
        let start = if field == 0 { 0 } else { self.ends[field - 1] };
        let bytes = &self.bytes[start..self.ends[field]];
        let text = std::str::from_utf8(bytes);
        Ok(text.map_err(|error| DocumentError::InvalidUtf8 { at: error.valid_up_to() })?.to_owned())
    }
}
