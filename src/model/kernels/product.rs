//! Matrix products: rows times packed weights, plus a bias.
//!
//! Each number that comes out is one chain of additions over the inputs, in their order, whatever rows stand beside
//! it: so a row's result depends on that row alone, to the last bit.

use super::dots::Machine;
use super::packing::{CHUNK, FloatLine, FloatMatrix, IntegerMatrix, PANEL};
use super::path::{KernelPath, Operation};
use super::rows::QuantisedRows;

/// Inputs that one pass over a panel takes: so much of a panel stays in the first-level cache.
const PASS: usize = 384;

/// `out[row] = rows[row] x weights + bias`, in single precision. Rows stand `inputs` apart, what comes out `columns`.
pub(in crate::model) fn float_product(
    path: KernelPath,
    rows: &[f32],
    weights: &FloatMatrix,
    bias: &[f32],
    out: &mut [f32],
) {
    let (inputs, columns) = (weights.inputs(), weights.columns());
    assert!(inputs > 0 && columns > 0 && bias.len() == columns, "one bias for each column");
    assert_eq!(rows.len() % inputs, 0, "whole rows");
    assert_eq!(rows.len() / inputs * columns, out.len(), "a row out for each row in");
    path.run(FloatProduct { rows, weights, bias, out });
}

struct FloatProduct<'a> {
    rows: &'a [f32],
    weights: &'a FloatMatrix,
    bias: &'a [f32],
    out: &'a mut [f32],
}

impl Operation for FloatProduct<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Machine>(self, lanes: L) {
        let (inputs, columns) = (self.weights.inputs(), self.weights.columns());
        let rows = self.rows.len() / inputs;
        // The bias is where every sum starts.
        for out in self.out.chunks_exact_mut(columns) {
            out.copy_from_slice(self.bias);
        }
        for from in (0..inputs).step_by(PASS) {
            let length = PASS.min(inputs - from);
            for (panel, lines) in self.weights.lines.chunks_exact(inputs).enumerate() {
                let width = PANEL.min(columns - panel * PANEL);
                for row in (0..rows).step_by(L::FLOAT_ROWS) {
                    let count = L::FLOAT_ROWS.min(rows - row);
                    let tile = FloatTile {
                        rows: self.rows[row * inputs + from..].as_ptr(),
                        stride: inputs,
                        lines: lines[from..].as_ptr(),
                        inputs: length,
                        out: self.out[row * columns + panel * PANEL..].as_mut_ptr(),
                        out_stride: columns,
                        width,
                        add: true,
                    };
                    // SAFETY: `count` rows of `length` inputs begin there, `length` lines, and `count` rows of
                    // `width` columns of the output; all are checked by the slices and the asserted lengths.
                    unsafe { tile.compute(lanes, count) };
                }
            }
        }
    }
}

/// A few rows times one panel.
#[derive(Clone, Copy)]
pub(super) struct FloatTile {
    pub(super) rows: *const f32,
    /// Numbers from row to row.
    pub(super) stride: usize,
    pub(super) lines: *const FloatLine,
    pub(super) inputs: usize,
    pub(super) out: *mut f32,
    /// Numbers from row to row of what comes out.
    pub(super) out_stride: usize,
    /// Columns that are wanted, at most [`PANEL`].
    pub(super) width: usize,
    /// Whether to go on from what stands in `out`, or from zero.
    pub(super) add: bool,
}

impl FloatTile {
    /// # Safety
    /// `count` rows (at most 8) of `inputs` numbers must be readable at `rows`, `inputs` lines at `lines`, and `count`
    /// rows of `width` numbers readable and writable at `out`, and nothing else may use them.
    #[inline(always)]
    pub(super) unsafe fn compute<L: Machine>(self, lanes: L, count: usize) {
        // SAFETY: the caller's promise; one compiled loop for each number of rows.
        unsafe {
            match count {
                1 => self.rows::<L, 1>(lanes),
                2 => self.rows::<L, 2>(lanes),
                3 => self.rows::<L, 3>(lanes),
                4 => self.rows::<L, 4>(lanes),
                5 => self.rows::<L, 5>(lanes),
                6 => self.rows::<L, 6>(lanes),
                7 => self.rows::<L, 7>(lanes),
                _ => self.rows::<L, 8>(lanes),
            }
        }
    }

