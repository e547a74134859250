//! The encoder: BERT (Devlin et al. 2019) over windows packed end to end, without padding.
//!
//! All windows of a batch form one `[rows, hidden]` matrix for everything that works row by row; only attention
//! looks at one window at a time. So the work grows with the tokens, whatever the mix of lengths. Candle reads the
//! weights; the pass itself runs on plain slices in an arena that is kept from batch to batch.

mod embeddings;
mod layer;
mod linear;
mod scratch;

use std::ops::Range;

use rayon::prelude::*;

use super::config::EncoderConfig;
use super::kernels::Normalisation;
use super::weights::{Weights, WeightsError};
use super::{Arithmetic, ModelError};
use crate::text::Tokens;
use embeddings::Embeddings;
use layer::Layer;
pub(super) use scratch::Scratch;
use scratch::for_each_part;

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

impl<'tokens> WindowInput<'tokens> {
    /// The window of these tokens of a document.
    pub fn new(tokens: &'tokens Tokens, range: Range<usize>) -> Self {
        Self { ids: &tokens.ids[range.clone()], shapes: &tokens.shapes[range.clone()], gaps: &tokens.gaps[range] }
    }
}

/// The weights of one layer normalisation.
fn normalisation(weights: &Weights<'_>, name: &str, config: &EncoderConfig) -> Result<Normalisation, WeightsError> {
    Ok(Normalisation {
        weight: weights.values(&format!("{name}.weight"), &[config.hidden_size])?,
        bias: weights.values(&format!("{name}.bias"), &[config.hidden_size])?,
        epsilon: config.layer_norm_eps as f32,
    })
}

pub(super) struct Encoder {
    embeddings: Embeddings,
    layers: Vec<Layer>,
    config: EncoderConfig,
    arithmetic: Arithmetic,
}

impl Encoder {
    pub(super) fn load(
        config: &EncoderConfig,
        weights: &Weights<'_>,
        arithmetic: Arithmetic,
    ) -> Result<Self, WeightsError> {
        let layers = (0..config.num_hidden_layers).into_par_iter();
        // One after the other again, so that of several errors the first is told.
        let layers: Vec<_> = layers.map(|index| Layer::load(weights, index, config, arithmetic)).collect();
        Ok(Self {
            embeddings: Embeddings::load(weights, config)?,
            layers: layers.into_iter().collect::<Result<_, _>>()?,
            config: config.clone(),
            arithmetic,
        })
    }

    /// Leaves the states of all windows end to end in the scratch, `[rows, hidden]`, special tokens included. The
    /// rows are shared out to `threads` threads of the rayon pool that this is called in. After each layer but the last
    /// comes a `pause`.
    pub(super) fn forward(
        &self,
        windows: &[WindowInput<'_>],
        special: (u32, u32),
        threads: usize,
        scratch: &mut Scratch,
        pause: &mut dyn FnMut(),
    ) -> Result<(), ModelError> {
        windows.iter().try_for_each(|window| self.check(window))?;
        let hidden = self.config.hidden_size;
        let path = self.arithmetic.kernels;
        scratch.prepare(windows, special, hidden, threads);
        let Scratch { tokens, windows, states, packed, attended, workers, .. } = scratch;
        for_each_part(
            threads,
            (tokens.as_slice(), 1),
            (states.as_mut_slice(), hidden),
            (attended.as_mut_slice(), hidden),
            workers,
            |_, tokens, states, spare, _| self.embeddings.look_up(path, tokens, states, spare),
        );
        for (index, layer) in self.layers.iter().enumerate() {
            if index > 0 {
                pause();
            }
            for_each_part(
                threads,
                (states.as_slice(), hidden),
                (packed.as_mut_slice(), 3 * hidden),
                (&mut [], 0),
                workers,
                |_, states, packed, _, worker| layer.project(path, states, packed, worker),
            );
            let packed = packed.as_slice();
            for_each_part(
                threads,
                (tokens.as_slice(), 1),
                (states.as_mut_slice(), hidden),
                (attended.as_mut_slice(), hidden),
                workers,
                |first, _, states, attended, worker| {
                    layer.attend(path, windows, packed, first, attended, worker);
                    layer.feed(path, states, attended, worker);
                },
            );
        }
        Ok(())
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
        self.embeddings.check(window).map_err(ModelError::Window)
    }
}
