//! What is added to the scores of attention by the distance of two tokens: MPNet's learned bias, and the band that
//! ModernBERT's local layers see.

use crate::model::kernels::RelativeBias;
use crate::model::weights::{Weights, WeightsError};

/// Distances beyond this share MPNet's last bucket, as in its paper's code and in T5, where its buckets come from
/// (Raffel et al. 2020).
const FARTHEST: f32 = 128.0;

/// A table of [`RelativeBias`] for windows up to a length.
pub(super) struct BiasTable {
    values: Vec<f32>,
    reach: usize,
}

impl BiasTable {
    /// MPNet's, for windows of at most `reach` tokens.
    pub(super) fn learned(
        weights: &Weights<'_>,
        name: &str,
        (buckets, heads, reach): (usize, usize, usize),
    ) -> Result<Self, WeightsError> {
        // `[buckets, heads]`
        let learned = weights.values(name, &[buckets, heads])?;
        let distances = 1 - reach as isize..reach as isize;
        let values = (0..heads).flat_map(|head| {
            let learned = &learned;
            distances.clone().map(move |behind| learned[bucket(behind, buckets) * heads + head])
        });
        Ok(Self { values: values.collect(), reach })
    }

    /// Lets every token see those that are at most `near` tokens away.
    pub(super) fn band(near: usize, reach: usize) -> Self {
        let distances = 1 - reach as isize..reach as isize;
        let value = |distance: isize| if distance.unsigned_abs() <= near { 0.0 } else { f32::NEG_INFINITY };
        Self { values: distances.map(value).collect(), reach }
    }

    pub(super) fn get(&self) -> RelativeBias<'_> {
        RelativeBias { table: &self.values, reach: self.reach }
    }
}

/// The bucket of a key that stands so far behind its query: the upper half of them for keys behind, in either half
/// the first half for short distances one by one, the rest on a scale of logarithms.
fn bucket(behind: isize, buckets: usize) -> usize {
    let half = buckets / 2;
    let single = half / 2;
    let distance = behind.unsigned_abs();
    let place = if distance < single {
        distance
    } else {
        let scale = (distance as f32 / single as f32).ln() / (FARTHEST / single as f32).ln();
        (single + (scale * (half - single) as f32) as usize).min(half - 1)
    };
    if behind > 0 { half + place } else { place }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_fall_into_buckets() {
        let found: Vec<usize> =
            [0, -1, -7, -8, -11, -12, -127, -128, -4000, 1, 7, 8, 90, 91, 4000].map(|at| bucket(at, 32)).to_vec();
        assert_eq!(found, [0, 1, 7, 8, 8, 9, 15, 15, 15, 17, 23, 24, 30, 31, 31]);
    }

    #[test]
    fn a_band_hides_what_is_far() {
        let band = BiasTable::band(1, 3);
        assert_eq!(band.values, [f32::NEG_INFINITY, 0.0, 0.0, 0.0, f32::NEG_INFINITY]);
    }
}
