//! The pipeline: one thread reads chunks, two hand them to the engine, and this one writes what comes back. Between
//! them are short queues, so that nothing piles up, and the engine never waits for a file.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use arrow_array::{RecordBatch, UInt32Array};
use arrow_schema::{ArrowError, Field, SchemaRef};
use arrow_select::take::take;

use super::chunks::{Chunk, Chunks, End};
use super::columns::{RowError, documents};
use super::groups::GROUPS_TOGETHER;
use super::kept::{Kept, columns};
use super::output::{Counted, Output, PartWriter, Problem};
use super::progress::Counters;
use super::read::{Reading, Records};
use super::settings::Flat;
use super::{BatchError, Inputs, Summary, flat};
use crate::engine::{Engine, Extraction};
use crate::text::{BorrowedDocument, Document};

/// Chunks that have been read, or wait to be written, beyond those.
const CHUNKS_WAITING: usize = 1;

/// How often those who wait look whether the run is to stop.
const LOOK_UP: Duration = Duration::from_millis(50);

/// What came of a chunk: rows, and documents without any.
struct Outcome {
    rows: RecordBatch,
    documents: u64,
    problems: Vec<Problem>,
    end: End,
}

type Answer = Result<Outcome, ArrowError>;

/// A chunk with the place where its outcome is waited for.
type Task = (Chunk, SyncSender<Answer>);

/// Reads what an output still lacks of the inputs, extracts, and writes. `counters` tell how far it is; `stop` ends it,
/// after which the output can be gone on with. A file that keeps its reader waiting is left to it: the thread ends when the
/// system lets it.
///
/// # Errors
/// [`BatchError`]; also then all parts that the manifest lists are whole.
pub fn run(
    engine: &Engine,
    inputs: Arc<Inputs>,
    output: &mut Output,
    max_errors: Option<u64>,
    counters: &Arc<Counters>,
    stop: &Arc<AtomicBool>,
) -> Result<Summary, BatchError> {
    if output.is_complete() {
        return Ok(output.summary());
    }
    let settings = output.manifest.job.options.clone();
    let (rows_per_part, shard) = (settings.rows_per_part, settings.shard);
    let form = RowForm { flat: settings.flat, kept: output.kept.clone(), schema: SchemaRef::clone(output.schema()) };
    let reading = Arc::new(Reading { settings, kept: output.kept.clone(), counters: Arc::clone(counters) });
    let (start, threads) = (output.manifest.position(), engine.threads());
    let (order, outcomes) = sync_channel::<Receiver<Answer>>(CHUNKS_WAITING + GROUPS_TOGETHER);
    let (tasks, queue) = sync_channel::<Task>(CHUNKS_WAITING);
    let queue = Mutex::new(queue);
    let stopped = Arc::clone(stop);
    let read = move || {
        let records = Records::new(inputs, reading, start);
        for chunk in Chunks::new(records, threads, rows_per_part, shard, stopped) {
            let (answer, place) = sync_channel(1);
            // Nobody takes them any more: the writer has given up.
            if order.send(place).is_err() || tasks.send((chunk, answer)).is_err() {
                break;
            }
        }
    };
    thread::Builder::new().name("read".to_owned()).spawn(read).map_err(BatchError::Thread)?;
    let given_up = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..GROUPS_TOGETHER {
            scope.spawn(|| {
                let next = || {
                    let queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
                    wait(&queue, &[stop, &given_up])
                };
                while let Some((chunk, answer)) = next() {
                    let outcome = form.outcome(engine, chunk, stop);
                    // What is dropped instead is missed by the writer, who then stops too.
                    if !stop.load(Ordering::Relaxed) {
                        let _ = answer.send(outcome);
                    }
                }
            });
        }
        let mut writer = Writer { output, max_errors, counters, part: None, counted: Counted::default() };
        let ended = writer.write(&outcomes, stop);
        // Those who wait for a chunk end, whatever the reader may be waiting for.
        given_up.store(true, Ordering::Relaxed);
        ended
    })
}

