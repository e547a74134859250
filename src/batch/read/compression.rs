//! Files as streams of bytes, unpacked as they are read.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::sync::Arc;

use crate::batch::columns::RowError;
use crate::batch::inputs::{Compression, Input};
use crate::batch::progress::{Counted, Counters};

/// Bytes that are read, and unpacked, at a time.
const BUFFER: usize = 64 * 1024;

/// Opens an input.
pub(super) fn open(input: &Input, counters: &Arc<Counters>) -> Result<Box<dyn BufRead + Send>, RowError> {
    let reader = || -> io::Result<Box<dyn BufRead + Send>> {
        if input.is_standard() {
            return Ok(Box::new(BufReader::with_capacity(BUFFER, io::stdin())));
        }
        let file = BufReader::with_capacity(BUFFER, Counted::new(File::open(&input.path)?, Arc::clone(counters)));
        Ok(match input.compression {
            Compression::None => Box::new(file),
            // Several files packed one by one and put together count as one, as gzip itself has it.
            Compression::Gzip => Box::new(BufReader::with_capacity(BUFFER, flate2::bufread::MultiGzDecoder::new(file))),
            Compression::Zstd => {
                Box::new(BufReader::with_capacity(BUFFER, zstd::stream::read::Decoder::with_buffer(file)?))
            }
        })
    };
    reader().map_err(super::record::unreadable)
}
