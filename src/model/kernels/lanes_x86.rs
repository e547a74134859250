//! [`Lanes`] for x86-64: eight lanes with AVX2 and FMA, sixteen with AVX-512.

use std::arch::x86_64::*;

use super::lanes::Lanes;

/// Proof that the machine has AVX2 and FMA, and AVX-VNNI where `VNNI` says so.
#[derive(Debug, Clone, Copy)]
pub(in crate::model) struct Avx2<const VNNI: bool>(());

impl<const VNNI: bool> Avx2<VNNI> {
    /// # Safety
    /// The machine must have what the type says.
    pub(super) unsafe fn assume() -> Self {
        Self(())
    }
}

/// Proof that the machine has AVX-512 (F, BW, DQ, VL) with VNNI, and usable AMX tiles of bytes where `TILES` says so.
#[derive(Debug, Clone, Copy)]
pub(in crate::model) struct Avx512<const TILES: bool>(());

impl<const TILES: bool> Avx512<TILES> {
    /// # Safety
    /// The machine must have what the type says.
    pub(super) unsafe fn assume() -> Self {
        Self(())
    }
}

/// # Safety
/// The machine must have AVX2.
#[inline(always)]
unsafe fn sum_of_eight(values: __m256) -> f32 {
    // SAFETY: the caller's promise.
    unsafe {
        let half = _mm_add_ps(_mm256_castps256_ps128(values), _mm256_extractf128_ps::<1>(values));
        let quarter = _mm_add_ps(half, _mm_movehl_ps(half, half));
        _mm_cvtss_f32(_mm_add_ss(quarter, _mm_movehdup_ps(quarter)))
    }
}

/// A mask of the first lanes of sixteen.
#[inline(always)]
fn first_lanes(count: usize) -> u16 {
    ((1u32 << count.min(16)) - 1) as u16
}

/// Methods that are one instruction each.
macro_rules! instructions {
    ($floats:ty: $($method:ident($($argument:ident),*) => $instruction:ident;)*) => {$(
        #[inline(always)]
        fn $method(self, $($argument: $floats),*) -> $floats {
            // SAFETY: `self` proves that the machine has the instruction.
            unsafe { $instruction($($argument),*) }
        }
    )*};
}

impl<const VNNI: bool> Lanes for Avx2<VNNI> {
    type Floats = __m256;
    const COUNT: usize = 8;

    instructions! { __m256:
        add(left, right) => _mm256_add_ps;
        subtract(left, right) => _mm256_sub_ps;
        multiply(left, right) => _mm256_mul_ps;
        divide(left, right) => _mm256_div_ps;
        larger(left, right) => _mm256_max_ps;
        smaller(left, right) => _mm256_min_ps;
        multiply_add(left, right, addend) => _mm256_fmadd_ps;
    }

    #[inline(always)]
    fn splat(self, value: f32) -> __m256 {
        // SAFETY: `self` proves AVX2, here and below.
        unsafe { _mm256_set1_ps(value) }
    }

    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> __m256 {
        // SAFETY: the caller gives eight readable numbers.
        unsafe { _mm256_loadu_ps(from) }
    }

