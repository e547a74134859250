//! DeBERTa's attention (He et al. 2021): contents look at contents, contents at positions, and positions at contents.

use std::ops::Range;

use super::normalisation::normalisation;
use super::scratch::{DisentangledScratch, room};
use crate::model::Arithmetic;
use crate::model::architecture::Disentangled;
use crate::model::config::EncoderConfig;
use crate::model::kernels::{FloatMatrix, KernelPath, WindowRows, add_and_normalise, float_product, softmax_in_place};
use crate::model::weights::{Weights, WeightsError};

/// The rows that relative positions are known by, which all layers share: `[2 * span, hidden]`.
pub(super) struct Positions {
    rows: Vec<f32>,
    span: usize,
    /// The row for each distance of a query and a key, from `1 - limit` to `limit - 1`.
    places: Vec<usize>,
    limit: usize,
}

impl Positions {
    pub(super) fn load(
        weights: &Weights<'_>,
        config: &EncoderConfig,
        how: &Disentangled,
        arithmetic: Arithmetic,
    ) -> Result<Self, WeightsError> {
        let span = if how.buckets > 0 { how.buckets } else { how.max_distance };
        let prefix = config.architecture.prefix();
        let mut rows =
            weights.values(&format!("{prefix}.encoder.rel_embeddings.weight"), &[2 * span, config.hidden_size])?;
        if how.normalises {
            let norm = normalisation(weights, &format!("{prefix}.encoder.LayerNorm"), config)?;
            let nothing = vec![0.0; rows.len()];
            add_and_normalise(arithmetic.kernels, &mut rows, &nothing, &norm);
        }
        let limit = config.max_position_embeddings;
        let place = |distance: isize| (bucket(distance, how) + span as isize).clamp(0, 2 * span as isize - 1) as usize;
        let places = (1 - limit as isize..limit as isize).map(place).collect();
        Ok(Self { rows, span, places, limit })
    }

    /// The row for a query and a key at these places.
    fn place(&self, query: usize, key: usize) -> usize {
        self.places[self.limit - 1 + query - key]
    }
}

/// The bucket of the distance from a key to a query: one by one up to half of the buckets, then on a scale of
/// logarithms.
fn bucket(distance: isize, how: &Disentangled) -> isize {
    let middle = (how.buckets / 2) as isize;
    if how.buckets == 0 || distance.abs() <= middle {
        return distance;
    }
    let middle = middle as f32;
    let largest = (how.max_distance - 1) as f32;
    let scale = (distance.unsigned_abs() as f32 / middle).ln() / (largest / middle).ln();
    distance.signum() * ((scale * (middle - 1.0)).ceil() + middle) as isize
}

/// What a layer needs beside its queries, keys and values, which are scaled already: a matrix for each head.
pub(super) struct DisentangledAttention {
    /// For queries: what they see of positions.
    keys: Option<Vec<FloatMatrix>>,
    /// For keys: how positions see them.
    queries: Option<Vec<FloatMatrix>>,
}

impl DisentangledAttention {
    /// `query` and `key` are the projections (weight and bias) of positions, scaled like those of contents.
    pub(super) fn new(
        positions: &Positions,
        query: Option<&(Vec<f32>, Vec<f32>)>,
        key: Option<&(Vec<f32>, Vec<f32>)>,
        (hidden, heads): (usize, usize),
        kernels: KernelPath,
    ) -> Self {
        let project = |(weight, bias): &(Vec<f32>, Vec<f32>)| -> Vec<FloatMatrix> {
            let mut projected = vec![0.0; positions.rows.len()];
            float_product(kernels, &positions.rows, &FloatMatrix::pack(weight, hidden, hidden), bias, &mut projected);
            let mut rows = Vec::new();
            let size = hidden / heads;
            let matrix = |head: usize| {
                take(&projected, hidden, head * size, size, &mut rows);
                FloatMatrix::pack(&rows, 2 * positions.span, size)
            };
            (0..heads).map(matrix).collect()
        };
        Self { keys: key.map(project), queries: query.map(project) }
    }

    /// Attention of some of a window's queries to the whole window: `out` is `[queries, hidden]`.
    pub(super) fn attend(
        &self,
        path: KernelPath,
        positions: &Positions,
        window: WindowRows<'_>,
        queries: Range<usize>,
        scratch: &mut DisentangledScratch,
        out: &mut [f32],
    ) {
        let WindowRows { rows, heads, size, .. } = window;
        let hidden = heads * size;
        let stride = 3 * hidden;
        let (length, count) = (rows.len() / stride, queries.len());
        let DisentangledScratch { query, key, value, scores, by_query, by_key, out: head_out } = scratch;
        for head in 0..heads {
            take(&rows[queries.start * stride..queries.end * stride], stride, head * size, size, query);
            take(rows, stride, hidden + head * size, size, key);
            let scores = room(scores, count * length);
            product(path, query, &FloatMatrix::pack(key, length, size), scores);
            if let Some(matrix) = self.keys.as_ref().map(|keys| &keys[head]) {
                let seen = room(by_query, count * 2 * positions.span);
                product(path, query, matrix, seen);
                let rows = scores.chunks_exact_mut(length).zip(seen.chunks_exact(2 * positions.span));
                for (place, (scores, seen)) in queries.clone().zip(rows) {
                    (0..).zip(scores).for_each(|(key, score)| *score += seen[positions.place(place, key)]);
                }
            }
            if let Some(matrix) = self.queries.as_ref().map(|queries| &queries[head]) {
                let seen = room(by_key, length * 2 * positions.span);
                product(path, key, matrix, seen);
                for (place, scores) in queries.clone().zip(scores.chunks_exact_mut(length)) {
                    let rows = (0..).zip(scores.iter_mut().zip(seen.chunks_exact(2 * positions.span)));
                    rows.for_each(|(key, (score, seen))| *score += seen[positions.place(place, key)]);
                }
            }
            softmax_in_place(path, scores, length);
            // Columns of values, one behind the other, are what a packed matrix is made of.
            value.clear();
            for column in 0..size {
                value.extend(rows.chunks_exact(stride).map(|row| row[2 * hidden + head * size + column]));
            }
            let head_out = room(head_out, count * size);
            product(path, scores, &FloatMatrix::pack(value, size, length), head_out);
            for (out, head_out) in out.chunks_exact_mut(hidden).zip(head_out.chunks_exact(size)) {
                out[head * size..][..size].copy_from_slice(head_out);
            }
        }
    }
}

/// Rows times a matrix, without a bias.
fn product(path: KernelPath, rows: &[f32], matrix: &FloatMatrix, out: &mut [f32]) {
    float_product(path, rows, matrix, &vec![0.0; matrix.columns()], out);
}

/// So many columns from one on, row by row.
fn take(rows: &[f32], stride: usize, column: usize, width: usize, to: &mut Vec<f32>) {
    to.clear();
    rows.chunks_exact(stride).for_each(|row| to.extend_from_slice(&row[column..column + width]));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_fall_into_buckets() {
        let how = Disentangled {
            buckets: 16,
            max_distance: 64,
            content_to_position: true,
            position_to_content: true,
            shares_projections: true,
            normalises: true,
            adds_positions: false,
        };
        let found: Vec<isize> = [0, 1, -8, 8, 9, -9, 12, 63, 64, -63].map(|distance| bucket(distance, &how)).to_vec();
        assert_eq!(found, [0, 1, -8, 8, 9, -9, 10, 15, 16, -15]);
        assert_eq!(bucket(-40, &Disentangled { buckets: 0, ..how }), -40);
    }
}
