//! The model room: configuration, weights, the encoder, and the heads that stand on it.
//!
//! One forward pass over a batch of windows gives everything: tag scores of each head that was asked for, and the
//! encoder's states, from which the links between spans are scored. Tensors do not leave this room; what leaves it
//! is plain rows of `f32`.

mod architecture;
mod arithmetic;
mod config;
mod config_file;
mod coreference;
mod encoder;
mod error;
mod heads;
mod hugging_face;
mod identity;
mod kernels;
mod mention_class;
mod source;
mod weights;

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use candle_core::Device;

pub use architecture::{Activation, Architecture, Disentangled, Rotary};
pub use arithmetic::{Arithmetic, Precision};
pub use config::{
    Calibration, CoreferenceConfig, EncoderConfig, GivenNames, LinkConfig, ModelConfig, ScoreCalibrations,
    SpeakerScores, TrainingData,
};
pub(crate) use config::{STATEMENT_HEAD, calibrated};
pub use coreference::{PAIR_FEATURES, PairFeatures};
pub use encoder::WindowInput;
pub use error::ModelError;
pub use heads::{LinkKind, SequenceScores, SpanVectors, Tag, TagScheme};
#[cfg(feature = "benchmarks")]
pub use kernels::benchmarks;
pub use kernels::{KERNELS_VARIABLE, KernelPath};
pub use mention_class::{Gender, MentionClass};
pub use source::ModelFiles;
#[cfg(feature = "hub")]
pub(crate) use source::{
    OTHER_TOKENIZERS, OTHER_WEIGHTS, WEIGHTS_INDEX, check_size, no_safetensors, no_tokenizer, weights_files,
};
pub use weights::WeightsError;

use crate::text::Tokenizer;
use coreference::CoreferenceHead;
use encoder::{Encoder, Scratch};
use heads::{LinkHead, TagHead};
use identity::Identity;
use weights::Weights;

/// What the model says about one window. Rows are tokens, special tokens left out.
#[derive(Debug, Clone)]
pub struct WindowOutput {
    /// Number of tokens.
    pub tokens: usize,
    /// Tag scores of the heads asked for, in the order asked: `[tokens, tags]` each, row by row.
    pub tag_scores: Vec<Vec<f32>>,
    /// The encoder's states: `[tokens, hidden]`, row by row.
    pub states: Vec<f32>,
}

/// The entity head that answers where none is asked for, if the model has it.
const PREFERRED_HEAD: &str = "news9";

/// A loaded model, ready to run. Shared freely between threads.
pub struct Model {
    config: ModelConfig,
    tokenizer: Tokenizer,
    arithmetic: Arithmetic,
    encoder: Encoder,
    /// Room for forward passes that is not in use: as many as ever ran at the same time.
    scratches: Mutex<Vec<Scratch>>,
    tag_heads: Vec<TagHead>,
    /// Contents to cues, and sources to cues; `None` for a token classifier.
    links: Option<(LinkHead, LinkHead)>,
    coreference: Option<CoreferenceHead>,
    identity: Identity,
}

impl Model {
    /// The model inside the binary (`models/onrecord-small`).
    ///
    /// # Errors
    /// [`ModelError::NotEmbedded`] in builds without the `embedded-model` feature.
    pub fn embedded(arithmetic: Arithmetic) -> Result<Self, ModelError> {
        Self::from_files(&ModelFiles::embedded()?, arithmetic)
    }

    /// A model from a directory with `config.json`, `tokenizer.json` and `model.safetensors` (or several files and their
    /// index): one of this program's own, or a token classifier in the form of Hugging Face's `transformers`.
    ///
    /// # Errors
    /// Everything that can be wrong with such files, by name; never a panic.
    pub fn load(directory: &Path, arithmetic: Arithmetic) -> Result<Self, ModelError> {
        Self::from_files(&ModelFiles::read(directory)?, arithmetic)
    }

