//! The innermost loops of the integer matrix product: a few rows of bytes times one panel, or two, of byte weights.
//!
//! All of them give exactly the same integers: the weights are packed so that nothing overflows on the way.

use super::lanes::{Lanes, Portable};
use super::packing::{CHUNK, IntegerLine, PANEL};

/// What a path adds to [`Lanes`]: its loops over bytes.
pub(super) trait Machine: Lanes {
    /// Rows of a tile of the integer product, at most 8.
    const INTEGER_ROWS: usize;
    /// Rows of a tile of the product in single precision, at most 8.
    const FLOAT_ROWS: usize;

    /// `sums[row][column]` = the row's bytes times the panel's column.
    ///
    /// # Safety
    /// `ROWS` rows of `chunks * 16` bytes, `stride` bytes apart, must be readable at `rows`, and `chunks * 4` lines
    /// at `panel`.
    unsafe fn dot_tile<const ROWS: usize>(
        self,
        rows: *const u8,
        stride: usize,
        panel: *const IntegerLine,
        chunks: usize,
        sums: &mut [[i32; PANEL]; 8],
    );
}

impl Machine for Portable {
    const INTEGER_ROWS: usize = 4;
    const FLOAT_ROWS: usize = 4;

    #[inline(always)]
    unsafe fn dot_tile<const ROWS: usize>(
        self,
        rows: *const u8,
        stride: usize,
        panel: *const IntegerLine,
        chunks: usize,
        sums: &mut [[i32; PANEL]; 8],
    ) {
        for (row, sums) in sums.iter_mut().enumerate().take(ROWS) {
            // SAFETY: the caller gives `ROWS` rows of this many bytes, and this many lines.
            let (bytes, lines) = unsafe {
                let bytes = std::slice::from_raw_parts(rows.add(row * stride), chunks * CHUNK);
                (bytes, std::slice::from_raw_parts(panel, chunks * (CHUNK / 4)))
            };
            *sums = [0; PANEL];
            for (four, line) in bytes.chunks_exact(4).zip(lines) {
                let four: [i32; 4] = std::array::from_fn(|index| i32::from(four[index]));
                for (sum, weights) in sums.iter_mut().zip(line.0.chunks_exact(4)) {
                    for (byte, &weight) in four.iter().zip(weights) {
                        *sum += byte * i32::from(weight);
                    }
                }
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::super::lanes_x86::{Avx2, Avx512};
    use super::super::packing::IntegerLine;
    use super::{Machine, PANEL};

    impl Machine for Avx2 {
        // Two rows: with more, the sixteen registers do not suffice, and measured slower.
        const INTEGER_ROWS: usize = 2;
        const FLOAT_ROWS: usize = 6;

        #[inline(always)]
        unsafe fn dot_tile<const ROWS: usize>(
            self,
            rows: *const u8,
            stride: usize,
            panel: *const IntegerLine,
            chunks: usize,
            sums: &mut [[i32; PANEL]; 8],
        ) {
            // SAFETY: all reads lie in the rows and lines that the caller gives; `self` proves AVX2.
            unsafe {
                let ones = _mm256_set1_epi16(1);
                let mut totals = [[_mm256_setzero_si256(); 2]; ROWS];
                for chunk in 0..chunks {
                    let weights = panel.add(chunk * 4).cast::<__m256i>();
                    let bytes = rows.add(chunk * 16);
                    let mut meetings = [[_mm256_setzero_si256(); 2]; ROWS];
                    for step in 0..4 {
                        let left = _mm256_load_si256(weights.add(2 * step));
                        let right = _mm256_load_si256(weights.add(2 * step + 1));
                        for (row, meeting) in meetings.iter_mut().enumerate() {
                            let four = bytes.add(row * stride + 4 * step).cast::<i32>().read_unaligned();
                            let four = _mm256_set1_epi32(four);
                            meeting[0] = _mm256_add_epi16(meeting[0], _mm256_maddubs_epi16(four, left));
                            meeting[1] = _mm256_add_epi16(meeting[1], _mm256_maddubs_epi16(four, right));
                        }
                    }
                    for (total, meeting) in totals.iter_mut().zip(meetings) {
                        total[0] = _mm256_add_epi32(total[0], _mm256_madd_epi16(meeting[0], ones));
                        total[1] = _mm256_add_epi32(total[1], _mm256_madd_epi16(meeting[1], ones));
                    }
                }
                for (sums, totals) in sums.iter_mut().zip(totals) {
                    let to = sums.as_mut_ptr().cast::<__m256i>();
                    _mm256_storeu_si256(to, totals[0]);
                    _mm256_storeu_si256(to.add(1), totals[1]);
                }
            }
        }
    }

    impl Machine for Avx512 {
        const INTEGER_ROWS: usize = 8;
        const FLOAT_ROWS: usize = 8;

        #[inline(always)]
        unsafe fn dot_tile<const ROWS: usize>(
            self,
            rows: *const u8,
            stride: usize,
            panel: *const IntegerLine,
            chunks: usize,
            sums: &mut [[i32; PANEL]; 8],
        ) {
            // SAFETY: all reads lie in the rows and lines that the caller gives; `self` proves AVX-512 and VNNI.
            unsafe {
                // Two sums a row, for even and odd steps, so that the additions of a row need not wait for each other.
                let mut totals = [[_mm512_setzero_si512(); 2]; ROWS];
                for chunk in 0..chunks {
                    let weights = panel.add(chunk * 4).cast::<__m512i>();
                    let bytes = rows.add(chunk * 16);
                    for step in 0..4 {
                        let line = _mm512_load_si512(weights.add(step));
                        for (row, totals) in totals.iter_mut().enumerate() {
                            let four = bytes.add(row * stride + 4 * step).cast::<i32>().read_unaligned();
                            totals[step % 2] = _mm512_dpbusd_epi32(totals[step % 2], _mm512_set1_epi32(four), line);
                        }
                    }
                }
                for (sums, totals) in sums.iter_mut().zip(totals) {
                    _mm512_storeu_si512(sums.as_mut_ptr().cast(), _mm512_add_epi32(totals[0], totals[1]));
                }
            }
        }
    }
}
