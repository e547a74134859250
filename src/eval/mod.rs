//! Measures extracted statements and entities against gold annotation.
//!
//! The numbers are those of the project's two reference scorers, to the second decimal: [`statements`] ports
//! `score_attributions.py`, [`entities`] ports `score_entities.py`, and [`gold`] reads the files that both compare.
//! Every offset in this room counts Unicode code points of the document's text, end exclusive; every score is a
//! percentage.

pub mod entities;
pub mod gold;
mod names;
mod running_text;
mod spans;
pub mod statements;

#[cfg(test)]
#[allow(clippy::single_range_in_vec_init)]
mod agreement;

use std::fmt;
use std::io;
use std::path::PathBuf;

use serde::Serialize;

/// Why a gold or prediction file could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvalError {
    /// The file could not be opened.
    #[error("{}: cannot be opened: {source}", file.display())]
    Open {
        /// The file as the caller named it.
        file: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Reading stopped before the end of the file.
    #[error("{}, line {line}: cannot be read: {source}", file.display())]
    Read {
        /// The file as the caller named it.
        file: PathBuf,
        /// The line that was being read, counted from 1.
        line: usize,
        /// What the operating system said.
        source: io::Error,
    },
    /// A line is not the JSON that its reader expects.
    #[error("{}, line {line}: {reason}", file.display())]
    Line {
        /// The file as the caller named it.
        file: PathBuf,
        /// The offending line, counted from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
}

/// Precision, recall and their harmonic mean, each a percentage rounded to two decimals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Scores {
    /// Share of the predictions that are right, in percent; 0 without predictions.
    pub precision: f64,
    /// Share of the gold that was found, in percent; 0 without gold.
    pub recall: f64,
    /// Harmonic mean of the unrounded precision and recall, in percent; 0 when both are.
    pub f1: f64,
}

impl Scores {
    /// Width of the column of row names in tables.
    const NAME_WIDTH: usize = 20;

    /// Writes the head of a table of scores.
    pub(crate) fn write_header(formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = Self::NAME_WIDTH;
        writeln!(formatter, "{:width$}{:>10}{:>10}{:>10}", "percent", "precision", "recall", "f1")
    }

    /// Writes one row under the columns of [`Scores::write_header`].
    pub(crate) fn write_row(self, formatter: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
        let Self { precision, recall, f1 } = self;
        let width = Self::NAME_WIDTH;
        writeln!(formatter, "{name:width$}{precision:>10.2}{recall:>10.2}{f1:>10.2}")
    }
}

/// Counts behind [`Scores`], summed over documents (micro average).
///
/// Hits are counted from both sides because a repeated prediction can be right more often than its gold occurs.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    pub(crate) predicted_hits: usize,
    pub(crate) predicted: usize,
    pub(crate) gold_hits: usize,
    pub(crate) gold: usize,
}

impl Tally {
    /// Adds one document, where `hits` counts the same for precision and recall.
    pub(crate) fn add(&mut self, hits: usize, predicted: usize, gold: usize) {
        self.add_unequal(hits, predicted, hits, gold);
    }

    /// Adds one document whose hits differ between the predicted and the gold side.
    pub(crate) fn add_unequal(&mut self, predicted_hits: usize, predicted: usize, gold_hits: usize, gold: usize) {
        self.predicted_hits += predicted_hits;
        self.predicted += predicted;
        self.gold_hits += gold_hits;
        self.gold += gold;
    }

    /// The scores of everything added so far.
    pub(crate) fn scores(self) -> Scores {
        let precision = ratio(self.predicted_hits, self.predicted);
        let recall = ratio(self.gold_hits, self.gold);
        let sum = precision + recall;
        Scores {
            precision: round_to_hundredths(100.0 * precision),
            recall: round_to_hundredths(100.0 * recall),
            f1: if sum > 0.0 { round_to_hundredths(200.0 * precision * recall / sum) } else { 0.0 },
        }
    }
}

/// `part / whole`, or 0 where there is no whole.
fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// Rounds to two decimals like Python's `round`: on the exact binary value, ties to the even digit.
pub(crate) fn round_to_hundredths(value: f64) -> f64 {
    // Scaling by 100 would round a second time; the formatter works on the exact value.
    format!("{value:.2}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_is_that_of_python() {
        // Expected values printed by Python 3.11.
        let cases = [
            (3.125, 3.12),
            (9.375, 9.38),
            (0.625, 0.62),
            (2.675, 2.67),
            (1.005, 1.0),
            (66.66666666666667, 66.67),
            (99.995, 100.0),
            (100.0, 100.0),
            (0.0, 0.0),
        ];
        for (value, expected) in cases {
            assert_eq!(round_to_hundredths(value), expected, "{value}");
        }
    }

    #[test]
    fn nothing_predicted_scores_zero() {
        let mut tally = Tally::default();
        tally.add(0, 0, 3);
        assert_eq!(tally.scores(), Scores::default());
    }
}
