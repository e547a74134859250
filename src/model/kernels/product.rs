//! The matrix product in single precision: rows times packed weights, plus a bias.
//!
//! Each number that comes out is one chain of additions over the inputs, in their order, whatever rows stand beside
//! it: so a row's result depends on that row alone, to the last bit.

use super::dots::Machine;
use super::packing::{FloatLine, FloatMatrix, PANEL};
use super::path::{KernelPath, Operation};

/// Inputs that one pass over a panel takes: so much of a panel stays in the first-level cache.
const PASS: usize = 192;

/// `out[row] = rows[row] x weights + bias`. Rows stand `inputs` apart, what comes out `columns`.
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
            for (index, lines) in self.weights.lines.chunks(L::FLOAT_PANELS * inputs).enumerate() {
                let column = index * L::FLOAT_PANELS * PANEL;
                let mut row = 0;
                while row < rows {
                    let count = tile_rows::<L>(rows - row);
                    let tile = FloatTile {
                        rows: self.rows[row * inputs + from..].as_ptr(),
                        stride: inputs,
                        lines: lines[from..].as_ptr(),
                        panel_stride: inputs,
                        inputs: length,
                        out: self.out[row * columns + column..].as_mut_ptr(),
                        out_stride: columns,
                        width: (L::FLOAT_PANELS * PANEL).min(columns - column),
                        add: true,
                    };
                    // SAFETY: `count` rows of `length` inputs begin there, `length` lines in each panel that the width
                    // reaches, and `count` rows of that width in the output: slices and asserted lengths see to it.
                    unsafe { tile.compute(lanes, count) };
                    row += count;
                }
            }
        }
    }
}

/// Rows of the next tile, when so many are left: whole tiles, then ever smaller ones.
#[inline(always)]
pub(super) fn tile_rows<L: Machine>(left: usize) -> usize {
    [L::FLOAT_ROWS, 6, 4, 2].into_iter().find(|&rows| rows <= L::FLOAT_ROWS && rows <= left).unwrap_or(1)
}

/// A few rows times one panel or two.
#[derive(Clone, Copy)]
pub(super) struct FloatTile {
    pub(super) rows: *const f32,
    /// Numbers from row to row.
    pub(super) stride: usize,
    pub(super) lines: *const FloatLine,
    /// Lines from panel to panel.
    pub(super) panel_stride: usize,
    pub(super) inputs: usize,
    pub(super) out: *mut f32,
    /// Numbers from row to row of what comes out.
    pub(super) out_stride: usize,
    /// Columns that are wanted, at most those of [`Machine::FLOAT_PANELS`] panels.
    pub(super) width: usize,
    /// Whether to go on from what stands in `out`, or from zero.
    pub(super) add: bool,
}

impl FloatTile {
    /// # Safety
    /// `count` rows (a number that [`tile_rows`] gives) of `inputs` numbers must be readable at `rows`, `inputs` lines
    /// at each panel that the width reaches, and `count` rows of `width` numbers readable and writable at `out`, and
    /// nothing else may use them.
    #[inline(always)]
    pub(super) unsafe fn compute<L: Machine>(self, lanes: L, count: usize) {
        debug_assert!(self.width <= L::FLOAT_PANELS * PANEL && tile_rows::<L>(count) == count);
        // SAFETY: the caller's promise; one compiled loop for each number of rows.
        unsafe {
            match count {
                8 if L::FLOAT_ROWS >= 8 => self.panels::<L, 8>(lanes),
                6 if L::FLOAT_ROWS >= 6 => self.panels::<L, 6>(lanes),
                4 => self.panels::<L, 4>(lanes),
                2 => self.panels::<L, 2>(lanes),
                _ => self.panels::<L, 1>(lanes),
            }
        }
    }

    /// # Safety
    /// As for [`Self::compute`], with `ROWS` rows.
    #[inline(always)]
    unsafe fn panels<L: Machine, const ROWS: usize>(self, lanes: L) {
        // SAFETY: the caller's promise.
        unsafe {
            if L::FLOAT_PANELS == 2 && self.width > PANEL {
                self.rows::<L, ROWS, 2>(lanes);
            } else {
                self.rows::<L, ROWS, 1>(lanes);
            }
        }
    }

    /// # Safety
    /// As for [`Self::compute`], with `ROWS` rows and `PANELS` panels.
    #[inline(always)]
    unsafe fn rows<L: Machine, const ROWS: usize, const PANELS: usize>(self, lanes: L) {
        if self.width == PANELS * PANEL {
            // SAFETY: the caller's promise.
            unsafe { self.whole::<L, ROWS, PANELS>(lanes) }
            return;
        }
        // Narrow panels go through whole rows of their own.
        let mut whole = [[0.0f32; 2 * PANEL]; ROWS];
        // SAFETY: the caller's promise, and `whole` has room for whole rows.
        unsafe {
            if self.add {
                for (row, whole) in whole.iter_mut().enumerate() {
                    let out = self.out.add(row * self.out_stride);
                    std::ptr::copy_nonoverlapping(out, whole.as_mut_ptr(), self.width);
                }
            }
            let out = whole.as_mut_ptr().cast();
            Self { out, out_stride: 2 * PANEL, ..self }.whole::<L, ROWS, PANELS>(lanes);
            for (row, whole) in whole.iter().enumerate() {
                std::ptr::copy_nonoverlapping(whole.as_ptr(), self.out.add(row * self.out_stride), self.width);
            }
        }
    }

    /// # Safety
    /// As for [`Self::compute`], with `ROWS` rows and all columns of the panels.
    #[inline(always)]
    unsafe fn whole<L: Machine, const ROWS: usize, const PANELS: usize>(self, lanes: L) {
        // One panel is two vectors of eight lanes or one of sixteen; the compiler drops what is not used.
        let vectors = PANELS * PANEL / L::COUNT;
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
                let mut weights = [lanes.splat(0.0); 2];
                for (vector, weights) in weights.iter_mut().enumerate().take(vectors) {
                    let column = vector * L::COUNT;
                    let line = self.lines.add(column / PANEL * self.panel_stride + input).cast::<f32>();
                    *weights = lanes.load(line.add(column % PANEL));
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