    /// # Safety
    /// As for [`Self::compute`], with `ROWS` rows.
    #[inline(always)]
    unsafe fn rows<L: Machine, const ROWS: usize>(self, lanes: L) {
        if self.width == PANEL {
            // SAFETY: the caller's promise.
            unsafe { self.whole::<L, ROWS>(lanes) }
            return;
        }
        // A narrow panel goes through whole rows of its own.
        let mut whole = [[0.0f32; PANEL]; ROWS];
        // SAFETY: the caller's promise, and `whole` has room for whole rows.
        unsafe {
            if self.add {
                for (row, whole) in whole.iter_mut().enumerate() {
                    let out = self.out.add(row * self.out_stride);
                    std::ptr::copy_nonoverlapping(out, whole.as_mut_ptr(), self.width);
                }
            }
            Self { out: whole.as_mut_ptr().cast(), out_stride: PANEL, ..self }.whole::<L, ROWS>(lanes);
            for (row, whole) in whole.iter().enumerate() {
                std::ptr::copy_nonoverlapping(whole.as_ptr(), self.out.add(row * self.out_stride), self.width);
            }
        }
    }

    /// # Safety
    /// As for [`Self::compute`], with `ROWS` rows and all columns of the panel.
    #[inline(always)]
    unsafe fn whole<L: Machine, const ROWS: usize>(self, lanes: L) {
        // A panel is two vectors of eight lanes or one of sixteen; the compiler drops what is not used.
        let vectors = PANEL / L::COUNT;
        let mut sums = [[lanes.splat(0.0); 2]; ROWS];
        // SAFETY: all reads and writes lie in what the caller gives.
        unsafe {
            if self.add {
                for (row, sums) in sums.iter_mut().enumerate() {
                    for (vector, sum) in sums.iter_mut().enumerate().take(vectors) {
                        *sum = lanes.load(self.out.add(row * self.out_stride + vector * L::COUNT));
                    }
                }
            }
            for input in 0..self.inputs {
                let line = self.lines.add(input).cast::<f32>();
                let mut weights = [lanes.splat(0.0); 2];
                for (vector, weights) in weights.iter_mut().enumerate().take(vectors) {
                    *weights = lanes.load(line.add(vector * L::COUNT));
                }
                for (row, sums) in sums.iter_mut().enumerate() {
                    let value = lanes.splat(*self.rows.add(row * self.stride + input));
                    for (sum, &weights) in sums.iter_mut().zip(&weights).take(vectors) {
                        *sum = lanes.multiply_add(value, weights, *sum);
                    }
                }
            }
            for (row, sums) in sums.iter().enumerate() {
                for (vector, &sum) in sums.iter().enumerate().take(vectors) {
                    lanes.store(self.out.add(row * self.out_stride + vector * L::COUNT), sum);
                }
            }
        }
    }
}

/// `out[row] = rows[row] x weights + bias`, in eight-bit integers with exact sums; what comes out stands `columns`
/// apart.
pub(in crate::model) fn integer_product(
    path: KernelPath,
    rows: &QuantisedRows,
    weights: &IntegerMatrix,
    bias: &[f32],
    out: &mut [f32],
) {
    let columns = weights.columns();
    assert!(columns > 0 && bias.len() == columns, "one bias for each column");
    assert_eq!(rows.inputs(), weights.inputs(), "rows as wide as the weights");
    assert_eq!(rows.count() * columns, out.len(), "a row out for each row in");
    path.run(IntegerProduct { rows, weights, bias, out });
}

