//! Reading: the rows of all inputs, one by one, in order. A bad one costs its own error, and so does a bad file.

mod claims;
pub(super) mod columnar;
mod compression;
mod lines;
mod page_headers;
mod record;
mod table;
mod whole;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use arrow_schema::{DataType, Field};

pub(super) use record::{Position, Reading, Record};

use super::inputs::{Input, InputFormat, Inputs};
use super::settings::Settings;
use record::{Rows, Single, failure, unreadable};

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
