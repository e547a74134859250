//! `config.json`: what the weights are, and which corpora they were made from.

use serde::{Deserialize, Serialize};

use super::architecture::{Activation, Architecture};
use super::mention_class::MentionClass;
use crate::text::{ENCODER_SHAPES, GAPS, SHAPES};

/// The whole of `config.json`; of that of a token classifier from Hugging Face, what matters here.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ModelConfig {
    /// "onrecord", or what `transformers` calls the model.
    pub model_type: String,
    /// The model's name, as it appears in every output.
    pub name: String,
    /// Version of this file's form; this code reads 1.
    pub format: u32,
    /// Dimensions of the encoder.
    pub encoder: EncoderConfig,
    /// Names of the word shapes, in the order of their embeddings; "caseless" may be missing.
    pub shapes: Vec<String>,
    /// Names of the gaps, in the order of their embeddings.
    pub gaps: Vec<String>,
    /// Most tokens in a window, special tokens included.
    pub max_window: usize,
    /// Tag names of each head, in the order of the scores' columns: "O", then "B-X" and "I-X" of each label.
    pub heads: std::collections::BTreeMap<String, Vec<String>>,
    /// Dimensions of the link heads; a model without them finds entities only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub links: Option<LinkConfig>,
    /// The coreference head; a model without it resolves neither pronouns nor descriptions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coreference: Option<CoreferenceConfig>,
    /// What makes the scores of speakers probabilities; without it they stay as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speaker_scores: Option<SpeakerScores>,
    /// What makes the scores of entities, segments and statements probabilities; without it they stay as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scores: Option<ScoreCalibrations>,
    /// SHA-256 of the weights' file, hexadecimal: others are refused. Without it they are taken as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights_sha256: Option<String>,
    /// The corpora that the weights were trained on.
    #[serde(default)]
    pub training_data: Vec<TrainingData>,
}

/// Kind and dimensions of an encoder, under Hugging Face's names for BERT (Devlin et al. 2019).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are BERT's own")]
pub struct EncoderConfig {
    #[serde(default)]
    pub architecture: Architecture,
    pub vocab_size: usize,
    pub hidden_size: usize,
    pub num_hidden_layers: usize,
    pub num_attention_heads: usize,
    pub intermediate_size: usize,
    pub max_position_embeddings: usize,
    pub type_vocab_size: usize,
    pub layer_norm_eps: f64,
    #[serde(default)]
    pub activation: Activation,
    /// Width of the embeddings, where it is not that of the states.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embedding_size: Option<usize>,
}

impl EncoderConfig {
    /// Most tokens in a window, special tokens included.
    pub fn window_limit(&self) -> usize {
        self.max_position_embeddings.saturating_sub(self.architecture.first_position())
    }

    /// What is wrong with the dimensions, if anything is.
    pub(super) fn check(&self) -> Result<(), String> {
        for (name, value) in [
            ("vocab_size", self.vocab_size),
            ("hidden_size", self.hidden_size),
            ("num_attention_heads", self.num_attention_heads),
            ("intermediate_size", self.intermediate_size),
            ("embedding_size", self.embedding_size.unwrap_or(1)),
        ] {
            if value == 0 || value > 1 << 24 {
                return Err(format!("{name} is {value}"));
            }
        }
        if !self.hidden_size.is_multiple_of(self.num_attention_heads) {
            return Err(format!(
                "hidden_size {} is not a multiple of num_attention_heads {}",
                self.hidden_size, self.num_attention_heads
            ));
        }
        if self.num_hidden_layers > 1024 {
            return Err(format!("num_hidden_layers is {}", self.num_hidden_layers));
        }
        if !(3..=1 << 15).contains(&self.window_limit()) {
            return Err(format!("max_position_embeddings is {}", self.max_position_embeddings));
        }
        match self.architecture {
            Architecture::MpNet { relative_buckets } if !(4..=1 << 16).contains(&relative_buckets) => {
                Err(format!("architecture has {relative_buckets} buckets of relative positions"))
            }
            _ => Ok(()),
        }
    }
}

/// Dimensions of the biaffine link heads.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LinkConfig {
    /// Width of the projected spans.
    pub width: usize,
    /// Number of distance buckets, half of them for cues behind the span.
    pub distance_buckets: usize,
}

