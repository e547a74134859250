//! Exponential and GELU, lane by lane, without a call or a branch per element.

use super::lanes::Lanes;

/// `exp(x)` for `x <= 0`, within 2 units in the last place; what would be below the smallest normal number is about
/// that number.
///
/// Cephes' reduction to `[-ln 2 / 2, ln 2 / 2]` and its polynomial (Moshier 1992).
#[inline(always)]
pub(super) fn exponential<L: Lanes>(lanes: L, x: L::Floats) -> L::Floats {
    let x = lanes.larger(x, lanes.splat(-87.3));
    let power = lanes.round(lanes.multiply(x, lanes.splat(std::f32::consts::LOG2_E)));
    // ln 2 in two parts, so that the rest is exact.
    let rest = lanes.multiply_add(power, lanes.splat(-0.693_359_4), x);
    let rest = lanes.multiply_add(power, lanes.splat(2.121_944_4e-4), rest);
    let mut polynomial = lanes.splat(1.987_569_1e-4);
    for coefficient in [1.398_2e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_6e-1, 0.5] {
        polynomial = lanes.multiply_add(polynomial, rest, lanes.splat(coefficient));
    }
    let square = lanes.multiply(rest, rest);
    let value = lanes.add(lanes.multiply_add(polynomial, square, rest), lanes.splat(1.0));
    lanes.scale_by_power(value, power)
}

/// GELU with the error function, as BERT has it (Hendrycks and Gimpel 2016): `x / 2 * (1 + erf(x / sqrt(2)))`, within
/// 1e-6 of the exact value, times `|x|` where that is over one.
#[inline(always)]
pub(super) fn gelu<L: Lanes>(lanes: L, x: L::Floats) -> L::Floats {
    let half = lanes.multiply(x, lanes.splat(0.5));
    let erf = error_function(lanes, lanes.multiply(x, lanes.splat(std::f32::consts::FRAC_1_SQRT_2)));
    lanes.multiply_add(half, erf, half)
}

/// The error function by the rational minimax approximation on [-4, 4] that Eigen and XLA use; beyond that it is one
/// in single precision.
#[inline(always)]
fn error_function<L: Lanes>(lanes: L, x: L::Floats) -> L::Floats {
    let x = lanes.smaller(lanes.larger(x, lanes.splat(-4.0)), lanes.splat(4.0));
    let square = lanes.multiply(x, x);
    let mut numerator = lanes.splat(-2.726_142_3e-10);
    for coefficient in [2.770_681_4e-8, -2.101_024e-6, -5.692_506_4e-5, -7.349_906_3e-4, -2.954_6e-3, -1.609_603_3e-2] {
        numerator = lanes.multiply_add(numerator, square, lanes.splat(coefficient));
    }
    let mut denominator = lanes.splat(-1.456_607_2e-5);
    for coefficient in [-2.133_740_6e-4, -1.682_827e-3, -7.373_329e-3, -1.426_473_9e-2] {
        denominator = lanes.multiply_add(denominator, square, lanes.splat(coefficient));
    }
    lanes.divide(lanes.multiply(x, numerator), denominator)
}

#[cfg(test)]
mod tests {
    use super::super::dots::Machine;
    use super::super::path::{KernelPath, Operation};
    use super::*;

    struct Apply<'a> {
        exponential: bool,
        values: &'a mut [f32],
    }

    impl Operation for Apply<'_> {
        type Output = ();

        #[inline(always)]
        fn run<L: Machine>(self, lanes: L) {
            for chunk in self.values.chunks_mut(L::COUNT) {
                // SAFETY: no more than the chunk is read and written.
                unsafe {
                    let x = lanes.load_some(chunk.as_ptr(), chunk.len(), 0.0);
                    let y = if self.exponential { exponential(lanes, x) } else { gelu(lanes, x) };
                    lanes.store_some(chunk.as_mut_ptr(), chunk.len(), y);
                }
            }
        }
    }

    fn apply(path: KernelPath, exponential: bool, mut values: Vec<f32>) -> Vec<f32> {
        path.run(Apply { exponential, values: &mut values });
        values
    }

    /// The error function by its Taylor series, in double precision.
    fn exact_error_function(x: f64) -> f64 {
        let (mut term, mut sum) = (x, x);
        for n in 1..200 {
            term *= -x * x / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        sum * 2.0 / std::f64::consts::PI.sqrt()
    }

    #[test]
    fn gelu_is_close_to_the_exact_value() {
        let inputs: Vec<f32> = (-4000..=4000).map(|step| step as f32 / 800.0).collect();
        for path in KernelPath::available() {
            for (&x, &found) in inputs.iter().zip(&apply(path, false, inputs.clone())) {
                let (x, found) = (f64::from(x), f64::from(found));
                let exact = 0.5 * x * (1.0 + exact_error_function(x / 2f64.sqrt()));
                assert!((found - exact).abs() < 1e-6 * x.abs().max(1.0), "{path}: gelu({x}) = {found}, not {exact}");
            }
            let far = apply(path, false, vec![-50.0, 50.0]);
            assert!(far[0].abs() < 5e-5 && (far[1] - 50.0).abs() < 5e-5, "{path}: {far:?}");
        }
    }

    #[test]
    fn the_exponential_is_close_to_the_exact_value() {
        let inputs: Vec<f32> = (0..=8700).map(|step| step as f32 / -100.0).collect();
        for path in KernelPath::available() {
            for (&x, &found) in inputs.iter().zip(&apply(path, true, inputs.clone())) {
                let exact = f64::from(x).exp();
                let off = (f64::from(found) - exact).abs() / exact;
                assert!(off < 3e-7, "{path}: exp({x}) = {found}, not {exact}");
            }
            assert!(apply(path, true, vec![-1e9, f32::NEG_INFINITY]).iter().all(|&value| value < 1e-37));
        }
    }
}
