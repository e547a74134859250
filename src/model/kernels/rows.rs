//! Kernels that work row by row: normalising, GELU, and quantising what goes into an integer product.

use super::dots::Machine;
use super::functions::gelu;
use super::lanes::Lanes;
use super::packing::{ACTIVATION_LIMIT, CHUNK};
use super::path::{KernelPath, Operation};

/// Replaces all values of a slice, vector by vector: `|place, value, count| expression`.
///
/// A macro, since a closure is not sure to be compiled into the loop, and outside it is compiled for the baseline.
macro_rules! each_vector {
    ($lanes:ident: $machine:ident, $values:expr, |$place:ident, $value:ident, $count:ident| $body:expr) => {{
        let values: &mut [f32] = $values;
        let whole = values.len() / $machine::COUNT * $machine::COUNT;
        let mut $place = 0;
        while $place < whole {
            let $count = $machine::COUNT;
            // SAFETY: `whole` values are there.
            let $value = unsafe { $lanes.load(values.as_ptr().add($place)) };
            let result = $body;
            // SAFETY: as above.
            unsafe { $lanes.store(values.as_mut_ptr().add($place), result) };
            $place += $machine::COUNT;
        }
        let $count = values.len() - whole;
        if $count > 0 {
            // SAFETY: so many more values are there, fewer than a vector.
            let $value = unsafe { $lanes.load_some(values.as_ptr().add($place), $count, 0.0) };
            let result = $body;
            // SAFETY: as above.
            unsafe { $lanes.store_some(values.as_mut_ptr().add($place), $count, result) };
        }
    }};
}
pub(super) use each_vector;

/// The gain and shift of a layer normalisation (Ba et al. 2016).
#[derive(Debug, Clone)]
pub(in crate::model) struct Normalisation {
    /// `[width]`
    pub(in crate::model) weight: Vec<f32>,
    /// `[width]`
    pub(in crate::model) bias: Vec<f32>,
    /// What keeps the division finite.
    pub(in crate::model) epsilon: f32,
}

/// `rows = normalised(rows + added)`, row by row.
pub(in crate::model) fn add_and_normalise(
    path: KernelPath,
    rows: &mut [f32],
    added: &[f32],
    normalisation: &Normalisation,
) {
    let width = normalisation.weight.len();
    assert!(width > 0 && normalisation.bias.len() == width, "a gain and a shift for each value");
    assert_eq!(rows.len(), added.len(), "as much added as there is");
    assert_eq!(rows.len() % width, 0, "whole rows");
    path.run(AddAndNormalise { rows, added, normalisation });
}

struct AddAndNormalise<'a> {
    rows: &'a mut [f32],
    added: &'a [f32],
    normalisation: &'a Normalisation,
}

impl Operation for AddAndNormalise<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Machine>(self, lanes: L) {
        let Normalisation { weight, bias, epsilon } = self.normalisation;
        let width = weight.len();
        for (row, added) in self.rows.chunks_exact_mut(width).zip(self.added.chunks_exact(width)) {
            each_vector!(lanes: L, row, |place, value, count| {
                // SAFETY: `added` is as long as the row.
                lanes.add(value, unsafe { read(lanes, added, place, count, 0.0) })
            });
            let mean = total(lanes, row) / width as f32;
            let variance = total_square(lanes, row, mean) / width as f32;
            let (centre, scale) = (lanes.splat(mean), lanes.splat(1.0 / (variance + epsilon).sqrt()));
            each_vector!(lanes: L, row, |place, value, count| {
                // SAFETY: gains and shifts are as long as the row.
                let (weight, bias) =
                    unsafe { (read(lanes, weight, place, count, 0.0), read(lanes, bias, place, count, 0.0)) };
                lanes.multiply_add(lanes.multiply(lanes.subtract(value, centre), scale), weight, bias)
            });
        }
    }
}

/// GELU of every value.
pub(in crate::model) fn gelu_in_place(path: KernelPath, values: &mut [f32]) {
    path.run(Gelu(values));
}

struct Gelu<'a>(&'a mut [f32]);

impl Operation for Gelu<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Machine>(self, lanes: L) {
        each_vector!(lanes: L, self.0, |place, value, _count| gelu(lanes, value));
    }
}

/// Rows in seven bits, each with a scale and a zero point of its own: what goes into an integer product.
///
/// `value = (byte - zero) * scale`. Zero is always among the values that a row can show exactly.
#[derive(Debug, Clone, Default)]
pub(in crate::model) struct QuantisedRows {
    bytes: Vec<u8>,
    scales: Vec<(f32, f32)>,
    inputs: usize,
}

