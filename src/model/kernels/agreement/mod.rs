//! Whether all paths agree: every kernel, on every path that this machine can run, gives what plain loops give, at
//! sizes that leave every kind of remainder.

mod products;
mod rows;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod walls;
mod windows;
mod wrong_sizes;

use proptest::prelude::*;
use proptest::sample::select;

use super::{KernelPath, gelu_in_place};

/// Names the paths that this machine must have, for runs on emulated processors (`scripts/test-long`).
const EXPECTED_VARIABLE: &str = "ONRECORD_EXPECT_KERNELS";

/// Largest relative error of one rounding in single precision.
const ROUNDING: f64 = f32::EPSILON as f64 / 2.0;

/// Stands where nothing was written: a NaN that no kernel makes.
const UNTOUCHED: u32 = 0x7fc0_dead;

/// Numbers without pattern, evenly spread from `-spread` to `spread`: SplitMix64 (Steele et al. 2014).
fn numbers(seed: u32, count: usize, spread: f32) -> Vec<f32> {
    let mix = |index: usize| {
        let bits = (u64::from(seed) << 32 | index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ bits >> 31) >> 40
    };
    (0..count).map(|index| (mix(index) as f32 / (1 << 23) as f32 - 1.0) * spread).collect()
}

/// Rows around the ends of all tiles.
fn row_counts() -> impl Strategy<Value = usize> {
    let edges = vec![0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 16, 17, 31, 32, 33, 34, 48, 49];
    prop_oneof![3 => select(edges), 1 => 0usize..=70]
}

/// Inputs around the ends of fours, vectors, chunks, groups and passes.
fn input_counts() -> impl Strategy<Value = usize> {
    let edges = vec![1, 2, 3, 4, 5, 15, 16, 17, 63, 64, 65, 127, 128, 129, 191, 192, 193, 255, 256, 257, 384, 385];
    prop_oneof![2 => select(edges), 1 => 1usize..=300]
}

/// Columns around the ends of vectors, panels and pairs of panels.
fn column_counts() -> impl Strategy<Value = usize> {
    let edges = vec![1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 48, 49, 63, 64, 65];
    prop_oneof![2 => select(edges), 1 => 1usize..=100]
}

/// What a kernel writes to `count` values, which must be all that it writes.
fn written(count: usize, kernel: impl FnOnce(&mut [f32])) -> Vec<f32> {
    const MARGIN: usize = 64;
    let mut values = vec![f32::from_bits(UNTOUCHED); MARGIN + count + MARGIN];
    kernel(&mut values[MARGIN..MARGIN + count]);
    let outside = values[..MARGIN].iter().chain(&values[MARGIN + count..]);
    assert!(bits(outside).iter().all(|&bits| bits == UNTOUCHED), "written beside the output");
    let inside = values[MARGIN..MARGIN + count].to_vec();
    assert!(bits(&inside).iter().all(|&bits| bits != UNTOUCHED), "a value was not written");
    inside
}

fn bits<'a>(values: impl IntoIterator<Item = &'a f32>) -> Vec<u32> {
    values.into_iter().map(|value| value.to_bits()).collect()
}

/// A value in double precision, and how far off single precision may be.
#[derive(Clone, Copy)]
struct Exact {
    value: f64,
    tolerance: f64,
}

/// Holds what every path finds against what is exact. Paths that multiply and add in one rounding, which is all but the
/// portable one, must agree to the last bit.
fn assert_all_close(exact: &[Exact], find: impl Fn(KernelPath) -> Vec<f32>) {
    let mut fused = None;
    for path in KernelPath::available() {
        let found = find(path);
        assert_close(path, &found, exact);
        if path != KernelPath::Portable {
            assert_eq!(&bits(&found), fused.get_or_insert_with(|| bits(&found)), "{path}: not the bits of other paths");
        }
    }
}

fn assert_close(path: KernelPath, found: &[f32], exact: &[Exact]) {
    assert_eq!(found.len(), exact.len());
    for (place, (&found, exact)) in found.iter().zip(exact).enumerate() {
        let off = (f64::from(found) - exact.value).abs();
        // Not `>`: that would let through what is not a number.
        assert!(off <= exact.tolerance, "{path}: {found} at {place}, not {}: {off} off", exact.value);
    }
}

#[test]
fn this_machine_has_the_paths_that_are_expected() {
    let names = KernelPath::available().map(|path| path.to_string()).collect::<Vec<_>>().join(" ");
    println!("available: {names}");
    if let Ok(expected) = std::env::var(EXPECTED_VARIABLE) {
        assert_eq!(names, expected, "{EXPECTED_VARIABLE}");
    }
    assert_eq!(Some(KernelPath::fastest()), KernelPath::available().next());
    for path in KernelPath::ALL.into_iter().filter(|path| !path.is_available()) {
        let run = std::panic::catch_unwind(|| gelu_in_place(path, &mut [1.0]));
        assert!(run.is_err(), "{path} kernels ran on a machine without them");
    }
}
