//! Embeddings: what each row starts from.

use super::input::WindowInput;
use super::linear::Linear;
use super::normalisation::norm_of;
use super::scratch::{BLOCK, Token, Worker, room};
use crate::model::Arithmetic;
use crate::model::config::EncoderConfig;
use crate::model::kernels::{HalfTable, KernelPath, Normalisation, add_and_normalise};
use crate::model::weights::{Weights, WeightsError};
use crate::text::{ENCODER_SHAPES, GAPS, SHAPES};

/// The table of words: the largest by far, so kept as it is stored.
enum Words {
    Half(HalfTable),
    Single(Vec<f32>),
}

/// Tables of what an uncased vocabulary leaves out.
struct Features {
    shapes: Vec<f32>,
    gaps: Vec<f32>,
}

pub(super) struct Embeddings {
    words: Words,
    /// With the embedding of the first segment kind, which every token has: `[positions, width]`, or one row for all.
    positions: Vec<f32>,
    /// Number of the first position; `None` where all tokens have one row.
    first_position: Option<usize>,
    features: Option<Features>,
    norm: Normalisation,
    /// From the width of the tables to that of the states, where they differ.
    projection: Option<Linear>,
    vocabulary: usize,
    width: usize,
}

impl Embeddings {
    pub(super) fn load(
        weights: &Weights<'_>,
        config: &EncoderConfig,
        shapes: usize,
        arithmetic: Arithmetic,
    ) -> Result<Self, WeightsError> {
        let (hidden, architecture) = (config.hidden_size, &config.architecture);
        let width = config.embedding_size.unwrap_or(hidden);
        let name = |part: &str| format!("{}.embeddings.{part}.weight", architecture.prefix());
        let table = |part: &str, rows: usize| weights.values(&name(part), &[rows, width]);
        let mut positions = match architecture.adds_positions() {
            true => table("position_embeddings", config.max_position_embeddings)?,
            false => vec![0.0; width],
        };
        if config.type_vocab_size > 0 {
            let kinds = table("token_type_embeddings", config.type_vocab_size)?;
            for position in positions.chunks_exact_mut(width) {
                position.iter_mut().zip(&kinds).for_each(|(value, kind)| *value += kind);
            }
        }
        let ((words, norm), shape) = (architecture.embedding_names(), [config.vocab_size, width]);
        let features = || -> Result<Features, WeightsError> {
            let shapes = table("shape_embeddings", shapes)?;
            Ok(Features { shapes, gaps: table("gap_embeddings", GAPS.len())? })
        };
        let projection = || -> Result<Linear, WeightsError> {
            let name = |part: &str| format!("{}.embeddings_project.{part}", architecture.prefix());
            let weight = weights.values(&name("weight"), &[hidden, width])?;
            Ok(Linear::pack(&weight, weights.values(&name("bias"), &[hidden])?, width, arithmetic))
        };
        Ok(Self {
            words: match weights.half_bits(&words, &shape)? {
                Some(bits) => Words::Half(HalfTable::new(bits, width)),
                None => Words::Single(weights.values(&words, &shape)?),
            },
            positions,
            first_position: architecture.adds_positions().then(|| architecture.first_position()),
            features: if shapes > 0 { Some(features()?) } else { None },
            norm: norm_of(weights, &norm, width, config.layer_norm_eps)?,
            projection: if width == hidden { None } else { Some(projection()?) },
            vocabulary: config.vocab_size,
            width,
        })
    }

    /// Whether there is a shape for the words of windows whose capitals tell nothing.
    pub(super) fn has_caseless(&self) -> bool {
        let size = ENCODER_SHAPES.len() * self.width;
        self.features.as_ref().is_some_and(|features| features.shapes.len() == size)
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
    pub(super) fn look_up(
        &self,
        path: KernelPath,
        tokens: &[Token],
        states: &mut [f32],
        spare: &mut [f32],
        worker: &mut Worker,
    ) {
        let Some(projection) = &self.projection else { return self.add_up(path, tokens, states, spare) };
        let Worker { quantised, product, wide, .. } = worker;
        for (tokens, states) in tokens.chunks(BLOCK).zip(states.chunks_mut(BLOCK * projection.columns())) {
            let narrow = room(product, tokens.len() * self.width);
            self.add_up(path, tokens, narrow, room(wide, tokens.len() * self.width));
            projection.apply(path, narrow, quantised, states);
        }
    }

    /// The sum of a token's embeddings, normalised; `states` and `spare`: `[tokens, width]`.
    fn add_up(&self, path: KernelPath, tokens: &[Token], states: &mut [f32], spare: &mut [f32]) {
        let row =
            |table: &'_ [f32], index: usize| index * self.width..(index * self.width + self.width).min(table.len());
        let rows = states.chunks_exact_mut(self.width).zip(spare.chunks_exact_mut(self.width));
        for (token, (state, spare)) in tokens.iter().zip(rows) {
            match &self.words {
                Words::Half(table) => table.row(path, token.id as usize, state),
                Words::Single(table) => state.copy_from_slice(&table[row(table, token.id as usize)]),
            }
            let position = self.first_position.map_or(0, |first| first + token.position as usize);
            let position = &self.positions[row(&self.positions, position)];
            let Some(Features { shapes, gaps }) = &self.features else {
                spare.copy_from_slice(position);
                continue;
            };
            let (shape, gap) =
                (&shapes[row(shapes, usize::from(token.shape))], &gaps[row(gaps, usize::from(token.gap))]);
            for (spare, (position, (shape, gap))) in spare.iter_mut().zip(position.iter().zip(shape.iter().zip(gap))) {
                *spare = position + (shape + gap);
            }
        }
        add_and_normalise(path, states, spare, &self.norm);
    }
}
