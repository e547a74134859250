//! A linear layer, in the numbers that the model was asked to compute in.

use crate::model::kernels::{FloatMatrix, IntegerMatrix, KernelPath, QuantisedRows, float_product, integer_product};
use crate::model::{Arithmetic, Precision};

/// `rows x weights + bias`
pub(in crate::model) struct Linear {
    matrix: Matrix,
    bias: Vec<f32>,
}

enum Matrix {
    Float(FloatMatrix),
    Integer(IntegerMatrix),
}

impl Linear {
    /// `weights`: `[columns, inputs]`, one row for each bias.
    pub(in crate::model) fn pack(weights: &[f32], bias: Vec<f32>, inputs: usize, arithmetic: Arithmetic) -> Self {
        let columns = bias.len();
        let matrix = match arithmetic.precision {
            Precision::F32 => Matrix::Float(FloatMatrix::pack(weights, columns, inputs)),
            Precision::Int8 => Matrix::Integer(IntegerMatrix::pack(weights, columns, inputs)),
        };
        Self { matrix, bias }
    }

    /// Values in a row that comes out.
    pub(in crate::model) fn columns(&self) -> usize {
        self.bias.len()
    }

    /// `out`: `[rows, columns]`. Integers need room for the quantised rows.
    pub(in crate::model) fn apply(
        &self,
        path: KernelPath,
        rows: &[f32],
        quantised: &mut QuantisedRows,
        out: &mut [f32],
    ) {
        match &self.matrix {
            Matrix::Float(matrix) => float_product(path, rows, matrix, &self.bias, out),
            Matrix::Integer(matrix) => {
                quantised.quantise(path, rows, matrix.inputs());
                integer_product(path, quantised, matrix, &self.bias, out);
            }
        }
    }
}
