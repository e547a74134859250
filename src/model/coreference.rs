//! The coreference head: which mention a pronoun or a description goes back to.
//!
//! A mention is known by the states of its first and last token, projected once. An anaphor and a candidate are scored
//! together by a small network over both vectors, their product, and tables of features such as distance (a mention
//! ranker in the line of Lee et al. 2017); "nobody" is scored from the anaphor alone. What a candidate alone adds to the
//! network's hidden layer is computed with its vector: once, not for each anaphor that may mean it.

use std::collections::{HashMap, HashSet};

use super::config::CoreferenceConfig;
use super::kernels::{FloatMatrix, KernelPath, float_product};
use super::mention_class::{Gender, MentionClass};
use super::weights::{Weights, WeightsError};

/// Number of tables of features of a pair.
pub const PAIR_TABLES: usize = 8;

/// Names and rows of those tables.
pub const PAIR_FEATURES: [(&str, usize); PAIR_TABLES] = [
    ("distance", 40),
    ("sentence", 9),
    ("paragraph", 6),
    ("classes", MentionClass::COUNT * MentionClass::COUNT),
    ("flags", 64),
    ("frequency", 6),
    ("rank", 8),
    ("described", 2),
];

/// Two mentions' features: a row of each table.
pub type PairFeatures = [usize; PAIR_TABLES];

/// Scorers that were trained from different random beginnings; what they say is averaged.
pub(super) struct CoreferenceHead {
    scorers: Vec<Scorer>,
    given_names: HashMap<String, Gender>,
    /// Given names that are surnames, too, where that is known.
    surnames: Option<HashSet<String>>,
    /// Length of what one scorer knows a mention by: its vector, and what it adds to the hidden layer as a candidate.
    width: usize,
}

impl CoreferenceHead {
    pub(super) fn load(
        kernels: KernelPath,
        config: &CoreferenceConfig,
        states: usize,
        weights: &Weights<'_>,
    ) -> Result<Self, WeightsError> {
        let scorers = (0..config.scorers).map(|number| Scorer::load(kernels, config, number, states, weights));
        let names = [(Gender::Man, &config.given_names.man), (Gender::Woman, &config.given_names.woman)];
        let surnames = config.given_names.surname.as_deref();
        let given_names =
            names.into_iter().flat_map(|(gender, names)| names.split(' ').map(move |name| (name.to_owned(), gender)));
        Ok(Self {
            scorers: scorers.collect::<Result<_, _>>()?,
            given_names: given_names.collect(),
            surnames: surnames.map(|names| names.split(' ').map(str::to_owned).collect()),
            width: config.width + config.hidden,
        })
    }

    /// Vectors of mentions, `[scorers * (width + hidden)]` each, given by the states of their first and last tokens.
    pub(super) fn vectors(&self, ends: &[(&[f32], &[f32])]) -> Vec<Vec<f32>> {
        let mut vectors = vec![Vec::with_capacity(self.scorers.len() * self.width); ends.len()];
        let joined: Vec<f32> = ends.iter().flat_map(|(first, last)| [*first, *last].concat()).collect();
        for scorer in &self.scorers {
            let (own, added) = scorer.vectors(&joined, ends.len());
            let parts = own.chunks(scorer.width).zip(added.chunks(scorer.hidden));
            vectors.iter_mut().zip(parts).for_each(|(vector, (own, added))| {
                vector.extend_from_slice(own);
                vector.extend_from_slice(added);
            });
        }
        vectors
    }

    /// The gender that a given name tells, if any.
    pub(super) fn gender_of_given_name(&self, name: &str) -> Option<Gender> {
        self.given_names.get(name).copied()
    }

    /// The same for a name of one word, which a surname may be.
    pub(super) fn gender_of_lone_name(&self, name: &str) -> Option<Gender> {
        let is_surname = self.surnames.as_ref().is_none_or(|surnames| surnames.contains(name));
        self.gender_of_given_name(name).filter(|_| !is_surname)
    }

    /// Score of each candidate for an anaphor.
    pub(super) fn scores(&self, anaphor: &[f32], candidates: &[(&[f32], PairFeatures)]) -> Vec<f32> {
        let mut sums = vec![0.0; candidates.len()];
        for (number, scorer) in self.scorers.iter().enumerate() {
            let own = number * self.width..(number + 1) * self.width;
            let pairs: Vec<(&[f32], PairFeatures)> =
                candidates.iter().map(|(candidate, features)| (&candidate[own.clone()], *features)).collect();
            let scores = scorer.scores(&anaphor[own], &pairs);
            sums.iter_mut().zip(scores).for_each(|(sum, score)| *sum += score / self.scorers.len() as f32);
        }
        sums
    }

