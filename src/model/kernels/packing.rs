//! Weights as the matrix kernels read them: panels of sixteen output columns, packed once at load.

/// Output columns in a panel.
pub(in crate::model) const PANEL: usize = 16;

/// Inputs that the integer kernels take at a time: a row's bytes are padded to a multiple of it.
pub(in crate::model) const CHUNK: usize = 64;

/// Inputs that share a scale, in the rows as in each column of the weights. A value far out then costs precision
/// among its neighbours only, for one more rounded addition per group.
pub(in crate::model) const GROUP: usize = 2 * CHUNK;

/// Largest value of a quantised activation: eight bits, unsigned.
pub(in crate::model) const ACTIVATION_LIMIT: i32 = 255;

/// One input's weights towards the sixteen columns of a panel.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct FloatLine(pub(super) [f32; PANEL]);

/// Four inputs' weights towards the sixteen columns of a panel: column by column, four bytes each.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct IntegerLine(pub(super) [i8; 4 * PANEL]);

/// A weight matrix `[inputs, columns]` in single precision, packed as `[panels, inputs]` lines.
#[derive(Debug, Clone)]
pub(in crate::model) struct FloatMatrix {
    pub(super) lines: Vec<FloatLine>,
    inputs: usize,
    columns: usize,
}

impl FloatMatrix {
    /// Packs `[columns, inputs]` (as linear layers are stored: one row of weights per output).
    pub(in crate::model) fn pack(weights: &[f32], columns: usize, inputs: usize) -> Self {
        assert_eq!(weights.len(), columns * inputs, "a weight for each pair of column and input");
        let panels = columns.div_ceil(PANEL);
        let mut lines = vec![FloatLine([0.0; PANEL]); panels * inputs];
        for (column, row) in weights.chunks_exact(inputs.max(1)).enumerate() {
            let panel = &mut lines[column / PANEL * inputs..][..inputs];
            for (line, &weight) in panel.iter_mut().zip(row) {
                line.0[column % PANEL] = weight;
            }
        }
        Self { lines, inputs, columns }
    }

    /// Values in a row that goes in.
    pub(in crate::model) fn inputs(&self) -> usize {
        self.inputs
    }

    /// Values in a row that comes out.
    pub(in crate::model) fn columns(&self) -> usize {
        self.columns
    }
}

/// A weight matrix `[inputs, columns]` in eight bits with a scale per column and group of inputs, packed as
/// `[panels, inputs / 4]` lines; the number of panels is even.
///
/// The instruction that AVX2 has for bytes adds pairs of products in sixteen bits and saturates. Scales are chosen
/// such that this never happens, so that all machines give the same integers. Few columns lose any precision by it,
/// since large weights rarely stand side by side.
#[derive(Debug, Clone)]
pub(in crate::model) struct IntegerMatrix {
    pub(super) lines: Vec<IntegerLine>,
    /// The value of one step of a weight: `[pairs of panels, groups, columns]`.
    pub(super) scales: Vec<f32>,
    /// The sum of a column's weights, in value, which a row's zero point is taken times: as the scales.
    pub(super) totals: Vec<f32>,
    inputs: usize,
    columns: usize,
}

/// Inputs whose products meet in one sixteen-bit sum.
const MEETING: usize = 2;

impl IntegerMatrix {
    /// Quantises and packs `[columns, inputs]` (as linear layers are stored: one row of weights per output).
    pub(in crate::model) fn pack(weights: &[f32], columns: usize, inputs: usize) -> Self {
        assert_eq!(weights.len(), columns * inputs, "a weight for each pair of column and input");
        let (pairs, groups) = (columns.div_ceil(2 * PANEL), inputs.div_ceil(GROUP));
        let lines_per_panel = inputs.next_multiple_of(CHUNK) / 4;
        let mut lines = vec![IntegerLine([0; 4 * PANEL]); 2 * pairs * lines_per_panel];
        let mut scales = vec![0.0; pairs * groups * 2 * PANEL];
        let mut totals = scales.clone();
        let mut quantised = [0i8; GROUP];
        for (column, row) in weights.chunks_exact(inputs.max(1)).enumerate() {
            let panel = &mut lines[column / PANEL * lines_per_panel..][..lines_per_panel];
            for (group, row) in row.chunks(GROUP).enumerate() {
                let quantised = &mut quantised[..row.len()];
                let scale = quantise_column(row, quantised);
                let place = (column / (2 * PANEL) * groups + group) * 2 * PANEL + column % (2 * PANEL);
                scales[place] = scale;
                totals[place] = scale * quantised.iter().map(|&weight| f32::from(weight)).sum::<f32>();
                for (line, four) in panel[group * (GROUP / 4)..].iter_mut().zip(quantised.chunks(4)) {
                    line.0[column % PANEL * 4..][..four.len()].copy_from_slice(four);
                }
            }
        }
        Self { lines, scales, totals, inputs, columns }
    }

