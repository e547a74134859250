//! Fused row-wise kernels: what candle would do in several passes over memory is done here in one.
//!
//! All are safe, portable code in a form that the compiler turns into vector instructions.

mod gelu;
mod rows;

pub(super) use rows::{add_bias, bias_gelu, residual_layer_norm};
