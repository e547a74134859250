//! Tensors out of a safetensors file, each checked against the shape that the configuration asks for.
//!
//! A matrix may be stored in eight bits: then a tensor of the same name with `.scales` behind it has the value of one step
//! for each row and [`SCALED_TOGETHER`] of its values. (`scripts/train/model/eight_bits.py` writes this; it picks the
//! scales such that the integer kernels, which quantise anew, come to the same integers.)

use candle_core::{Device, Tensor};
use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

/// What is wrong with a weights file.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// Not a safetensors file, or one that was cut short.
    #[error("not a whole safetensors file ({0}); was the download cut short?")]
    Broken(String),
    /// A tensor that the configuration asks for is not there.
    #[error("tensor {0} is missing: the weights belong to another configuration")]
    Missing(String),
    /// A tensor has another shape than the configuration asks for.
    #[error("tensor {name} has shape {found:?}, but config.json asks for {expected:?}")]
    Shape {
        /// Its name.
        name: String,
        /// Its shape in the file.
        found: Vec<usize>,
        /// Its shape by the configuration.
        expected: Vec<usize>,
    },
    /// A tensor is stored in a form that is not read here.
    #[error("tensor {name} is stored as {dtype}: only F32, F16, BF16, and I8 with its scales, are read")]
    Dtype {
        /// Its name.
        name: String,
        /// Its form.
        dtype: String,
    },
    /// The tensor library failed.
    #[error("tensor library: {0}")]
    Tensor(#[from] candle_core::Error),
}

/// Values of a row that share a scale, where a matrix is stored in eight bits.
const SCALED_TOGETHER: usize = 128;

/// Parsed weights: of one file, or of several that hold a part of the tensors each.
pub(super) struct Weights<'data> {
    files: Vec<SafeTensors<'data>>,
    device: Device,
}

impl<'data> Weights<'data> {
    pub(super) fn parse(files: impl IntoIterator<Item = &'data [u8]>, device: Device) -> Result<Self, WeightsError> {
        let parse = |bytes| SafeTensors::deserialize(bytes).map_err(|error| WeightsError::Broken(error.to_string()));
        Ok(Self { files: files.into_iter().map(parse).collect::<Result<_, _>>()?, device })
    }

    /// A tensor in single precision.
    pub(super) fn tensor(&self, name: &str, shape: &[usize]) -> Result<Tensor, WeightsError> {
        Ok(Tensor::from_vec(self.values(name, shape)?, shape, &self.device)?)
    }

    /// A tensor in single precision as a plain row of numbers.
    pub(super) fn values(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, WeightsError> {
        let view = self.view(name, shape)?;
        // One pass from the file's bytes: whoever reads one article waits for this.
        match view.dtype() {
            Dtype::F32 => {
                Ok(view.data().as_chunks().0.iter().map(|&bytes: &[u8; 4]| f32::from_le_bytes(bytes)).collect())
            }
            Dtype::F16 => {
                let stored: Vec<f16> = pairs(&view).map(f16::from_le_bytes).collect();
                let mut values = vec![0.0; stored.len()];
                stored.convert_to_f32_slice(&mut values);
                Ok(values)
            }
            Dtype::BF16 => Ok(pairs(&view).map(|bytes| bf16::from_le_bytes(bytes).to_f32()).collect()),
            Dtype::I8 => self.scaled(name, &view, |value| value),
            other => Err(WeightsError::Dtype { name: name.to_owned(), dtype: format!("{other:?}") }),
        }
    }

    /// A tensor of one dimension that may be left out.
    pub(super) fn values_or_zeros(&self, name: &str, length: usize) -> Result<Vec<f32>, WeightsError> {
        match self.values(name, &[length]) {
            Err(WeightsError::Missing(_)) => Ok(vec![0.0; length]),
            outcome => outcome,
        }
    }

    /// The bits of a tensor in half precision, if it is stored in no more; `None` for any other.
    pub(super) fn half_bits(&self, name: &str, shape: &[usize]) -> Result<Option<Vec<u16>>, WeightsError> {
        let view = self.view(name, shape)?;
        match view.dtype() {
            Dtype::F16 => Ok(Some(pairs(&view).map(u16::from_le_bytes).collect())),
            Dtype::I8 => self.scaled(name, &view, |value| f16::from_f32(value).to_bits()).map(Some),
            _ => Ok(None),
        }
    }

    /// A matrix that is stored in eight bits.
    fn scaled<T>(&self, name: &str, view: &TensorView<'_>, to: impl Fn(f32) -> T) -> Result<Vec<T>, WeightsError> {
        let &[rows, columns] = view.shape() else {
            return Err(WeightsError::Dtype { name: name.to_owned(), dtype: "I8, and is no matrix".to_owned() });
        };
        let groups = columns.div_ceil(SCALED_TOGETHER);
        let scales = self.values(&format!("{name}.scales"), &[rows, groups])?;
        let mut values = Vec::with_capacity(view.data().len());
        for (row, scales) in view.data().chunks_exact(columns.max(1)).zip(scales.chunks_exact(groups.max(1))) {
            for (group, scale) in row.chunks(SCALED_TOGETHER).zip(scales) {
                values.extend(group.iter().map(|byte| to(f32::from(byte.cast_signed()) * scale)));
            }
        }
        Ok(values)
    }

    fn find(&self, name: &str) -> Option<TensorView<'data>> {
        self.files.iter().find_map(|file| file.tensor(name).ok())
    }

