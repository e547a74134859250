//! The output: a directory of parts, with a manifest of them and the errors beside.

mod errors;
mod part;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use arrow_schema::{Field, SchemaRef};
use serde::Serialize;

pub(super) use errors::{ERRORS, ErrorLog, changed};
pub(super) use part::PartWriter;

use super::columns::RowError;
use super::earlier::MANIFEST;
use super::error::{BatchError, failed};
use super::inputs::{InputFormat, Inputs};
use super::manifest::{Manifest, PARTIAL, Part, checksum, write_whole};
use super::progress::Summary;
use super::read::{Position, Record, kept_fields};
use super::settings::Job;

/// The inputs, one a line.
pub(super) const INPUTS: &str = "inputs.jsonl";
/// Held by the process that writes.
const LOCK: &str = ".lock";

/// A directory that results are written to, by this process alone.
pub struct Output {
    pub(super) directory: PathBuf,
    pub(super) manifest: Manifest,
    /// The columns that are passed through.
    pub(super) kept: Vec<Field>,
    schema: SchemaRef,
    errors: ErrorLog,
    /// Locked as long as it is open.
    _lock: File,
}

/// Documents of the part that is being written.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counted {
    pub documents: u64,
    pub errors: u64,
    /// Rows of the inputs.
    pub read: u64,
}

/// A line of `errors.jsonl`.
#[derive(Debug, Serialize)]
pub(super) struct Problem {
    file: String,
    row: Option<u64>,
    id: Option<String>,
    error: RowError,
}

impl Problem {
    pub fn new(record: &Record, id: Option<String>, error: RowError) -> Self {
        Self { file: record.path.to_string(), row: record.row, id, error }
    }
}

impl Output {
    /// Takes a directory, which is made if it is not there: for a new run if it is empty, or, with `resume`, to go on
    /// with a run of the same job.
    ///
    /// # Errors
    /// When the directory holds anything else, or another process writes to it.
    pub fn open(directory: &Path, job: Job, inputs: &Inputs, resume: bool) -> Result<Self, BatchError> {
        if resume && inputs.has_standard() {
            let message = "--resume cannot be used with standard input, which cannot be read again: name files";
            return Err(BatchError::Usage(message.to_owned()));
        }
        if inputs.has_standard() && job.options.input_format == Some(InputFormat::Arrow) && !job.options.keep.is_empty()
        {
            let message = "--keep cannot be used with Arrow from standard input, whose types are not known beforehand";
            return Err(BatchError::Usage(format!("{message}: name a file")));
        }
        let kept = kept_fields(inputs, &job.options);
        let schema = job.options.output_schema(&kept)?;
        let lock = take(directory)?;
        let manifest = match Manifest::read(directory)? {
            Some(manifest) if resume => {
                may_go_on(directory, &manifest, &job, inputs)?;
                manifest
            }
            Some(_) => {
                let directory = directory.display();
                let message = format!(
                    "{directory} holds the output of a run: go on with it with --resume, or name another directory"
                );
                return Err(BatchError::Output(message));
            }
            None => begin(directory, job, inputs)?,
        };
        let errors = ErrorLog::open(directory, manifest.errors_bytes(), manifest.errors_sha256())?;
        remove_unfinished(directory, &manifest)?;
        Ok(Self { directory: directory.to_owned(), manifest, kept, schema, errors, _lock: lock })
    }

    /// Whether a run has come to the end of its inputs.
    pub fn is_complete(&self) -> bool {
        self.manifest.complete
    }

    /// What the whole parts hold.
    pub fn summary(&self) -> Summary {
        self.manifest.summary()
    }

    /// The file of errors.
    pub fn errors_path(&self) -> PathBuf {
        self.directory.join(ERRORS)
    }

    /// The columns of the parts.
    pub(super) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Starts the next part.
    pub(super) fn begin_part(&self) -> Result<PartWriter, BatchError> {
        let number = self.manifest.parts.len();
        PartWriter::new(&self.directory, number, self.manifest.job.options.output_format, &self.schema)
    }

    /// Writes errors down. They count once their part is whole.
    pub(super) fn write_errors(&mut self, problems: &[Problem]) -> Result<(), BatchError> {
        let mut lines = Vec::new();
        for problem in problems {
            serde_json::to_writer(&mut lines, problem).map_err(|_| BatchError::Fault)?;
            lines.push(b'\n');
        }
        self.errors.write(&lines)
    }

