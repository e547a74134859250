//! A table of rows in half precision, widened row by row when they are needed.

use super::dots::Machine;
use super::path::{KernelPath, Operation};

/// Rows of IEEE 754 half-precision numbers, all of them finite.
#[derive(Debug, Clone)]
pub(in crate::model) struct HalfTable {
    bits: Vec<u16>,
    width: usize,
}

impl HalfTable {
    /// A table of rows of `width` numbers, given by their bits.
    pub(in crate::model) fn new(bits: Vec<u16>, width: usize) -> Self {
        assert!(width > 0 && bits.len().is_multiple_of(width), "whole rows");
        Self { bits, width }
    }

    /// One row in single precision.
    pub(in crate::model) fn row(&self, path: KernelPath, index: usize, out: &mut [f32]) {
        let row = &self.bits[index * self.width..(index + 1) * self.width];
        assert_eq!(out.len(), row.len(), "room for a row");
        path.run(Widen { row, out });
    }
}

struct Widen<'a> {
    row: &'a [u16],
    out: &'a mut [f32],
}

impl Operation for Widen<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Machine>(self, _: L) {
        for (out, &bits) in self.out.iter_mut().zip(self.row) {
            *out = widen(bits);
        }
    }
}

/// Exact for every finite number: the bits are moved to their places, and the product mends the exponent.
#[inline(always)]
fn widen(bits: u16) -> f32 {
    let bits = u32::from(bits);
    let sign = (bits & 0x8000) << 16;
    let magnitude = f32::from_bits((bits & 0x7fff) << 13) * f32::from_bits((127 + 112) << 23);
    f32::from_bits(magnitude.to_bits() | sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finite_number_is_widened_exactly() {
        let bits: Vec<u16> = (0..=u16::MAX).filter(|bits| bits & 0x7c00 != 0x7c00).collect();
        let mut out = vec![0.0; bits.len()];
        for path in KernelPath::available() {
            HalfTable::new(bits.clone(), bits.len()).row(path, 0, &mut out);
            for (&bits, &value) in bits.iter().zip(&out) {
                assert_eq!(value.to_bits(), half::f16::from_bits(bits).to_f32().to_bits(), "{path}: {bits:#x}");
            }
        }
    }
}
