//! The kernels: all that takes time in the forward pass, over plain slices, compiled for each kind of machine and
//! chosen at run time.
//!
//! This is the one room with free use of `unsafe`. Its rules: every public function asserts the sizes that it is
//! given; every path gives the portable path's results, within rounding for single precision and exactly for
//! integers; a row's result depends on that row alone.
#![allow(unsafe_code)]

#[cfg(test)]
mod agreement;
mod attention;
#[cfg(feature = "benchmarks")]
pub mod benchmarks;
mod dots;
#[cfg(target_arch = "x86_64")]
mod dots_x86;
mod functions;
mod half;
mod integer_product;
mod lanes;
#[cfg(target_arch = "x86_64")]
mod lanes_x86;
mod packing;
mod path;
#[cfg(feature = "benchmarks")]
mod peaks;
mod product;
mod quantise;
mod rows;
#[cfg(target_arch = "x86_64")]
mod tiles;

pub(super) use attention::{AttentionScratch, RelativeBias, WindowRows, attention, softmax_in_place};
use dots::Machine;
pub(super) use half::HalfTable;
pub(super) use integer_product::integer_product;
pub(super) use packing::{FloatMatrix, IntegerMatrix};
pub use path::{KERNELS_VARIABLE, KernelPath};
pub(super) use product::float_product;
pub(super) use quantise::QuantisedRows;
pub(super) use rows::{Normalisation, add_and_normalise, gelu_in_place};