    /// A model from the contents of its three files.
    ///
    /// # Errors
    /// As for [`Model::load`].
    pub fn from_files(files: &ModelFiles, arithmetic: Arithmetic) -> Result<Self, ModelError> {
        let origin = files.origin.clone();
        let config = config_file::read(&files.config, &files.name)
            .map_err(|reason| ModelError::Config { origin: origin.clone(), reason })?;
        let broken = |source| ModelError::Weights { origin: origin.clone(), source };
        let weights = files.weights.iter().map(|file| &file[..]);
        let weights = Weights::parse(weights, Device::Cpu).map_err(broken)?;
        // Whoever reads one article waits for this: all cores share it.
        let (encoder, (tokenizer, identity)) = rayon::join(
            || Encoder::load(&config.encoder, &weights, config.shapes.len(), arithmetic),
            || rayon::join(|| Tokenizer::from_bytes(&files.tokenizer), || Identity::of(files)),
        );
        let tokenizer = tokenizer.map_err(|source| ModelError::Tokenizer { origin: origin.clone(), source })?;
        if tokenizer.vocabulary_size() > config.encoder.vocab_size {
            let reason = format!(
                "vocab_size is {}, but tokenizer.json has {} tokens",
                config.encoder.vocab_size,
                tokenizer.vocabulary_size()
            );
            return Err(ModelError::Config { origin, reason });
        }
        let encoder = encoder.map_err(broken)?;
        let hidden = config.encoder.hidden_size;
        let load_head = |(name, tags): (&String, &Vec<String>)| match config.finds_statements() {
            true => TagHead::load(name, tags, &config, &weights),
            false => TagHead::of_tokens(name, tags, hidden, &weights),
        };
        let tag_heads = config.heads.iter().map(load_head).collect::<Result<_, _>>().map_err(broken)?;
        let links = config.links.as_ref().map(|links| {
            let load = |kind| LinkHead::load(kind, links, hidden, &weights);
            Ok((load(LinkKind::Content)?, load(LinkKind::Source)?))
        });
        let links = links.transpose().map_err(broken)?;
        let coreference = config.coreference.as_ref();
        let coreference = coreference
            .map(|coreference| CoreferenceHead::load(arithmetic.kernels, coreference, hidden, &weights))
            .transpose()
            .map_err(broken)?;
        let found = &identity.weights;
        if let Some(expected) = config.weights_sha256.clone().filter(|expected| !expected.eq_ignore_ascii_case(found)) {
            return Err(ModelError::Checksum { origin, expected, found: found.clone() });
        }
        Ok(Self {
            config,
            tokenizer,
            arithmetic,
            encoder,
            scratches: Mutex::default(),
            tag_heads,
            links,
            coreference,
            identity,
        })
    }

    /// The configuration.
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// How it computes.
    pub fn arithmetic(&self) -> Arithmetic {
        self.arithmetic
    }

    /// The tokenizer that belongs to the weights.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// `name@hash`: which model produced an output.
    pub fn identifier(&self) -> String {
        format!("{}@{}", self.config.name, self.hash())
    }

    /// The start of a SHA-256 over all files of the model (docs/models.md): weights, tokenizer and configuration.
    pub fn hash(&self) -> &str {
        &self.identity.model[..12]
    }

    /// The SHA-256 of the weights alone.
    pub fn weights_hash(&self) -> &str {
        &self.identity.weights
    }

    /// The tag scheme of a head.
    ///
    /// # Errors
    /// [`ModelError::NoHead`].
    pub fn scheme(&self, head: &str) -> Result<&TagScheme, ModelError> {
        self.tag_head(head).map(|head| &head.scheme)
    }

    /// Whether the model finds statements; one that does not finds entities only.
    pub fn finds_statements(&self) -> bool {
        self.links.is_some()
    }

