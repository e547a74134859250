//! [`Machine`] for x86-64.

use std::arch::x86_64::*;

use super::dots::{ByteRows, Machine, Sums};
use super::lanes_x86::{Avx2, Avx512};
use super::packing::{CHUNK, IntegerLine, PANEL};
use super::tiles;

/// Four bytes of a row, `step` fours from its start.
///
/// # Safety
/// They must be readable.
#[inline(always)]
unsafe fn four(rows: ByteRows, row: usize, step: usize) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { rows.from.add(row * rows.stride + 4 * step).cast::<i32>().read_unaligned() }
}

impl Machine for Avx2<false> {
    const INTEGER_ROWS: usize = 4;
    const FLOAT_ROWS: usize = 6;
    const FLOAT_PANELS: usize = 1;

    #[inline(always)]
    unsafe fn dots(self, rows: ByteRows, panels: [*const IntegerLine; 2], chunks: usize, sums: &mut Sums) {
        const ROWS: usize = Avx2::<false>::INTEGER_ROWS;
        // SAFETY: all reads lie in the rows and lines that the caller gives; `self` proves AVX2.
        unsafe {
            let ones = _mm256_set1_epi16(1);
            for (panel, lines) in panels.into_iter().enumerate() {
                let mut totals = [[_mm256_setzero_si256(); 2]; ROWS];
                for step in 0..chunks * (CHUNK / 4) {
                    let weights = lines.add(step).cast::<__m256i>();
                    let (left, right) = (_mm256_load_si256(weights), _mm256_load_si256(weights.add(1)));
                    for (row, totals) in totals.iter_mut().enumerate() {
                        let bytes = _mm256_set1_epi32(four(rows, row, step));
                        for (total, weights) in totals.iter_mut().zip([left, right]) {
                            // Sums of two products fit in sixteen bits: see `packing`.
                            let pairs = _mm256_maddubs_epi16(bytes, weights);
                            *total = _mm256_add_epi32(*total, _mm256_madd_epi16(pairs, ones));
                        }
                    }
                }
                store(&totals, panel, sums);
            }
        }
    }
}

impl Machine for Avx2<true> {
    const INTEGER_ROWS: usize = 6;
    const FLOAT_ROWS: usize = 6;
    const FLOAT_PANELS: usize = 1;

    #[inline(always)]
    unsafe fn dots(self, rows: ByteRows, panels: [*const IntegerLine; 2], chunks: usize, sums: &mut Sums) {
        const ROWS: usize = Avx2::<true>::INTEGER_ROWS;
        // SAFETY: all reads lie in the rows and lines that the caller gives; `self` proves AVX-VNNI.
        unsafe {
            for (panel, lines) in panels.into_iter().enumerate() {
                let mut totals = [[_mm256_setzero_si256(); 2]; ROWS];
                for step in 0..chunks * (CHUNK / 4) {
                    let weights = lines.add(step).cast::<__m256i>();
                    let (left, right) = (_mm256_load_si256(weights), _mm256_load_si256(weights.add(1)));
                    for (row, totals) in totals.iter_mut().enumerate() {
                        let bytes = _mm256_set1_epi32(four(rows, row, step));
                        totals[0] = _mm256_dpbusd_avx_epi32(totals[0], bytes, left);
                        totals[1] = _mm256_dpbusd_avx_epi32(totals[1], bytes, right);
                    }
                }
                store(&totals, panel, sums);
            }
        }
    }
}

/// # Safety
/// The machine must have AVX2.
#[inline(always)]
unsafe fn store(totals: &[[__m256i; 2]], panel: usize, sums: &mut Sums) {
    for (sums, totals) in sums.0.iter_mut().zip(totals) {
        let to = sums[panel * PANEL..][..PANEL].as_mut_ptr().cast::<__m256i>();
        // SAFETY: the slice has room for two vectors.
        unsafe {
            _mm256_storeu_si256(to, totals[0]);
            _mm256_storeu_si256(to.add(1), totals[1]);
        }
    }
}

impl Machine for Avx512<false> {
    // Eight rows: their bytes, sums and weights fit in the 32 registers however the compiler orders the loads. With
    // twelve it kept some sums in memory, at half the speed.
    const INTEGER_ROWS: usize = 8;
    const FLOAT_ROWS: usize = 8;
    const FLOAT_PANELS: usize = 2;

    #[inline(always)]
    unsafe fn dots(self, rows: ByteRows, panels: [*const IntegerLine; 2], chunks: usize, sums: &mut Sums) {
        // SAFETY: the caller's promise; `self` proves AVX-512 and VNNI.
        unsafe {
            if rows.count > 4 { wide::<8>(rows, panels, chunks, sums) } else { wide::<4>(rows, panels, chunks, sums) }
        }
    }
}

/// # Safety
/// As for [`Machine::dots`], on a machine with AVX-512 and VNNI.
#[inline(always)]
unsafe fn wide<const ROWS: usize>(rows: ByteRows, panels: [*const IntegerLine; 2], chunks: usize, sums: &mut Sums) {
    // SAFETY: all reads lie in the rows and lines that the caller gives.
    unsafe {
        let mut totals = [[_mm512_setzero_si512(); 2]; ROWS];
        for step in 0..chunks * (CHUNK / 4) {
            let left = _mm512_load_si512(panels[0].add(step).cast());
            let right = _mm512_load_si512(panels[1].add(step).cast());
            for (row, totals) in totals.iter_mut().enumerate() {
                let bytes = _mm512_set1_epi32(four(rows, row, step));
                totals[0] = _mm512_dpbusd_epi32(totals[0], bytes, left);
                totals[1] = _mm512_dpbusd_epi32(totals[1], bytes, right);
            }
        }
        for (sums, totals) in sums.0.iter_mut().zip(totals) {
            let to = sums.as_mut_ptr().cast::<__m512i>();
            _mm512_storeu_si512(to, totals[0]);
            _mm512_storeu_si512(to.add(1), totals[1]);
        }
    }
}

impl Machine for Avx512<true> {
    const INTEGER_ROWS: usize = 2 * tiles::ROWS;
    const FLOAT_ROWS: usize = Avx512::<false>::FLOAT_ROWS;
    const FLOAT_PANELS: usize = Avx512::<false>::FLOAT_PANELS;

    #[inline(always)]
    unsafe fn dots(self, rows: ByteRows, panels: [*const IntegerLine; 2], chunks: usize, sums: &mut Sums) {
        let to = sums.0.as_mut_ptr().cast::<i32>();
        // SAFETY: the caller's promise, and there are sums for 32 rows.
        unsafe {
            if rows.count > tiles::ROWS {
                tiles::dots_of_two(rows.from, rows.stride, panels, chunks, to);
            } else {
                tiles::dots_of_one(rows.from, rows.stride, panels, chunks, to);
            }
        }
    }

    #[inline(always)]
    fn begin(self) {
        // SAFETY: `self` proves that tiles are usable.
        unsafe { tiles::configure() }
    }

    #[inline(always)]
    fn end(self) {
        // SAFETY: as above.
        unsafe { tiles::release() }
    }
}