    /// Finishes a part, and tells the manifest.
    pub(super) fn end_part(&mut self, part: PartWriter, counted: Counted, next: Position) -> Result<(), BatchError> {
        self.errors.sync()?;
        let finished = part.finish()?;
        let last = self.manifest.parts.last();
        let rows_read = last.map_or(0, |part| part.rows_read) + counted.read;
        self.manifest.parts.push(Part {
            file: finished.file,
            first: last.map_or(0, |part| part.first + part.documents + part.errors),
            documents: counted.documents,
            errors: counted.errors,
            rows: finished.rows,
            bytes: finished.bytes,
            sha256: finished.sha256,
            next,
            rows_read,
            errors_bytes: self.errors.bytes(),
            errors_sha256: Some(self.errors.sha256()),
        });
        self.manifest.rows_read = rows_read;
        self.manifest.write(&self.directory)
    }

    /// Says that all inputs have been read, with so many rows after the last part.
    pub(super) fn finish(&mut self, read: u64) -> Result<Summary, BatchError> {
        self.manifest.rows_read += read;
        self.manifest.complete = true;
        self.manifest.write(&self.directory)?;
        Ok(self.manifest.summary())
    }
}

/// Makes the directory, and locks it.
fn take(directory: &Path) -> Result<File, BatchError> {
    fs::create_dir_all(directory).map_err(failed("make", directory))?;
    let path = directory.join(LOCK);
    let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    let lock = lock.map_err(failed("write", &path))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => {
            Err(BatchError::Output(format!("another process is writing to {}", directory.display())))
        }
        Err(TryLockError::Error(error)) => Err(failed("lock", &path)(error)),
    }
}

/// Starts a run in an empty directory.
fn begin(directory: &Path, job: Job, inputs: &Inputs) -> Result<Manifest, BatchError> {
    // What a run that was ended before it had begun may have left.
    let ours = [LOCK, INPUTS, ERRORS].map(str::to_owned);
    let ours = |name: &str| ours.iter().any(|own| own == name) || [MANIFEST, INPUTS].map(beside).contains(&name.into());
    if let Some(name) = names(directory)?.into_iter().find(|name| !ours(name)) {
        let directory = directory.display();
        let message = format!("{directory} is not empty, and no output of a run (there is {name:?}): name another");
        return Err(BatchError::Output(message));
    }
    let listing: String = inputs.listing().collect();
    write_whole(directory, INPUTS, listing.as_bytes())?;
    let manifest = Manifest::new(job);
    manifest.write(directory)?;
    Ok(manifest)
}

fn beside(name: &str) -> String {
    format!("{name}{PARTIAL}")
}

fn names(directory: &Path) -> Result<Vec<String>, BatchError> {
    let entries = fs::read_dir(directory).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let entries = entries.map_err(failed("read", directory))?;
    let mut names: Vec<String> = entries.iter().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    Ok(names)
}

/// Checks that a run is the same as the one that it is to go on with, and that what that has written is there.
fn may_go_on(directory: &Path, manifest: &Manifest, job: &Job, inputs: &Inputs) -> Result<(), BatchError> {
    let refused = |reason: String| {
        let message = format!("--resume cannot go on with {}: {reason}", directory.display());
        Err(BatchError::Output(message))
    };
    if !manifest.merged.is_empty() {
        return refused("it was merged from shards".to_owned());
    }
    if manifest.job.inputs != job.inputs {
        return refused(changed_input(directory, inputs)?);
    }
    if let Some((name, now, then)) = job.difference(&manifest.job) {
        return refused(format!("{name} is {now}, and was {then}"));
    }
    for part in &manifest.parts {
        let found = fs::metadata(directory.join(&part.file)).map(|metadata| metadata.len());
        if found.as_ref().ok() != Some(&part.bytes) {
            return refused(format!("{} is not the {} bytes that were written", part.file, part.bytes));
        }
        let path = directory.join(&part.file);
        if checksum(&path).map_err(failed("read", &path))? != part.sha256 {
            return refused(changed(Path::new(&part.file)));
        }
    }
    Ok(())
}

/// The first input that is not what it was.
fn changed_input(directory: &Path, inputs: &Inputs) -> Result<String, BatchError> {
    let path = directory.join(INPUTS);
    let file = File::open(&path).map_err(failed("read", &path))?;
    let mut before = BufReader::new(file).lines();
    for (line, input) in inputs.listing().zip(&inputs.files) {
        match before.next().transpose().map_err(failed("read", &path))? {
            Some(then) if then == line.trim_end() => {}
            Some(_) => return Ok(format!("the inputs have changed, {} is the first", input.name())),
            None => return Ok(format!("the inputs have changed, {} is new", input.name())),
        }
    }
    Ok("the inputs have changed, some are gone".to_owned())
}

/// Removes what was being written, and parts that the manifest has not been told of.
fn remove_unfinished(directory: &Path, manifest: &Manifest) -> Result<(), BatchError> {
    for name in names(directory)? {
        let is_part = name.starts_with("part-") && !manifest.parts.iter().any(|part| part.file == name);
        if is_part || name.ends_with(PARTIAL) {
            let path = directory.join(name);
            fs::remove_file(&path).map_err(failed("remove", &path))?;
        }
    }
    Ok(())
}