    /// The entity head of a name, or without one the model's first choice.
    ///
    /// # Errors
    /// [`ModelError::NoHead`], [`ModelError::OwnLabels`].
    pub fn entity_head(&self, asked: Option<&str>) -> Result<&str, ModelError> {
        let is_entities = |head: &&TagHead| head.scheme.name != STATEMENT_HEAD;
        let head = match asked {
            Some(asked) if !self.finds_statements() => {
                return Err(ModelError::OwnLabels { model: self.config.name.clone(), asked: asked.to_owned() });
            }
            Some(asked) => self.tag_head(asked)?,
            None => {
                let preferred = self.tag_head(PREFERRED_HEAD).ok();
                let head = preferred.or_else(|| self.tag_heads.iter().find(is_entities));
                head.ok_or_else(|| ModelError::NoHead(PREFERRED_HEAD.to_owned()))?
            }
        };
        Ok(&head.scheme.name)
    }

    /// Width of the encoder's states.
    pub fn hidden_size(&self) -> usize {
        self.config.encoder.hidden_size
    }

    fn tag_head(&self, name: &str) -> Result<&TagHead, ModelError> {
        self.tag_heads.iter().find(|head| head.scheme.name == name).ok_or_else(|| ModelError::NoHead(name.to_owned()))
    }