struct IntegerProduct<'a> {
    rows: &'a QuantisedRows,
    weights: &'a IntegerMatrix,
    bias: &'a [f32],
    out: &'a mut [f32],
}

impl Operation for IntegerProduct<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Machine>(self, lanes: L) {
        let (chunks, columns) = (self.weights.chunks(), self.weights.columns());
        let (rows, stride) = (self.rows.count(), self.rows.stride());
        debug_assert_eq!(stride, chunks * CHUNK);
        let mut sums = [[0i32; PANEL]; 8];
        for (panel, lines) in self.weights.lines.chunks_exact(chunks * (CHUNK / 4)).enumerate() {
            let first = panel * PANEL;
            let width = PANEL.min(columns - first);
            for row in (0..rows).step_by(L::INTEGER_ROWS) {
                let count = L::INTEGER_ROWS.min(rows - row);
                let bytes = self.rows.bytes(row, count).as_ptr();
                // SAFETY: `count` rows of `chunks` chunks begin there, as `bytes` has checked, and the panel has four
                // lines for each chunk.
                unsafe { integer_tile(lanes, count, bytes, stride, lines.as_ptr(), chunks, &mut sums) };
                for (index, sums) in sums.iter().enumerate().take(count) {
                    let (scale, zero) = self.rows.scale(row + index);
                    let zero = lanes.splat(-zero);
                    let out = &mut self.out[(row + index) * columns + first..][..width];
                    let scales = &self.weights.scales[first..first + PANEL];
                    let totals = &self.weights.sums[first..first + PANEL];
                    let bias = &self.bias[first..first + width];
                    for start in (0..width).step_by(L::COUNT) {
                        let count = L::COUNT.min(width - start);
                        // SAFETY: a panel has `COUNT` more sums and scales, and `count` more biases and places.
                        unsafe {
                            let step = lanes.multiply(lanes.splat(scale), lanes.load(scales.as_ptr().add(start)));
                            let total = lanes.load(totals.as_ptr().add(start));
                            let sum = lanes.load_integers(sums.as_ptr().add(start));
                            let sum = lanes.multiply_add(total, zero, sum);
                            if count == L::COUNT {
                                let bias = lanes.load(bias.as_ptr().add(start));
                                lanes.store(out.as_mut_ptr().add(start), lanes.multiply_add(sum, step, bias));
                            } else {
                                let bias = lanes.load_some(bias.as_ptr().add(start), count, 0.0);
                                let value = lanes.multiply_add(sum, step, bias);
                                lanes.store_some(out.as_mut_ptr().add(start), count, value);
                            }
                        }
                    }
                }
            }
        }
    }
}

/// # Safety
/// As for [`Machine::dot_tile`], with `count` rows, at most 8.
#[inline(always)]
unsafe fn integer_tile<L: Machine>(
    lanes: L,
    count: usize,
    rows: *const u8,
    stride: usize,
    panel: *const super::packing::IntegerLine,
    chunks: usize,
    sums: &mut [[i32; PANEL]; 8],
) {
    // SAFETY: the caller's promise; one compiled loop for each number of rows.
    unsafe {
        match count {
            1 => lanes.dot_tile::<1>(rows, stride, panel, chunks, sums),
            2 => lanes.dot_tile::<2>(rows, stride, panel, chunks, sums),
            3 => lanes.dot_tile::<3>(rows, stride, panel, chunks, sums),
            4 => lanes.dot_tile::<4>(rows, stride, panel, chunks, sums),
            5 => lanes.dot_tile::<5>(rows, stride, panel, chunks, sums),
            6 => lanes.dot_tile::<6>(rows, stride, panel, chunks, sums),
            7 => lanes.dot_tile::<7>(rows, stride, panel, chunks, sums),
            _ => lanes.dot_tile::<8>(rows, stride, panel, chunks, sums),
        }
    }
}
