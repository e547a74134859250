//! GELU with the error function, as BERT has it (Hendrycks and Gimpel 2016), without a call per element.

/// `x / 2 * (1 + erf(x / sqrt(2)))`, within 1e-6 of the exact value, times `|x|` where that is over one.
#[inline(always)]
pub(super) fn gelu(x: f32) -> f32 {
    0.5 * x * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2))
}

/// The error function by the rational minimax approximation on [-4, 4] that Eigen and XLA use; beyond that it is
/// one in single precision. No branches and no table, so that a loop over it becomes vector code.
#[inline(always)]
fn erf(x: f32) -> f32 {
    let x = x.clamp(-4.0, 4.0);
    let square = x * x;
    let mut numerator = -2.726_142_3e-10;
    for coefficient in [2.770_681_4e-8, -2.101_024e-6, -5.692_506_4e-5, -7.349_906_3e-4, -2.954_6e-3, -1.609_603_3e-2] {
        numerator = numerator * square + coefficient;
    }
    let mut denominator = -1.456_607_2e-5;
    for coefficient in [-2.133_740_6e-4, -1.682_827e-3, -7.373_329e-3, -1.426_473_9e-2] {
        denominator = denominator * square + coefficient;
    }
    x * numerator / denominator
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The Taylor series in double precision.
    fn exact_erf(x: f64) -> f64 {
        let (mut term, mut sum) = (x, x);
        for n in 1..200 {
            term *= -x * x / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        sum * 2.0 / std::f64::consts::PI.sqrt()
    }

    #[test]
    fn close_to_the_exact_value() {
        for step in -4000..=4000 {
            let x = f64::from(step) / 800.0;
            let exact = 0.5 * x * (1.0 + exact_erf(x / 2f64.sqrt()));
            let found = f64::from(gelu(x as f32));
            assert!((found - exact).abs() < 1e-6 * x.abs().max(1.0), "gelu({x}) = {found}, exactly {exact}");
        }
        assert!(gelu(-50.0).abs() < 5e-5);
        assert!((gelu(50.0) - 50.0).abs() < 5e-5);
    }
}
