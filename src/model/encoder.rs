//! The encoder: BERT (Devlin et al. 2019) over windows packed end to end, without padding.
//!
//! All windows of a batch form one `[rows, hidden]` matrix for everything that works row by row; only attention
//! looks at one window at a time. So the work grows with the tokens, whatever the mix of lengths.

use candle_core::{D, DType, Device, Tensor};
use candle_nn::ops::softmax_last_dim;

use super::ModelError;
use super::config::EncoderConfig;
use super::kernels::{add_bias, bias_gelu, residual_layer_norm};
use super::weights::{Weights, WeightsError};
use crate::text::{GAPS, SHAPES};

/// One window as the encoder wants it, special tokens left out.
#[derive(Debug, Clone, Copy)]
pub struct WindowInput<'tokens> {
    /// Vocabulary ids.
    pub ids: &'tokens [u32],
    /// [`crate::text::Shape`] classes, one per id.
    pub shapes: &'tokens [u8],
    /// [`crate::text::Gap`] classes, one per id.
    pub gaps: &'tokens [u8],
}

/// A linear layer; the weight is stored transposed, `[in, out]`, ready for row-major products.
struct Linear {
    weight: Tensor,
    bias: Vec<f32>,
}

impl Linear {
    /// Loads and joins layers that read the same input: their outputs stand side by side.
    fn load(weights: &Weights<'_>, names: &[String], out: usize, width: usize) -> Result<Self, WeightsError> {
        let mut parts = Vec::new();
        let mut bias = Vec::new();
        for name in names {
            parts.push(weights.tensor(&format!("{name}.weight"), &[out, width])?);
            bias.extend(weights.values(&format!("{name}.bias"), &[out])?);
        }
        Ok(Self { weight: Tensor::cat(&parts, 0)?.t()?.contiguous()?, bias })
    }

    /// `[rows, in]` -> `[rows, out]`, the bias not yet added: the step that follows adds it in passing.
    fn product(&self, input: &Tensor) -> candle_core::Result<Tensor> {
        input.matmul(&self.weight)
    }
}

struct LayerNorm {
    weight: Vec<f32>,
    bias: Vec<f32>,
    epsilon: f32,
}

impl LayerNorm {
    fn load(weights: &Weights<'_>, name: &str, config: &EncoderConfig) -> Result<Self, WeightsError> {
        Ok(Self {
            weight: weights.values(&format!("{name}.weight"), &[config.hidden_size])?,
            bias: weights.values(&format!("{name}.bias"), &[config.hidden_size])?,
            epsilon: config.layer_norm_eps as f32,
        })
    }

    /// `LayerNorm(product + bias + residual)`
    fn apply(&self, product: &Tensor, bias: &[f32], residual: &Tensor) -> candle_core::Result<Tensor> {
        residual_layer_norm(product, bias, residual, &self.weight, &self.bias, self.epsilon)
    }
}

struct Layer {
    query_key_value: Linear,
    attention_output: Linear,
    attention_norm: LayerNorm,
    intermediate: Linear,
    output: Linear,
    output_norm: LayerNorm,
}

impl Layer {
    fn load(weights: &Weights<'_>, index: usize, config: &EncoderConfig) -> Result<Self, WeightsError> {
        let (hidden, wide) = (config.hidden_size, config.intermediate_size);
        let name = |part: &str| format!("bert.encoder.layer.{index}.{part}");
        let parts = ["query", "key", "value"].map(|part| name(&format!("attention.self.{part}")));
        Ok(Self {
            query_key_value: Linear::load(weights, &parts, hidden, hidden)?,
            attention_output: Linear::load(weights, &[name("attention.output.dense")], hidden, hidden)?,
            attention_norm: LayerNorm::load(weights, &name("attention.output.LayerNorm"), config)?,
            intermediate: Linear::load(weights, &[name("intermediate.dense")], wide, hidden)?,
            output: Linear::load(weights, &[name("output.dense")], hidden, wide)?,
            output_norm: LayerNorm::load(weights, &name("output.LayerNorm"), config)?,
        })
    }

    /// `states`: `[rows, hidden]`; `lengths`: rows of each window.
    fn forward(&self, states: &Tensor, lengths: &[usize], heads: usize) -> candle_core::Result<Tensor> {
        let packed = add_bias(&self.query_key_value.product(states)?, &self.query_key_value.bias)?;
        let attended = attention(&packed, lengths, heads)?;
        let product = self.attention_output.product(&attended)?;
        let states = self.attention_norm.apply(&product, &self.attention_output.bias, states)?;
        let wide = bias_gelu(&self.intermediate.product(&states)?, &self.intermediate.bias)?;
        let product = self.output.product(&wide)?;
        self.output_norm.apply(&product, &self.output.bias, &states)
    }
}

