//! One layer of an encoder that is built like BERT.

use std::ops::Range;

use super::activation::activate;
use super::disentangled::{DisentangledAttention, Positions};
use super::linear::Linear;
use super::normalisation::normalisation;
use super::scratch::{BLOCK, Worker, room};
use crate::model::Arithmetic;
use crate::model::architecture::{Activation, Architecture};
use crate::model::config::EncoderConfig;
use crate::model::kernels::{KernelPath, Normalisation, RelativeBias, WindowRows, add_and_normalise, attention};
use crate::model::weights::{Weights, WeightsError};

/// The weights and the bias of a linear layer.
type LinearValues = (Vec<f32>, Vec<f32>);

pub(super) struct Layer {
    query_key_value: Linear,
    attention_output: Linear,
    attention_norm: Normalisation,
    intermediate: Linear,
    output: Linear,
    output_norm: Normalisation,
    activation: Activation,
    /// For DeBERTa.
    disentangled: Option<DisentangledAttention>,
    hidden: usize,
    heads: usize,
}

impl Layer {
    pub(super) fn load(
        weights: &Weights<'_>,
        index: usize,
        config: &EncoderConfig,
        positions: Option<&Positions>,
        arithmetic: Arithmetic,
    ) -> Result<Self, WeightsError> {
        let (hidden, wide, heads) = (config.hidden_size, config.intermediate_size, config.num_attention_heads);
        let names = config.architecture.layer_names(index);
        let values = |name: &str, columns: usize, inputs: usize| -> Result<LinearValues, WeightsError> {
            let weight = weights.values(&format!("{name}.weight"), &[columns, inputs])?;
            Ok((weight, weights.values(&format!("{name}.bias"), &[columns])?))
        };
        let linear = |name: &str, columns: usize, inputs: usize| -> Result<Linear, WeightsError> {
            let (weight, bias) = values(name, columns, inputs)?;
            Ok(Linear::pack(&weight, bias, inputs, arithmetic))
        };
        // Scores are divided by the root of a head's width: the queries can as well be.
        let scaled = |name: &str, terms: usize| -> Result<LinearValues, WeightsError> {
            let (mut weight, mut bias) = values(name, hidden, hidden)?;
            let scale = 1.0 / ((hidden / heads * terms) as f32).sqrt();
            weight.iter_mut().chain(&mut bias).for_each(|value| *value *= scale);
            Ok((weight, bias))
        };
        let (query, key, disentangled) = match (&config.architecture, positions) {
            (Architecture::DebertaV2(how), Some(positions)) => {
                let (to_positions, from_positions) = (how.content_to_position, how.position_to_content);
                let terms = 1 + usize::from(to_positions) + usize::from(from_positions);
                let (query, key) = (scaled(&names.query, terms)?, values(&names.key, hidden, hidden)?);
                let own = |part: &str| names.query.replace("query_proj", part);
                let (own_query, own_key) = match how.shares_projections {
                    true => (query.clone(), key.clone()),
                    false => (
                        if from_positions { scaled(&own("pos_query_proj"), terms)? } else { Default::default() },
                        if to_positions { values(&own("pos_key_proj"), hidden, hidden)? } else { Default::default() },
                    ),
                };
                let own = (from_positions.then_some(&own_query), to_positions.then_some(&own_key));
                let sizes = (hidden, heads);
                let attention = DisentangledAttention::new(positions, own.0, own.1, sizes, arithmetic.kernels);
                (query, key, Some(attention))
            }
            _ => (scaled(&names.query, 1)?, values(&names.key, hidden, hidden)?, None),
        };
        let (mut weight, mut bias) = query;
        for (more_weight, more_bias) in [key, values(&names.value, hidden, hidden)?] {
            weight.extend(more_weight);
            bias.extend(more_bias);
        }
        Ok(Self {
            query_key_value: Linear::pack(&weight, bias, hidden, arithmetic),
            attention_output: linear(&names.attention_output, hidden, hidden)?,
            attention_norm: normalisation(weights, &names.attention_norm, config)?,
            intermediate: linear(&names.intermediate, wide, hidden)?,
            output: linear(&names.output, hidden, wide)?,
            output_norm: normalisation(weights, &names.output_norm, config)?,
            activation: config.activation,
            disentangled,
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

    /// Attention of some of a window's queries to the whole window: `out` is `[queries, hidden]`.
    pub(super) fn attend(
        &self,
        path: KernelPath,
        (bias, positions): (Option<RelativeBias<'_>>, Option<&Positions>),
        rows: &[f32],
        queries: Range<usize>,
        worker: &mut Worker,
        out: &mut [f32],
    ) {
        let rows = WindowRows { rows, heads: self.heads, size: self.hidden / self.heads, bias };
        match (&self.disentangled, positions) {
            (Some(own), Some(positions)) => {
                own.attend(path, positions, rows, queries, &mut worker.disentangled, out);
            }
            _ => attention(path, rows, queries, &mut worker.attention, out),
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
            activate(path, self.activation, wide);
            self.output.apply(path, wide, quantised, product);
            add_and_normalise(path, states, product, &self.output_norm);
        }
    }
}
