//! Weights of layer normalisations, as files name them.

use crate::model::config::EncoderConfig;
use crate::model::kernels::Normalisation;
use crate::model::weights::{Weights, WeightsError};

/// The weights of one layer normalisation of states.
pub(super) fn normalisation(
    weights: &Weights<'_>,
    name: &str,
    config: &EncoderConfig,
) -> Result<Normalisation, WeightsError> {
    Ok(Normalisation {
        weight: weights.values(&format!("{name}.weight"), &[config.hidden_size])?,
        bias: weights.values(&format!("{name}.bias"), &[config.hidden_size])?,
        epsilon: config.layer_norm_eps as f32,
    })
}

/// The weights of a layer normalisation of any width, perhaps without a shift.
pub(super) fn norm_of(
    weights: &Weights<'_>,
    name: &str,
    width: usize,
    epsilon: f64,
) -> Result<Normalisation, WeightsError> {
    Ok(Normalisation {
        weight: weights.values(&format!("{name}.weight"), &[width])?,
        bias: weights.values_or_zeros(&format!("{name}.bias"), width)?,
        epsilon: epsilon as f32,
    })
}