/// The coreference head, and how its probabilities are read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CoreferenceConfig {
    /// Scorers whose scores are averaged.
    pub scorers: usize,
    /// Width of a mention's vector, for one scorer.
    pub width: usize,
    /// Width of the layer that scores pairs.
    pub hidden: usize,
    /// Kinds of mentions, in the order of the head's tables.
    pub classes: Vec<String>,
    /// Given names that tell a gender.
    pub given_names: GivenNames,
}

/// Given names, in lower case and with spaces between them, whose bearers are nearly always of one gender.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "said above")]
pub struct GivenNames {
    pub man: String,
    pub woman: String,
    /// Those that are surnames, too. Without it nothing is made of a name of one word.
    pub surname: Option<String>,
}

/// Calibrations of speakers' scores, fitted by `scripts/eval/speaker_scores.py`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct SpeakerScores {
    /// Where the source gives a name.
    pub named: Calibration,
    /// Where it is a pronoun or a description.
    pub referred: Calibration,
}

/// Calibrations of the scores of what is found in the text, fitted by `scripts/eval/scores.py`: of a score, the probability
/// that an entity's borders and label, a segment's borders, or a statement's segments all together are right.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ScoreCalibrations {
    /// By entity head.
    #[serde(default)]
    pub entities: std::collections::BTreeMap<String, Calibration>,
    /// Of the segments of sources.
    pub source: Calibration,
    /// Of cues.
    pub cue: Calibration,
    /// Of the segments of contents.
    pub content: Calibration,
    /// Of whole statements.
    pub statements: Calibration,
}

/// Makes a score a probability (Kull, Silva Filho and Flach 2017): the logistic function of
/// `slope * ln(score) - against * ln(1 - score) + offset`. Without `against` the slope is that of both (Platt 1999). For a
/// segment of several words, `words * ln(number of words)` is added ([`Calibration::of_words`]).
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[expect(missing_docs, reason = "said above")]
pub struct Calibration {
    pub slope: f32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<f32>,
    pub offset: f32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<f32>,
}

impl Calibration {
    /// The calibration of segments of so many words.
    pub fn of_words(self, number: usize) -> Self {
        let offset = self.offset + self.words.unwrap_or_default() * (number.max(1) as f32).ln();
        Self { offset, ..self }
    }

    /// The probability that a score, 0 to 1, stands for.
    pub fn probability(self, score: f32) -> f32 {
        let score = score.clamp(1e-6, 1.0 - 1e-6);
        let against = self.against.unwrap_or(self.slope);
        let odds = self.slope * score.ln() - against * (1.0 - score).ln() + self.offset;
        let probability = 1.0 / (1.0 + (-odds).exp());
        // A slope without bounds makes it no number.
        if probability.is_nan() { 0.0 } else { probability }
    }
}

/// A score as a probability, where there is a calibration for it; else as it is.
pub(crate) fn calibrated(calibration: Option<Calibration>, score: f32) -> f32 {
    calibration.map_or(score, |calibration| calibration.probability(score))
}

/// One training file and what may be done with it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TrainingData {
    /// Name of the corpus.
    pub name: String,
    /// File that was read.
    pub file: String,
    /// SHA-256 of that file.
    pub sha256: String,
    /// Its licence and limits, as its source states them.
    pub licence: String,
}

/// The name of a token classifier's only head.
pub(crate) const TOKEN_HEAD: &str = "entities";

/// The statement head's name; its labels are [`STATEMENT_LABELS`].
pub(crate) const STATEMENT_HEAD: &str = "statement";

/// Labels of the statement head, in order.
pub(crate) const STATEMENT_LABELS: [&str; 3] = ["source", "cue", "content"];

impl ModelConfig {
    /// Whether the model is this program's own: it finds statements, and knows shapes and gaps.
    pub fn finds_statements(&self) -> bool {
        self.links.is_some()
    }

