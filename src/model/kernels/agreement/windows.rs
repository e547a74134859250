//! Attention.

use std::ops::Range;

use proptest::prelude::*;
use proptest::sample::select;

use super::super::{AttentionScratch, KernelPath, RelativeBias, WindowRows, attention, softmax_in_place};
use super::{Exact, ROUNDING, assert_all_close, bits, numbers, written};

fn lengths() -> impl Strategy<Value = usize> {
    let edges = vec![1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 48, 49, 63, 64, 65];
    prop_oneof![select(edges), 1usize..=70]
}

fn sizes() -> impl Strategy<Value = usize> {
    prop_oneof![select(vec![1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33]), 1usize..=40]
}

/// Scratch that a larger window was in before: what it left must not matter.
fn used_scratch(path: KernelPath) -> AttentionScratch {
    let (heads, size, length) = (1, 41, 80);
    let rows = numbers(7, length * 3 * heads * size, 50.0);
    let mut scratch = AttentionScratch::default();
    let window = WindowRows { rows: &rows, heads, size, bias: None };
    attention(path, window, 0..length, &mut scratch, &mut vec![0.0; length * heads * size]);
    scratch
}

fn attended(
    path: KernelPath,
    window: WindowRows<'_>,
    queries: Range<usize>,
    scratch: &mut AttentionScratch,
) -> Vec<f32> {
    written(queries.len() * window.heads * window.size, |out| attention(path, window, queries, scratch, out))
}

fn plain_attention(window: WindowRows<'_>) -> Vec<Exact> {
    let WindowRows { rows, heads, size, bias } = window;
    let width = heads * size;
    let rows: Vec<&[f32]> = rows.chunks_exact(3 * width).collect();
    let mut out = Vec::new();
    for (place, query) in rows.iter().enumerate() {
        for head in 0..heads {
            let added = |key: usize| {
                bias.map_or(0.0, |RelativeBias { table, reach }| {
                    let row = if table.len() == 2 * reach - 1 { 0 } else { head };
                    f64::from(table[row * (2 * reach - 1) + reach - 1 + key - place])
                })
            };
            let part = |row: &[f32], part: usize| row[part * width + head * size..][..size].to_vec();
            let query = part(query, 0);
            let products = |key: &[f32], of: fn(f64) -> f64| {
                query.iter().zip(part(key, 1)).map(|(&left, right)| of(f64::from(left) * f64::from(right))).sum::<f64>()
            };
            let keys = || rows.iter().enumerate();
            let scores: Vec<f64> = keys().map(|(at, key)| products(key, |product| product) + added(at)).collect();
            let near = keys().filter(|&(at, _)| added(at) > -1e9);
            let magnitude = near.map(|(at, key)| products(key, f64::abs) + added(at).abs()).fold(0.0, f64::max);
            let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let shares: Vec<f64> = scores.iter().map(|score| (score - largest).exp()).collect();
            let sum: f64 = shares.iter().sum();
            // A score's error is a share's relative error; then come the exponential and two sums over the window.
            let relative = (2 * size + 6) as f64 * ROUNDING * magnitude + (2 * rows.len() + 16) as f64 * ROUNDING;
            for column in 0..size {
                let values = rows.iter().map(|row| f64::from(part(row, 2)[column]));
                let value = shares.iter().zip(values.clone()).map(|(share, value)| share * value).sum::<f64>() / sum;
                let tolerance = 2.0 * relative * values.map(f64::abs).fold(0.0, f64::max);
                out.push(Exact { value, tolerance });
            }
        }
    }
    out
}

proptest! {
    #[test]
    fn attention_is_that_of_a_plain_loop(
        (length, heads, size) in (lengths(), 1usize..=4, sizes()),
        seed: u32,
        spread in select(vec![0.5f32, 2.0]),
    ) {
        let rows = numbers(seed, length * 3 * heads * size, spread);
        let window = WindowRows { rows: &rows, heads, size, bias: None };
        let exact = plain_attention(window);
        assert_all_close(&exact, |path| attended(path, window, 0..length, &mut used_scratch(path)));
    }

    #[test]
    fn a_bias_is_added_by_distance(
        (length, heads, size) in (lengths(), 1usize..=3, sizes()),
        (seed, more) in any::<(u32, u8)>(),
        (for_all, band) in any::<(bool, Option<u8>)>(),
    ) {
        let reach = length + usize::from(more % 20);
        let rows = numbers(seed, length * 3 * heads * size, 1.0);
        let mut table = numbers(seed ^ 1, if for_all { 1 } else { heads } * (2 * reach - 1), 3.0);
        // What is farther than a band is not seen at all.
        for (place, value) in table.iter_mut().enumerate() {
            let distance = (place % (2 * reach - 1)).abs_diff(reach - 1);
            if band.is_some_and(|band| distance > usize::from(band % 8)) {
                *value = f32::NEG_INFINITY;
            }
        }
        let window = WindowRows { rows: &rows, heads, size, bias: Some(RelativeBias { table: &table, reach }) };
        let exact = plain_attention(window);
        assert_all_close(&exact, |path| attended(path, window, 0..length, &mut used_scratch(path)));
    }

    #[test]
    fn softmax_is_that_of_a_plain_loop(width in lengths(), count in 1usize..4, seed: u32) {
        let rows = numbers(seed, width * count, 8.0);
        let exact: Vec<Exact> = rows.chunks_exact(width).flat_map(|row| {
            let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let shares: Vec<f64> = row.iter().map(|&score| f64::from(score - largest).exp()).collect();
            let sum: f64 = shares.iter().sum();
            let tolerance = (2 * width + 16) as f64 * ROUNDING;
            shares.into_iter().map(move |share| Exact { value: share / sum, tolerance }).collect::<Vec<_>>()
        }).collect();
        assert_all_close(&exact, |path| {
            let mut found = rows.clone();
            softmax_in_place(path, &mut found, width);
            found
        });
    }

    #[test]
    fn any_part_of_the_queries_gives_the_same_bits(
        (length, heads, size) in (lengths(), 1usize..=4, sizes()),
        (from, count, seed) in any::<(usize, usize, u32)>(),
    ) {
        let from = from % (length + 1);
        let part = from..from + count % (length - from + 1);
        let rows = numbers(seed, length * 3 * heads * size, 2.0);
        let window = WindowRows { rows: &rows, heads, size, bias: None };
        for path in KernelPath::available() {
            let mut scratch = used_scratch(path);
            let whole = attended(path, window, 0..length, &mut scratch);
            let found = attended(path, window, part.clone(), &mut scratch);
            let expected = &whole[part.start * heads * size..part.end * heads * size];
            prop_assert_eq!(bits(&found), bits(expected), "{}: {:?}", path, part);
        }
    }
}

/// Scores far apart: the largest decides alone, and nothing overflows.
#[test]
fn far_scores_leave_one_value() {
    let rows: Vec<f32> = (0..20).flat_map(|row| [1e4, row as f32, 1000.0 + row as f32]).collect();
    let window = WindowRows { rows: &rows, heads: 1, size: 1, bias: None };
    for path in KernelPath::available() {
        assert_eq!(attended(path, window, 0..20, &mut used_scratch(path)), [1019.0; 20], "{path}");
    }
}
