//! ModernBERT's layers (Warner et al. 2024): normalised before their products instead of behind, with rotary positions
//! (Su et al. 2021) and a gate.

use std::ops::Range;

use super::activation::activate;
use super::linear::Linear;
use super::normalisation::norm_of;
use super::scratch::{BLOCK, Token, Worker, room};
use crate::model::Arithmetic;
use crate::model::architecture::{Activation, Rotary};
use crate::model::config::EncoderConfig;
use crate::model::kernels::{KernelPath, Normalisation, RelativeBias, WindowRows, add_and_normalise, attention};
use crate::model::weights::{Weights, WeightsError};

/// Sines and cosines of the angles by which queries and keys are turned: `[positions, size / 2]` each.
pub(super) struct Angles {
    sines: Vec<f32>,
    cosines: Vec<f32>,
    half: usize,
}

impl Angles {
    /// For heads of this size and so many positions.
    pub(super) fn new(base: f64, size: usize, positions: usize) -> Self {
        let half = size / 2;
        let frequencies: Vec<f32> =
            (0..half).map(|pair| (1.0 / base.powf(2.0 * pair as f64 / size as f64)) as f32).collect();
        let angles = || (0..positions).flat_map(|at| frequencies.iter().map(move |frequency| at as f32 * frequency));
        Self { sines: angles().map(f32::sin).collect(), cosines: angles().map(f32::cos).collect(), half }
    }

    /// Turns one head of a query or key.
    fn turn(&self, position: usize, head: &mut [f32]) {
        let at = position * self.half..(position + 1) * self.half;
        let (left, right) = head.split_at_mut(self.half);
        let angles = self.sines[at.clone()].iter().zip(&self.cosines[at]);
        for ((left, right), (sine, cosine)) in left.iter_mut().zip(right).zip(angles) {
            (*left, *right) = (*left * cosine - *right * sine, *right * cosine + *left * sine);
        }
    }
}

pub(super) struct RotaryLayer {
    /// The first layer's states are normalised already.
    attention_norm: Option<Normalisation>,
    query_key_value: Linear,
    attention_output: Linear,
    norm: Normalisation,
    /// The values and their gates: `[2 * wide, hidden]`
    intermediate: Linear,
    output: Linear,
    activation: Activation,
    /// Sees near tokens only.
    pub(super) is_local: bool,
    hidden: usize,
    heads: usize,
}

impl RotaryLayer {
    pub(super) fn load(
        weights: &Weights<'_>,
        index: usize,
        config: &EncoderConfig,
        how: &Rotary,
        arithmetic: Arithmetic,
    ) -> Result<Self, WeightsError> {
        let (hidden, wide, heads) = (config.hidden_size, config.intermediate_size, config.num_attention_heads);
        let name = |part: &str| format!("{}.layers.{index}.{part}", config.architecture.prefix());
        let values = |part: &str, columns: usize, inputs: usize| -> Result<(Vec<f32>, Vec<f32>), WeightsError> {
            let weight = weights.values(&name(&format!("{part}.weight")), &[columns, inputs])?;
            Ok((weight, weights.values_or_zeros(&name(&format!("{part}.bias")), columns)?))
        };
        let linear = |part: &str, columns: usize, inputs: usize| -> Result<Linear, WeightsError> {
            let (weight, bias) = values(part, columns, inputs)?;
            Ok(Linear::pack(&weight, bias, inputs, arithmetic))
        };
        let norm = |part: &str| norm_of(weights, &name(part), hidden, config.layer_norm_eps);
        let (mut weight, mut bias) = values("attn.Wqkv", 3 * hidden, hidden)?;
        let scale = 1.0 / ((hidden / heads) as f32).sqrt();
        weight[..hidden * hidden].iter_mut().chain(&mut bias[..hidden]).for_each(|value| *value *= scale);
        Ok(Self {
            attention_norm: if index == 0 { None } else { Some(norm("attn_norm")?) },
            query_key_value: Linear::pack(&weight, bias, hidden, arithmetic),
            attention_output: linear("attn.Wo", hidden, hidden)?,
            norm: norm("mlp_norm")?,
            intermediate: linear("mlp.Wi", 2 * wide, hidden)?,
            output: linear("mlp.Wo", hidden, wide)?,
            activation: config.activation,
            is_local: how.local.get(index).copied().unwrap_or_default(),
            hidden,
            heads,
        })
    }

