//! Chunks: the documents that are extracted together. Where they and the parts end depends on the input alone, so that
//! a run that was interrupted gives the same bytes as one that was not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::kept::Kept;
use super::read::{Position, Record, Records};
use super::shard::Shard;

/// Documents are extracted together until they hold this much text per worker (bytes): enough to keep all workers busy
/// with windows of like length, little enough that memory does not grow with the archive.
pub(super) const BYTES_PER_WORKER: usize = 128 * 1024;

/// Most documents in a chunk, per worker.
pub(super) const RECORDS_PER_WORKER: usize = 1024;

/// Some documents, one after another.
pub(super) struct Chunk {
    pub records: Vec<Record>,
    pub end: End,
}

/// Where a chunk ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct End {
    /// Rows read for this chunk, those of other shards included.
    pub read: u64,
    /// Where reading stands.
    pub position: Position,
    /// Bytes of the inputs read so far.
    pub bytes: u64,
    /// Whether the part ends with it.
    pub of_part: bool,
    /// Whether the input ends with it.
    pub of_input: bool,
}

/// The chunks of all inputs.
pub(super) struct Chunks {
    records: Records,
    max_bytes: usize,
    max_records: usize,
    rows_per_part: u64,
    shard: Option<Shard>,
    /// Documents in the part so far.
    in_part: u64,
    ended: bool,
    stop: Arc<AtomicBool>,
}

impl Chunks {
    /// Starts a part, for so many workers. Ends early when it is told to stop.
    pub fn new(
        records: Records,
        workers: usize,
        rows_per_part: u64,
        shard: Option<Shard>,
        stop: Arc<AtomicBool>,
    ) -> Self {
        let (max_bytes, max_records) = (BYTES_PER_WORKER * workers, RECORDS_PER_WORKER * workers);
        Self { records, max_bytes, max_records, rows_per_part, shard, in_part: 0, ended: false, stop }
    }
}

impl Iterator for Chunks {
    type Item = Chunk;

    fn next(&mut self) -> Option<Chunk> {
        if self.ended {
            return None;
        }
        let (mut records, mut bytes, mut read) = (Vec::new(), 0, 0);
        let (mut of_part, mut of_input) = (false, false);
        while !of_part && bytes < self.max_bytes && records.len() < self.max_records {
            if self.stop.load(Ordering::Relaxed) {
                self.ended = true;
                return None;
            }
            let Some(record) = self.records.next() else {
                (of_part, of_input, self.ended) = (true, true, true);
                break;
            };
            read += 1;
            if self.shard.is_some_and(|shard| !shard.holds(&record.key())) {
                continue;
            }
            bytes += size(&record);
            records.push(record);
            self.in_part += 1;
            of_part = self.in_part == self.rows_per_part;
        }
        if of_part {
            self.in_part = 0;
        }
        let (position, bytes) = (self.records.position(), self.records.bytes());
        Some(Chunk { records, end: End { read, position, bytes, of_part, of_input } })
    }
}

fn size(record: &Record) -> usize {
    let kept = match &record.kept {
        Kept::Texts(texts) => texts.iter().flatten().map(String::len).sum(),
        Kept::Nothing | Kept::Row(..) => 0,
    };
    record.document.as_ref().map_or(0, |document| document.text.len()) + kept
}
