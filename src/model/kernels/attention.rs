//! Scaled dot-product attention of one head over one window.
//!
//! Keys and values are packed once per head and window into the panels of the matrix product; then a few queries at a
//! time go all the way: scores, softmax, weighted values. Nothing of the size of the window squared is ever kept.

use std::ops::Range;

use super::dots::Machine;
use super::functions::exponential;
use super::lanes::Lanes;
use super::packing::{FloatLine, PANEL};
use super::path::{KernelPath, Operation};
use super::product::{FloatTile, tile_rows};
use super::rows::{each_vector, read, total};

/// Most queries that go together.
const QUERIES: usize = 8;

/// What attention keeps from call to call, so that it need not allocate.
#[derive(Debug, Clone, Default)]
pub(in crate::model) struct AttentionScratch {
    /// Keys, a panel for each sixteen of them: `[panels, size]` lines.
    keys: Vec<FloatLine>,
    /// Values, a panel for each sixteen of a head's columns: `[panels, length]` lines.
    values: Vec<FloatLine>,
    /// Scores of a few queries towards all keys.
    scores: Vec<f32>,
}

/// The queries, keys and values of one window: rows of `3 * heads * size` numbers, the queries of all heads first.
/// Queries are scaled already.
#[derive(Debug, Clone, Copy)]
pub(in crate::model) struct WindowRows<'a> {
    /// `[length, 3 * heads * size]`
    pub(in crate::model) rows: &'a [f32],
    pub(in crate::model) heads: usize,
    /// Width of a head.
    pub(in crate::model) size: usize,
    /// What is added to scores.
    pub(in crate::model) bias: Option<RelativeBias<'a>>,
}

/// What is added to the score of a query and a key, by how far the key stands behind the query.
#[derive(Debug, Clone, Copy)]
pub(in crate::model) struct RelativeBias<'a> {
    /// A row for each head, or one for all: `[heads or 1, 2 * reach - 1]`, with a key at the query's own place in the
    /// middle.
    pub(in crate::model) table: &'a [f32],
    /// The longest window that the table is for.
    pub(in crate::model) reach: usize,
}

impl RelativeBias<'_> {
    fn row(&self) -> usize {
        2 * self.reach - 1
    }

    /// The row of a head, or of all.
    #[inline(always)]
    fn of(&self, head: usize) -> &[f32] {
        let row = self.row();
        if self.table.len() == row { self.table } else { &self.table[head * row..(head + 1) * row] }
    }
}

impl WindowRows<'_> {
    fn stride(&self) -> usize {
        3 * self.heads * self.size
    }

    fn length(&self) -> usize {
        self.rows.len() / self.stride()
    }
}

/// Attention of some of a window's queries to the whole window, all heads: `out` is `[queries, heads * size]`.
pub(in crate::model) fn attention(
    path: KernelPath,
    window: WindowRows<'_>,
    queries: Range<usize>,
    scratch: &mut AttentionScratch,
    out: &mut [f32],
) {
    assert!(window.heads > 0 && window.size > 0 && window.rows.len().is_multiple_of(window.stride()), "whole rows");
    assert!(queries.start <= queries.end && queries.end <= window.length(), "queries within the window");
    assert_eq!(out.len(), queries.len() * window.heads * window.size, "a row out for each query");
    if let Some(bias) = window.bias {
        assert!(bias.reach > 0 && window.length() <= bias.reach, "a bias for each distance in the window");
        let rows = bias.table.len() / bias.row();
        assert!(bias.table.len() == rows * bias.row() && [1, window.heads].contains(&rows), "a bias for each head");
    }
    path.run(Attention { window, queries, scratch, out });
}

struct Attention<'a> {
    window: WindowRows<'a>,
    queries: Range<usize>,
    scratch: &'a mut AttentionScratch,
    out: &'a mut [f32],
}

