//! Tensors out of a safetensors file, each checked against the shape that the configuration asks for.

use candle_core::{DType, Device, Tensor};
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
    #[error("tensor {name} is stored as {dtype}: only F32, F16 and BF16 are read")]
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

/// A parsed weights file.
pub(super) struct Weights<'data> {
    tensors: SafeTensors<'data>,
    device: Device,
}

impl<'data> Weights<'data> {
    pub(super) fn parse(bytes: &'data [u8], device: Device) -> Result<Self, WeightsError> {
        let tensors = SafeTensors::deserialize(bytes).map_err(|error| WeightsError::Broken(error.to_string()))?;
        Ok(Self { tensors, device })
    }

    /// A tensor as it is stored (half precision stays half precision).
    pub(super) fn stored(&self, name: &str, shape: &[usize]) -> Result<Tensor, WeightsError> {
        let view = self.tensors.tensor(name).map_err(|_| WeightsError::Missing(name.to_owned()))?;
        if view.shape() != shape {
            return Err(WeightsError::Shape {
                name: name.to_owned(),
                found: view.shape().to_vec(),
                expected: shape.to_vec(),
            });
        }
        let dtype = match view.dtype() {
            Dtype::F32 => DType::F32,
            Dtype::F16 => DType::F16,
            Dtype::BF16 => DType::BF16,
            other => {
                return Err(WeightsError::Dtype { name: name.to_owned(), dtype: format!("{other:?}") });
            }
        };
        Ok(Tensor::from_raw_buffer(view.data(), dtype, shape, &self.device)?)
    }

    /// A tensor in single precision.
    pub(super) fn tensor(&self, name: &str, shape: &[usize]) -> Result<Tensor, WeightsError> {
        Ok(self.stored(name, shape)?.to_dtype(DType::F32)?)
    }

    /// A tensor in single precision as a plain row of numbers.
    pub(super) fn values(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, WeightsError> {
        Ok(self.tensor(name, shape)?.flatten_all()?.to_vec1()?)
    }
}
