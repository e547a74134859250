//! Why a model cannot be loaded or run.

use super::weights::WeightsError;
use crate::text::TokenizerError;

/// Why a model cannot be loaded or run.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// A file of the model directory cannot be read.
    #[error(
        "cannot read {path}: {reason} (a model is a directory with config.json, tokenizer.json and model.safetensors{})",
        if cfg!(feature = "hub") { ", or owner/name on Hugging Face's hub" } else { "" }
    )]
    File {
        /// The file.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// The files of a model directory are there in a form that is not read.
    #[error("{origin}: {reason}")]
    Unreadable {
        /// The model directory, or the model on the hub.
        origin: String,
        /// What is there, and what to do.
        reason: String,
    },
    /// `config.json` is not what it should be.
    #[error("{origin}: config.json: {reason}")]
    Config {
        /// The model directory, or "embedded model".
        origin: String,
        /// What is wrong with it.
        reason: String,
    },
    /// `tokenizer.json` cannot be used.
    #[error("{origin}: tokenizer.json: {source}")]
    Tokenizer {
        /// The model directory, or "embedded model".
        origin: String,
        /// What is wrong with it.
        source: TokenizerError,
    },
    /// `model.safetensors` is broken or does not fit the configuration.
    #[error("{origin}: model.safetensors: {source}")]
    Weights {
        /// The model directory, or "embedded model".
        origin: String,
        /// What is wrong with it.
        source: WeightsError,
    },
    /// The weights are not those that the configuration names.
    #[error(
        "{origin}: the weights have the SHA-256 {found}, and config.json names {expected}: the file is damaged, or \
         another one; get the model again"
    )]
    Checksum {
        /// The model directory, or "embedded model".
        origin: String,
        /// What `config.json` says.
        expected: String,
        /// What was found.
        found: String,
    },
    /// The model could not be got from where it is.
    #[error("{0}")]
    Unavailable(String),
    /// The binary was built without a model.
    #[error("this build has no embedded model: load one from a directory")]
    NotEmbedded,
    /// A window is empty or longer than the model's positions, or names a token outside the vocabulary.
    #[error("a window cannot be run: {0}")]
    Window(String),
    /// No head of that name.
    #[error("the model has no {0:?} head")]
    NoHead(String),
    /// Labels were asked for by a name, of a model that has but its own.
    #[error("the model {model} has labels of its own and none called {asked:?}: leave the scheme out")]
    OwnLabels {
        /// The model's name.
        model: String,
        /// What was asked for.
        asked: String,
    },
    /// The environment asks for kernels that do not exist or do not run here.
    #[error("{0}")]
    Kernels(String),
    /// A pause in a forward pass has ended it, or whoever gave the work to the engine.
    #[error("this was given up: nobody waits for it any more")]
    GivenUp,
    /// The tensor library failed.
    #[error("inference failed: {0}")]
    Inference(#[from] candle_core::Error),
}