    /// Runs a batch of windows of any lengths on this thread; the outputs stand in the order of the windows. What
    /// stands beside a window in the batch makes no difference to its output, to the last bit.
    ///
    /// # Errors
    /// [`ModelError::Window`], [`ModelError::NoHead`].
    pub fn forward(&self, windows: &[WindowInput<'_>], heads: &[&str]) -> Result<Vec<WindowOutput>, ModelError> {
        self.forward_with(windows, heads, 1, &mut || ControlFlow::Continue(()))
    }

    /// The same, with a `pause` now and then, for a thread that may have something more urgent to do; another forward
    /// pass, say. It makes no difference to the outputs. A pause may also give the whole of it up.
    ///
    /// # Errors
    /// As for [`Model::forward`]; [`ModelError::GivenUp`].
    pub fn forward_with_pauses(
        &self,
        windows: &[WindowInput<'_>],
        heads: &[&str],
        pause: &mut dyn FnMut() -> ControlFlow<()>,
    ) -> Result<Vec<WindowOutput>, ModelError> {
        self.forward_with(windows, heads, 1, pause)
    }

    /// The same, shared out to all threads of the rayon pool that this is called in: for when there is but one batch
    /// to run. The outputs are those of [`Model::forward`], to the last bit.
    ///
    /// # Errors
    /// As for [`Model::forward_with_pauses`].
    pub fn forward_together(
        &self,
        windows: &[WindowInput<'_>],
        heads: &[&str],
        pause: &mut dyn FnMut() -> ControlFlow<()>,
    ) -> Result<Vec<WindowOutput>, ModelError> {
        self.forward_with(windows, heads, rayon::current_num_threads(), pause)
    }

    fn forward_with(
        &self,
        windows: &[WindowInput<'_>],
        heads: &[&str],
        threads: usize,
        pause: &mut dyn FnMut() -> ControlFlow<()>,
    ) -> Result<Vec<WindowOutput>, ModelError> {
        if windows.is_empty() {
            return Ok(Vec::new());
        }
        let heads: Vec<&TagHead> = heads.iter().map(|name| self.tag_head(name)).collect::<Result<_, _>>()?;
        let mut scratch = self.scratches().pop().unwrap_or_default();
        let outcome = self.encoder.forward(windows, self.tokenizer.special_tokens(), threads, &mut scratch, pause);
        let outputs = outcome.map(|()| self.outputs(windows, &heads, &mut scratch));
        self.scratches().push(scratch);
        outputs
    }

    fn scratches(&self) -> std::sync::MutexGuard<'_, Vec<Scratch>> {
        self.scratches.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs the heads over the states and cuts everything up by windows.
    fn outputs(&self, windows: &[WindowInput<'_>], heads: &[&TagHead], scratch: &mut Scratch) -> Vec<WindowOutput> {
        let hidden = self.config.encoder.hidden_size;
        // [CLS] stands before the tokens and [SEP] behind them.
        let mut end = 0;
        let inner: Vec<_> = windows
            .iter()
            .map(|window| {
                let start = end + 1;
                end = start + window.ids.len() + 1;
                start..end - 1
            })
            .collect();
        let mut outputs: Vec<WindowOutput> = inner
            .iter()
            .map(|rows| WindowOutput {
                tokens: rows.len(),
                tag_scores: Vec::with_capacity(heads.len()),
                states: scratch.states[rows.start * hidden..rows.end * hidden].to_vec(),
            })
            .collect();
        for head in heads {
            let tags = head.scheme.tags();
            head.scores(self.arithmetic.kernels, &scratch.states, &mut scratch.scores);
            for (rows, output) in inner.iter().zip(&mut outputs) {
                output.tag_scores.push(scratch.scores[rows.start * tags..rows.end * tags].to_vec());
            }
        }
        outputs
    }

    /// Projects spans for linking. `ends` are the states of each span's first and last token, `[hidden]` each. Nothing
    /// where the model finds no statements.
    ///
    /// # Errors
    /// A failure of the tensor library.
    pub fn span_vectors(&self, role: LinkRole, ends: &[(&[f32], &[f32])]) -> Result<Vec<SpanVectors>, ModelError> {
        let Some((contents, sources)) = &self.links else { return Ok(Vec::new()) };
        let project = |head: &LinkHead, as_cue: bool| head.project(ends, as_cue);
        Ok(match role {
            LinkRole::Content => SpanVectors::of_spans(project(contents, false)?),
            LinkRole::Source => SpanVectors::of_spans(project(sources, false)?),
            LinkRole::Cue => SpanVectors::of_cues(project(contents, true)?, project(sources, true)?),
        })
    }

    /// Score of "this content or source belongs to that cue"; `distance` in tokens from the span's first to the
    /// cue's first.
    pub fn link_score(&self, kind: LinkKind, span: &SpanVectors, cue: &SpanVectors, distance: isize) -> f32 {
        let head = self.links.as_ref().map(|(contents, sources)| match kind {
            LinkKind::Content => contents,
            LinkKind::Source => sources,
        });
        head.map_or(f32::NEG_INFINITY, |head| head.score(span, cue, distance))
    }

    /// Score of "this content belongs to no cue".
    pub fn no_link_score(&self, span: &SpanVectors) -> f32 {
        self.links.as_ref().map_or(0.0, |(contents, _)| contents.none_score(span))
    }

    /// Vectors of mentions, which stand for them in [`Model::antecedent_scores`]. `ends` are the states of each one's
    /// first and last token, `[hidden]` each. Nothing where the model has no coreference head.
    pub fn mention_vectors(&self, ends: &[(&[f32], &[f32])]) -> Vec<Vec<f32>> {
        self.coreference.as_ref().map(|head| head.vectors(ends)).unwrap_or_default()
    }

    /// Scores of the mentions that an anaphor may go back to; nothing where the model has no coreference head.
    pub fn antecedent_scores(&self, anaphor: &[f32], candidates: &[(&[f32], PairFeatures)]) -> Vec<f32> {
        self.coreference.as_ref().map(|head| head.scores(anaphor, candidates)).unwrap_or_default()
    }

    /// Score of an anaphor's going back to nobody, beside [`Model::antecedent_scores`].
    pub fn nobody_score(&self, anaphor: &[f32], class: MentionClass, is_source: bool) -> f32 {
        self.coreference.as_ref().map_or(0.0, |head| head.nobody(anaphor, class, is_source))
    }

    /// The gender of a person, where a given name (in lower case) tells.
    pub fn gender_of_given_name(&self, name: &str) -> Option<Gender> {
        self.coreference.as_ref().and_then(|head| head.gender_of_given_name(name))
    }

    /// The same for a name of one word: none where it may be a surname.
    pub fn gender_of_lone_name(&self, name: &str) -> Option<Gender> {
        self.coreference.as_ref().and_then(|head| head.gender_of_lone_name(name))
    }
}

/// What part a span plays in a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkRole {
    /// Points to a cue, or to none.
    Content,
    /// Points to any number of cues.
    Source,
    /// Is pointed to.
    Cue,
}
