//! `errors.jsonl`: a line for each document without a result, and its checksum as far as it has been written.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::batch::error::{BatchError, failed};
use crate::batch::inputs::hexadecimal;
use crate::batch::manifest::hash;

/// Its name in the output.
pub(in crate::batch) const ERRORS: &str = "errors.jsonl";

/// The file of errors, open at its end.
pub(in crate::batch) struct ErrorLog {
    path: PathBuf,
    file: File,
    bytes: u64,
    hash: Sha256,
}

impl ErrorLog {
    /// Goes on after so many bytes, which must be what this checksum says; what comes after them is cut off.
    pub fn open(directory: &Path, bytes: u64, sha256: Option<&str>) -> Result<Self, BatchError> {
        let path = directory.join(ERRORS);
        let opened = || {
            let file = OpenOptions::new().create(true).append(true).open(&path)?;
            let (there, hash) = hash(File::open(&path)?.take(bytes))?;
            Ok((file, hash, there))
        };
        let (file, hash, there) = opened().map_err(failed("write", &path))?;
        if there < bytes {
            let message = format!("{} has {there} bytes of the {bytes} that were written", path.display());
            return Err(BatchError::Output(message));
        }
        let log = Self { path, file, bytes, hash };
        if sha256.is_some_and(|written| written != log.sha256()) {
            return Err(BatchError::Output(changed(&log.path)));
        }
        log.file.set_len(bytes).map_err(failed("write", &log.path))?;
        Ok(log)
    }

    /// Adds lines.
    pub fn write(&mut self, lines: &[u8]) -> Result<(), BatchError> {
        self.file.write_all(lines).map_err(failed("write", &self.path))?;
        self.hash.update(lines);
        self.bytes += lines.len() as u64;
        Ok(())
    }

    /// Makes what has been written last.
    pub fn sync(&self) -> Result<(), BatchError> {
        self.file.sync_data().map_err(failed("write", &self.path))
    }

    /// Its size.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Its SHA-256, in hexadecimal.
    pub fn sha256(&self) -> String {
        hexadecimal(&self.hash.clone().finalize())
    }
}

/// That a file is not what was written.
pub(in crate::batch) fn changed(path: &Path) -> String {
    format!("{} has been changed since it was written: its checksum differs", path.display())
}
