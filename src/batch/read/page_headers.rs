//! What Parquet files claim of themselves, compared with what they are before the library takes their word: where it skips
//! what it does not know, it counts to as many elements as a list says that it has, be there any or not, and a few bytes
//! would keep it busy for hours.
//!
//! Thrift's compact protocol, as far as skipping needs it:
//! <https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md>

use std::io::{Read, Seek, SeekFrom};

use arrow_schema::ArrowError;

use super::claims::read_at;

/// Length of a footer's length and of the mark behind it.
const TRAILER: u64 = 8;

/// Headers are looked for in so many bytes; one that is longer is read whole. Few: all pages of a file are looked at before the
/// first is read.
const STEP: usize = 1 << 10;

/// No structure is nested deeper.
const DEPTH: u8 = 64;

/// Refuses a file whose footer claims more elements than it has bytes. What else is wrong with it, its reader says.
pub(super) fn check_footer(file: &mut (impl Read + Seek)) -> Result<(), ArrowError> {
    let length = file.seek(SeekFrom::End(0))?;
    let Some(behind) = length.checked_sub(TRAILER) else { return Ok(()) };
    let trailer = read_at(file, behind, TRAILER)?;
    let size = trailer.first_chunk().map_or(0, |&size| u64::from(u32::from_le_bytes(size)));
    let Some(start) = behind.checked_sub(size) else { return Ok(()) };
    let footer = read_at(file, start, size)?;
    match (Structure { bytes: &footer, at: 0, elements: size }).skip_struct(DEPTH) {
        Err(Fault::TooMany) => Err(too_many("its footer")),
        Ok(()) | Err(Fault::End | Fault::Broken) => Ok(()),
    }
}

/// Refuses a column whose pages have headers with lists in them: no page's header has any. `start` and `length` are the
/// column's place in the file.
pub(super) fn check_pages(file: &mut (impl Read + Seek), (start, length): (u64, u64)) -> Result<(), ArrowError> {
    let (mut at, mut left) = (start, length);
    let (mut known, mut known_from) = (Vec::new(), at);
    while left > 0 {
        let (length, size) = loop {
            let from = usize::try_from(at - known_from).unwrap_or(usize::MAX);
            let mut header = Structure { bytes: known.get(from..).unwrap_or_default(), at: 0, elements: 0 };
            match header.page_header() {
                Ok(size) => break (header.at as u64, size),
                Err(Fault::End) => {
                    let before = header.bytes.len();
                    (known, known_from) = (read_at(file, at, STEP.max(2 * before) as u64)?, at);
                    if known.len() <= before {
                        // The file ends in a header: its reader says so.
                        return Ok(());
                    }
                }
                Err(Fault::TooMany) => return Err(too_many("the header of a page")),
                Err(Fault::Broken) => return Err(ArrowError::ParquetError(format!("no page's header at byte {at}"))),
            }
        };
        // A page that does not fit into what is left of its column, its reader refuses.
        let Some(rest) = u64::try_from(size).ok().and_then(|size| left.checked_sub(length.checked_add(size)?)) else {
            return Ok(());
        };
        (at, left) = (at + (left - rest), rest);
    }
    Ok(())
}

fn too_many(what: &str) -> ArrowError {
    ArrowError::ParquetError(format!("{what} claims more elements than it can have"))
}

/// Why a structure cannot be skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// It goes on behind the bytes that are known.
    End,
    /// It has more elements than may be.
    TooMany,
    /// It is none.
    Broken,
}

/// A structure that is being skipped.
struct Structure<'bytes> {
    bytes: &'bytes [u8],
    at: usize,
    /// As many elements may be claimed.
    elements: u64,
}

