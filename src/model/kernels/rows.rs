//! Kernels that work row by row: normalising and GELU.

use super::dots::Machine;
use super::functions::gelu;
use super::lanes::Lanes;
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

/// Sums go on sixteen at a time on every machine, so that all that can multiply and add in one rounding agree to the
/// last bit.
const SUMS: usize = 16;

/// The sum of all values, in a fixed order.
#[inline(always)]
pub(super) fn total<L: Lanes>(lanes: L, values: &[f32]) -> f32 {
    let mut sums = [lanes.splat(0.0); 2];
    for start in (0..values.len()).step_by(SUMS) {
        for (part, place) in (start..values.len().min(start + SUMS)).step_by(L::COUNT).enumerate() {
            // SAFETY: the values go on for that many.
            let value = unsafe { read(lanes, values, place, L::COUNT.min(values.len() - place), 0.0) };
            sums[part] = lanes.add(sums[part], value);
        }
    }
    sum_of(lanes, sums)
}

/// The sum of the squared distances of all values to `centre`, in a fixed order.
#[inline(always)]
fn total_square<L: Lanes>(lanes: L, values: &[f32], centre: f32) -> f32 {
    let (mut sums, centres) = ([lanes.splat(0.0); 2], lanes.splat(centre));
    for start in (0..values.len()).step_by(SUMS) {
        for (part, place) in (start..values.len().min(start + SUMS)).step_by(L::COUNT).enumerate() {
            // SAFETY: the values go on for that many.
            let value = unsafe { read(lanes, values, place, L::COUNT.min(values.len() - place), centre) };
            let off = lanes.subtract(value, centres);
            sums[part] = lanes.multiply_add(off, off, sums[part]);
        }
    }
    sum_of(lanes, sums)
}

/// Sixteen sums made one: in one vector, or in two.
#[inline(always)]
fn sum_of<L: Lanes>(lanes: L, [first, second]: [L::Floats; 2]) -> f32 {
    lanes.sum(if L::COUNT == SUMS { first } else { lanes.add(first, second) })
}