impl Operation for Attention<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Machine>(self, lanes: L) {
        let WindowRows { rows, heads, size, bias } = self.window;
        let (stride, length, width) = (self.window.stride(), self.window.length(), heads * size);
        let padded = length.next_multiple_of(PANEL);
        let AttentionScratch { keys, values, scores } = self.scratch;
        let empty = FloatLine([0.0; PANEL]);
        grow(keys, padded / PANEL * size, empty);
        grow(values, size.div_ceil(PANEL) * length, empty);
        grow(scores, QUERIES * padded, 0.0);
        let (keys, values) = (&mut keys[..padded / PANEL * size], &mut values[..size.div_ceil(PANEL) * length]);
        for head in 0..heads {
            pack_keys(rows, stride, width + head * size, size, keys);
            pack_values(rows, stride, 2 * width + head * size, size, values);
            let mut first = self.queries.start;
            while first < self.queries.end {
                let count = tile_rows::<L>(self.queries.end - first);
                let query = rows[first * stride + head * size..].as_ptr();
                for (index, lines) in keys.chunks(L::FLOAT_PANELS * size).enumerate() {
                    let tile = FloatTile {
                        rows: query,
                        stride,
                        lines: lines.as_ptr(),
                        panel_stride: size,
                        inputs: size,
                        out: scores[index * L::FLOAT_PANELS * PANEL..].as_mut_ptr(),
                        out_stride: padded,
                        width: lines.len() / size * PANEL,
                        add: false,
                    };
                    // SAFETY: `count` queries of `size` numbers begin there, `size` lines in each panel, and `scores`
                    // has `QUERIES` rows of `padded` numbers.
                    unsafe { tile.compute(lanes, count) };
                }
                if let Some(bias) = bias {
                    for (query, scores) in (first..first + count).zip(scores.chunks_exact_mut(padded)) {
                        let bias = &bias.of(head)[bias.reach - 1 - query..][..length];
                        each_vector!(lanes: L, &mut scores[..length], |place, score, count| {
                            // SAFETY: `bias` is as long as the scores.
                            lanes.add(score, unsafe { read(lanes, bias, place, count, 0.0) })
                        });
                    }
                }
                let mut sums = [1.0f32; QUERIES];
                for (scores, sum) in scores.chunks_exact_mut(padded).zip(&mut sums).take(count) {
                    *sum = exponentials(lanes, &mut scores[..length]);
                }
                let out = &mut self.out[(first - self.queries.start) * width..][..count * width];
                for (index, lines) in values.chunks(L::FLOAT_PANELS * length).enumerate() {
                    let column = index * L::FLOAT_PANELS * PANEL;
                    let tile = FloatTile {
                        rows: scores.as_ptr(),
                        stride: padded,
                        lines: lines.as_ptr(),
                        panel_stride: length,
                        inputs: length,
                        out: out[head * size + column..].as_mut_ptr(),
                        out_stride: width,
                        width: (L::FLOAT_PANELS * PANEL).min(size - column),
                        add: false,
                    };
                    // SAFETY: `count` rows of `length` scores, `length` lines in each panel, and `count` rows of the
                    // output, of which this head's columns are written.
                    unsafe { tile.compute(lanes, count) };
                }
                for (out, sum) in out.chunks_exact_mut(width).zip(sums) {
                    let share = lanes.splat(1.0 / sum);
                    let out = &mut out[head * size..][..size];
                    each_vector!(lanes: L, out, |place, value, _count| lanes.multiply(value, share));
                }
                first += count;
            }
        }
    }
}

/// Softmax of every row of so many values.
pub(in crate::model) fn softmax_in_place(path: KernelPath, rows: &mut [f32], width: usize) {
    assert!(width > 0 && rows.len().is_multiple_of(width), "whole rows");
    path.run(Softmax { rows, width });
}

struct Softmax<'a> {
    rows: &'a mut [f32],
    width: usize,
}

impl Operation for Softmax<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Machine>(self, lanes: L) {
        for row in self.rows.chunks_exact_mut(self.width) {
            let share = lanes.splat(1.0 / exponentials(lanes, row));
            each_vector!(lanes: L, row, |place, value, _count| lanes.multiply(value, share));
        }
    }
}

/// Makes room for so much, keeping what room there is.
fn grow<T: Clone>(buffer: &mut Vec<T>, length: usize, fill: T) {
    if buffer.len() < length {
        buffer.resize(length, fill);
    }
}

/// Keys `[length, size]` as panels of sixteen keys; the last panel ends in keys of zero.
#[inline(always)]
fn pack_keys(rows: &[f32], stride: usize, column: usize, size: usize, panels: &mut [FloatLine]) {
    for (panel, lines) in panels.chunks_exact_mut(size).enumerate() {
        for place in 0..PANEL {
            match rows.get((panel * PANEL + place) * stride + column..) {
                Some(key) => lines.iter_mut().zip(&key[..size]).for_each(|(line, &value)| line.0[place] = value),
                None => lines.iter_mut().for_each(|line| line.0[place] = 0.0),
            }
        }
    }
}

/// Values `[length, size]` as panels of sixteen columns; the last panel ends in columns of zero.
#[inline(always)]
fn pack_values(rows: &[f32], stride: usize, column: usize, size: usize, panels: &mut [FloatLine]) {
    let length = rows.len() / stride;
    for (panel, lines) in panels.chunks_exact_mut(length).enumerate() {
        let width = PANEL.min(size - panel * PANEL);
        for (line, row) in lines.iter_mut().zip(rows.chunks_exact(stride)) {
            line.0 = [0.0; PANEL];
            line.0[..width].copy_from_slice(&row[column + panel * PANEL..][..width]);
        }
    }
}

/// Replaces scores by the exponentials of their distance to the largest, and returns their sum.
#[inline(always)]
fn exponentials<L: Lanes>(lanes: L, scores: &mut [f32]) -> f32 {
    let mut largest = lanes.splat(f32::NEG_INFINITY);
    for place in (0..scores.len()).step_by(L::COUNT) {
        let count = L::COUNT.min(scores.len() - place);
        // SAFETY: `count` more scores are there.
        let score = unsafe { read(lanes, scores, place, count, f32::NEG_INFINITY) };
        largest = lanes.larger(score, largest);
    }
    let largest = lanes.splat(lanes.largest(largest));
    each_vector!(lanes: L, scores, |place, score, _count| exponential(lanes, lanes.subtract(score, largest)));
    total(lanes, scores)
}
