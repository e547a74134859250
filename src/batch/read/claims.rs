//! What Arrow files claim of themselves, compared with what they are before the library takes their word: it asks for as
//! much memory as a batch says that it has, unpacked, and where there is not so much, the process would end.

use std::io::{self, Cursor, Read, Seek, SeekFrom};

use arrow_ipc::reader::read_footer_length;
use arrow_ipc::{RecordBatch, root_as_footer, root_as_message};
use arrow_schema::ArrowError;

/// No column of a batch is unpacked to more than this (bytes).
const MOST_UNPACKED: i64 = 4 << 30;

/// Length of a footer's length and of the mark behind it.
const TRAILER: u64 = 10;

/// Bytes of a stream that tell how long its next message is.
const HEAD: usize = 8;

/// What a message begins with, where its length follows.
const CONTINUATION: [u8; 4] = [0xff; 4];

/// Refuses a file whose batches do not lie within it, or claim to be larger than any could be.
pub(super) fn check_file(file: &mut (impl Read + Seek)) -> Result<(), ArrowError> {
    let length = file.seek(SeekFrom::End(0))?;
    let behind = length.checked_sub(TRAILER).ok_or_else(damaged)?;
    let trailer = read_at(file, behind, TRAILER)?.try_into().map_err(|_| damaged())?;
    let footer_length = read_footer_length(trailer)? as u64;
    let footer = read_at(file, behind.checked_sub(footer_length).ok_or_else(damaged)?, footer_length)?;
    // What else is wrong with a footer, its reader says.
    let Ok(footer) = root_as_footer(&footer) else { return Ok(()) };
    let blocks = [footer.dictionaries(), footer.recordBatches()];
    for block in blocks.into_iter().flatten().flatten() {
        let part = |number: i64| u64::try_from(number).map_err(|_| damaged());
        let (start, metadata) = (part(block.offset())?, part(block.metaDataLength().into())?);
        let behind = start.checked_add(metadata).ok_or_else(damaged)?;
        if behind.checked_add(part(block.bodyLength())?).is_none_or(|end| end > length) {
            return Err(damaged());
        }
        let message = read_at(file, start, metadata)?;
        check_message(file, message.get(prefix(&message)..).unwrap_or_default(), behind)?;
    }
    Ok(())
}

/// A stream whose messages are looked at in the same way, each before its reader gets it. Where the stream ends too early,
/// its reader says so in its turn.
pub(super) struct CheckedStream<Stream> {
    stream: Stream,
    /// What has been read of the stream and not of this.
    message: Cursor<Vec<u8>>,
}

impl<Stream: Read> CheckedStream<Stream> {
    pub fn new(stream: Stream) -> Self {
        Self { stream, message: Cursor::default() }
    }

    fn next_message(&mut self) -> io::Result<()> {
        self.message.set_position(0);
        let Self { stream, message } = self;
        let bytes = message.get_mut();
        bytes.clear();
        let mut read = |bytes: &mut Vec<u8>, length: u64| stream.by_ref().take(length).read_to_end(bytes).map(drop);
        read(bytes, HEAD as u64)?;
        if bytes.len() < HEAD {
            return Ok(());
        }
        let prefix = prefix(bytes);
        let size = bytes[prefix - 4..prefix].try_into().map_or(0, i32::from_le_bytes);
        let size = usize::try_from(size).unwrap_or_default();
        let body = prefix + size;
        read(bytes, body.saturating_sub(HEAD) as u64)?;
        let message = bytes.get(prefix..body).and_then(|message| root_as_message(message).ok());
        let Some(length) = message.map(|message| message.bodyLength()) else { return Ok(()) };
        read(bytes, u64::try_from(length).map_err(|_| io::Error::other(damaged()))?)?;
        let (message, body) = bytes[prefix..].split_at(size);
        check_message(&mut Cursor::new(body), message, 0).map_err(io::Error::other)
    }
}

impl<Stream: Read> Read for CheckedStream<Stream> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.message.position() == self.message.get_ref().len() as u64 {
            // What is refused is not handed on.
            self.next_message().inspect_err(|_| self.message.get_mut().clear())?;
        }
        self.message.read(buffer)
    }
}

/// Looks at the packed buffers of a message, whose body begins at a place.
fn check_message(file: &mut (impl Read + Seek), message: &[u8], body: u64) -> Result<(), ArrowError> {
    // What else is wrong with a message, its reader says.
    let Ok(message) = root_as_message(message) else { return Ok(()) };
    let dictionary = || message.header_as_dictionary_batch().and_then(|dictionary| dictionary.data());
    match message.header_as_record_batch().or_else(dictionary) {
        Some(batch) => check_unpacked(file, &batch, body),
        None => Ok(()),
    }
}

