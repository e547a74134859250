//! One layer of the encoder.

use std::ops::Range;

use super::linear::Linear;
use super::normalisation;
use super::scratch::{Worker, room};
use crate::model::Arithmetic;
use crate::model::config::EncoderConfig;
use crate::model::kernels::{KernelPath, Normalisation, WindowRows, add_and_normalise, attention, gelu_in_place};
use crate::model::weights::{Weights, WeightsError};

/// Rows that go through the row-wise part of a layer together: their intermediate values stay in the second-level
/// cache.
const BLOCK: usize = 48;

pub(super) struct Layer {
    query_key_value: Linear,
    attention_output: Linear,
    attention_norm: Normalisation,
    intermediate: Linear,
    output: Linear,
    output_norm: Normalisation,
    hidden: usize,
    heads: usize,
}

impl Layer {
    pub(super) fn load(
        weights: &Weights<'_>,
        index: usize,
        config: &EncoderConfig,
        arithmetic: Arithmetic,
    ) -> Result<Self, WeightsError> {
        let (hidden, wide, heads) = (config.hidden_size, config.intermediate_size, config.num_attention_heads);
        let name = |part: &str| format!("bert.encoder.layer.{index}.{part}");
        let values = |part: &str, columns: usize, inputs: usize| -> Result<(Vec<f32>, Vec<f32>), WeightsError> {
            let weight = weights.values(&format!("{}.weight", name(part)), &[columns, inputs])?;
            Ok((weight, weights.values(&format!("{}.bias", name(part)), &[columns])?))
        };
        let linear = |part: &str, columns: usize, inputs: usize| -> Result<Linear, WeightsError> {
            let (weight, bias) = values(part, columns, inputs)?;
            Ok(Linear::pack(&weight, bias, inputs, arithmetic))
        };
        let (mut weight, mut bias) = values("attention.self.query", hidden, hidden)?;
        // Scores are divided by the root of a head's width: the queries can as well be.
        let scale = 1.0 / ((hidden / heads) as f32).sqrt();
        weight.iter_mut().chain(&mut bias).for_each(|value| *value *= scale);
        for part in ["attention.self.key", "attention.self.value"] {
            let (more_weight, more_bias) = values(part, hidden, hidden)?;
            weight.extend(more_weight);
            bias.extend(more_bias);
        }
        Ok(Self {
            query_key_value: Linear::pack(&weight, bias, hidden, arithmetic),
            attention_output: linear("attention.output.dense", hidden, hidden)?,
            attention_norm: normalisation(weights, &name("attention.output.LayerNorm"), config)?,
            intermediate: linear("intermediate.dense", wide, hidden)?,
            output: linear("output.dense", hidden, wide)?,
            output_norm: normalisation(weights, &name("output.LayerNorm"), config)?,
            hidden,
            heads,
        })
    }

    /// Queries, keys and values of some rows: `[rows, hidden]` -> `[rows, 3 * hidden]`.
    pub(super) fn project(&self, path: KernelPath, states: &[f32], packed: &mut [f32], worker: &mut Worker) {
        let rows = states.chunks(BLOCK * self.hidden).zip(packed.chunks_mut(BLOCK * 3 * self.hidden));
        for (states, packed) in rows {
            self.query_key_value.apply(path, states, &mut worker.quantised, packed);
        }
    }

    /// Attention of the rows from `first` on, each within its window; `packed` holds all rows of the batch.
    pub(super) fn attend(
        &self,
        path: KernelPath,
        windows: &[Range<usize>],
        packed: &[f32],
        first: usize,
        attended: &mut [f32],
        worker: &mut Worker,
    ) {
        let end = first + attended.len() / self.hidden;
        for window in windows {
            let (from, to) = (window.start.max(first), window.end.min(end));
            if from >= to {
                continue;
            }
            let rows = &packed[window.start * 3 * self.hidden..window.end * 3 * self.hidden];
            let rows = WindowRows { rows, heads: self.heads, size: self.hidden / self.heads };
            let out = &mut attended[(from - first) * self.hidden..(to - first) * self.hidden];
            attention(path, rows, from - window.start..to - window.start, &mut worker.attention, out);
        }
    }

    /// All that follows attention, in place: `states` and `attended` are `[rows, hidden]`.
    pub(super) fn feed(&self, path: KernelPath, states: &mut [f32], attended: &[f32], worker: &mut Worker) {
        let Worker { quantised, product, wide, .. } = worker;
        let blocks = states.chunks_mut(BLOCK * self.hidden).zip(attended.chunks(BLOCK * self.hidden));
        for (states, attended) in blocks {
            let wide = room(wide, states.len() / self.hidden * self.intermediate.columns());
            let product = room(product, states.len());
            self.attention_output.apply(path, attended, quantised, product);
            add_and_normalise(path, states, product, &self.attention_norm);
            self.intermediate.apply(path, states, quantised, wide);
            gelu_in_place(path, wide);
            self.output.apply(path, wide, quantised, product);
            add_and_normalise(path, states, product, &self.output_norm);
        }
    }
}
