//! Vectors of single-precision numbers, of the width that the machine has.
//!
//! A kernel is written once, over [`Lanes`], and compiled for each kind of machine. A value of a `Lanes` type is the
//! proof that its instructions exist here: it is made in one place only, after the check ([`super::path`]).

/// The operations that kernels need. `COUNT` numbers stand in one vector; all operations go lane by lane.
pub(in crate::model) trait Lanes: Copy + Send + Sync {
    /// One vector.
    type Floats: Copy;
    /// Numbers in a vector: divides 16.
    const COUNT: usize;

    fn splat(self, value: f32) -> Self::Floats;

    /// # Safety
    /// `COUNT` numbers must be readable at `from`.
    unsafe fn load(self, from: *const f32) -> Self::Floats;

    /// Loads integers as numbers.
    ///
    /// # Safety
    /// `COUNT` integers must be readable at `from`.
    unsafe fn load_integers(self, from: *const i32) -> Self::Floats;

    /// # Safety
    /// `COUNT` numbers must be writable at `to`.
    unsafe fn store(self, to: *mut f32, values: Self::Floats);

    /// Stores numbers, rounded to integers (ties to even), as bytes. They must lie in 0 to 255.
    ///
    /// # Safety
    /// `COUNT` bytes must be writable at `to`.
    unsafe fn store_bytes(self, to: *mut u8, values: Self::Floats);

    fn add(self, left: Self::Floats, right: Self::Floats) -> Self::Floats;
    fn subtract(self, left: Self::Floats, right: Self::Floats) -> Self::Floats;
    fn multiply(self, left: Self::Floats, right: Self::Floats) -> Self::Floats;
    fn divide(self, left: Self::Floats, right: Self::Floats) -> Self::Floats;
    /// The larger of the two; `right` where `left` is not a number.
    fn larger(self, left: Self::Floats, right: Self::Floats) -> Self::Floats;
    /// The smaller of the two; `right` where `left` is not a number.
    fn smaller(self, left: Self::Floats, right: Self::Floats) -> Self::Floats;
    /// `left * right + addend`, rounded once where the machine can.
    fn multiply_add(self, left: Self::Floats, right: Self::Floats, addend: Self::Floats) -> Self::Floats;
    /// Rounded to integers, ties to even.
    fn round(self, values: Self::Floats) -> Self::Floats;
    /// `values * 2^exponents`, for integers from -126 to 127.
    fn scale_by_power(self, values: Self::Floats, exponents: Self::Floats) -> Self::Floats;
    /// All lanes added up, always in the same order: the upper half to the lower until one is left.
    fn sum(self, values: Self::Floats) -> f32;
    /// The largest lane.
    fn largest(self, values: Self::Floats) -> f32;

    /// The first `count` numbers, the other lanes filled.
    ///
    /// # Safety
    /// `count` numbers, no more than `COUNT`, must be readable at `from`.
    #[inline(always)]
    unsafe fn load_some(self, from: *const f32, count: usize, fill: f32) -> Self::Floats {
        let mut values = [fill; 16];
        // SAFETY: the caller gives `count` readable numbers, and `COUNT` is at most 16.
        unsafe {
            std::ptr::copy_nonoverlapping(from, values.as_mut_ptr(), count.min(Self::COUNT));
            self.load(values.as_ptr())
        }
    }

    /// Stores the first `count` lanes.
    ///
    /// # Safety
    /// `count` numbers, no more than `COUNT`, must be writable at `to`.
    #[inline(always)]
    unsafe fn store_some(self, to: *mut f32, count: usize, values: Self::Floats) {
        let mut whole = [0.0f32; 16];
        // SAFETY: the caller gives room for `count` numbers, and `COUNT` is at most 16.
        unsafe {
            self.store(whole.as_mut_ptr(), values);
            std::ptr::copy_nonoverlapping(whole.as_ptr(), to, count.min(Self::COUNT));
        }
    }
}

/// Plain Rust, for any machine; the compiler makes of it what the baseline allows.
#[derive(Debug, Clone, Copy)]
pub(in crate::model) struct Portable;

