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
    fn run<L: Machine>(self, lanes: L) {
        let IntegerProduct { rows, weights, bias, out } = self;
        let (columns, lines_per_panel) = (weights.columns(), weights.lines_per_panel());
        let groups = weights.inputs().div_ceil(GROUP);
        let chunks = weights.inputs().div_ceil(CHUNK);
        let mut sums = Sums([[0; 2 * PANEL]; MOST_ROWS]);
        let mut tile = Tile([[0.0; 2 * PANEL]; MOST_ROWS]);
        let mut first_values = [0.0; 2 * PANEL];
        lanes.begin();
        for (pair, lines) in weights.lines.chunks_exact(2 * lines_per_panel).enumerate() {
            let first = pair * 2 * PANEL;
            let width = (2 * PANEL).min(columns - first);
            first_values[..width].copy_from_slice(&bias[first..first + width]);
            for row in (0..rows.count()).step_by(L::INTEGER_ROWS) {
                let count = L::INTEGER_ROWS.min(rows.count() - row);
                tile.0[..count].fill(first_values);
                for group in 0..groups {
                    let line = group * (GROUP / 4);
                    let panels = [lines[line..].as_ptr(), lines[lines_per_panel + line..].as_ptr()];
                    let from = rows.bytes(row)[group * GROUP..].as_ptr();
                    let chunks = (GROUP / CHUNK).min(chunks - group * (GROUP / CHUNK));
                    let bytes = ByteRows { from, stride: rows.stride(), count };
                    // SAFETY: `MOST_ROWS` rows can be read from any row on, and both panels go on for that many
                    // chunks; the thread was made ready.
                    unsafe { lanes.dots(bytes, panels, chunks, &mut sums) };
                    let place = (pair * groups + group) * 2 * PANEL;
                    let scaled = Scaled {
                        sums: &sums,
                        rows: rows.scales(row, group),
                        groups,
                        scales: &weights.scales[place..place + 2 * PANEL],
                        totals: &weights.totals[place..place + 2 * PANEL],
                    };
                    scaled.add_to(lanes, count, &mut tile);
                }
                let out = out[row * columns..].chunks_mut(columns);
                for (out, values) in out.zip(&tile.0[..count]) {
                    out[first..first + width].copy_from_slice(&values[..width]);
                }
            }
        }
        lanes.end();
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