    #[inline(always)]
    unsafe fn load_integers(self, from: *const i32) -> __m256 {
        // SAFETY: the caller gives eight readable integers.
        unsafe { _mm256_cvtepi32_ps(_mm256_loadu_si256(from.cast())) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32, values: __m256) {
        // SAFETY: the caller gives room for eight numbers.
        unsafe { _mm256_storeu_ps(to, values) }
    }

    #[inline(always)]
    unsafe fn store_bytes(self, to: *mut u8, values: __m256) {
        // SAFETY: the caller gives room for eight bytes.
        unsafe {
            let integers = _mm256_cvtps_epi32(values);
            let words = _mm_packus_epi32(_mm256_castsi256_si128(integers), _mm256_extracti128_si256::<1>(integers));
            _mm_storel_epi64(to.cast(), _mm_packus_epi16(words, words));
        }
    }

    #[inline(always)]
    fn round(self, values: __m256) -> __m256 {
        // SAFETY: AVX2.
        unsafe { _mm256_round_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(values) }
    }

    #[inline(always)]
    fn scale_by_power(self, values: __m256, exponents: __m256) -> __m256 {
        // SAFETY: AVX2.
        unsafe {
            let biased = _mm256_add_epi32(_mm256_cvtps_epi32(exponents), _mm256_set1_epi32(127));
            _mm256_mul_ps(values, _mm256_castsi256_ps(_mm256_slli_epi32::<23>(biased)))
        }
    }

    #[inline(always)]
    fn sum(self, values: __m256) -> f32 {
        // SAFETY: AVX2.
        unsafe { sum_of_eight(values) }
    }

    #[inline(always)]
    fn largest(self, values: __m256) -> f32 {
        // SAFETY: AVX2.
        unsafe {
            let half = _mm_max_ps(_mm256_castps256_ps128(values), _mm256_extractf128_ps::<1>(values));
            let quarter = _mm_max_ps(half, _mm_movehl_ps(half, half));
            _mm_cvtss_f32(_mm_max_ss(quarter, _mm_movehdup_ps(quarter)))
        }
    }
}

impl<const TILES: bool> Lanes for Avx512<TILES> {
    type Floats = __m512;
    const COUNT: usize = 16;

    instructions! { __m512:
        add(left, right) => _mm512_add_ps;
        subtract(left, right) => _mm512_sub_ps;
        multiply(left, right) => _mm512_mul_ps;
        divide(left, right) => _mm512_div_ps;
        larger(left, right) => _mm512_max_ps;
        smaller(left, right) => _mm512_min_ps;
        multiply_add(left, right, addend) => _mm512_fmadd_ps;
    }

    #[inline(always)]
    fn splat(self, value: f32) -> __m512 {
        // SAFETY: `self` proves AVX-512, here and below.
        unsafe { _mm512_set1_ps(value) }
    }

    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> __m512 {
        // SAFETY: the caller gives sixteen readable numbers.
        unsafe { _mm512_loadu_ps(from) }
    }

    #[inline(always)]
    unsafe fn load_integers(self, from: *const i32) -> __m512 {
        // SAFETY: the caller gives sixteen readable integers.
        unsafe { _mm512_cvtepi32_ps(_mm512_loadu_si512(from.cast())) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32, values: __m512) {
        // SAFETY: the caller gives room for sixteen numbers.
        unsafe { _mm512_storeu_ps(to, values) }
    }

    #[inline(always)]
    unsafe fn store_bytes(self, to: *mut u8, values: __m512) {
        // SAFETY: the caller gives room for sixteen bytes.
        unsafe { _mm_storeu_si128(to.cast(), _mm512_cvtusepi32_epi8(_mm512_cvtps_epu32(values))) }
    }

    #[inline(always)]
    unsafe fn load_some(self, from: *const f32, count: usize, fill: f32) -> __m512 {
        // SAFETY: the caller gives `count` readable numbers; what the mask leaves out is not touched.
        unsafe { _mm512_mask_loadu_ps(_mm512_set1_ps(fill), first_lanes(count), from) }
    }

    #[inline(always)]
    unsafe fn store_some(self, to: *mut f32, count: usize, values: __m512) {
        // SAFETY: as above, for writing.
        unsafe { _mm512_mask_storeu_ps(to, first_lanes(count), values) }
    }

    #[inline(always)]
    fn round(self, values: __m512) -> __m512 {
        // SAFETY: AVX-512.
        unsafe { _mm512_roundscale_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(values) }
    }

    #[inline(always)]
    fn scale_by_power(self, values: __m512, exponents: __m512) -> __m512 {
        // SAFETY: AVX-512.
        unsafe { _mm512_scalef_ps(values, exponents) }
    }

    #[inline(always)]
    fn sum(self, values: __m512) -> f32 {
        // SAFETY: AVX-512.
        unsafe { sum_of_eight(_mm256_add_ps(_mm512_castps512_ps256(values), _mm512_extractf32x8_ps::<1>(values))) }
    }

    #[inline(always)]
    fn largest(self, values: __m512) -> f32 {
        // SAFETY: AVX-512.
        unsafe { _mm512_reduce_max_ps(values) }
    }
}
