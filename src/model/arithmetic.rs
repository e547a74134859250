//! In what numbers the encoder computes, and on which kernels.

use std::fmt;
use std::str::FromStr;

use super::ModelError;
use super::kernels::KernelPath;

/// The numbers of the encoder's matrix products.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// Single precision: the reference.
    F32,
    /// Eight-bit weights and activations, with scales per column and per row for every 128 inputs, and exact sums
    /// between. All the rest (embeddings, normalisation, attention, heads) stays in single precision.
    Int8,
}

impl Precision {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::F32, Self::Int8];

    /// The one that is faster on these kernels: without instructions for products of bytes, bytes gain nothing.
    pub fn fastest_on(kernels: KernelPath) -> Self {
        if kernels == KernelPath::Portable { Self::F32 } else { Self::Int8 }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::F32 => "f32",
            Self::Int8 => "int8",
        })
    }
}

impl FromStr for Precision {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|precision| precision.to_string() == name)
            .ok_or_else(|| format!("unknown precision {name:?}: use f32 or int8"))
    }
}

/// How a model computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arithmetic {
    /// The numbers of the matrix products.
    pub precision: Precision,
    /// The kernels. Results are the same to the last bit on one path, whatever the batch and the threads; another
    /// path may differ by rounding.
    pub kernels: KernelPath,
}

impl Arithmetic {
    /// This precision (or the faster), on the kernels that `ONRECORD_KERNELS` names (or the fastest of this machine).
    ///
    /// # Errors
    /// [`ModelError::Kernels`] when the variable asks for what is not there.
    pub fn new(precision: Option<Precision>) -> Result<Self, ModelError> {
        let kernels = KernelPath::chosen().map_err(ModelError::Kernels)?;
        Ok(Self { precision: precision.unwrap_or_else(|| Precision::fastest_on(kernels)), kernels })
    }
}
