//! The arena of a forward pass: all the room it needs, kept from batch to batch, and how it is shared out to threads.

use std::ops::Range;

use rayon::prelude::*;

use super::input::WindowInput;
use crate::model::kernels::{AttentionScratch, QuantisedRows};
use crate::text::{capitals_tell_nothing, without_case};

/// Rows that go through the row-wise part of a layer together: their intermediate values stay in the second-level
/// cache.
pub(super) const BLOCK: usize = 48;

/// What the embeddings of one row are looked up by.
#[derive(Debug, Clone, Copy)]
pub(in crate::model) struct Token {
    pub(super) id: u32,
    pub(super) position: u32,
    pub(super) shape: u8,
    pub(super) gap: u8,
}

/// Room for one forward pass. Grows to the largest batch it has seen, and no further.
#[derive(Debug, Default)]
pub(in crate::model) struct Scratch {
    /// `[rows]`
    pub(super) tokens: Vec<Token>,
    /// Rows of each window.
    pub(super) windows: Vec<Range<usize>>,
    /// `[rows, hidden]`
    pub(in crate::model) states: Vec<f32>,
    /// Queries, keys and values: `[rows, 3 * hidden]`
    pub(super) packed: Vec<f32>,
    /// `[rows, hidden]`
    pub(super) attended: Vec<f32>,
    pub(super) workers: Vec<Worker>,
    /// Scores of a tag head: `[rows, tags]`
    pub(in crate::model) scores: Vec<f32>,
}

/// What each thread has for itself.
#[derive(Debug, Default)]
pub(in crate::model) struct Worker {
    pub(super) quantised: QuantisedRows,
    pub(super) attention: AttentionScratch,
    /// `[block, hidden]`
    pub(super) product: Vec<f32>,
    /// `[block, intermediate]`
    pub(super) wide: Vec<f32>,
    /// `[block, intermediate]`, of layers with gates.
    pub(super) gated: Vec<f32>,
    pub(super) disentangled: DisentangledScratch,
}

/// Room for DeBERTa's attention of one head.
#[derive(Debug, Default)]
pub(in crate::model) struct DisentangledScratch {
    pub(super) query: Vec<f32>,
    pub(super) key: Vec<f32>,
    pub(super) value: Vec<f32>,
    pub(super) scores: Vec<f32>,
    pub(super) by_query: Vec<f32>,
    pub(super) by_key: Vec<f32>,
    pub(super) out: Vec<f32>,
}

impl Scratch {
    /// Lays the windows end to end and makes room for them. `has_caseless`: whether the model has a shape for words whose case
    /// tells nothing.
    pub(super) fn prepare(
        &mut self,
        windows: &[WindowInput<'_>],
        special: (u32, u32),
        has_caseless: bool,
        hidden: usize,
        threads: usize,
    ) {
        self.tokens.clear();
        self.windows.clear();
        for window in windows {
            let first = self.tokens.len();
            let is_caseless = has_caseless && capitals_tell_nothing(window.shapes);
            let shapes = window.shapes.iter().map(|&shape| if is_caseless { without_case(shape) } else { shape });
            let inner = window.ids.iter().zip(shapes.zip(window.gaps)).map(|(&id, (shape, &gap))| (id, shape, gap));
            let opened = std::iter::once((special.0, 0, 0)).chain(inner);
            let closed = opened.chain(std::iter::once((special.1, 0, 0)));
            let tokens = closed.zip(0..).map(|((id, shape, gap), position)| Token { id, position, shape, gap });
            self.tokens.extend(tokens);
            self.windows.push(first..self.tokens.len());
        }
        let rows = self.tokens.len();
        self.states.resize(rows * hidden, 0.0);
        self.packed.resize(rows * 3 * hidden, 0.0);
        self.attended.resize(rows * hidden, 0.0);
        if self.workers.len() < threads {
            self.workers.resize_with(threads, Worker::default);
        }
    }
}

/// Room for so many values; what stands in it is to be overwritten.
pub(super) fn room(buffer: &mut Vec<f32>, length: usize) -> &mut [f32] {
    if buffer.len() < length {
        buffer.resize(length, 0.0);
    }
    &mut buffer[..length]
}

/// Cuts matrices of the same number of rows (each given with its width) into one part per thread, and runs the
/// function on each: first row, the parts, the thread's own room.
pub(super) fn for_each_part<In: Sync>(
    threads: usize,
    (input, input_width): (&[In], usize),
    (first, first_width): (&mut [f32], usize),
    (second, second_width): (&mut [f32], usize),
    workers: &mut [Worker],
    function: impl Fn(usize, &[In], &mut [f32], &mut [f32], &mut Worker) + Sync,
) {
    let rows = input.len() / input_width;
    let part = rows.div_ceil(threads).next_multiple_of(8);
    if part >= rows {
        if let Some(worker) = workers.first_mut() {
            function(0, input, first, second, worker);
        }
        return;
    }
    let parts = rows.div_ceil(part);
    let inputs = input.par_chunks(part * input_width);
    let firsts = first.par_chunks_mut(part * first_width);
    if second_width == 0 {
        (inputs, firsts, &mut workers[..parts])
            .into_par_iter()
            .enumerate()
            .for_each(|(index, (input, first, worker))| function(index * part, input, first, &mut [], worker));
        return;
    }
    let seconds = second.par_chunks_mut(part * second_width);
    (inputs, firsts, seconds, &mut workers[..parts])
        .into_par_iter()
        .enumerate()
        .for_each(|(index, (input, first, second, worker))| function(index * part, input, first, second, worker));
}
