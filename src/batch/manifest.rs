//! The manifest: what an output is the output of, and which parts of it are whole. A part that it does not list is none.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::earlier::MANIFEST;
use super::error::{BatchError, failed};
use super::inputs::hexadecimal;
use super::progress::Summary;
use super::read::Position;
use super::settings::Job;
use super::shard::Shard;

/// Version of the manifest's form.
const SCHEMA: u32 = 1;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Manifest {
    /// Version of this form: 1.
    pub schema: u32,
    #[serde(flatten)]
    pub job: Job,
    /// Whether the run has come to the end of its inputs.
    pub complete: bool,
    /// Rows of the inputs that have been read by the end of the last part, those of other shards included; once the
    /// run is complete, all of them.
    pub rows_read: u64,
    pub parts: Vec<Part>,
    /// The shards that this output was merged from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub merged: Vec<Shard>,
}

/// A file of results.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Part {
    pub file: String,
    /// The number of its first document in the output, from 0, those that have failed included.
    pub first: u64,
    /// Documents with a result.
    pub documents: u64,
    /// Documents without one.
    pub errors: u64,
    /// Rows in the file: as many as documents, unless it is flat.
    pub rows: u64,
    /// Size of the file.
    pub bytes: u64,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
    /// How far the inputs have been read when it ends.
    pub next: Position,
    /// Rows of the inputs that have been read when it ends.
    pub rows_read: u64,
    /// Size of `errors.jsonl` when it ends.
    pub errors_bytes: u64,
    /// The SHA-256 of `errors.jsonl` when it ends, in hexadecimal; earlier outputs do not tell it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errors_sha256: Option<String>,
}

impl Manifest {
    /// Of a run that has just begun.
    pub fn new(job: Job) -> Self {
        Self { schema: SCHEMA, job, complete: false, rows_read: 0, parts: Vec::new(), merged: Vec::new() }
    }

    /// Reads the manifest of an output; `None` where there is none.
    pub fn read(directory: &Path) -> Result<Option<Self>, BatchError> {
        let path = directory.join(MANIFEST);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("read", &path)(error)),
        };
        let foreign = |reason: String| BatchError::Output(format!("{} is not a manifest: {reason}", path.display()));
        let manifest: Self = serde_json::from_str(&text).map_err(|error| foreign(error.to_string()))?;
        if manifest.schema != SCHEMA {
            return Err(foreign(format!("its form is {}, and this program knows {SCHEMA}", manifest.schema)));
        }
        // Names that lead elsewhere are nobody's parts.
        match manifest.parts.iter().find(|part| part.file.contains(['/', '\\']) || part.file.contains("..")) {
            Some(part) => Err(foreign(format!("{:?} is no name of a part", part.file))),
            None => Ok(Some(manifest)),
        }
    }

    /// Puts the manifest in place of the one before, whole or not at all.
    pub fn write(&self, directory: &Path) -> Result<(), BatchError> {
        let mut text = serde_json::to_string_pretty(self).map_err(|_| BatchError::Fault)?;
        text.push('\n');
        write_whole(directory, MANIFEST, text.as_bytes())
    }

    /// Where the next part starts.
    pub fn position(&self) -> Position {
        self.parts.last().map(|part| part.next).unwrap_or_default()
    }

    /// Size of `errors.jsonl` as far as it belongs to parts.
    pub fn errors_bytes(&self) -> u64 {
        self.parts.last().map_or(0, |part| part.errors_bytes)
    }

    /// The checksum of that much of `errors.jsonl`, where it is known.
    pub fn errors_sha256(&self) -> Option<&str> {
        self.parts.last().and_then(|part| part.errors_sha256.as_deref())
    }

    /// What the parts hold together.
    pub fn summary(&self) -> Summary {
        Summary {
            documents: self.parts.iter().map(|part| part.documents).sum(),
            errors: self.parts.iter().map(|part| part.errors).sum(),
            rows: self.parts.iter().map(|part| part.rows).sum(),
            parts: self.parts.len(),
        }
    }
}

/// The SHA-256 of a file, in hexadecimal.
pub(super) fn checksum(path: &Path) -> io::Result<String> {
    let (_, hash) = hash(File::open(path)?)?;
    Ok(hexadecimal(&hash.finalize()))
}

/// What there is to read: how much, and its SHA-256 so far.
pub(super) fn hash(reader: impl Read) -> io::Result<(u64, Sha256)> {
    let mut reader = BufReader::with_capacity(1 << 20, reader);
    let (mut length, mut hash) = (0, Sha256::new());
    loop {
        let bytes = reader.fill_buf()?;
        if bytes.is_empty() {
            return Ok((length, hash));
        }
        hash.update(bytes);
        let read = bytes.len();
        length += read as u64;
        reader.consume(read);
    }
}

/// Writes a file beside and renames it, so that it is there whole or not at all, whatever happens.
pub(super) fn write_whole(directory: &Path, name: &str, bytes: &[u8]) -> Result<(), BatchError> {
    let beside = directory.join(format!("{name}{PARTIAL}"));
    let path = directory.join(name);
    let written = File::create(&beside).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, &path)?;
        sync_directory(directory)
    });
    written.map_err(|error| {
        // What cannot be written need not take room.
        let _ = fs::remove_file(&beside);
        failed("write", &path)(error)
    })
}

/// What the name of a file ends with while it is being written.
pub(super) const PARTIAL: &str = ".partial";

/// Makes new names in a directory last.
pub(super) fn sync_directory(directory: &Path) -> std::io::Result<()> {
    // Other systems do not open directories, and need not.
    if cfg!(unix) { File::open(directory)?.sync_all() } else { Ok(()) }
}
