//! The kernels that work row by row: quantising, normalising, GELU, and the table in half precision.

use proptest::prelude::*;
use proptest::sample::select;

use super::super::packing::GROUP;
use super::super::{HalfTable, KernelPath, Normalisation, QuantisedRows, add_and_normalise, gelu_in_place};
use super::{Exact, ROUNDING, assert_all_close, bits, column_counts, input_counts, numbers, row_counts, written};

fn quantised(path: KernelPath, rows: &[f32], inputs: usize) -> QuantisedRows {
    let mut quantised = QuantisedRows::default();
    quantised.quantise(path, rows, inputs);
    quantised
}

/// Bytes of a row, and its scales with the values of its zero points.
fn quantised_row(rows: &QuantisedRows, row: usize) -> (Vec<u8>, Vec<(f32, f32)>) {
    let groups = rows.inputs().div_ceil(GROUP);
    (rows.bytes(row)[..rows.inputs()].to_vec(), rows.scales(row, 0)[..groups].to_vec())
}

/// What a row's bytes show.
fn shown(rows: &QuantisedRows, row: usize) -> Vec<f64> {
    let (bytes, scales) = quantised_row(rows, row);
    let value = |(place, byte): (usize, u8)| {
        let (scale, zero) = scales[place / GROUP];
        f64::from(byte) * f64::from(scale) + f64::from(zero)
    };
    bytes.into_iter().enumerate().map(value).collect()
}

fn normalised(path: KernelPath, rows: &[f32], added: &[f32], normalisation: &Normalisation) -> Vec<f32> {
    written(rows.len(), |out| {
        out.copy_from_slice(rows);
        add_and_normalise(path, out, added, normalisation);
    })
}

fn gelu(path: KernelPath, values: &[f32]) -> Vec<f32> {
    written(values.len(), |out| {
        out.copy_from_slice(values);
        gelu_in_place(path, out);
    })
}

