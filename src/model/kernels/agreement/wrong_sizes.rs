//! Sizes that do not fit are refused before memory is touched.

use super::super::{
    AttentionScratch, FloatMatrix, HalfTable, IntegerMatrix, KernelPath, Normalisation, QuantisedRows, RelativeBias,
    WindowRows, add_and_normalise, attention, float_product, integer_product, softmax_in_place,
};

fn path() -> KernelPath {
    KernelPath::fastest()
}

fn float_matrix() -> FloatMatrix {
    FloatMatrix::pack(&[1.0; 6], 2, 3)
}

fn integer_matrix() -> IntegerMatrix {
    IntegerMatrix::pack(&[1.0; 6], 2, 3)
}

fn rows_of(inputs: usize) -> QuantisedRows {
    let mut rows = QuantisedRows::default();
    rows.quantise(path(), &vec![1.0; 2 * inputs], inputs);
    rows
}

fn attend(numbers: usize, queries: std::ops::Range<usize>, out: usize) {
    let window = WindowRows { rows: &vec![1.0; numbers], heads: 1, size: 2, bias: None };
    attention(path(), window, queries, &mut AttentionScratch::default(), &mut vec![0.0; out]);
}

#[test]
#[should_panic(expected = "a weight for each pair of column and input")]
fn float_weights() {
    FloatMatrix::pack(&[1.0; 5], 2, 3);
}

#[test]
#[should_panic(expected = "a weight for each pair of column and input")]
fn integer_weights() {
    IntegerMatrix::pack(&[1.0; 7], 2, 3);
}

#[test]
#[should_panic(expected = "one bias for each column")]
fn float_bias() {
    float_product(path(), &[1.0; 3], &float_matrix(), &[0.0], &mut [0.0; 2]);
}

#[test]
#[should_panic(expected = "whole rows")]
fn float_rows() {
    float_product(path(), &[1.0; 4], &float_matrix(), &[0.0; 2], &mut [0.0; 2]);
}

#[test]
#[should_panic(expected = "a row out for each row in")]
fn float_out() {
    float_product(path(), &[1.0; 6], &float_matrix(), &[0.0; 2], &mut [0.0; 3]);
}

#[test]
#[should_panic(expected = "one bias for each column")]
fn integer_bias() {
    integer_product(path(), &rows_of(3), &integer_matrix(), &[0.0; 3], &mut [0.0; 4]);
}

#[test]
#[should_panic(expected = "rows as wide as the weights")]
fn integer_rows() {
    integer_product(path(), &rows_of(2), &integer_matrix(), &[0.0; 2], &mut [0.0; 4]);
}

#[test]
#[should_panic(expected = "a row out for each row in")]
fn integer_out() {
    integer_product(path(), &rows_of(3), &integer_matrix(), &[0.0; 2], &mut [0.0; 3]);
}

#[test]
#[should_panic(expected = "whole rows")]
fn quantised_rows() {
    QuantisedRows::default().quantise(path(), &[1.0; 5], 3);
}

#[test]
#[should_panic(expected = "as much added as there is")]
fn added() {
    let normalisation = Normalisation { weight: vec![1.0; 2], bias: vec![0.0; 2], epsilon: 1e-6 };
    add_and_normalise(path(), &mut [1.0; 4], &[1.0; 2], &normalisation);
}

#[test]
#[should_panic(expected = "a gain and a shift for each value")]
fn shift() {
    let normalisation = Normalisation { weight: vec![1.0; 2], bias: vec![0.0; 1], epsilon: 1e-6 };
    add_and_normalise(path(), &mut [1.0; 4], &[1.0; 4], &normalisation);
}

#[test]
#[should_panic(expected = "whole rows")]
fn window_rows() {
    attend(7, 0..1, 2);
}

#[test]
#[should_panic(expected = "queries within the window")]
fn queries() {
    attend(12, 1..3, 4);
}

#[test]
#[should_panic(expected = "a row out for each query")]
fn attention_out() {
    attend(12, 0..2, 3);
}

fn attend_with(table: usize, reach: usize) {
    let bias = Some(RelativeBias { table: &vec![1.0; table], reach });
    let window = WindowRows { rows: &[1.0; 18], heads: 1, size: 2, bias };
    attention(path(), window, 0..3, &mut AttentionScratch::default(), &mut [0.0; 6]);
}

#[test]
#[should_panic(expected = "a bias for each distance in the window")]
fn bias_reach() {
    attend_with(3, 2);
}

#[test]
#[should_panic(expected = "a bias for each head")]
fn bias_heads() {
    attend_with(10, 3);
}

#[test]
#[should_panic(expected = "whole rows")]
fn softmax_rows() {
    softmax_in_place(path(), &mut [1.0; 5], 2);
}

#[test]
#[should_panic(expected = "whole rows")]
fn half_table() {
    HalfTable::new(vec![0; 3], 2);
}

#[test]
#[should_panic(expected = "room for a row")]
fn half_row() {
    HalfTable::new(vec![0; 4], 2).row(path(), 0, &mut [0.0]);
}

#[test]
#[should_panic(expected = "out of range")]
fn half_index() {
    HalfTable::new(vec![0; 4], 2).row(path(), 2, &mut [0.0; 2]);
}
