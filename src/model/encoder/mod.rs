//! The encoder: BERT (Devlin et al. 2019) and its relatives over windows packed end to end, without padding.
//!
//! All windows of a batch form one `[rows, hidden]` matrix for everything that works row by row; only attention
//! looks at one window at a time. So the work grows with the tokens, whatever the mix of lengths. Candle reads the
//! weights; the pass itself runs on plain slices in an arena that is kept from batch to batch.

mod activation;
mod bias;
mod disentangled;
mod embeddings;
mod input;
mod layer;
mod linear;
mod normalisation;
mod rotary;
mod scratch;

use std::ops::{ControlFlow, Range};

use rayon::prelude::*;

use super::architecture::Architecture;
use super::config::EncoderConfig;
use super::kernels::KernelPath;
use super::weights::{Weights, WeightsError};
use super::{Arithmetic, ModelError};
use bias::BiasTable;
use disentangled::Positions;
use embeddings::Embeddings;
pub use input::WindowInput;
use layer::Layer;
use rotary::{Angles, RotaryEnd, RotaryLayer};
pub(super) use scratch::Scratch;
use scratch::{Token, Worker, for_each_part};

pub(super) struct Encoder {
    embeddings: Embeddings,
    layers: Layers,
    config: EncoderConfig,
    arithmetic: Arithmetic,
}

/// The layers, with what all of them share.
enum Layers {
    /// Built like BERT's.
    Bert { layers: Vec<Layer>, bias: Option<BiasTable>, positions: Option<Positions> },
    /// ModernBERT's: angles of layers that see everything, and of those that see near tokens only.
    Rotary { layers: Vec<RotaryLayer>, angles: (Angles, Angles), near: BiasTable, end: Box<RotaryEnd> },
}

impl Layers {
    fn load(config: &EncoderConfig, weights: &Weights<'_>, arithmetic: Arithmetic) -> Result<Self, WeightsError> {
        let (heads, reach) = (config.num_attention_heads, config.window_limit());
        if let Architecture::ModernBert(how) = &config.architecture {
            let layer = |index| RotaryLayer::load(weights, index, config, how, arithmetic);
            let size = config.hidden_size / heads;
            return Ok(Self::Rotary {
                layers: in_parallel(config.num_hidden_layers, layer)?,
                angles: (Angles::new(how.bases.0, size, reach), Angles::new(how.bases.1, size, reach)),
                near: BiasTable::band(how.reach, reach),
                end: Box::new(RotaryEnd::load(weights, config, how, arithmetic)?),
            });
        }
        let bias = match &config.architecture {
            Architecture::MpNet { relative_buckets } => {
                let name = format!("{}.encoder.relative_attention_bias.weight", config.architecture.prefix());
                Some(BiasTable::learned(weights, &name, (*relative_buckets, heads, reach))?)
            }
            _ => None,
        };
        let positions = match &config.architecture {
            Architecture::DebertaV2(how) => Some(Positions::load(weights, config, how, arithmetic)?),
            _ => None,
        };
        let layer = |index| Layer::load(weights, index, config, positions.as_ref(), arithmetic);
        Ok(Self::Bert { layers: in_parallel(config.num_hidden_layers, layer)?, bias, positions })
    }

    fn count(&self) -> usize {
        match self {
            Self::Bert { layers, .. } => layers.len(),
            Self::Rotary { layers, .. } => layers.len(),
        }
    }

    /// Queries, keys and values of some rows: `[rows, hidden]` -> `[rows, 3 * hidden]`.
    fn project(
        &self,
        index: usize,
        path: KernelPath,
        tokens: &[Token],
        states: &[f32],
        packed: &mut [f32],
        worker: &mut Worker,
    ) {
        match self {
            Self::Bert { layers, .. } => layers[index].project(path, states, packed, worker),
            Self::Rotary { layers, angles: (all, near), .. } => {
                let angles = if layers[index].is_local { near } else { all };
                layers[index].project(path, angles, tokens, states, packed, worker);
            }
        }
    }

    /// Attention of some of a window's queries to the whole window: `out` is `[queries, hidden]`.
    fn attend(
        &self,
        index: usize,
        path: KernelPath,
        rows: &[f32],
        queries: Range<usize>,
        worker: &mut Worker,
        out: &mut [f32],
    ) {
        match self {
            Self::Bert { layers, bias, positions } => {
                let bias = bias.as_ref().map(BiasTable::get);
                layers[index].attend(path, (bias, positions.as_ref()), rows, queries, worker, out);
            }
            Self::Rotary { layers, near, .. } => {
                let bias = layers[index].is_local.then(|| near.get());
                layers[index].attend(path, bias, rows, queries, worker, out);
            }
        }
    }

