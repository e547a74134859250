//! The functions between the two products of a layer. GELU has a kernel; of the others a plain loop is enough.

use crate::model::architecture::Activation;
use crate::model::kernels::{KernelPath, gelu_in_place};

/// The function of every value.
pub(super) fn activate(path: KernelPath, activation: Activation, values: &mut [f32]) {
    let each = |function: fn(f32) -> f32, values: &mut [f32]| values.iter_mut().for_each(|x| *x = function(*x));
    match activation {
        Activation::Gelu => gelu_in_place(path, values),
        Activation::GeluTanh => each(gelu_tanh, values),
        Activation::Relu => each(|x| x.max(0.0), values),
        Activation::Silu => each(|x| x / (1.0 + (-x).exp()), values),
    }
}

/// GELU by its approximation with the hyperbolic tangent (Hendrycks and Gimpel 2016).
fn gelu_tanh(x: f32) -> f32 {
    let inner = (2.0 / std::f32::consts::PI).sqrt() * (x + 0.044_715 * x * x * x);
    0.5 * x * (1.0 + inner.tanh())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        for (activation, expected) in [
            (Activation::Gelu, [-0.158_655_25, 0.0, 1.954_499_7]),
            (Activation::GeluTanh, [-0.158_808, 0.0, 1.954_597_7]),
            (Activation::Relu, [0.0, 0.0, 2.0]),
            (Activation::Silu, [-0.268_941_4, 0.0, 1.761_594_2]),
        ] {
            let mut values = [-1.0, 0.0, 2.0];
            activate(KernelPath::fastest(), activation, &mut values);
            for (found, expected) in values.into_iter().zip(expected) {
                assert!((found - expected).abs() < 1e-6, "{activation:?}: {found}, not {expected}");
            }
        }
    }
}