/// What comes next; `None` where nothing will, or one of these says that it is over.
fn wait<T>(channel: &Receiver<T>, over: &[&AtomicBool]) -> Option<T> {
    loop {
        if over.iter().any(|over| over.load(Ordering::Relaxed)) {
            return None;
        }
        match channel.recv_timeout(LOOK_UP) {
            Ok(value) => return Some(value),
            Err(RecvTimeoutError::Disconnected) => return None,
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

/// Puts outcomes into parts.
struct Writer<'a> {
    output: &'a mut Output,
    max_errors: Option<u64>,
    counters: &'a Counters,
    part: Option<PartWriter>,
    counted: Counted,
}

impl Writer<'_> {
    /// Writes until the end of the inputs.
    fn write(&mut self, outcomes: &Receiver<Receiver<Answer>>, stop: &AtomicBool) -> Result<Summary, BatchError> {
        let interrupted = || if stop.load(Ordering::Relaxed) { BatchError::Interrupted } else { BatchError::Fault };
        loop {
            let place = wait(outcomes, &[stop]).ok_or_else(interrupted)?;
            let outcome = wait(&place, &[stop]).ok_or_else(interrupted)?;
            if stop.load(Ordering::Relaxed) {
                return Err(BatchError::Interrupted);
            }
            let path = &self.output.directory;
            let outcome = outcome.map_err(|error| BatchError::Form { path: path.clone(), error })?;
            let end = outcome.end;
            self.take(outcome)?;
            if end.of_part {
                self.end_part(end)?;
            }
            if end.of_input {
                return self.output.finish(self.counted.read);
            }
        }
    }

    fn take(&mut self, outcome: Outcome) -> Result<(), BatchError> {
        self.counted.read += outcome.end.read;
        let errors = outcome.problems.len() as u64;
        // A part is there for its documents; the first one also without any, so that there is something to open.
        let is_wanted = outcome.documents + errors > 0 || self.output.manifest.parts.is_empty();
        if self.part.is_none() && is_wanted {
            self.part = Some(self.output.begin_part()?);
        }
        if let Some(part) = &mut self.part
            && outcome.rows.num_rows() > 0
        {
            part.write(&outcome.rows)?;
        }
        self.output.write_errors(&outcome.problems)?;
        self.counted.documents += outcome.documents;
        self.counted.errors += errors;
        self.counters.documents.fetch_add(outcome.documents, Ordering::Relaxed);
        self.counters.errors.fetch_add(errors, Ordering::Relaxed);
        self.counters.bytes_done.store(outcome.end.bytes, Ordering::Relaxed);
        let errors = self.output.summary().errors + self.counted.errors;
        match self.max_errors {
            Some(limit) if errors > limit => {
                Err(BatchError::TooManyErrors { errors, limit, path: self.output.errors_path() })
            }
            _ => Ok(()),
        }
    }

    fn end_part(&mut self, end: End) -> Result<(), BatchError> {
        let Some(part) = self.part.take() else { return Ok(()) };
        self.output.end_part(part, std::mem::take(&mut self.counted), end.position)?;
        self.counters.parts.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

/// What rows are made of, and how they are made.
struct RowForm {
    flat: Option<Flat>,
    kept: Vec<Field>,
    schema: SchemaRef,
}

impl RowForm {
    fn outcome(&self, engine: &Engine, chunk: Chunk, stop: &AtomicBool) -> Answer {
        let mut problems = Vec::new();
        let mut texts = Vec::with_capacity(chunk.records.len());
        let mut places = Vec::with_capacity(chunk.records.len());
        for mut record in chunk.records {
            let empty = RowError { code: "empty_document", message: String::new() };
            match std::mem::replace(&mut record.document, Err(empty)) {
                Ok(document) => {
                    texts.push(document);
                    places.push(record);
                }
                Err(error) => {
                    let id = record.id.take();
                    problems.push((places.len(), Problem::new(&record, id, error)));
                }
            }
        }
        let mut extractions = Vec::with_capacity(texts.len());
        let mut kept = Vec::with_capacity(texts.len());
        let borrowed: Vec<BorrowedDocument<'_>> = texts.iter().map(Document::borrowed).collect();
        for (index, (result, record)) in engine.extract_until(stop, &borrowed).into_iter().zip(&places).enumerate() {
            match result {
                Ok(extraction) => {
                    extractions.push(extraction);
                    kept.push(&record.kept);
                }
                Err(error) => {
                    let id = Some(texts[index].id.clone());
                    problems.push((index, Problem::new(record, id, error.into())));
                }
            }
        }
        // In the order of the input, those of the engine among those of the reader.
        problems.sort_by_key(|(place, _)| *place);
        Ok(Outcome {
            rows: self.rows(&extractions, &kept)?,
            documents: extractions.len() as u64,
            problems: problems.into_iter().map(|(_, problem)| problem).collect(),
            end: chunk.end,
        })
    }

    /// The rows of these documents, with what they bring with them.
    fn rows(&self, extractions: &[Extraction], kept: &[&Kept]) -> Result<RecordBatch, ArrowError> {
        let (found, places) = match self.flat {
            None => (documents(extractions)?, None),
            Some(Flat::Statements) => flat::statements(extractions).map(|(rows, places)| (rows, Some(places)))?,
            Some(Flat::Entities) => flat::entities(extractions).map(|(rows, places)| (rows, Some(places)))?,
        };
        let mut kept = columns(&self.kept, kept)?;
        if let Some(places) = places {
            let places: UInt32Array = places.into_iter().map(|place| u32::try_from(place).ok()).collect();
            kept = kept.iter().map(|column| take(column, &places, None)).collect::<Result<_, _>>()?;
        }
        RecordBatch::try_new(SchemaRef::clone(&self.schema), [found.columns(), &kept].concat())
    }
}
