//! Parquet and Arrow IPC: a row is a document. Only the columns that are wanted are read, a batch of rows at a time.

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_cast::cast;
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_schema::{ArrowError, DataType, Field, Schema};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::record::{Reading, Record, Rows, document, failure, only_column, place, unreadable};
use super::{claims, page_headers};
use crate::batch::columns::RowError;
use crate::batch::inputs::{Input, InputFormat};
use crate::batch::kept::Kept;
use crate::batch::progress::{Counted, Counters};
use crate::batch::texts::{Texts, is_text};
use crate::text::DocumentError;

/// Rows of Parquet that are read together: so few that a run of long documents among short ones takes little memory.
const ROWS: usize = 64;

/// What Arrow IPC files start with; streams do not.
const FILE_MAGIC: &[u8] = b"ARROW1";

type Batches = Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>> + Send>;

type ReadColumns = dyn FnOnce(&[usize]) -> Result<Batches, ArrowError> + Send;

/// A file with its columns known and nothing read yet.
struct Opened {
    schema: Arc<Schema>,
    /// Reads these columns.
    batches: Box<ReadColumns>,
    /// Bytes of the file for each row, where they are not counted as they are read.
    bytes_per_row: u64,
}

struct Columnar {
    batches: Batches,
    path: Arc<str>,
    /// Rows read so far.
    row: u64,
    current: Option<Batch>,
    bytes_per_row: u64,
    columns: Columns,
    reading: Arc<Reading>,
}

/// The places of columns among those that are read.
pub(in crate::batch) struct Columns {
    pub text: usize,
    pub id: Option<usize>,
    pub kept: Vec<usize>,
}

/// Some rows.
struct Batch {
    text: Texts,
    id: Option<Texts>,
    kept: Arc<[ArrayRef]>,
    next: usize,
}

pub(super) fn open(input: &Input, reading: &Arc<Reading>) -> Result<Box<dyn Rows>, RowError> {
    let opened = guarded(|| open_file(input, &reading.counters))?;
    let settings = &reading.settings;
    let columns = find_columns(&opened.schema, &settings.text_column, settings.id_column(), &reading.kept)?;
    let (columns, wanted) = columns.read_alone();
    let batches = guarded(|| (opened.batches)(&wanted))?;
    let (path, bytes_per_row) = (input.name().into(), opened.bytes_per_row);
    let reading = Arc::clone(reading);
    Ok(Box::new(Columnar { batches, path, row: 0, current: None, bytes_per_row, columns, reading }))
}

/// The columns of these names with their types; `None` when the file does not have them, which it tells in its turn.
pub(super) fn fields(input: &Input, names: &[String]) -> Option<Vec<Field>> {
    if input.is_standard() {
        // What has been read cannot be read again.
        return None;
    }
    let opened = guarded(|| open_file(input, &Arc::default())).ok()?;
    let field = |name: &String| Some(passed_through(opened.schema.field_with_name(name).ok()?));
    names.iter().map(field).collect()
}

/// A column as it comes out: nullable, and if it is of texts, as plain texts.
pub(in crate::batch) fn passed_through(field: &Field) -> Field {
    let data_type = if is_text(field.data_type()) { DataType::Utf8 } else { field.data_type().clone() };
    Field::new(field.name(), data_type, true)
}

/// Refuses a column that is not of texts in the output.
pub(super) fn must_be_text(field: &Field) -> Result<(), RowError> {
    must_be(field, &DataType::Utf8)
}

fn must_be(output: &Field, found: &DataType) -> Result<(), RowError> {
    if output.data_type() == found {
        return Ok(());
    }
    let (name, expected) = (output.name(), output.data_type());
    Err(wrong_type(format!("its column {name:?} is {found}, and that of the first input is {expected}")))
}

fn wrong_type(message: String) -> RowError {
    RowError { code: "wrong_type", message }
}

fn open_file(input: &Input, counters: &Arc<Counters>) -> Result<Opened, ArrowError> {
    if input.is_standard() {
        return stream(BufReader::new(std::io::stdin()));
    }
    if input.format == InputFormat::Parquet {
        return parquet(File::open(&input.path)?, input.bytes);
    }
    let mut file = File::open(&input.path)?;
    let mut magic = Vec::new();
    file.by_ref().take(FILE_MAGIC.len() as u64).read_to_end(&mut magic)?;
    let is_stream = magic != FILE_MAGIC;
    if !is_stream {
        claims::check_file(&mut file)?;
    }
    file.rewind()?;
    let file = BufReader::new(Counted::new(file, Arc::clone(counters)));
    if is_stream {
        return stream(file);
    }
    let reader = FileReader::try_new(file, None)?;
    let schema = reader.schema();
    // Batches are read whole all the same; what is not wanted is dropped at once.
    let batches = |wanted: &[usize]| Ok(projected(reader, wanted.to_vec()));
    Ok(Opened { schema, batches: Box::new(batches), bytes_per_row: 0 })
}

fn stream(reader: impl Read + Send + 'static) -> Result<Opened, ArrowError> {
    let reader = StreamReader::try_new(claims::CheckedStream::new(reader), None)?;
    let schema = reader.schema();
    let batches = |wanted: &[usize]| Ok(projected(reader, wanted.to_vec()));
    Ok(Opened { schema, batches: Box::new(batches), bytes_per_row: 0 })
}

fn projected(
    reader: impl Iterator<Item = Result<RecordBatch, ArrowError>> + Send + 'static,
    wanted: Vec<usize>,
) -> Batches {
    Box::new(reader.map(move |batch| batch?.project(&wanted)))
}