fn check_unpacked(file: &mut (impl Read + Seek), batch: &RecordBatch<'_>, body: u64) -> Result<(), ArrowError> {
    if batch.compression().is_none() {
        return Ok(());
    }
    for buffer in batch.buffers().into_iter().flatten().filter(|buffer| buffer.length() >= 8) {
        let place = u64::try_from(buffer.offset()).ok().and_then(|offset| body.checked_add(offset));
        let claimed = read_at(file, place.ok_or_else(damaged)?, 8)?;
        // What is cut off here, its reader finds missing.
        let claimed = claimed.try_into().map_or(0, i64::from_le_bytes);
        if claimed > MOST_UNPACKED {
            return Err(damaged());
        }
    }
    Ok(())
}

/// How many bytes stand before a message: its length, behind a mark where there is one.
fn prefix(message: &[u8]) -> usize {
    if message.starts_with(&CONTINUATION) { 8 } else { 4 }
}

fn damaged() -> ArrowError {
    ArrowError::IpcError("the file is damaged: it claims to hold more than it does".to_owned())
}

/// So many bytes from a place on, or fewer at the end of the file.
pub(super) fn read_at(file: &mut (impl Read + Seek), place: u64, bytes: u64) -> Result<Vec<u8>, ArrowError> {
    file.seek(SeekFrom::Start(place))?;
    let mut read = Vec::new();
    file.take(bytes).read_to_end(&mut read)?;
    Ok(read)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, RecordBatch, StringArray};
    use arrow_ipc::CompressionType;
    use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};

    use super::*;

    fn batch() -> RecordBatch {
        let texts: ArrayRef = Arc::new(StringArray::from(vec!["Ada said no. ".repeat(100); 50]));
        RecordBatch::try_from_iter([("text", texts)]).unwrap()
    }

    fn options(packed: bool) -> IpcWriteOptions {
        let options = IpcWriteOptions::default();
        if packed { options.try_with_compression(Some(CompressionType::LZ4_FRAME)).unwrap() } else { options }
    }

    fn file(packed: bool) -> Vec<u8> {
        let batch = batch();
        let mut writer = FileWriter::try_new_with_options(Vec::new(), &batch.schema(), options(packed)).unwrap();
        writer.write(&batch).unwrap();
        writer.into_inner().unwrap()
    }

    fn stream(packed: bool) -> Vec<u8> {
        let batch = batch();
        let mut writer = StreamWriter::try_new_with_options(Vec::new(), &batch.schema(), options(packed)).unwrap();
        writer.write(&batch).unwrap();
        writer.into_inner().unwrap()
    }

    /// What comes out of a stream that is looked at.
    fn checked(stream: &[u8]) -> io::Result<Vec<u8>> {
        let mut read = Vec::new();
        CheckedStream::new(stream).read_to_end(&mut read)?;
        Ok(read)
    }

    /// Puts another number in each place where one stands.
    fn claim(bytes: &[u8], number: i64, other: i64) -> Vec<u8> {
        let (number, other) = (number.to_le_bytes(), other.to_le_bytes());
        let mut changed = bytes.to_vec();
        let places: Vec<usize> =
            bytes.windows(8).enumerate().filter(|(_, w)| **w == number).map(|(at, _)| at).collect();
        assert!(!places.is_empty());
        places.into_iter().for_each(|at| changed[at..at + 8].copy_from_slice(&other));
        changed
    }

    #[test]
    fn what_is_whole_is_let_through() {
        for packed in [false, true] {
            check_file(&mut Cursor::new(file(packed))).unwrap();
            let stream = stream(packed);
            for end in (0..stream.len()).step_by(7).chain([stream.len()]) {
                assert_eq!(checked(&stream[..end]).unwrap(), stream[..end]);
            }
        }
        for other in [&[][..], &[0; 100], &[0xff; 100], b"id,text\n1,Ada said no."] {
            assert_eq!(checked(other).unwrap(), other);
        }
        check_file(&mut Cursor::new(b"ARROW1")).unwrap_err();
    }

    #[test]
    fn a_batch_that_claims_more_than_the_file_has_is_refused() {
        let bytes = file(false);
        let footer = bytes.len() - 10 - read_footer_length(bytes[bytes.len() - 10..].try_into().unwrap()).unwrap();
        let length =
            root_as_footer(&bytes[footer..bytes.len() - 10]).unwrap().recordBatches().unwrap().get(0).bodyLength();
        for other in [21_575_961_087, i64::MAX, -1] {
            check_file(&mut Cursor::new(claim(&bytes, length, other))).unwrap_err();
        }
    }

    #[test]
    fn a_column_that_claims_to_unpack_to_petabytes_is_refused() {
        // Of fifty texts.
        let unpacked = 50 * 100 * 13;
        for other in [1 << 50, i64::MAX] {
            check_file(&mut Cursor::new(claim(&file(true), unpacked, other))).unwrap_err();
            checked(&claim(&stream(true), unpacked, other)).unwrap_err();
        }
    }
}