impl Structure<'_> {
    /// Skips a page's header; gives the size that the page has in the file.
    fn page_header(&mut self) -> Result<i64, Fault> {
        let (mut last, mut size) = (0, 0);
        while let Some((kind, id)) = self.field(last)? {
            last = id;
            if id == 3 && matches!(kind, 4..=6) {
                size = self.signed_number()?;
            } else {
                self.skip(kind, DEPTH - 1)?;
            }
        }
        Ok(size)
    }

    fn skip_struct(&mut self, depth: u8) -> Result<(), Fault> {
        let mut last = 0;
        while let Some((kind, id)) = self.field(last)? {
            last = id;
            self.skip(kind, depth)?;
        }
        Ok(())
    }

    /// Type and number of the next field; `None` at the end of the structure.
    fn field(&mut self, last: i64) -> Result<Option<(u8, i64)>, Fault> {
        let byte = self.byte()?;
        let (step, kind) = (byte >> 4, byte & 15);
        if kind == 0 {
            return Ok(None);
        }
        let id = if step == 0 { self.signed_number()? } else { last.saturating_add(i64::from(step)) };
        Ok(Some((kind, id)))
    }

    fn skip(&mut self, kind: u8, depth: u8) -> Result<(), Fault> {
        let depth = depth.checked_sub(1).ok_or(Fault::Broken)?;
        match kind {
            1 | 2 => Ok(()),
            3 => self.byte().map(drop),
            4..=6 => self.number().map(drop),
            7 => self.pass(8),
            8 => {
                let length = self.number()?;
                self.pass(length)
            }
            9 | 10 => {
                let byte = self.byte()?;
                let count = if byte >> 4 == 15 { self.number()? } else { u64::from(byte >> 4) };
                self.claim(count)?;
                (0..count).try_for_each(|_| self.skip(byte & 15, depth))
            }
            11 => {
                let count = self.number()?;
                self.claim(count)?;
                let kinds = if count > 0 { self.byte()? } else { 0 };
                (0..count).try_for_each(|_| {
                    self.skip(kinds >> 4, depth)?;
                    self.skip(kinds & 15, depth)
                })
            }
            12 => self.skip_struct(depth),
            13 => self.pass(16),
            _ => Err(Fault::Broken),
        }
    }

    fn claim(&mut self, count: u64) -> Result<(), Fault> {
        self.elements = self.elements.checked_sub(count).ok_or(Fault::TooMany)?;
        Ok(())
    }

    fn byte(&mut self) -> Result<u8, Fault> {
        let byte = *self.bytes.get(self.at).ok_or(Fault::End)?;
        self.at += 1;
        Ok(byte)
    }

    fn pass(&mut self, length: u64) -> Result<(), Fault> {
        let left = self.bytes.len() - self.at;
        let length = usize::try_from(length).ok().filter(|length| *length <= left).ok_or(Fault::End)?;
        self.at += length;
        Ok(())
    }

    /// A number whose lowest bit is its sign.
    fn signed_number(&mut self) -> Result<i64, Fault> {
        let number = self.number()?;
        Ok((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }

    /// A number in groups of seven bits, the lowest first.
    fn number(&mut self) -> Result<u64, Fault> {
        let mut number = 0;
        for shift in (0..70).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 127) << shift;
            if byte < 128 {
                return Ok(number);
            }
        }
        Err(Fault::Broken)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn header(bytes: &[u8]) -> (Result<i64, Fault>, usize) {
        let mut header = Structure { bytes, at: 0, elements: 0 };
        (header.page_header(), header.at)
    }

    #[test]
    fn a_header_tells_the_size_of_its_page() {
        // Kind 0, 300 bytes, 200 of them in the file, and a structure of one number; then the page.
        let bytes = [0x15, 0, 0x15, 0xd8, 0x04, 0x15, 0x90, 0x03, 0x2c, 0x15, 4, 0, 0, 9, 9];
        assert_eq!(header(&bytes), (Ok(200), 13));
        assert_eq!(header(&bytes[..12]).0, Err(Fault::End));
    }

    #[test]
    fn what_claims_elements_without_end_is_refused() {
        // An unknown field: a list of 2^31 - 1 numbers of eight bytes, or of nothing at all.
        for kind in [7, 1] {
            let bytes = [0xa9, 0xf0 | kind, 0xff, 0xff, 0xff, 0xff, 0x07, 0];
            assert_eq!(header(&bytes).0, Err(Fault::TooMany));
            let mut footer = Structure { bytes: &bytes, at: 0, elements: 8 };
            assert_eq!(footer.skip_struct(DEPTH), Err(Fault::TooMany));
        }
        let map = [0xab, 0xff, 0xff, 0xff, 0xff, 0x07, 0x11, 0];
        assert_eq!(header(&map).0, Err(Fault::TooMany));
        let nested = [0x1c; 100];
        assert_eq!(header(&nested).0, Err(Fault::Broken));
    }

    /// A header with an unknown field of so many bytes and, perhaps, a list without end behind it; its page is empty.
    fn long_header(bytes: u16, list: bool) -> Vec<u8> {
        let mut header = vec![0x35, 0, 0x78, (bytes & 127) as u8 | 128, (bytes >> 7) as u8];
        header.resize(header.len() + usize::from(bytes), b'a');
        header.extend(if list { &[0x19, 0xf7, 0xff, 0xff, 0xff, 0xff, 0x07, 0][..] } else { &[0] });
        header
    }

    #[test]
    fn headers_longer_than_a_step_are_read_whole() {
        let check = |headers: &[Vec<u8>]| {
            let column = headers.concat();
            check_pages(&mut std::io::Cursor::new(&column), (0, column.len() as u64))
        };
        assert!(check(&[long_header(3000, false), long_header(2, false), long_header(9000, false)]).is_ok());
        // What was read for one header must not be taken for the end of the file in the next.
        for lengths in [[2, 2], [2, 5000], [5000, 2], [2100, 9000], [5000, 9000]] {
            let headers = [long_header(lengths[0], false), long_header(lengths[1], true)];
            let message = check(&headers).unwrap_err().to_string();
            assert!(message.contains("more elements"), "{lengths:?}: {message}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_skipped_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let (_, at) = header(&bytes);
            prop_assert!(at <= bytes.len());
            let _ = Structure { bytes: &bytes, at: 0, elements: bytes.len() as u64 }.skip_struct(DEPTH);
        }
    }
}