    /// What is wrong with the configuration of a model of this program, if anything is.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.model_type != "onrecord" {
            return Err(format!("model_type is {:?}, not \"onrecord\"", self.model_type));
        }
        if self.format != 1 {
            return Err(format!("format {} is not known (this version reads 1)", self.format));
        }
        let encoder = &self.encoder;
        encoder.check().map_err(|reason| format!("encoder.{reason}"))?;
        if matches!(encoder.architecture, Architecture::DebertaV2(_) | Architecture::ModernBert(_)) {
            return Err(format!("encoder.architecture {} has no place for our heads", encoder.architecture.name()));
        }
        if !(3..=encoder.window_limit()).contains(&self.max_window) {
            return Err(format!(
                "max_window is {}, not between 3 and {}, the most that encoder.max_position_embeddings leaves room for",
                self.max_window,
                encoder.window_limit()
            ));
        }
        if !(self.shapes == SHAPES || self.shapes == ENCODER_SHAPES) || self.gaps != GAPS {
            return Err("shapes or gaps are not those of this version".to_owned());
        }
        let Some(links) = &self.links else { return Err("links is missing".to_owned()) };
        if links.width == 0 || links.width > 1 << 24 {
            return Err(format!("links.width is {}", links.width));
        }
        if links.distance_buckets < 4 || !links.distance_buckets.is_multiple_of(2) {
            return Err(format!("links.distance_buckets is {}", links.distance_buckets));
        }
        if let Some(coreference) = &self.coreference {
            for (name, value) in
                [("scorers", coreference.scorers), ("width", coreference.width), ("hidden", coreference.hidden)]
            {
                if value == 0 || value > 1 << 16 {
                    return Err(format!("coreference.{name} is {value}"));
                }
            }
            if coreference.classes != MentionClass::ALL.map(MentionClass::name) {
                return Err("coreference.classes are not those of this version".to_owned());
            }
        }
        for (head, tags) in &self.heads {
            check_tags(tags).map_err(|reason| format!("heads.{head}: {reason}"))?;
        }
        match self.heads.get(STATEMENT_HEAD) {
            Some(tags) if labels(tags).eq(STATEMENT_LABELS) => Ok(()),
            _ => Err(format!("heads.{STATEMENT_HEAD} must have the labels {STATEMENT_LABELS:?}")),
        }
    }
}

fn check_tags(tags: &[String]) -> Result<(), String> {
    if tags.first().is_none_or(|tag| tag != "O") || tags.len() < 3 || tags.len().is_multiple_of(2) {
        return Err("tags must be O, then B-X and I-X for each label X".to_owned());
    }
    for pair in tags[1..].chunks(2) {
        let names = (pair[0].strip_prefix("B-"), pair[1].strip_prefix("I-"));
        if !matches!(names, (Some(begin), Some(inside)) if begin == inside && !begin.is_empty()) {
            return Err(format!("{:?} and {:?} are not a pair B-X, I-X", pair[0], pair[1]));
        }
    }
    Ok(())
}

/// The labels behind a list of tags that passed [`ModelConfig::check`].
pub(crate) fn labels(tags: &[String]) -> impl Iterator<Item = &str> {
    tags.iter().filter_map(|tag| tag.strip_prefix("B-"))
}

#[cfg(test)]
mod tests {
    use super::Calibration;

    #[test]
    fn one_slope_is_that_of_both_sides() {
        let read = |json| serde_json::from_str::<Calibration>(json).expect("it is a calibration");
        let identity = read(r#"{"slope": 1.0, "offset": 0.0}"#);
        let both = read(r#"{"slope": 0.7, "offset": -0.5}"#);
        let each = read(r#"{"slope": 0.7, "against": 0.7, "offset": -0.5}"#);
        for score in [0.0, 0.1, 0.5, 0.9, 1.0] {
            assert!((identity.probability(score) - score).abs() < 1e-5);
            assert_eq!(both.probability(score).to_bits(), each.probability(score).to_bits());
        }
        // With nothing in favour, a score of nought is as probable as the offset says.
        let floor = read(r#"{"slope": 0.0, "against": 1.0, "offset": -1.0986123}"#);
        assert!((floor.probability(0.0) - 0.25).abs() < 1e-3);
        assert!(floor.probability(0.9) > floor.probability(0.8));
    }

    #[test]
    fn words_move_the_offset() {
        let read = |json| serde_json::from_str::<Calibration>(json).expect("it is a calibration");
        let by_words = read(r#"{"slope": 1.0, "offset": 0.0, "words": -1.0}"#);
        assert!((by_words.of_words(1).probability(0.8) - 0.8).abs() < 1e-5);
        assert!((by_words.of_words(4).probability(0.8) - 0.5).abs() < 1e-5, "odds of four, divided by four");
        assert_eq!(by_words.of_words(0).offset.to_bits(), by_words.of_words(1).offset.to_bits());
        let without = read(r#"{"slope": 1.0, "offset": 0.0}"#);
        assert_eq!(without.of_words(9).probability(0.8).to_bits(), without.probability(0.8).to_bits());
    }
}
