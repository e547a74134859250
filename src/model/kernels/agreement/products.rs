//! The matrix products.

use proptest::prelude::*;

use super::super::packing::{GROUP, PANEL};
use super::super::{FloatMatrix, IntegerMatrix, KernelPath, QuantisedRows, float_product, integer_product};
use super::{Exact, ROUNDING, assert_all_close, bits, column_counts, input_counts, numbers, row_counts, written};

fn float_rows(path: KernelPath, rows: &[f32], weights: &FloatMatrix, bias: &[f32]) -> Vec<f32> {
    let count = rows.len() / weights.inputs();
    written(count * bias.len(), |out| float_product(path, rows, weights, bias, out))
}

fn integer_rows(path: KernelPath, rows: &QuantisedRows, weights: &IntegerMatrix, bias: &[f32]) -> Vec<f32> {
    written(rows.count() * bias.len(), |out| integer_product(path, rows, weights, bias, out))
}

fn quantised(path: KernelPath, rows: &[f32], inputs: usize) -> QuantisedRows {
    let mut quantised = QuantisedRows::default();
    // What an earlier, larger matrix left behind must not matter.
    quantised.quantise(path, &numbers(7, 3 * 400, 9.0), 400);
    quantised.quantise(path, rows, inputs);
    quantised
}

/// A weight in steps, from where the packing put it.
fn steps_of(weights: &IntegerMatrix, input: usize, column: usize) -> i32 {
    let line = column / PANEL * weights.lines_per_panel() + input / 4;
    weights.lines[line].0[column % PANEL * 4 + input % 4].into()
}

/// The scale of a column's weights in a group, and the sum of the weights.
fn scale_of(weights: &IntegerMatrix, group: usize, column: usize) -> (f32, f32) {
    let groups = weights.inputs().div_ceil(GROUP);
    let place = (column / (2 * PANEL) * groups + group) * 2 * PANEL + column % (2 * PANEL);
    (weights.scales[place], weights.totals[place])
}

/// Sums of quantised rows and weights, brought to scale in double precision.
fn plain_integer_product(rows: &QuantisedRows, weights: &IntegerMatrix, bias: &[f32]) -> Vec<Exact> {
    let groups = rows.inputs().div_ceil(GROUP);
    let mut out = Vec::new();
    for row in 0..rows.count() {
        for (column, &bias) in bias.iter().enumerate() {
            let (mut value, mut magnitude) = (f64::from(bias), f64::from(bias.abs()));
            for group in 0..groups {
                let inputs = group * GROUP..rows.inputs().min((group + 1) * GROUP);
                let bytes = &rows.bytes(row)[..rows.inputs()];
                let sum: i32 = inputs.map(|input| i32::from(bytes[input]) * steps_of(weights, input, column)).sum();
                let (step, zero) = rows.scales(row, group)[0];
                let (scale, total) = scale_of(weights, group, column);
                let products = f64::from(sum) * f64::from(scale) * f64::from(step);
                let shift = f64::from(total) * f64::from(zero);
                value += products + shift;
                magnitude += products.abs() + shift.abs();
            }
            // Four roundings for each group, each of at most all that was added up.
            out.push(Exact { value, tolerance: (4 * groups + 1) as f64 * ROUNDING * magnitude });
        }
    }
    out
}

/// Weights at and near the limits: pairs of every pattern of signs, large and small.
fn extreme_weights(seed: u32, count: usize) -> Vec<f32> {
    const WEIGHTS: [f32; 6] = [1.0, -1.0, 1.0 / 127.0, -1.0 / 127.0, 0.0, 0.5];
    numbers(seed, count, 3.0).iter().map(|number| WEIGHTS[(number + 3.0) as usize % 6]).collect()
}

