//! How far a run is: numbers that the pipeline counts up and that whoever wants to may look at.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a run has done so far. What an earlier run had done, before `--resume`, is not in it.
#[derive(Debug, Default)]
pub struct Counters {
    /// Documents with a result.
    pub documents: AtomicU64,
    /// Documents without one.
    pub errors: AtomicU64,
    /// Bytes of the inputs, as they are stored, that have been read, those passed over included.
    pub bytes_read: AtomicU64,
    /// What that was when the last document was read whose result has been written: how far the run is.
    pub bytes_done: AtomicU64,
    /// Parts.
    pub parts: AtomicU64,
}

/// What an output holds in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// Documents with a result.
    pub documents: u64,
    /// Documents without one.
    pub errors: u64,
    /// Rows of the parts.
    pub rows: u64,
    /// Parts.
    pub parts: usize,
}

/// A file that tells how much of it has been read.
pub(super) struct Counted {
    file: File,
    counters: Arc<Counters>,
}

impl Counted {
    pub fn new(file: File, counters: Arc<Counters>) -> Self {
        Self { file, counters }
    }
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.file.read(buffer)?;
        self.counters.bytes_read.fetch_add(bytes as u64, Ordering::Relaxed);
        Ok(bytes)
    }
}

impl Seek for Counted {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.file.seek(position)
    }
}
