//! The innermost loops of the integer matrix product: some rows of bytes times two panels of byte weights.
//!
//! All of them give exactly the same integers: the weights are packed so that nothing overflows on the way.

use super::lanes::{Lanes, Portable};
use super::packing::{CHUNK, IntegerLine, PANEL};

/// Most rows of a tile; rows of bytes are padded so that many can be read from any row on.
pub(super) const MOST_ROWS: usize = 32;

/// Sums of a tile: rows of the columns of two panels.
#[repr(C, align(64))]
pub(super) struct Sums(pub(super) [[i32; 2 * PANEL]; MOST_ROWS]);

/// Some rows of bytes, `stride` apart.
#[derive(Clone, Copy)]
pub(super) struct ByteRows {
    pub(super) from: *const u8,
    pub(super) stride: usize,
    /// Rows that are wanted; more may be read and summed.
    pub(super) count: usize,
}

/// What a path adds to [`Lanes`]: its loops over bytes, and the sizes of its tiles.
pub(super) trait Machine: Lanes {
    /// Rows of a tile of the integer product, at most [`MOST_ROWS`].
    const INTEGER_ROWS: usize;
    /// Rows of a tile of the product in single precision.
    const FLOAT_ROWS: usize;
    /// Panels of a tile of the product in single precision: one or two.
    const FLOAT_PANELS: usize;

    /// `sums[row][column]` = the row's bytes times the column of the two panels, for `rows.count` rows.
    ///
    /// # Safety
    /// [`MOST_ROWS`] rows of `chunks * CHUNK` bytes must be readable, and as many inputs' lines at both panels; there
    /// is at least one chunk, and no more rows are wanted than `INTEGER_ROWS`. Calls must stand between
    /// [`Machine::begin`] and [`Machine::end`].
    unsafe fn dots(self, rows: ByteRows, panels: [*const IntegerLine; 2], chunks: usize, sums: &mut Sums);

    /// Makes the thread ready for [`Machine::dots`].
    #[inline(always)]
    fn begin(self) {}

    /// Undoes [`Machine::begin`].
    #[inline(always)]
    fn end(self) {}
}

impl Machine for Portable {
    const INTEGER_ROWS: usize = 4;
    const FLOAT_ROWS: usize = 4;
    const FLOAT_PANELS: usize = 1;

    #[inline(always)]
    unsafe fn dots(self, rows: ByteRows, panels: [*const IntegerLine; 2], chunks: usize, sums: &mut Sums) {
        for (row, sums) in sums.0.iter_mut().enumerate().take(rows.count) {
            for (panel, sums) in panels.iter().zip(sums.chunks_exact_mut(PANEL)) {
                // SAFETY: the caller gives this many bytes and lines.
                let (bytes, lines) = unsafe {
                    let bytes = std::slice::from_raw_parts(rows.from.add(row * rows.stride), chunks * CHUNK);
                    (bytes, std::slice::from_raw_parts(*panel, chunks * (CHUNK / 4)))
                };
                // One sum for each weight of a line, added up last: loops that compilers know to vectorise.
                let mut products = [0i32; 4 * PANEL];
                for (four, line) in bytes.chunks_exact(4).zip(lines) {
                    let four: [i16; 4] = std::array::from_fn(|index| i16::from(four[index]));
                    for (products, weights) in products.chunks_exact_mut(4).zip(line.0.chunks_exact(4)) {
                        for ((product, byte), &weight) in products.iter_mut().zip(four).zip(weights) {
                            // Within sixteen bits: 255 * 127.
                            *product += i32::from(byte * i16::from(weight));
                        }
                    }
                }
                for (sum, products) in sums.iter_mut().zip(products.chunks_exact(4)) {
                    *sum = products.iter().sum();
                }
            }
        }
    }
}