proptest! {
    #[test]
    fn float_products_are_those_of_a_plain_loop(
        (count, inputs, columns) in (row_counts(), input_counts(), column_counts()),
        seed: u32,
    ) {
        let rows = numbers(seed, count * inputs, 2.0);
        let weights = numbers(seed ^ 1, columns * inputs, 1.0);
        let bias = numbers(seed ^ 2, columns, 1.0);
        let mut exact = Vec::new();
        for row in rows.chunks_exact(inputs) {
            for (weights, &bias) in weights.chunks_exact(inputs).zip(&bias) {
                let (mut value, mut magnitude) = (f64::from(bias), f64::from(bias.abs()));
                for (&left, &right) in row.iter().zip(weights) {
                    let product = f64::from(left) * f64::from(right);
                    value += product;
                    magnitude += product.abs();
                }
                exact.push(Exact { value, tolerance: (inputs + 2) as f64 * ROUNDING * magnitude });
            }
        }
        let matrix = FloatMatrix::pack(&weights, columns, inputs);
        assert_all_close(&exact, |path| float_rows(path, &rows, &matrix, &bias));
    }

    #[test]
    fn a_row_of_a_float_product_depends_on_that_row_alone(
        (count, inputs, columns) in (row_counts(), input_counts(), column_counts()),
        seed: u32,
    ) {
        let rows = numbers(seed, count * inputs, 2.0);
        let matrix = FloatMatrix::pack(&numbers(seed ^ 1, columns * inputs, 1.0), columns, inputs);
        let bias = numbers(seed ^ 2, columns, 1.0);
        for path in KernelPath::available() {
            let together = float_rows(path, &rows, &matrix, &bias);
            for (row, together) in rows.chunks_exact(inputs).zip(together.chunks_exact(columns)) {
                prop_assert_eq!(bits(&float_rows(path, row, &matrix, &bias)), bits(together), "{}", path);
            }
        }
    }

    #[test]
    fn integer_products_are_those_of_a_plain_loop(
        (count, inputs, columns) in (row_counts(), input_counts(), column_counts()),
        seed: u32,
    ) {
        let rows = quantised(KernelPath::Portable, &numbers(seed, count * inputs, 2.0), inputs);
        let weights = IntegerMatrix::pack(&numbers(seed ^ 1, columns * inputs, 1.0), columns, inputs);
        let bias = numbers(seed ^ 2, columns, 1.0);
        let exact = plain_integer_product(&rows, &weights, &bias);
        assert_all_close(&exact, |path| integer_rows(path, &rows, &weights, &bias));
    }

    /// With all scales one, what comes out is the sums of integers, which single precision holds exactly.
    #[test]
    fn integer_sums_are_exact_on_every_path(
        (count, inputs, columns) in (row_counts(), input_counts(), column_counts()),
        (limits, seed) in any::<(bool, u32)>(),
    ) {
        let mut rows: Vec<f32> = numbers(seed, count * inputs, 127.5).iter().map(|value| (value + 127.5).round()).collect();
        let mut weights: Vec<f32> = numbers(seed ^ 1, columns * inputs, 127.0).iter().map(|value| value.round()).collect();
        if limits {
            rows.iter_mut().for_each(|value| *value = if *value < 128.0 { 0.0 } else { 255.0 });
            weights.iter_mut().for_each(|weight| *weight = 127f32.copysign(*weight));
        }
        for group in rows.chunks_exact_mut(inputs).flat_map(|row| row.chunks_mut(GROUP)) {
            group[0] = 255.0;
        }
        for group in weights.chunks_exact_mut(inputs).flat_map(|row| row.chunks_mut(GROUP)) {
            group[0] = 127f32.copysign(group[0]);
            // Two large weights of one sign would make the scale grow.
            for pair in group.chunks_exact_mut(2).filter(|pair| pair[0] * pair[1] > 0.0) {
                pair[1] = if (pair[0] + pair[1]).abs() > 127.0 { -pair[1] } else { pair[1] };
            }
        }
        let bias: Vec<f32> = numbers(seed ^ 2, columns, 1000.0).iter().map(|value| value.round()).collect();
        let mut exact = Vec::new();
        for row in rows.chunks_exact(inputs) {
            for (weights, &bias) in weights.chunks_exact(inputs).zip(&bias) {
                let products = row.iter().zip(weights).map(|(&left, &right)| left as i32 * right as i32);
                exact.push((bias as i32 + products.sum::<i32>()) as f32);
            }
        }
        let matrix = IntegerMatrix::pack(&weights, columns, inputs);
        for path in KernelPath::available() {
            prop_assert_eq!(&integer_rows(path, &quantised(path, &rows, inputs), &matrix, &bias), &exact, "{}", path);
        }
    }

    #[test]
    fn a_row_of_an_integer_product_depends_on_that_row_alone(
        (count, inputs, columns) in (row_counts(), input_counts(), column_counts()),
        seed: u32,
    ) {
        let rows = numbers(seed, count * inputs, 2.0);
        let weights = IntegerMatrix::pack(&extreme_weights(seed ^ 1, columns * inputs), columns, inputs);
        let bias = numbers(seed ^ 2, columns, 1.0);
        for path in KernelPath::available() {
            let together = integer_rows(path, &quantised(path, &rows, inputs), &weights, &bias);
            for (row, together) in rows.chunks_exact(inputs).zip(together.chunks_exact(columns)) {
                let alone = integer_rows(path, &quantised(path, row, inputs), &weights, &bias);
                prop_assert_eq!(bits(&alone), bits(together), "{}", path);
            }
        }
    }

    #[test]
    fn a_broken_row_costs_itself_only(
        count in 1usize..=40,
        (inputs, columns) in (input_counts(), column_counts()),
        (row, place, seed) in any::<(usize, usize, u32)>(),
        wrong in prop::sample::select(vec![f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX]),
    ) {
        let row = row % count;
        let rows = numbers(seed, count * inputs, 2.0);
        let mut broken = rows.clone();
        broken[row * inputs..][..inputs][place % inputs..].fill(wrong);
        broken[row * inputs] = -wrong;
        let values = numbers(seed ^ 1, columns * inputs, 1.0);
        let (floats, integers) =
            (FloatMatrix::pack(&values, columns, inputs), IntegerMatrix::pack(&values, columns, inputs));
        let bias = numbers(seed ^ 2, columns, 1.0);
        for path in KernelPath::available() {
            let products = |rows: &[f32]| {
                let quantised = quantised(path, rows, inputs);
                [float_rows(path, rows, &floats, &bias), integer_rows(path, &quantised, &integers, &bias)]
            };
            for (mut whole, mut broken) in products(&rows).into_iter().zip(products(&broken)) {
                whole.drain(row * columns..(row + 1) * columns);
                broken.drain(row * columns..(row + 1) * columns);
                prop_assert_eq!(bits(&broken), bits(&whole), "{}", path);
            }
        }
    }

    #[test]
    fn packed_integers_show_the_weights_within_half_a_step(
        (inputs, columns) in (input_counts(), column_counts()),
        (extreme, seed) in any::<(bool, u32)>(),
        spread in prop::sample::select(vec![1e-45f32, 1e-43, 1e-38, 1e-30, 1.0, 1e30]),
    ) {
        let count = columns * inputs;
        let weights = if extreme { extreme_weights(seed, count) } else { numbers(seed, count, spread) };
        let packed = IntegerMatrix::pack(&weights, columns, inputs);
        for (column, weights) in weights.chunks_exact(inputs).enumerate() {
            for (group, weights) in weights.chunks(GROUP).enumerate() {
                let (scale, total) = scale_of(&packed, group, column);
                let mut sum = 0;
                for (input, &weight) in weights.iter().enumerate() {
                    let steps = steps_of(&packed, group * GROUP + input, column);
                    let off = (f64::from(weight) - f64::from(steps) * f64::from(scale)).abs();
                    prop_assert!(off <= f64::from(scale) * 0.5001, "{weight} as {steps} steps of {scale}");
                    sum += steps;
                }
                prop_assert_eq!(total, sum as f32 * scale);
            }
        }
        // Behind the last input and the last column.
        let padded = packed.lines.len() / packed.lines_per_panel() * PANEL;
        for column in 0..padded {
            let from = if column < columns { inputs } else { 0 };
            prop_assert!((from..4 * packed.lines_per_panel()).all(|input| steps_of(&packed, input, column) == 0));
        }
    }
}