proptest! {
    #[test]
    fn quantised_rows_show_every_value_within_half_a_step(
        (count, inputs) in (row_counts(), input_counts()),
        seed: u32,
        spread in select(vec![1e-45f32, 1e-43, 1e-40, 1e-36, 1e-3, 1.0, 1e3, 1e37]),
        shift in select(vec![0.0f32, 0.5, -0.5, 1.0, -1.0, 5.0]),
    ) {
        let rows: Vec<f32> = numbers(seed, count * inputs, spread).iter().map(|value| value + shift * spread).collect();
        let mut scales = None;
        for path in KernelPath::available() {
            let found = quantised(path, &rows, inputs);
            let mut of_path = Vec::new();
            for (row, values) in rows.chunks_exact(inputs).enumerate() {
                let of_row = quantised_row(&found, row).1;
                for (place, (&value, shown)) in values.iter().zip(shown(&found, row)).enumerate() {
                    // Half a step, and what rounding moves within the 255 steps.
                    let most = f64::from(of_row[place / GROUP].0) * (0.5 + 4.0 * 255.0 * ROUNDING);
                    let off = (f64::from(value) - shown).abs();
                    prop_assert!(off <= most, "{path}: {value} shown as {shown}, a step being {:?}", of_row);
                }
                of_path.extend(of_row);
            }
            prop_assert_eq!(scales.get_or_insert_with(|| of_path.clone()), &of_path, "{}", path);
        }
    }

    #[test]
    fn a_row_that_is_not_finite_changes_no_other_row(
        count in 1usize..=20,
        inputs in input_counts(),
        (row, place, seed) in any::<(usize, usize, u32)>(),
        wrong in select(vec![f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX]),
        everywhere: bool,
    ) {
        let row = row % count;
        let rows = numbers(seed, count * inputs, 2.0);
        let mut broken = rows.clone();
        let values = &mut broken[row * inputs..][..inputs];
        values[place % inputs] = wrong;
        values[0] = -wrong;
        if everywhere {
            values.fill(wrong);
        }
        for path in KernelPath::available() {
            let (whole, broken) = (quantised(path, &rows, inputs), quantised(path, &broken, inputs));
            for other in (0..count).filter(|&other| other != row) {
                prop_assert_eq!(quantised_row(&broken, other), quantised_row(&whole, other), "{}", path);
            }
            let scales = quantised_row(&broken, row).1;
            prop_assert!(scales.iter().all(|(scale, zero)| scale.is_finite() && zero.is_finite()), "{path}: {scales:?}");
        }
    }

    #[test]
    fn normalised_rows_are_those_of_a_plain_loop(
        (count, width) in (row_counts(), input_counts()),
        seed: u32,
        shift in select(vec![0.0f32, 3.0]),
    ) {
        let rows: Vec<f32> = numbers(seed, count * width, 2.0).iter().map(|value| value + shift).collect();
        let added = numbers(seed ^ 1, count * width, 1.0);
        let normalisation =
            Normalisation { weight: numbers(seed ^ 2, width, 1.0), bias: numbers(seed ^ 3, width, 1.0), epsilon: 1e-6 };
        let mut exact = Vec::new();
        for (row, added) in rows.chunks_exact(width).zip(added.chunks_exact(width)) {
            let row: Vec<f64> = row.iter().zip(added).map(|(&left, &right)| f64::from(left) + f64::from(right)).collect();
            let mean = row.iter().sum::<f64>() / width as f64;
            let variance = row.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / width as f64;
            let scale = 1.0 / (variance + f64::from(normalisation.epsilon)).sqrt();
            let largest = row.iter().fold(0.0f64, |largest, value| largest.max(value.abs()));
            for ((value, &weight), &bias) in row.iter().zip(&normalisation.weight).zip(&normalisation.bias) {
                let value = (value - mean) * scale * f64::from(weight) + f64::from(bias);
                // Mean and variance are sums of `width` rounded values, in at least eight strands; twice that
                // bound, since both err.
                let roundings = (width / 4 + 32) as f64;
                let magnitude = largest * scale * f64::from(weight.abs()) + f64::from(bias.abs());
                exact.push(Exact { value, tolerance: roundings * ROUNDING * magnitude });
            }
        }
        assert_all_close(&exact, |path| normalised(path, &rows, &added, &normalisation));
        for path in KernelPath::available() {
            let found = normalised(path, &rows, &added, &normalisation);
            for ((row, added), found) in
                rows.chunks_exact(width).zip(added.chunks_exact(width)).zip(found.chunks_exact(width))
            {
                prop_assert_eq!(bits(&normalised(path, row, added, &normalisation)), bits(found), "{}", path);
            }
        }
    }

    /// How near one value comes is for the tests of `functions` to say.
    #[test]
    fn gelu_takes_each_value_for_itself(count in row_counts(), seed: u32) {
        let values = numbers(seed, count, 6.0);
        for path in KernelPath::available() {
            let found = gelu(path, &values);
            for (&value, &found) in values.iter().zip(&found) {
                prop_assert_eq!(bits(&gelu(path, &[value])), bits(&[found]), "{}", path);
                let portable = gelu(KernelPath::Portable, &[value])[0];
                prop_assert!((found - portable).abs() <= 1e-6 * value.abs().max(1.0), "{path}: gelu({value}) = {found}");
            }
        }
    }

    #[test]
    fn every_row_of_a_half_table_is_widened_exactly(
        (count, width) in (1usize..=5, column_counts()),
        numbers in prop::collection::vec(any::<u16>(), 500),
    ) {
        let finite = |bits: u16| if bits & 0x7c00 == 0x7c00 { bits & 0x83ff } else { bits };
        let numbers: Vec<u16> = numbers.into_iter().map(finite).take(count * width).collect();
        let table = HalfTable::new(numbers.clone(), width);
        for path in KernelPath::available() {
            for (index, row) in numbers.chunks_exact(width).enumerate() {
                let exact: Vec<f32> = row.iter().map(|&bits| half::f16::from_bits(bits).to_f32()).collect();
                let found = written(width, |out| table.row(path, index, out));
                prop_assert_eq!(bits(&found), bits(&exact), "{}", path);
            }
        }
    }
}

#[test]
fn constant_rows_are_shown_as_they_are() {
    for path in KernelPath::available() {
        for inputs in [1, 15, 16, 17, 64, 127, 128, 129, 300] {
            for constant in [0.0f32, 1.0, -1.0, 3.7, -1e-20, 1e20] {
                let rows = quantised(path, &vec![constant; 3 * inputs], inputs);
                for row in 0..3 {
                    for shown in shown(&rows, row) {
                        let off = (shown - f64::from(constant)).abs();
                        assert!(off <= f64::from(constant.abs()) * 4.0 * ROUNDING, "{path}: {constant} as {shown}");
                    }
                }
            }
        }
    }
}
