//! Loops in registers: what the machine could do at most, if nothing had to be read or stored. For benchmarks.

use std::hint::black_box;

use super::KernelPath;
use super::dots::Machine;
use super::path::Operation;

/// Sums that go on side by side: as many as keep the units busy.
const SUMS: usize = 12;

/// Multiplications with an addition in single precision, `steps` times over; returns how many a step does.
pub(super) fn floats(path: KernelPath, steps: usize) -> usize {
    path.run(FloatPeak(steps))
}

struct FloatPeak(usize);

impl Operation for FloatPeak {
    type Output = usize;

    #[inline(always)]
    fn run<L: Machine>(self, lanes: L) -> usize {
        let (factor, addend) = (lanes.splat(black_box(0.999)), lanes.splat(black_box(1e-3)));
        let mut sums = [addend; SUMS];
        for _ in 0..self.0 {
            for sum in &mut sums {
                *sum = lanes.multiply_add(*sum, factor, addend);
            }
        }
        for sum in sums {
            black_box(lanes.sum(sum));
        }
        SUMS * L::COUNT
    }
}

/// Multiplications of bytes with an addition, `steps` times over; returns how many a step does, or nothing where the
/// path has no instruction for it.
pub(super) fn bytes(path: KernelPath, steps: usize) -> Option<usize> {
    assert!(path.is_available(), "{path} kernels cannot run on this machine");
    match path {
        KernelPath::Portable => None,
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the machine has what the path asks for, as asserted, here and below.
        KernelPath::Avx2 => Some(unsafe { x86::pairs(steps) }),
        #[cfg(target_arch = "x86_64")]
        KernelPath::AvxVnni => Some(unsafe { x86::eight(steps) }),
        #[cfg(target_arch = "x86_64")]
        KernelPath::Avx512 => Some(unsafe { x86::sixteen(steps) }),
        #[cfg(target_arch = "x86_64")]
        KernelPath::Amx => Some(unsafe { x86::tiles(steps) }),
        #[cfg(not(target_arch = "x86_64"))]
        _ => None,
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::asm;
    use std::arch::x86_64::*;
    use std::hint::black_box;

    use super::SUMS;
    use crate::model::kernels::tiles::{configure, release};

    /// A loop over one instruction that multiplies bytes and adds, four products to each of its sums.
    macro_rules! dot_products {
        ($name:ident, $features:literal, $bytes:ident, $zero:ident, $instruction:ident, $products:literal) => {
            /// # Safety
            /// The machine must have the features.
            #[target_feature(enable = $features)]
            pub(super) unsafe fn $name(steps: usize) -> usize {
                let bytes = $bytes(black_box(1));
                let mut sums = [$zero(); SUMS];
                for _ in 0..steps {
                    for sum in &mut sums {
                        *sum = $instruction(*sum, bytes, bytes);
                    }
                }
                black_box(sums);
                SUMS * $products
            }
        };
    }

    dot_products!(eight, "avx2,avxvnni", _mm256_set1_epi8, _mm256_setzero_si256, _mm256_dpbusd_avx_epi32, 32);
    dot_products!(sixteen, "avx512f,avx512vnni", _mm512_set1_epi8, _mm512_setzero_si512, _mm512_dpbusd_epi32, 64);

    /// # Safety
    /// The machine must have AVX2.
    #[target_feature(enable = "avx2")]
    pub(super) unsafe fn pairs(steps: usize) -> usize {
        let ones = _mm256_set1_epi16(1);
        let mut sums = [_mm256_set1_epi8(black_box(1)); SUMS];
        for _ in 0..steps {
            for sum in &mut sums {
                // From the sum itself, so that the compiler cannot take the product out of the loop.
                let pairs = _mm256_maddubs_epi16(*sum, ones);
                *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(pairs, ones));
            }
        }
        black_box(sums);
        SUMS * 32
    }

    /// # Safety
    /// Tiles must be usable.
    pub(super) unsafe fn tiles(steps: usize) -> usize {
        // SAFETY: touches nothing but tiles.
        unsafe {
            configure();
            for _ in 0..steps {
                asm!(
                    "tdpbusd tmm0, tmm4, tmm6",
                    "tdpbusd tmm1, tmm4, tmm7",
                    "tdpbusd tmm2, tmm5, tmm6",
                    "tdpbusd tmm3, tmm5, tmm7",
                    options(nostack, nomem),
                );
            }
            release();
        }
        4 * 16 * 16 * 64
    }
}