/// Sixteen-bit sums come nearest to their limit where the largest bytes meet the largest weights.
#[test]
fn nothing_saturates_at_the_limits() {
    const WEIGHTS: [f32; 5] = [1.0, -1.0, 1.0 / 127.0, -1.0 / 127.0, 0.0];
    let pairs: Vec<[f32; 2]> = WEIGHTS.iter().flat_map(|&left| WEIGHTS.map(|right| [left, right])).collect();
    for inputs in [2, 64, 128, 300, 1536] {
        let mut weights: Vec<f32> = pairs.iter().flat_map(|pair| pair.repeat(inputs / 2)).collect();
        // Columns that change their pattern from pair to pair, too.
        weights.extend(extreme_weights(1, 16 * inputs));
        let matrix = IntegerMatrix::pack(&weights, pairs.len() + 16, inputs);
        let bias = vec![0.0; pairs.len() + 16];
        let values: Vec<f32> =
            [[1.0, 1.0], [1.0, 0.0], [0.0, 1.0], [0.0, 0.0]].iter().flat_map(|pair| pair.repeat(inputs / 2)).collect();
        let rows = quantised(KernelPath::Portable, &values, inputs);
        assert!(rows.bytes(0)[..inputs].iter().all(|&byte| byte == 255));
        // The largest weights of both signs side by side, and the largest with a small one of its sign.
        for (column, steps) in [(1, [127, -127]), (2, [126, 1]), (5, [-127, 127]), (8, [-126, -1]), (0, [64, 64])] {
            assert_eq!([steps_of(&matrix, 0, column), steps_of(&matrix, 1, column)], steps, "column {column}");
        }
        let exact = plain_integer_product(&rows, &matrix, &bias);
        assert_all_close(&exact, |path| integer_rows(path, &rows, &matrix, &bias));
    }
}