    /// Values in a row that goes in.
    pub(in crate::model) fn inputs(&self) -> usize {
        self.inputs
    }

    /// Values in a row that comes out.
    pub(in crate::model) fn columns(&self) -> usize {
        self.columns
    }

    /// Lines from panel to panel.
    pub(super) fn lines_per_panel(&self) -> usize {
        self.inputs.next_multiple_of(CHUNK) / 4
    }
}

/// Quantises a column's weights of one group symmetrically and returns their scale.
fn quantise_column(row: &[f32], quantised: &mut [i8]) -> f32 {
    // Weights that meet may come to 127 together: rounding each adds one at most.
    let scale = row.chunks(MEETING).fold(0.0f32, |most, meeting| most.max(most_of_a_sign(meeting))) / 127.0;
    // A scale below the normal numbers loses its digits.
    if scale < f32::MIN_POSITIVE || !scale.is_finite() {
        quantised.fill(0);
        return 1.0;
    }
    let factor = 1.0 / scale;
    for (quantised, &weight) in quantised.iter_mut().zip(row) {
        // Adding and taking away 1.5 * 2^23 rounds, without a call per weight.
        *quantised = ((weight * factor + 12_582_912.0) - 12_582_912.0) as i8;
    }
    scale
}

/// What the positive, or the negative, of some weights come to, whichever is more.
fn most_of_a_sign(weights: &[f32]) -> f32 {
    let of_sign = |sign: f32| weights.iter().map(|&weight| (sign * weight).max(0.0)).sum::<f32>();
    of_sign(1.0).max(of_sign(-1.0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_sixteen_bit_sum_can_overflow(
            row in prop::collection::vec(prop_oneof![-1.0f32..1.0, Just(1.0), Just(-1.0)], 1..100),
        ) {
            let mut quantised = vec![0; row.len()];
            let scale = quantise_column(&row, &mut quantised);
            for meeting in quantised.chunks(MEETING) {
                let most = |sign: i32| meeting.iter().map(|&q| (sign * i32::from(q)).max(0)).sum::<i32>();
                prop_assert!(most(1).max(most(-1)) * ACTIVATION_LIMIT <= i32::from(i16::MAX));
            }
            for (&weight, &quantised) in row.iter().zip(&quantised) {
                prop_assert!((weight - f32::from(quantised) * scale).abs() <= scale * 0.501);
            }
        }
    }

    proptest! {
        /// What `scripts/train/model/eight_bits.py` counts on: where the largest neighbours of a group come to 127 steps,
        /// the same steps are found again.
        #[test]
        fn whole_steps_stay_what_they_are(
            mut steps in prop::collection::vec(-60i8..=60, 2..=GROUP), scale in 1e-6f32..10.0,
        ) {
            (steps[0], steps[1]) = (63, 64);
            let values: Vec<f32> = steps.iter().map(|&step| f32::from(step) * scale).collect();
            let mut quantised = vec![0; steps.len()];
            quantise_column(&values, &mut quantised);
            prop_assert_eq!(quantised, steps);
        }
    }

    #[test]
    fn zeros_and_broken_weights_do_not_hang() {
        let mut quantised = [1; 2];
        assert_eq!(quantise_column(&[0.0, 0.0], &mut quantised), 1.0);
        assert_eq!(quantised, [0, 0]);
        assert_eq!(quantise_column(&[f32::INFINITY, 1.0], &mut quantised), 1.0);
        quantise_column(&[f32::NAN, 1.0], &mut quantised);
        assert_eq!(quantised, [0, 127]);
    }
}