fn parquet(mut file: File, bytes: u64) -> Result<Opened, ArrowError> {
    page_headers::check_footer(&mut file)?;
    let mut pages = file.try_clone()?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file)?;
    let schema = Arc::clone(builder.schema());
    let rows = u64::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or(0);
    let batches = move |wanted: &[usize]| -> Result<Batches, ArrowError> {
        let mask = ProjectionMask::roots(builder.parquet_schema(), wanted.iter().copied());
        let columns = builder.metadata().row_groups().iter().flat_map(|group| group.columns().iter().enumerate());
        for (_, column) in columns.filter(|&(number, _)| mask.leaf_included(number)) {
            page_headers::check_pages(&mut pages, column.byte_range())?;
        }
        Ok(Box::new(builder.with_projection(mask).with_batch_size(ROWS).build()?))
    };
    Ok(Opened { schema, batches: Box::new(batches), bytes_per_row: bytes.checked_div(rows).unwrap_or(0) })
}

/// Finds the columns of texts, of ids (and whether there must be one), and those that are passed through.
pub(in crate::batch) fn find_columns(
    schema: &Schema,
    text_column: &str,
    (id_column, required): (&str, bool),
    kept: &[Field],
) -> Result<Columns, RowError> {
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let find = |name: &str| only_column(&names, name);
    let text = find(text_column)?;
    let id = (required || names.contains(&id_column)).then(|| find(id_column)).transpose()?;
    let text_type = schema.field(text).data_type();
    if !is_text(text_type) {
        return Err(wrong_type(format!("its column {text_column:?} is {text_type}, not text")));
    }
    if let Some(id_type) = id.map(|id| schema.field(id).data_type())
        && !is_text(id_type)
        && !is_whole_number(id_type)
        // No row has an id.
        && *id_type != DataType::Null
    {
        return Err(wrong_type(format!("its column {id_column:?} is {id_type}, not text or a whole number")));
    }
    let mut places = Vec::with_capacity(kept.len());
    for output in kept {
        let place = find(output.name())?;
        must_be(output, passed_through(schema.field(place)).data_type())?;
        places.push(place);
    }
    Ok(Columns { text, id, kept: places })
}

fn is_whole_number(data_type: &DataType) -> bool {
    let decimal = matches!(data_type, DataType::Decimal128(_, 0) | DataType::Decimal256(_, 0));
    data_type.is_integer() || decimal
}

impl Columns {
    /// Where the columns are once only they are read, and which those are.
    fn read_alone(self) -> (Self, Vec<usize>) {
        let mut wanted: Vec<usize> = [self.text].into_iter().chain(self.id).chain(self.kept.iter().copied()).collect();
        wanted.sort_unstable();
        wanted.dedup();
        // Each is found: they were all put in.
        let place = |column: usize| wanted.partition_point(|&other| other < column);
        let kept = self.kept.into_iter().map(place).collect();
        (Self { text: place(self.text), id: self.id.map(place), kept }, wanted)
    }
}

/// Broken files make some readers panic; here that is an error like others.
fn guarded<T>(read: impl FnOnce() -> Result<T, ArrowError>) -> Result<T, RowError> {
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(read) => read.map_err(unreadable),
        Err(_) => Err(unreadable("the file is damaged")),
    }
}

impl Rows for Columnar {
    fn next(&mut self) -> Option<Record> {
        while self.current.as_ref().is_none_or(|batch| batch.next == batch.text.len()) {
            match self.load() {
                Some(Ok(batch)) => self.current = Some(batch),
                Some(Err(error)) => {
                    // Nothing more can be expected of this input.
                    (self.current, self.batches) = (None, Box::new(std::iter::empty()));
                    self.row += 1;
                    return Some(failure(&self.path, Some(self.row), error));
                }
                None => return None,
            }
        }
        let batch = self.current.as_mut()?;
        self.row += 1;
        self.reading.counters.bytes_read.fetch_add(self.bytes_per_row, Ordering::Relaxed);
        let row = batch.next;
        batch.next += 1;
        let id = batch.id.as_ref().and_then(|ids| ids.get(row)).map(str::to_owned);
        let limit = self.reading.settings.max_document_bytes;
        let document = match batch.text.get(row) {
            None => Err(DocumentError::Empty.into()),
            Some(text) if text.len() > limit => Err(DocumentError::TooLarge { limit }.into()),
            Some(text) => {
                let name = id.clone().unwrap_or_else(|| place(&self.path, self.row));
                document(name, text.to_owned(), &self.reading.settings)
            }
        };
        let kept = if batch.kept.is_empty() { Kept::Nothing } else { Kept::Row(Arc::clone(&batch.kept), row) };
        Some(Record { path: Arc::clone(&self.path), row: Some(self.row), id, document, kept })
    }
}

impl Columnar {
    fn load(&mut self) -> Option<Result<Batch, RowError>> {
        let next = catch_unwind(AssertUnwindSafe(|| self.batches.next()));
        let damaged = || Err(ArrowError::IpcError("the file is damaged".to_owned()));
        let batch = next.unwrap_or_else(|_| Some(damaged()))?;
        Some(guarded(|| self.batch(&batch?)))
    }

    fn batch(&self, batch: &RecordBatch) -> Result<Batch, ArrowError> {
        let texts = |column: usize| Texts::of(batch.column(column));
        let kept = self.columns.kept.iter().zip(&self.reading.kept);
        let kept = kept.map(|(&column, output)| cast(batch.column(column), output.data_type()));
        Ok(Batch {
            text: texts(self.columns.text)?,
            id: self.columns.id.map(texts).transpose()?,
            kept: kept.collect::<Result<Vec<_>, _>>()?.into(),
            next: 0,
        })
    }
}