    fn view(&self, name: &str, shape: &[usize]) -> Result<TensorView<'data>, WeightsError> {
        let view = self.find(name).or_else(|| self.find(&older(name)?));
        let view = view.ok_or_else(|| WeightsError::Missing(name.to_owned()))?;
        if view.shape() != shape {
            let (found, expected) = (view.shape().to_vec(), shape.to_vec());
            return Err(WeightsError::Shape { name: name.to_owned(), found, expected });
        }
        Ok(view)
    }
}

/// The name that a normalisation's tensor has in weights that come from TensorFlow.
fn older(name: &str) -> Option<String> {
    let (norm, part) = name.rsplit_once('.')?;
    let part = match part {
        "weight" => "gamma",
        "bias" => "beta",
        _ => return None,
    };
    norm.ends_with("LayerNorm").then(|| format!("{norm}.{part}"))
}

/// The bytes of a tensor, two by two.
fn pairs<'v>(view: &'v TensorView<'_>) -> impl Iterator<Item = [u8; 2]> + 'v {
    view.data().as_chunks().0.iter().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A matrix of two rows in eight bits, with or without scales.
    fn stored(scales: Option<&[f32]>) -> Vec<u8> {
        let steps: Vec<u8> = (0..260).map(|at| ((at % 255 - 127) as i8).cast_unsigned()).collect();
        let scale_bytes: Vec<u8> = scales.into_iter().flatten().flat_map(|scale| scale.to_le_bytes()).collect();
        let mut tensors = vec![("m.weight", TensorView::new(Dtype::I8, vec![2, 130], &steps).unwrap())];
        if scales.is_some() {
            tensors.push(("m.weight.scales", TensorView::new(Dtype::F32, vec![2, 2], &scale_bytes).unwrap()));
        }
        safetensors::serialize(tensors, None).unwrap()
    }

    #[test]
    fn eight_bits_have_a_scale_for_each_group_of_a_row() {
        let file = stored(Some(&[0.5, 2.0, 0.25, 1.0]));
        let weights = Weights::parse([&file[..]], Device::Cpu).unwrap();
        let values = weights.values("m.weight", &[2, 130]).unwrap();
        assert_eq!((values.len(), values[0], values[127], values[128]), (260, -63.5, 0.0, 2.0));
        assert_eq!((values[129], values[130], values[259]), (4.0, 0.75, -123.0));
        let bits = weights.half_bits("m.weight", &[2, 130]).unwrap().unwrap();
        assert!(bits.iter().zip(&values).all(|(&bits, &value)| f16::from_bits(bits) == f16::from_f32(value)));
    }

    #[test]
    fn eight_bits_without_scales_are_refused() {
        let file = stored(None);
        let weights = Weights::parse([&file[..]], Device::Cpu).unwrap();
        let message = weights.values("m.weight", &[2, 130]).unwrap_err().to_string();
        assert!(message.contains("m.weight.scales is missing"), "{message}");
    }
}
