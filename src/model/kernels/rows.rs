//! Kernels over the rows of a matrix, as candle custom operations.

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor, bail};

use super::gelu::gelu;

/// Adds a bias to every row.
pub(in crate::model) fn add_bias(rows: &Tensor, bias: &[f32]) -> Result<Tensor> {
    rows.apply_op1_no_bwd(&EachRow { name: "add-bias", bias, function: |value, bias| value + bias })
}

/// Adds a bias to every row and applies GELU.
pub(in crate::model) fn bias_gelu(rows: &Tensor, bias: &[f32]) -> Result<Tensor> {
    rows.apply_op1_no_bwd(&EachRow { name: "bias-gelu", bias, function: |value, bias| gelu(value + bias) })
}

/// `LayerNorm(rows + bias + residual)` (Ba et al. 2016).
pub(in crate::model) fn residual_layer_norm(
    rows: &Tensor,
    bias: &[f32],
    residual: &Tensor,
    weight: &[f32],
    shift: &[f32],
    epsilon: f32,
) -> Result<Tensor> {
    let op = ResidualLayerNorm { bias, weight, shift, epsilon };
    rows.apply_op2_no_bwd(residual, &op)
}

/// The matrix behind a storage as one slice of rows of `width`; anything else is a fault of the caller.
fn matrix<'a>(storage: &'a CpuStorage, layout: &Layout, width: usize) -> Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((start, end)) if layout.dims().last() == Some(&width) => Ok(&storage.as_slice::<f32>()?[start..end]),
        _ => bail!("expected contiguous rows of {width}, not {layout:?}"),
    }
}

struct EachRow<'bias, F> {
    name: &'static str,
    bias: &'bias [f32],
    function: F,
}

impl<F: Fn(f32, f32) -> f32> CustomOp1 for EachRow<'_, F> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let rows = matrix(storage, layout, self.bias.len())?;
        let mut out = Vec::with_capacity(rows.len());
        for row in rows.chunks_exact(self.bias.len()) {
            out.extend(row.iter().zip(self.bias).map(|(&value, &bias)| (self.function)(value, bias)));
        }
        Ok((CpuStorage::F32(out), layout.shape().clone()))
    }
}

struct ResidualLayerNorm<'a> {
    bias: &'a [f32],
    weight: &'a [f32],
    shift: &'a [f32],
    epsilon: f32,
}

impl CustomOp2 for ResidualLayerNorm<'_> {
    fn name(&self) -> &'static str {
        "residual-layer-norm"
    }

    fn cpu_fwd(
        &self,
        storage: &CpuStorage,
        layout: &Layout,
        residual_storage: &CpuStorage,
        residual_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let width = self.bias.len();
        let rows = matrix(storage, layout, width)?;
        let residual = matrix(residual_storage, residual_layout, width)?;
        if rows.len() != residual.len() {
            bail!("the residual has {} values, the rows {}", residual.len(), rows.len());
        }
        let mut out = Vec::with_capacity(rows.len());
        for (row, residual) in rows.chunks_exact(width).zip(residual.chunks_exact(width)) {
            let start = out.len();
            out.extend(row.iter().zip(self.bias).zip(residual).map(|((&value, &bias), &rest)| value + bias + rest));
            let summed = &mut out[start..];
            let mean = sum(summed, |value| value) / width as f32;
            let variance = sum(summed, |value| (value - mean) * (value - mean)) / width as f32;
            let scale = 1.0 / (variance + self.epsilon).sqrt();
            for ((value, &weight), &shift) in summed.iter_mut().zip(self.weight).zip(self.shift) {
                *value = (*value - mean) * scale * weight + shift;
            }
        }
        Ok((CpuStorage::F32(out), layout.shape().clone()))
    }
}

/// Sums in sixteen lanes, which the compiler can keep in vector registers, always in the same order.
fn sum(values: &[f32], function: impl Fn(f32) -> f32) -> f32 {
    let mut lanes = [0.0f32; 16];
    let chunks = values.chunks_exact(lanes.len());
    let rest: f32 = chunks.remainder().iter().map(|&value| function(value)).sum();
    for chunk in chunks {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane += function(value);
        }
    }
    lanes.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Tensor};

    use super::*;

    #[test]
    fn a_normalised_row_has_mean_zero_and_unit_variance() {
        let rows = Tensor::from_vec(vec![1.0f32, 2.0, 3.0, 10.0, -4.0, 0.5], (2, 3), &Device::Cpu).unwrap();
        let (bias, weight, shift) = ([0.5, 0.5, 0.5], [1.0; 3], [0.0; 3]);
        let out = residual_layer_norm(&rows, &bias, &rows, &weight, &shift, 1e-12).unwrap();
        for row in out.to_vec2::<f32>().unwrap() {
            let mean = row.iter().sum::<f32>() / 3.0;
            let variance = row.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / 3.0;
            assert!(mean.abs() < 1e-6 && (variance - 1.0).abs() < 1e-5, "{row:?}");
        }
    }

    #[test]
    fn a_wrong_width_is_an_error() {
        let rows = Tensor::zeros((2, 3), candle_core::DType::F32, &Device::Cpu).unwrap();
        assert!(add_bias(&rows, &[0.0; 4]).is_err());
    }
}