    /// Queries, keys and values of some rows: `[rows, hidden]` -> `[rows, 3 * hidden]`.
    pub(super) fn project(
        &self,
        path: KernelPath,
        angles: &Angles,
        tokens: &[Token],
        states: &[f32],
        packed: &mut [f32],
        worker: &mut Worker,
    ) {
        let Worker { quantised, product, .. } = worker;
        let rows = states.chunks(BLOCK * self.hidden).zip(packed.chunks_mut(BLOCK * 3 * self.hidden));
        for (states, packed) in rows {
            match &self.attention_norm {
                Some(norm) => {
                    let normalised = room(product, states.len());
                    normalise(path, states, norm, normalised);
                    self.query_key_value.apply(path, normalised, quantised, packed);
                }
                None => self.query_key_value.apply(path, states, quantised, packed),
            }
        }
        let size = self.hidden / self.heads;
        for (token, row) in tokens.iter().zip(packed.chunks_exact_mut(3 * self.hidden)) {
            // Queries, then keys.
            let heads = row[..2 * self.hidden].chunks_exact_mut(size);
            heads.for_each(|head| angles.turn(token.position as usize, head));
        }
    }

    /// Attention of the rows from `first` on, each within its window; `packed` holds all rows of the batch.
    pub(super) fn attend(
        &self,
        path: KernelPath,
        bias: Option<RelativeBias<'_>>,
        rows: &[f32],
        queries: Range<usize>,
        worker: &mut Worker,
        out: &mut [f32],
    ) {
        let rows = WindowRows { rows, heads: self.heads, size: self.hidden / self.heads, bias };
        attention(path, rows, queries, &mut worker.attention, out);
    }

    /// All that follows attention, in place: `states` and `attended` are `[rows, hidden]`.
    pub(super) fn feed(&self, path: KernelPath, states: &mut [f32], attended: &[f32], worker: &mut Worker) {
        let Worker { quantised, product, wide, gated, .. } = worker;
        let blocks = states.chunks_mut(BLOCK * self.hidden).zip(attended.chunks(BLOCK * self.hidden));
        let width = self.intermediate.columns() / 2;
        for (states, attended) in blocks {
            let count = states.len() / self.hidden;
            let product = room(product, states.len());
            self.attention_output.apply(path, attended, quantised, product);
            states.iter_mut().zip(product.iter()).for_each(|(state, more)| *state += more);
            normalise(path, states, &self.norm, product);
            let wide = room(wide, count * 2 * width);
            self.intermediate.apply(path, product, quantised, wide);
            let gated = room(gated, count * width);
            for (wide, gated) in wide.chunks_exact(2 * width).zip(gated.chunks_exact_mut(width)) {
                gated.copy_from_slice(&wide[..width]);
            }
            activate(path, self.activation, gated);
            for (wide, gated) in wide.chunks_exact(2 * width).zip(gated.chunks_exact_mut(width)) {
                gated.iter_mut().zip(&wide[width..]).for_each(|(value, gate)| *value *= gate);
            }
            self.output.apply(path, gated, quantised, product);
            states.iter_mut().zip(product.iter()).for_each(|(state, more)| *state += more);
        }
    }
}

/// What comes behind the last layer: a normalisation, and the prediction head's projection.
pub(super) struct RotaryEnd {
    norm: Normalisation,
    dense: Linear,
    activation: Activation,
    dense_norm: Normalisation,
}

impl RotaryEnd {
    pub(super) fn load(
        weights: &Weights<'_>,
        config: &EncoderConfig,
        how: &Rotary,
        arithmetic: Arithmetic,
    ) -> Result<Self, WeightsError> {
        let hidden = config.hidden_size;
        let norm = |name: &str| norm_of(weights, name, hidden, config.layer_norm_eps);
        let dense = weights.values("head.dense.weight", &[hidden, hidden])?;
        Ok(Self {
            norm: norm(&format!("{}.final_norm", config.architecture.prefix()))?,
            dense: Linear::pack(&dense, weights.values_or_zeros("head.dense.bias", hidden)?, hidden, arithmetic),
            activation: how.head_activation,
            dense_norm: norm("head.norm")?,
        })
    }

    /// In place: `[rows, hidden]`.
    pub(super) fn apply(&self, path: KernelPath, states: &mut [f32], worker: &mut Worker) {
        let Worker { quantised, product, .. } = worker;
        for states in states.chunks_mut(BLOCK * self.dense.columns()) {
            let product = room(product, states.len());
            normalise(path, states, &self.norm, product);
            self.dense.apply(path, product, quantised, states);
            activate(path, self.activation, states);
            product.fill(0.0);
            add_and_normalise(path, states, product, &self.dense_norm);
        }
    }
}

fn normalise(path: KernelPath, states: &[f32], norm: &Normalisation, out: &mut [f32]) {
    out.fill(0.0);
    add_and_normalise(path, out, states, norm);
}
