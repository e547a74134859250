//! A part: a file that is written beside, and takes its name when it is whole.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_json::WriterBuilder;
use arrow_json::writer::{LineDelimited, Writer};
use arrow_schema::{ArrowError, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use sha2::{Digest, Sha256};

use crate::batch::error::{BatchError, failed};
use crate::batch::inputs::hexadecimal;
use crate::batch::manifest::{PARTIAL, sync_directory};
use crate::batch::settings::OutputFormat;

/// Level of compression, for zstd.
const LEVEL: i32 = 3;

/// Parquet is held in memory until this many bytes of it make a row group.
const ROW_GROUP_BYTES: usize = 16 * 1024 * 1024;

/// A part that is being written; removed if it is dropped unfinished.
pub(in crate::batch) struct PartWriter {
    directory: PathBuf,
    file: String,
    sink: Option<Sink>,
    rows: u64,
}

/// What became of it.
pub(in crate::batch) struct Finished {
    pub file: String,
    pub rows: u64,
    pub bytes: u64,
    pub sha256: String,
}

/// Where rows go.
enum Sink {
    Parquet(Box<ArrowWriter<Hashed>>),
    Jsonl(Writer<Hashed, LineDelimited>),
    JsonlZst(Writer<zstd::Encoder<'static, Hashed>, LineDelimited>),
}

impl PartWriter {
    /// Starts part `number` of an output.
    pub fn new(directory: &Path, number: usize, format: OutputFormat, schema: &SchemaRef) -> Result<Self, BatchError> {
        let file = format!("part-{number:05}.{}", format.extension());
        let mut part = Self { directory: directory.to_owned(), file, sink: None, rows: 0 };
        let hashed = Hashed::create(&part.beside()).map_err(|error| failed("write", &part.path())(error))?;
        let sink = sink(hashed, format, schema);
        part.sink = Some(sink.map_err(|error| part.unfit(error))?);
        Ok(part)
    }

    pub fn write(&mut self, rows: &RecordBatch) -> Result<(), BatchError> {
        let written = match &mut self.sink {
            Some(Sink::Parquet(writer)) => writer.write(rows).map_err(ArrowError::from).and_then(|()| {
                if writer.in_progress_size() < ROW_GROUP_BYTES {
                    return Ok(());
                }
                Ok(writer.flush()?)
            }),
            Some(Sink::Jsonl(writer)) => writer.write(rows),
            Some(Sink::JsonlZst(writer)) => writer.write(rows),
            None => Ok(()),
        };
        self.rows += rows.num_rows() as u64;
        written.map_err(|error| self.unfit(error))
    }

    /// Gives the part its name, once it is safe on the disk.
    pub fn finish(mut self) -> Result<Finished, BatchError> {
        let Some(sink) = self.sink.take() else { return Err(BatchError::Fault) };
        let finished = finish(sink).and_then(|hashed| Ok(hashed.finish()?));
        let (bytes, sha256) = finished.map_err(|error| {
            let _ = fs::remove_file(self.beside());
            self.unfit(error)
        })?;
        let named = fs::rename(self.beside(), self.path()).and_then(|()| sync_directory(&self.directory));
        named.map_err(failed("write", &self.path()))?;
        Ok(Finished { file: self.file.clone(), rows: self.rows, bytes, sha256 })
    }

    fn path(&self) -> PathBuf {
        self.directory.join(&self.file)
    }

    fn beside(&self) -> PathBuf {
        self.directory.join(format!("{}{PARTIAL}", self.file))
    }

    fn unfit(&self, error: ArrowError) -> BatchError {
        BatchError::Form { path: self.path(), error }
    }
}

impl Drop for PartWriter {
    fn drop(&mut self) {
        if self.sink.take().is_some() {
            let _ = fs::remove_file(self.beside());
        }
    }
}

fn sink(file: Hashed, format: OutputFormat, schema: &SchemaRef) -> Result<Sink, ArrowError> {
    // Nulls are written, as everywhere in our JSON.
    let lines = WriterBuilder::new().with_explicit_nulls(true);
    Ok(match format {
        OutputFormat::Parquet => {
            let compression = Compression::ZSTD(ZstdLevel::try_new(LEVEL)?);
            let properties = WriterProperties::builder().set_compression(compression).build();
            Sink::Parquet(Box::new(ArrowWriter::try_new(file, SchemaRef::clone(schema), Some(properties))?))
        }
        OutputFormat::Jsonl => Sink::Jsonl(lines.build(file)),
        OutputFormat::JsonlZst => Sink::JsonlZst(lines.build(zstd::Encoder::new(file, LEVEL)?)),
    })
}

fn finish(sink: Sink) -> Result<Hashed, ArrowError> {
    match sink {
        Sink::Parquet(writer) => Ok(writer.into_inner()?),
        Sink::Jsonl(mut writer) => {
            writer.finish()?;
            Ok(writer.into_inner())
        }
        Sink::JsonlZst(mut writer) => {
            writer.finish()?;
            Ok(writer.into_inner().finish()?)
        }
    }
}

/// A file whose checksum is known when it has been written.
struct Hashed {
    file: BufWriter<File>,
    hash: Sha256,
    bytes: u64,
}

impl Hashed {
    fn create(path: &Path) -> io::Result<Self> {
        Ok(Self { file: BufWriter::new(File::create(path)?), hash: Sha256::new(), bytes: 0 })
    }

    fn finish(mut self) -> io::Result<(u64, String)> {
        self.file.flush()?;
        self.file.get_ref().sync_all()?;
        Ok((self.bytes, hexadecimal(&self.hash.finalize())))
    }
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
