//! Embeddings: what each row starts from.

use super::scratch::Token;
use super::{WindowInput, normalisation};
use crate::model::config::EncoderConfig;
use crate::model::kernels::{HalfTable, KernelPath, Normalisation, add_and_normalise};
use crate::model::weights::{Weights, WeightsError};
use crate::text::{GAPS, SHAPES};

/// The table of words: the largest by far, so kept as it is stored.
enum Words {
    Half(HalfTable),
    Single(Vec<f32>),
}

pub(super) struct Embeddings {
    words: Words,
    /// With the embedding of the first segment kind, which every token has: `[positions, hidden]`.
    positions: Vec<f32>,
    shapes: Vec<f32>,
    gaps: Vec<f32>,
    norm: Normalisation,
    vocabulary: usize,
    hidden: usize,
}

impl Embeddings {
    pub(super) fn load(weights: &Weights<'_>, config: &EncoderConfig) -> Result<Self, WeightsError> {
        let hidden = config.hidden_size;
        let name = |part: &str| format!("bert.embeddings.{part}");
        let kinds = weights.values(&name("token_type_embeddings.weight"), &[config.type_vocab_size, hidden])?;
        let mut positions =
            weights.values(&name("position_embeddings.weight"), &[config.max_position_embeddings, hidden])?;
        for position in positions.chunks_exact_mut(hidden) {
            position.iter_mut().zip(&kinds).for_each(|(value, kind)| *value += kind);
        }
        let (words, shape) = (name("word_embeddings.weight"), [config.vocab_size, hidden]);
        Ok(Self {
            words: match weights.half_bits(&words, &shape)? {
                Some(bits) => Words::Half(HalfTable::new(bits, hidden)),
                None => Words::Single(weights.values(&words, &shape)?),
            },
            positions,
            shapes: weights.values(&name("shape_embeddings.weight"), &[SHAPES.len(), hidden])?,
            gaps: weights.values(&name("gap_embeddings.weight"), &[GAPS.len(), hidden])?,
            norm: normalisation(weights, &name("LayerNorm"), config)?,
            vocabulary: config.vocab_size,
            hidden,
        })
    }

    /// Whether everything that the window names is in the tables.
    pub(super) fn check(&self, window: &WindowInput<'_>) -> Result<(), String> {
        if let Some(id) = window.ids.iter().find(|&&id| id as usize >= self.vocabulary) {
            return Err(format!("token {id} is outside the vocabulary"));
        }
        let known = |classes: &[u8], count: usize| classes.iter().all(|&class| usize::from(class) < count);
        if known(window.shapes, SHAPES.len()) && known(window.gaps, GAPS.len()) {
            Ok(())
        } else {
            Err("a shape or gap is not one of the known classes".to_owned())
        }
    }

    /// `states`, and `spare` for the time being: `[tokens, hidden]`.
    pub(super) fn look_up(&self, path: KernelPath, tokens: &[Token], states: &mut [f32], spare: &mut [f32]) {
        let row =
            |table: &'_ [f32], index: usize| index * self.hidden..(index * self.hidden + self.hidden).min(table.len());
        let rows = states.chunks_exact_mut(self.hidden).zip(spare.chunks_exact_mut(self.hidden));
        for (token, (state, spare)) in tokens.iter().zip(rows) {
            match &self.words {
                Words::Half(table) => table.row(path, token.id as usize, state),
                Words::Single(table) => state.copy_from_slice(&table[row(table, token.id as usize)]),
            }
            let position = &self.positions[row(&self.positions, token.position as usize)];
            let shape = &self.shapes[row(&self.shapes, usize::from(token.shape))];
            let gap = &self.gaps[row(&self.gaps, usize::from(token.gap))];
            for (spare, (position, (shape, gap))) in spare.iter_mut().zip(position.iter().zip(shape.iter().zip(gap))) {
                *spare = position + (shape + gap);
            }
        }
        add_and_normalise(path, states, spare, &self.norm);
    }
}