    /// All that follows attention, in place: `states` and `attended` are `[rows, hidden]`.
    fn feed(&self, index: usize, path: KernelPath, states: &mut [f32], attended: &[f32], worker: &mut Worker) {
        match self {
            Self::Bert { layers, .. } => layers[index].feed(path, states, attended, worker),
            Self::Rotary { layers, end, .. } => {
                layers[index].feed(path, states, attended, worker);
                if index + 1 == layers.len() {
                    end.apply(path, states, worker);
                }
            }
        }
    }
}

/// Loads layers on all cores; of several errors the first is told.
fn in_parallel<Layer: Send>(
    count: usize,
    load: impl Fn(usize) -> Result<Layer, WeightsError> + Sync + Send,
) -> Result<Vec<Layer>, WeightsError> {
    let layers: Vec<_> = (0..count).into_par_iter().map(load).collect();
    layers.into_iter().collect()
}

impl Encoder {
    /// `shapes`: how many word shapes the model knows; none where it does not know gaps, either.
    pub(super) fn load(
        config: &EncoderConfig,
        weights: &Weights<'_>,
        shapes: usize,
        arithmetic: Arithmetic,
    ) -> Result<Self, WeightsError> {
        // First what is checked against the file: tables of positions are computed from its sizes.
        let embeddings = Embeddings::load(weights, config, shapes, arithmetic)?;
        Ok(Self { embeddings, layers: Layers::load(config, weights, arithmetic)?, config: config.clone(), arithmetic })
    }

    /// Leaves the states of all windows end to end in the scratch, `[rows, hidden]`, special tokens included. The
    /// rows are shared out to `threads` threads of the rayon pool that this is called in. After each layer but the last
    /// comes a `pause`, which may end it with [`ModelError::GivenUp`].
    pub(super) fn forward(
        &self,
        windows: &[WindowInput<'_>],
        special: (u32, u32),
        threads: usize,
        scratch: &mut Scratch,
        pause: &mut dyn FnMut() -> ControlFlow<()>,
    ) -> Result<(), ModelError> {
        windows.iter().try_for_each(|window| self.check(window))?;
        let hidden = self.config.hidden_size;
        let path = self.arithmetic.kernels;
        scratch.prepare(windows, special, self.embeddings.has_caseless(), hidden, threads);
        let Scratch { tokens, windows, states, packed, attended, workers, .. } = scratch;
        for_each_part(
            threads,
            (tokens.as_slice(), 1),
            (states.as_mut_slice(), hidden),
            (attended.as_mut_slice(), hidden),
            workers,
            |_, tokens, states, spare, worker| self.embeddings.look_up(path, tokens, states, spare, worker),
        );
        for index in 0..self.layers.count() {
            if index > 0 && pause().is_break() {
                return Err(ModelError::GivenUp);
            }
            for_each_part(
                threads,
                (states.as_slice(), hidden),
                (packed.as_mut_slice(), 3 * hidden),
                (&mut [], 0),
                workers,
                |first, states, packed, _, worker| {
                    self.layers.project(index, path, &tokens[first..], states, packed, worker);
                },
            );
            let packed = packed.as_slice();
            for_each_part(
                threads,
                (tokens.as_slice(), 1),
                (states.as_mut_slice(), hidden),
                (attended.as_mut_slice(), hidden),
                workers,
                |first, _, states, attended, worker| {
                    self.attend(index, windows, packed, first, attended, worker);
                    self.layers.feed(index, path, states, attended, worker);
                },
            );
        }
        Ok(())
    }

    /// Attention of the rows from `first` on, each within its window; `packed` holds all rows of the batch.
    fn attend(
        &self,
        index: usize,
        windows: &[Range<usize>],
        packed: &[f32],
        first: usize,
        attended: &mut [f32],
        worker: &mut Worker,
    ) {
        let hidden = self.config.hidden_size;
        let end = first + attended.len() / hidden;
        for window in windows {
            let (from, to) = (window.start.max(first), window.end.min(end));
            if from >= to {
                continue;
            }
            let rows = &packed[window.start * 3 * hidden..window.end * 3 * hidden];
            let queries = from - window.start..to - window.start;
            let out = &mut attended[(from - first) * hidden..(to - first) * hidden];
            self.layers.attend(index, self.arithmetic.kernels, rows, queries, worker, out);
        }
    }

    fn check(&self, window: &WindowInput<'_>) -> Result<(), ModelError> {
        let length = window.ids.len() + 2;
        let limit = self.config.window_limit();
        if window.ids.is_empty() || length > limit {
            return Err(ModelError::Window(format!("{length} tokens, not 3 to {limit}")));
        }
        if window.shapes.len() != window.ids.len() || window.gaps.len() != window.ids.len() {
            return Err(ModelError::Window("a shape and a gap are needed for each token".to_owned()));
        }
        self.embeddings.check(window).map_err(ModelError::Window)
    }
}