impl QuantisedRows {
    /// Takes over rows of `inputs` values, quantised. Allocates only when it never held as much before.
    pub(in crate::model) fn quantise(&mut self, path: KernelPath, rows: &[f32], inputs: usize) {
        assert!(inputs > 0 && rows.len().is_multiple_of(inputs), "whole rows");
        let count = rows.len() / inputs;
        self.inputs = inputs;
        let bytes = count * self.stride();
        // What stands behind a row's end meets weights of zero: it may be anything.
        self.bytes.resize(bytes.max(self.bytes.len()), 0);
        self.scales.clear();
        self.scales.resize(count, (0.0, 0.0));
        path.run(Quantise { rows, inputs, to: self });
    }

    /// Values in a row.
    pub(super) fn inputs(&self) -> usize {
        self.inputs
    }

    /// Number of rows.
    pub(super) fn count(&self) -> usize {
        self.scales.len()
    }

    /// Bytes from row to row.
    pub(super) fn stride(&self) -> usize {
        self.inputs.next_multiple_of(CHUNK)
    }

    /// The bytes of some rows.
    #[inline(always)]
    pub(super) fn bytes(&self, row: usize, count: usize) -> &[u8] {
        &self.bytes[row * self.stride()..(row + count) * self.stride()]
    }

    /// A row's scale and zero point.
    #[inline(always)]
    pub(super) fn scale(&self, row: usize) -> (f32, f32) {
        self.scales[row]
    }
}

struct Quantise<'a> {
    rows: &'a [f32],
    inputs: usize,
    to: &'a mut QuantisedRows,
}

impl Operation for Quantise<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Machine>(self, lanes: L) {
        let (inputs, stride) = (self.inputs, self.to.stride());
        let bytes = self.to.bytes.chunks_exact_mut(stride);
        for ((row, bytes), place) in self.rows.chunks_exact(inputs).zip(bytes).zip(&mut self.to.scales) {
            let (mut low, mut high) = (lanes.splat(0.0), lanes.splat(0.0));
            for start in (0..inputs).step_by(L::COUNT) {
                // SAFETY: the row goes on for `count` values.
                let value = unsafe { read(lanes, row, start, L::COUNT.min(inputs - start), 0.0) };
                low = lanes.smaller(value, low);
                high = lanes.larger(value, high);
            }
            let low = -lanes.largest(lanes.subtract(lanes.splat(0.0), low));
            let high = lanes.largest(high);
            let limit = ACTIVATION_LIMIT as f32;
            // A row without a finite range stays zero: what it should show cannot be shown.
            let range = high - low;
            let scale = if range > 0.0 && range.is_finite() { range / limit } else { 1.0 };
            let zero = (-low / scale).round_ties_even().clamp(0.0, limit);
            *place = (scale, zero);
            let (factor, offset) = (lanes.splat(1.0 / scale), lanes.splat(zero));
            let (least, most) = (lanes.splat(0.0), lanes.splat(limit));
            for start in (0..inputs).step_by(L::COUNT) {
                let count = L::COUNT.min(inputs - start);
                // SAFETY: the row goes on for `count` values, and its bytes, a multiple of 16, for `COUNT`.
                unsafe {
                    let value = lanes.multiply_add(read(lanes, row, start, count, 0.0), factor, offset);
                    let value = lanes.smaller(lanes.larger(value, least), most);
                    lanes.store_bytes(bytes.as_mut_ptr().add(start), value);
                }
            }
        }
    }
}

/// `count` values from `place` on, the other lanes filled.
///
/// # Safety
/// `values` must go on for `count` values there, at most `COUNT`.
#[inline(always)]
pub(super) unsafe fn read<L: Lanes>(lanes: L, values: &[f32], place: usize, count: usize, fill: f32) -> L::Floats {
    debug_assert!(place + count <= values.len());
    // SAFETY: the caller's promise.
    unsafe {
        let from = values.as_ptr().add(place);
        if count == L::COUNT { lanes.load(from) } else { lanes.load_some(from, count, fill) }
    }
}

/// The sum of all values, in a fixed order.
#[inline(always)]
pub(super) fn total<L: Lanes>(lanes: L, values: &[f32]) -> f32 {
    let mut sum = lanes.splat(0.0);
    for place in (0..values.len()).step_by(L::COUNT) {
        // SAFETY: the values go on for that many.
        sum = lanes.add(sum, unsafe { read(lanes, values, place, L::COUNT.min(values.len() - place), 0.0) });
    }
    lanes.sum(sum)
}

/// The sum of the squared distances of all values to `centre`, in a fixed order.
#[inline(always)]
fn total_square<L: Lanes>(lanes: L, values: &[f32], centre: f32) -> f32 {
    let (mut sum, centres) = (lanes.splat(0.0), lanes.splat(centre));
    for place in (0..values.len()).step_by(L::COUNT) {
        // SAFETY: the values go on for that many.
        let value = unsafe { read(lanes, values, place, L::COUNT.min(values.len() - place), centre) };
        let off = lanes.subtract(value, centres);
        sum = lanes.multiply_add(off, off, sum);
    }
    lanes.sum(sum)
}
