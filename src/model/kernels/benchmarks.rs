//! The kernels as benchmarks see them (`benches/kernels.rs`): each with data of the size it meets in the encoder, and
//! the register-only loops that say what the machine could do at most. Only with the feature `benchmarks`.

use super::{
    AttentionScratch, FloatMatrix, IntegerMatrix, KernelPath, Normalisation, QuantisedRows, WindowRows,
    add_and_normalise, attention, float_product, gelu_in_place, integer_product, peaks,
};

/// A kernel with its data: every call of `run` does `work` units of it.
pub struct Case {
    /// What it is, for reports.
    pub name: String,
    /// Multiplications with an addition (products, attention) or values (all others) in a call.
    pub work: u64,
    /// One call.
    pub run: Box<dyn FnMut()>,
}

/// Rows of a block of the encoder.
const ROWS: usize = 96;

fn numbers(count: usize, spread: f32) -> Vec<f32> {
    // A fixed sequence without pattern: Knuth's multiplicative hash.
    (0..count as u32)
        .map(|index| (index.wrapping_mul(2_654_435_769) >> 8) as f32 / (1 << 23) as f32 - 1.0)
        .map(|value| value * spread)
        .collect()
}

fn case(name: String, work: usize, run: impl FnMut() + 'static) -> Case {
    Case { name, work: work as u64, run: Box::new(run) }
}

/// The peaks of the machine on a path, in single precision and for bytes.
pub fn peaks(path: KernelPath) -> Vec<Case> {
    const STEPS: usize = 4096;
    let floats = case(format!("peak f32 {path}"), peaks::floats(path, 0) * STEPS, move || {
        peaks::floats(path, STEPS);
    });
    let bytes = peaks::bytes(path, 0).map(|products| {
        case(format!("peak int8 {path}"), products * STEPS, move || {
            peaks::bytes(path, STEPS);
        })
    });
    std::iter::once(floats).chain(bytes).collect()
}

/// Every kernel on a path, with sizes of the small model: 384 wide, 1536 in between, 12 heads.
pub fn kernels(path: KernelPath) -> Vec<Case> {
    let mut cases = Vec::new();
    for (inputs, columns) in [(384, 1152), (384, 384), (384, 1536), (1536, 384)] {
        let rows = numbers(ROWS * inputs, 2.0);
        let weights = numbers(inputs * columns, 0.1);
        let bias = numbers(columns, 0.1);
        let work = ROWS * inputs * columns;
        let mut out = vec![0.0; ROWS * columns];
        let matrix = FloatMatrix::pack(&weights, columns, inputs);
        let (float_rows, float_bias) = (rows.clone(), bias.clone());
        cases.push(case(format!("float_product {inputs}x{columns} {path}"), work, move || {
            float_product(path, &float_rows, &matrix, &float_bias, &mut out);
        }));
        let matrix = IntegerMatrix::pack(&weights, columns, inputs);
        let mut quantised = QuantisedRows::default();
        quantised.quantise(path, &rows, inputs);
        let mut out = vec![0.0; ROWS * columns];
        cases.push(case(format!("integer_product {inputs}x{columns} {path}"), work, move || {
            integer_product(path, &quantised, &matrix, &bias, &mut out);
        }));
    }
    for inputs in [384, 1536] {
        let rows = numbers(ROWS * inputs, 2.0);
        let mut quantised = QuantisedRows::default();
        cases.push(case(format!("quantise {inputs} {path}"), rows.len(), move || {
            quantised.quantise(path, &rows, inputs)
        }));
    }
    let values = numbers(ROWS * 1536, 4.0);
    let mut changed = values.clone();
    cases.push(case(format!("gelu {path}"), values.len(), move || {
        changed.copy_from_slice(&values);
        gelu_in_place(path, &mut changed);
    }));
    let added = numbers(ROWS * 384, 1.0);
    let mut rows = added.clone();
    let normalisation = Normalisation { weight: vec![1.0; 384], bias: vec![0.0; 384], epsilon: 1e-12 };
    cases.push(case(format!("add_and_normalise {path}"), added.len(), move || {
        add_and_normalise(path, &mut rows, &added, &normalisation);
    }));
    for length in [32, 66, 256] {
        let (heads, size) = (12, 32);
        let rows = numbers(length * 3 * heads * size, 1.0);
        let mut scratch = AttentionScratch::default();
        let mut out = vec![0.0; length * heads * size];
        cases.push(case(format!("attention {length} {path}"), 2 * length * length * heads * size, move || {
            attention(path, WindowRows { rows: &rows, heads, size, bias: None }, 0..length, &mut scratch, &mut out);
        }));
    }
    cases
}
