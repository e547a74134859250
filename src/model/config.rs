//! `config.json`: what the weights are, and which corpora they were made from.

use serde::{Deserialize, Serialize};

use super::coreference::MENTION_CLASSES;
use crate::text::{GAPS, SHAPES};

/// The whole of `config.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ModelConfig {
    /// Always "onrecord".
    pub model_type: String,
    /// The model's name, as it appears in every output.
    pub name: String,
    /// Version of this file's form; this code reads 1.
    pub format: u32,
    /// Dimensions of the encoder.
    pub encoder: EncoderConfig,
    /// Names of the word shapes, in the order of their embeddings.
    pub shapes: Vec<String>,
    /// Names of the gaps, in the order of their embeddings.
    pub gaps: Vec<String>,
    /// Most tokens in a window, special tokens included.
    pub max_window: usize,
    /// Tag names of each head, in the order of the scores' columns: "O", then "B-X" and "I-X" of each label.
    pub heads: std::collections::BTreeMap<String, Vec<String>>,
    /// Dimensions of the link heads.
    pub links: LinkConfig,
    /// The coreference head; a model without it resolves neither pronouns nor descriptions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coreference: Option<CoreferenceConfig>,
    /// What makes the scores of speakers probabilities; without it they stay as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speaker_scores: Option<SpeakerScores>,
    /// The corpora that the weights were trained on.
    #[serde(default)]
    pub training_data: Vec<TrainingData>,
}

/// Dimensions of a BERT encoder (Devlin et al. 2019), under Hugging Face's names.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are BERT's own")]
pub struct EncoderConfig {
    pub vocab_size: usize,
    pub hidden_size: usize,
    pub num_hidden_layers: usize,
    pub num_attention_heads: usize,
    pub intermediate_size: usize,
    pub max_position_embeddings: usize,
    pub type_vocab_size: usize,
    pub layer_norm_eps: f64,
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
}

/// Calibrations of speakers' scores, fitted by `scripts/eval/speaker_scores.py`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct SpeakerScores {
    /// Where the source gives a name.
    pub named: Calibration,
    /// Where it is a pronoun or a description.
    pub referred: Calibration,
}

/// Makes a score a probability (Platt 1999): the logistic function of `slope * logit(score) + offset`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[expect(missing_docs, reason = "said above")]
pub struct Calibration {
    pub slope: f32,
    pub offset: f32,
}

impl Calibration {
    /// The probability that a score, 0 to 1, stands for.
    pub fn probability(self, score: f32) -> f32 {
        let score = score.clamp(1e-6, 1.0 - 1e-6);
        1.0 / (1.0 + (-(self.slope * (score / (1.0 - score)).ln() + self.offset)).exp())
    }
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

/// The statement head's name; its labels are [`ROLES`].
pub(crate) const STATEMENT_HEAD: &str = "statement";

/// Labels of the statement head, in order.
pub(crate) const ROLES: [&str; 3] = ["source", "cue", "content"];

impl ModelConfig {
    /// Reads and checks `config.json`; an error says what is wrong with which field.
    pub(crate) fn from_json(json: &[u8]) -> Result<Self, String> {
        let config: Self = serde_json::from_slice(json).map_err(|error| error.to_string())?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), String> {
        if self.model_type != "onrecord" {
            return Err(format!("model_type is {:?}, not \"onrecord\"", self.model_type));
        }
        if self.format != 1 {
            return Err(format!("format {} is not known (this version reads 1)", self.format));
        }
        let encoder = &self.encoder;
        for (name, value) in [
            ("encoder.vocab_size", encoder.vocab_size),
            ("encoder.hidden_size", encoder.hidden_size),
            ("encoder.num_attention_heads", encoder.num_attention_heads),
            ("encoder.intermediate_size", encoder.intermediate_size),
            ("encoder.type_vocab_size", encoder.type_vocab_size),
            ("links.width", self.links.width),
        ] {
            if value == 0 || value > 1 << 24 {
                return Err(format!("{name} is {value}"));
            }
        }
        if !encoder.hidden_size.is_multiple_of(encoder.num_attention_heads) {
            return Err(format!(
                "encoder.hidden_size {} is not a multiple of encoder.num_attention_heads {}",
                encoder.hidden_size, encoder.num_attention_heads
            ));
        }
        if encoder.num_hidden_layers > 1024 {
            return Err(format!("encoder.num_hidden_layers is {}", encoder.num_hidden_layers));
        }
        if !(3..=encoder.max_position_embeddings).contains(&self.max_window) {
            return Err(format!(
                "max_window is {}, not between 3 and encoder.max_position_embeddings ({})",
                self.max_window, encoder.max_position_embeddings
            ));
        }
        if self.shapes != SHAPES || self.gaps != GAPS {
            return Err("shapes or gaps are not those of this version".to_owned());
        }
        if self.links.distance_buckets < 4 || !self.links.distance_buckets.is_multiple_of(2) {
            return Err(format!("links.distance_buckets is {}", self.links.distance_buckets));
        }
        if let Some(coreference) = &self.coreference {
            for (name, value) in
                [("scorers", coreference.scorers), ("width", coreference.width), ("hidden", coreference.hidden)]
            {
                if value == 0 || value > 1 << 16 {
                    return Err(format!("coreference.{name} is {value}"));
                }
            }
            if coreference.classes != MENTION_CLASSES {
                return Err("coreference.classes are not those of this version".to_owned());
            }
        }
        for (head, tags) in &self.heads {
            check_tags(tags).map_err(|reason| format!("heads.{head}: {reason}"))?;
        }
        match self.heads.get(STATEMENT_HEAD) {
            Some(tags) if labels(tags).eq(ROLES) => Ok(()),
            _ => Err(format!("heads.{STATEMENT_HEAD} must have the labels {ROLES:?}")),
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
