//! Rows in eight bits: what goes into an integer product.

use super::dots::{MOST_ROWS, Machine};
use super::packing::{ACTIVATION_LIMIT, CHUNK, GROUP};
use super::path::{KernelPath, Operation};
use super::rows::read;

/// Rows in eight bits; each group of a row's values has a scale and a zero point of its own.
///
/// `value = (byte - zero) * scale`. Zero is always among the values that a group can show exactly.
#[derive(Debug, Clone, Default)]
pub(in crate::model) struct QuantisedRows {
    bytes: Vec<u8>,
    /// `(scale, -zero * scale)`: `[rows, groups]`
    scales: Vec<(f32, f32)>,
    count: usize,
    inputs: usize,
}

impl QuantisedRows {
    /// Takes over rows of `inputs` values, quantised. Allocates only when it never held as much before.
    pub(in crate::model) fn quantise(&mut self, path: KernelPath, rows: &[f32], inputs: usize) {
        assert!(inputs > 0 && rows.len().is_multiple_of(inputs), "whole rows");
        self.inputs = inputs;
        self.count = rows.len() / inputs;
        // What stands behind a row's end meets weights of zero, and what stands behind the last row is never looked
        // at: it may be anything.
        let bytes = (self.count + MOST_ROWS) * self.stride();
        self.bytes.resize(bytes.max(self.bytes.len()), 0);
        let scales = self.count * self.groups();
        self.scales.resize(scales.max(self.scales.len()), (0.0, 0.0));
        path.run(Quantise { rows, to: self });
    }

    /// Values in a row.
    pub(super) fn inputs(&self) -> usize {
        self.inputs
    }

    /// Number of rows.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Bytes from row to row.
    pub(super) fn stride(&self) -> usize {
        self.inputs.next_multiple_of(CHUNK)
    }

    fn groups(&self) -> usize {
        self.inputs.div_ceil(GROUP)
    }

    /// The bytes from a row on: at least [`MOST_ROWS`] rows of them.
    #[inline(always)]
    pub(super) fn bytes(&self, row: usize) -> &[u8] {
        &self.bytes[row * self.stride()..(row + MOST_ROWS) * self.stride()]
    }

    /// The scale of a group of a row's values and minus its zero point's value; those of the next row stand as many
    /// places on as a row has groups.
    #[inline(always)]
    pub(super) fn scales(&self, row: usize, group: usize) -> &[(f32, f32)] {
        &self.scales[row * self.groups() + group..self.count * self.groups()]
    }
}

struct Quantise<'a> {
    rows: &'a [f32],
    to: &'a mut QuantisedRows,
}

impl Operation for Quantise<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Machine>(self, lanes: L) {
        let (stride, groups) = (self.to.stride(), self.to.groups());
        let bytes = self.to.bytes.chunks_exact_mut(stride);
        let scales = self.to.scales.chunks_exact_mut(groups);
        for ((row, bytes), scales) in self.rows.chunks_exact(self.to.inputs).zip(bytes).zip(scales) {
            for ((values, bytes), scale) in row.chunks(GROUP).zip(bytes.chunks_mut(GROUP)).zip(scales) {
                *scale = quantise_group(lanes, values, bytes);
            }
        }
    }
}

/// Quantises values to the first of some bytes, a multiple of [`CHUNK`] and at least as many as the values.
#[inline(always)]
fn quantise_group<L: Machine>(lanes: L, values: &[f32], bytes: &mut [u8]) -> (f32, f32) {
    let (mut low, mut high) = (lanes.splat(0.0), lanes.splat(0.0));
    for start in (0..values.len()).step_by(L::COUNT) {
        // SAFETY: the values go on for so many.
        let value = unsafe { read(lanes, values, start, L::COUNT.min(values.len() - start), 0.0) };
        low = lanes.smaller(value, low);
        high = lanes.larger(value, high);
    }
    let low = -lanes.largest(lanes.subtract(lanes.splat(0.0), low));
    let high = lanes.largest(high);
    let limit = ACTIVATION_LIMIT as f32;
    // A range that is not finite has no step that could show it. One so small that its step is no normal number shows
    // as zero: the step would be zero, or its inverse infinite, and the row not a number.
    let range = high - low;
    let step = range / limit;
    let scale = if step >= f32::MIN_POSITIVE && range.is_finite() { step } else { 1.0 };
    let zero = (-low / scale).round_ties_even().clamp(0.0, limit);
    let (factor, offset) = (lanes.splat(1.0 / scale), lanes.splat(zero));
    let (least, most) = (lanes.splat(0.0), lanes.splat(limit));
    assert!(bytes.len() >= values.len() && bytes.len().is_multiple_of(CHUNK), "room for whole vectors");
    for start in (0..values.len()).step_by(L::COUNT) {
        let count = L::COUNT.min(values.len() - start);
        // SAFETY: the values go on for so many, and the bytes, as asserted, for `COUNT`.
        unsafe {
            let value = lanes.multiply_add(read(lanes, values, start, count, 0.0), factor, offset);
            let value = lanes.smaller(lanes.larger(value, least), most);
            lanes.store_bytes(bytes.as_mut_ptr().add(start), value);
        }
    }
    (scale, -zero * scale)
}