/// Scaled dot-product attention within each window. `packed`: `[rows, 3 * hidden]` (queries, keys, values).
fn attention(packed: &Tensor, lengths: &[usize], heads: usize) -> candle_core::Result<Tensor> {
    let hidden = packed.dim(1)? / 3;
    let size = hidden / heads;
    let scale = 1.0 / (size as f64).sqrt();
    let mut windows = Vec::with_capacity(lengths.len());
    let mut row = 0;
    for &length in lengths {
        let window = packed.narrow(0, row, length)?;
        let part = |index: usize| -> candle_core::Result<Tensor> {
            let part = window.narrow(1, index * hidden, hidden)?.contiguous()?;
            part.reshape((length, heads, size))?.transpose(0, 1)?.contiguous()
        };
        let (query, key, value) = ((part(0)? * scale)?, part(1)?, part(2)?);
        let weights = softmax_last_dim(&query.matmul(&key.t()?)?)?;
        windows.push(weights.matmul(&value)?.transpose(0, 1)?.contiguous()?.reshape((length, hidden))?);
        row += length;
    }
    Tensor::cat(&windows, 0)
}

pub(super) struct Encoder {
    /// Kept as stored (half precision): only the rows in use are widened.
    words: Tensor,
    positions: Tensor,
    shapes: Tensor,
    gaps: Tensor,
    norm: LayerNorm,
    zero_bias: Vec<f32>,
    layers: Vec<Layer>,
    config: EncoderConfig,
}

impl Encoder {
    pub(super) fn load(config: &EncoderConfig, weights: &Weights<'_>) -> Result<Self, WeightsError> {
        let hidden = config.hidden_size;
        let name = |part: &str| format!("bert.embeddings.{part}");
        let kinds = weights.tensor(&name("token_type_embeddings.weight"), &[config.type_vocab_size, hidden])?;
        let positions =
            weights.tensor(&name("position_embeddings.weight"), &[config.max_position_embeddings, hidden])?;
        Ok(Self {
            words: weights.stored(&name("word_embeddings.weight"), &[config.vocab_size, hidden])?,
            // Every token is of the first kind: its embedding can as well be part of the position's.
            positions: positions.broadcast_add(&kinds.narrow(0, 0, 1)?)?,
            shapes: weights.tensor(&name("shape_embeddings.weight"), &[SHAPES.len(), hidden])?,
            gaps: weights.tensor(&name("gap_embeddings.weight"), &[GAPS.len(), hidden])?,
            norm: LayerNorm::load(weights, &name("LayerNorm"), config)?,
            zero_bias: vec![0.0; hidden],
            layers: (0..config.num_hidden_layers)
                .map(|index| Layer::load(weights, index, config))
                .collect::<Result<_, _>>()?,
            config: config.clone(),
        })
    }

    /// States of all windows end to end, `[rows, hidden]`, special tokens included.
    pub(super) fn forward(&self, windows: &[WindowInput<'_>], special: (u32, u32)) -> Result<Tensor, ModelError> {
        let rows = windows.iter().map(|window| window.ids.len() + 2).sum();
        let mut ids: Vec<u32> = Vec::with_capacity(rows);
        let (mut shapes, mut gaps, mut positions) = (ids.clone(), ids.clone(), ids.clone());
        let mut lengths = Vec::with_capacity(windows.len());
        for window in windows {
            self.check(window)?;
            let length = window.ids.len() + 2;
            lengths.push(length);
            ids.push(special.0);
            ids.extend_from_slice(window.ids);
            ids.push(special.1);
            for (classes, all) in [(window.shapes, &mut shapes), (window.gaps, &mut gaps)] {
                all.push(0);
                all.extend(classes.iter().map(|&class| u32::from(class)));
                all.push(0);
            }
            positions.extend((0u32..).take(length));
        }
        Ok(self.run(ids, shapes, gaps, positions, &lengths)?)
    }

    fn check(&self, window: &WindowInput<'_>) -> Result<(), ModelError> {
        let length = window.ids.len() + 2;
        let limit = self.config.max_position_embeddings;
        if window.ids.is_empty() || length > limit {
            return Err(ModelError::Window(format!("{length} tokens, not 3 to {limit}")));
        }
        if window.shapes.len() != window.ids.len() || window.gaps.len() != window.ids.len() {
            return Err(ModelError::Window("a shape and a gap are needed for each token".to_owned()));
        }
        match window.ids.iter().find(|&&id| id as usize >= self.config.vocab_size) {
            Some(id) => Err(ModelError::Window(format!("token {id} is outside the vocabulary"))),
            None => Ok(()),
        }
    }

    fn run(
        &self,
        ids: Vec<u32>,
        shapes: Vec<u32>,
        gaps: Vec<u32>,
        positions: Vec<u32>,
        lengths: &[usize],
    ) -> candle_core::Result<Tensor> {
        let rows = ids.len();
        let lookup =
            |table: &Tensor, indices: Vec<u32>| table.index_select(&Tensor::from_vec(indices, rows, &Device::Cpu)?, 0);
        let words = lookup(&self.words, ids)?.to_dtype(DType::F32)?;
        let places = lookup(&self.positions, positions)?;
        let features = (lookup(&self.shapes, shapes)? + lookup(&self.gaps, gaps)?)?;
        let mut states = self.norm.apply(&(words + features)?, &self.zero_bias, &places)?;
        for layer in &self.layers {
            states = layer.forward(&states, lengths, self.config.num_attention_heads)?;
        }
        debug_assert_eq!(states.dim(D::Minus1)?, self.config.hidden_size);
        Ok(states)
    }
}
