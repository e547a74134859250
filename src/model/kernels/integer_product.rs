//! The matrix product in eight-bit integers: quantised rows times quantised weights, plus a bias.
//!
//! Sums over a group of inputs are exact integers; they are brought to scale and added up in single precision, group
//! by group: so a row's result depends on that row alone, to the last bit.

use super::dots::{ByteRows, MOST_ROWS, Machine, Sums};
use super::packing::{CHUNK, GROUP, IntegerMatrix, PANEL};
use super::path::{KernelPath, Operation};
use super::quantise::QuantisedRows;

/// `out[row] = rows[row] x weights + bias`; what comes out stands `columns` apart.
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
    fn run<L: Machine>(mut self, lanes: L) {
        let groups = self.weights.inputs().div_ceil(GROUP);
        let pairs = self.weights.columns().div_ceil(2 * PANEL);
        let mut sums = [Sums([[0; 2 * PANEL]; MOST_ROWS]), Sums([[0; 2 * PANEL]; MOST_ROWS])];
        let mut tile = Tile([[0.0; 2 * PANEL]; MOST_ROWS]);
        let (mut step, mut last) = (Step::default(), None);
        let mut buffer = 0;
        lanes.begin();
        // Sums are brought to scale one step later than they are made: the machine can do both at a time, and what
        // tiles store has reached the cache when it is read.
        while step.pair < pairs || last.is_some() {
            let next = (step.pair < pairs && self.rows.count() > 0).then_some(step);
            if let Some(step) = next {
                self.dots(lanes, step, &mut sums[buffer]);
            }
            if let Some(step) = last {
                self.finish(lanes, step, groups, &sums[1 - buffer], &mut tile);
            }
            last = next;
            buffer = 1 - buffer;
            step = step.after::<L>(groups, self.rows.count());
        }
        lanes.end();
    }
}

/// One group of inputs of some rows, times one pair of panels.
#[derive(Clone, Copy, Default)]
struct Step {
    pair: usize,
    row: usize,
    group: usize,
}

impl Step {
    /// The next step: all groups of a tile, then all rows, then all panels.
    #[inline(always)]
    fn after<L: Machine>(self, groups: usize, rows: usize) -> Self {
        let Self { pair, row, group } = self;
        if group + 1 < groups {
            Self { group: group + 1, ..self }
        } else if row + L::INTEGER_ROWS < rows {
            Self { pair, row: row + L::INTEGER_ROWS, group: 0 }
        } else {
            Self { pair: pair + 1, row: 0, group: 0 }
        }
    }
}

impl IntegerProduct<'_> {
    #[inline(always)]
    fn dots<L: Machine>(&self, lanes: L, Step { pair, row, group }: Step, sums: &mut Sums) {
        let lines_per_panel = self.weights.lines_per_panel();
        let lines = &self.weights.lines[2 * pair * lines_per_panel..][..2 * lines_per_panel];
        let line = group * (GROUP / 4);
        let panels = [lines[line..].as_ptr(), lines[lines_per_panel + line..].as_ptr()];
        let from = self.rows.bytes(row)[group * GROUP..].as_ptr();
        let count = L::INTEGER_ROWS.min(self.rows.count() - row);
        let chunks = self.weights.inputs().div_ceil(CHUNK) - group * (GROUP / CHUNK);
        let bytes = ByteRows { from, stride: self.rows.stride(), count };
        // SAFETY: `MOST_ROWS` rows can be read from any row on, and both panels go on for that many chunks; the
        // thread was made ready.
        unsafe { lanes.dots(bytes, panels, chunks.min(GROUP / CHUNK), sums) };
    }

    /// Adds a step's sums to their tile, and puts the tile in its place after the last.
    #[inline(always)]
    fn finish<L: Machine>(&mut self, lanes: L, step: Step, groups: usize, sums: &Sums, tile: &mut Tile) {
        let Step { pair, row, group } = step;
        let columns = self.weights.columns();
        let first = 2 * PANEL * pair;
        let width = (2 * PANEL).min(columns - first);
        let count = L::INTEGER_ROWS.min(self.rows.count() - row);
        if group == 0 {
            let mut values = [0.0; 2 * PANEL];
            values[..width].copy_from_slice(&self.bias[first..first + width]);
            tile.0[..count].fill(values);
        }
        let place = (pair * groups + group) * 2 * PANEL;
        let scaled = Scaled {
            sums,
            rows: self.rows.scales(row, group),
            groups,
            scales: &self.weights.scales[place..place + 2 * PANEL],
            totals: &self.weights.totals[place..place + 2 * PANEL],
        };
        scaled.add_to(lanes, count, tile);
        if group + 1 == groups {
            let out = self.out[row * columns..].chunks_mut(columns);
            for (out, values) in out.zip(&tile.0[..count]) {
                out[first..first + width].copy_from_slice(&values[..width]);
            }
        }
    }
}

/// What comes out of a tile. Kept apart from the whole until it is done: rows of the whole stand a power of two, or
/// nearly, apart and push each other out of the first-level cache.
#[repr(C, align(64))]
struct Tile([[f32; 2 * PANEL]; MOST_ROWS]);

/// What the sums of a tile are brought to scale with.
struct Scaled<'a> {
    sums: &'a Sums,
    /// Scale and zero point of each row, `groups` apart.
    rows: &'a [(f32, f32)],
    groups: usize,
    /// Scale of each column.
    scales: &'a [f32],
    /// Sum of each column's weights.
    totals: &'a [f32],
}

impl Scaled<'_> {
    /// `tile[row] += sums[row] * scales * step + totals * zero`, for `count` rows.
    #[inline(always)]
    fn add_to<L: Machine>(self, lanes: L, count: usize, tile: &mut Tile) {
        let Self { sums, rows, groups, scales, totals } = self;
        assert!(count <= MOST_ROWS && scales.len() == 2 * PANEL && totals.len() == 2 * PANEL);
        assert!((count - 1) * groups < rows.len());
        for start in (0..2 * PANEL).step_by(L::COUNT) {
            // SAFETY: scales, totals, sums and tile have `2 * PANEL` columns, a multiple of `COUNT`, and there are
            // `count` rows, all as asserted.
            unsafe {
                let scales = lanes.load(scales.as_ptr().add(start));
                let totals = lanes.load(totals.as_ptr().add(start));
                for row in 0..count {
                    let &(step, zero) = rows.get_unchecked(row * groups);
                    let sums = lanes.load_integers(sums.0.get_unchecked(row).as_ptr().add(start));
                    let to = tile.0.get_unchecked_mut(row).as_mut_ptr().add(start);
                    let value = lanes.multiply_add(totals, lanes.splat(zero), lanes.load(to));
                    let value = lanes.multiply_add(lanes.multiply(sums, scales), lanes.splat(step), value);
                    lanes.store(to, value);
                }
            }
        }
    }
}