#[inline(always)]
fn each(left: [f32; 8], right: [f32; 8], function: impl Fn(f32, f32) -> f32) -> [f32; 8] {
    std::array::from_fn(|lane| function(left[lane], right[lane]))
}

impl Lanes for Portable {
    type Floats = [f32; 8];
    const COUNT: usize = 8;

    #[inline(always)]
    fn splat(self, value: f32) -> [f32; 8] {
        [value; 8]
    }

    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> [f32; 8] {
        // SAFETY: the caller's promise; an array needs no more alignment than its numbers.
        unsafe { from.cast::<[f32; 8]>().read() }
    }

    #[inline(always)]
    unsafe fn load_integers(self, from: *const i32) -> [f32; 8] {
        // SAFETY: as above.
        unsafe { from.cast::<[i32; 8]>().read() }.map(|value| value as f32)
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32, values: [f32; 8]) {
        // SAFETY: as above.
        unsafe { to.cast::<[f32; 8]>().write(values) }
    }

    #[inline(always)]
    unsafe fn store_bytes(self, to: *mut u8, values: [f32; 8]) {
        // SAFETY: as above.
        unsafe { to.cast::<[u8; 8]>().write(values.map(|value| value.round_ties_even() as u8)) }
    }

    #[inline(always)]
    fn add(self, left: [f32; 8], right: [f32; 8]) -> [f32; 8] {
        each(left, right, |left, right| left + right)
    }

    #[inline(always)]
    fn subtract(self, left: [f32; 8], right: [f32; 8]) -> [f32; 8] {
        each(left, right, |left, right| left - right)
    }

    #[inline(always)]
    fn multiply(self, left: [f32; 8], right: [f32; 8]) -> [f32; 8] {
        each(left, right, |left, right| left * right)
    }

    #[inline(always)]
    fn divide(self, left: [f32; 8], right: [f32; 8]) -> [f32; 8] {
        each(left, right, |left, right| left / right)
    }

    #[inline(always)]
    fn larger(self, left: [f32; 8], right: [f32; 8]) -> [f32; 8] {
        each(left, right, |left, right| if left > right { left } else { right })
    }

    #[inline(always)]
    fn smaller(self, left: [f32; 8], right: [f32; 8]) -> [f32; 8] {
        each(left, right, |left, right| if left < right { left } else { right })
    }

    #[inline(always)]
    fn multiply_add(self, left: [f32; 8], right: [f32; 8], addend: [f32; 8]) -> [f32; 8] {
        // Not `mul_add`: without the instruction it is a call to a slow routine.
        std::array::from_fn(|lane| left[lane] * right[lane] + addend[lane])
    }

    #[inline(always)]
    fn round(self, values: [f32; 8]) -> [f32; 8] {
        // Adding and taking away 1.5 * 2^23 rounds what is far below it, without a call per lane.
        values.map(|value| (value + 12_582_912.0) - 12_582_912.0)
    }

    #[inline(always)]
    fn scale_by_power(self, values: [f32; 8], exponents: [f32; 8]) -> [f32; 8] {
        // Wrapping, as vector instructions do it: weights that are no numbers make exponents that are none.
        let power = |exponent: f32| f32::from_bits(((exponent as i32).wrapping_add(127) << 23) as u32);
        each(values, exponents, |value, exponent| value * power(exponent))
    }

    #[inline(always)]
    fn sum(self, values: [f32; 8]) -> f32 {
        let half: [f32; 4] = std::array::from_fn(|lane| values[lane] + values[lane + 4]);
        (half[0] + half[2]) + (half[1] + half[3])
    }

    #[inline(always)]
    fn largest(self, values: [f32; 8]) -> f32 {
        values.into_iter().fold(f32::NEG_INFINITY, f32::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_beyond_all_numbers_do_no_harm() {
        // What comes of it is no number that anybody needs; a find of fuzzing was that it made a sum overflow.
        for exponent in [f32::INFINITY, f32::MAX, f32::NAN, f32::NEG_INFINITY] {
            let _ = Portable.scale_by_power([1.0; 8], [exponent; 8]);
        }
        assert_eq!(Portable.scale_by_power([3.0; 8], [-1.0; 8]), [1.5; 8]);
    }
}