    /// Score of "the document names nobody whom this means".
    pub(super) fn nobody(&self, anaphor: &[f32], class: MentionClass, is_source: bool) -> f32 {
        let own = self.scorers.iter().zip(anaphor.chunks(self.width));
        own.map(|(scorer, vector)| scorer.nobody(vector, class, is_source)).sum::<f32>() / self.scorers.len() as f32
    }
}

struct Scorer {
    kernels: KernelPath,
    mention: (FloatMatrix, Vec<f32>),
    anaphor: (FloatMatrix, Vec<f32>),
    candidate: FloatMatrix,
    /// For the product of a candidate's vector with the anaphor's.
    both: FloatMatrix,
    /// `[rows, hidden]` each.
    tables: Vec<Vec<f32>>,
    score: Vec<f32>,
    nobody: (Vec<f32>, f32),
    nobody_classes: Vec<f32>,
    width: usize,
    hidden: usize,
}

impl Scorer {
    fn load(
        kernels: KernelPath,
        config: &CoreferenceConfig,
        number: usize,
        states: usize,
        weights: &Weights<'_>,
    ) -> Result<Self, WeightsError> {
        let (width, hidden) = (config.width, config.hidden);
        let values = |name: &str, shape: &[usize]| weights.values(&format!("coreference.{number}.{name}"), shape);
        let tables =
            PAIR_FEATURES.iter().map(|(name, rows)| values(&format!("features.{name}.weight"), &[*rows, hidden]));
        Ok(Self {
            kernels,
            mention: (
                FloatMatrix::pack(&values("mention.weight", &[width, 2 * states])?, width, 2 * states),
                values("mention.bias", &[width])?,
            ),
            anaphor: (
                FloatMatrix::pack(&values("anaphor.weight", &[hidden, width])?, hidden, width),
                values("anaphor.bias", &[hidden])?,
            ),
            candidate: FloatMatrix::pack(&values("candidate.weight", &[hidden, width])?, hidden, width),
            both: FloatMatrix::pack(&values("both.weight", &[hidden, width])?, hidden, width),
            tables: tables.collect::<Result<_, _>>()?,
            score: values("score.weight", &[1, hidden])?,
            nobody: (
                values("nobody.weight", &[1, width])?,
                values("nobody.bias", &[1])?.first().copied().unwrap_or_default(),
            ),
            nobody_classes: values("nobody_classes", &[2 * MentionClass::COUNT])?,
            width,
            hidden,
        })
    }

    /// `ends`: `[mentions, 2 * states]` -> mentions' vectors, `[mentions, width]`, and what each adds to the hidden layer as
    /// a candidate, `[mentions, hidden]`, row by row.
    fn vectors(&self, ends: &[f32], mentions: usize) -> (Vec<f32>, Vec<f32>) {
        let mut vectors = vec![0.0; mentions * self.width];
        float_product(self.kernels, ends, &self.mention.0, &self.mention.1, &mut vectors);
        vectors.iter_mut().for_each(|value| *value = value.tanh());
        let mut added = vec![0.0; mentions * self.hidden];
        float_product(self.kernels, &vectors, &self.candidate, &vec![0.0; self.hidden], &mut added);
        (vectors, added)
    }

    fn scores(&self, anaphor: &[f32], candidates: &[(&[f32], PairFeatures)]) -> Vec<f32> {
        let anaphor = &anaphor[..self.width];
        let mut shared = vec![0.0; self.hidden];
        float_product(self.kernels, anaphor, &self.anaphor.0, &self.anaphor.1, &mut shared);
        let mut products = Vec::with_capacity(candidates.len() * self.width);
        for (candidate, _) in candidates {
            products.extend(candidate.iter().zip(anaphor).map(|(left, right)| left * right));
        }
        let mut hidden = vec![0.0; candidates.len() * self.hidden];
        float_product(self.kernels, &products, &self.both, &shared, &mut hidden);
        let score = |(hidden, (candidate, features)): (&mut [f32], &(&[f32], PairFeatures))| {
            let rows = self.tables.iter().zip(features).map(|(table, row)| &table[row * self.hidden..][..self.hidden]);
            for row in rows.chain([&candidate[self.width..]]) {
                hidden.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
            }
            hidden.iter().zip(&self.score).map(|(value, weight)| value.max(0.0) * weight).sum()
        };
        hidden.chunks_mut(self.hidden).zip(candidates).map(score).collect()
    }

    fn nobody(&self, anaphor: &[f32], class: MentionClass, is_source: bool) -> f32 {
        let learned: f32 = anaphor.iter().zip(&self.nobody.0).map(|(value, weight)| value * weight).sum();
        learned + self.nobody.1 + self.nobody_classes[2 * class.row() + usize::from(is_source)]
    }
}
