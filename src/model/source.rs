//! Where a model's files come from: a directory, or the binary itself.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::Path;

use serde::Deserialize;

use super::ModelError;

/// The contents of a model directory.
#[derive(Clone)]
pub struct ModelFiles {
    /// Where they came from, for messages.
    pub origin: String,
    /// What the model is called if its `config.json` gives it no name.
    pub name: String,
    /// `config.json`
    pub config: Cow<'static, [u8]>,
    /// `tokenizer.json`
    pub tokenizer: Cow<'static, [u8]>,
    /// `model.safetensors`, or the files that `model.safetensors.index.json` names, in the order of their names.
    pub weights: Vec<Cow<'static, [u8]>>,
}

/// `model.safetensors.index.json`: which tensor is in which file.
#[derive(Deserialize)]
struct WeightsIndex {
    weight_map: std::collections::BTreeMap<String, String>,
}

/// Name of the list of weights files.
pub(crate) const WEIGHTS_INDEX: &str = "model.safetensors.index.json";

/// Files of tokenizers in a form that is not read.
pub(crate) const OTHER_TOKENIZERS: [&str; 5] =
    ["vocab.txt", "vocab.json", "sentencepiece.bpe.model", "spm.model", "spiece.model"];

/// Files of weights in a form that is not read.
pub(crate) const OTHER_WEIGHTS: [&str; 4] =
    ["pytorch_model.bin", "pytorch_model.bin.index.json", "tf_model.h5", "flax_model.msgpack"];

impl ModelFiles {
    /// Reads a model directory.
    ///
    /// # Errors
    /// [`ModelError::File`] names the file that is missing or unreadable, [`ModelError::Unreadable`] what is there in
    /// its place, and what to do.
    pub fn read(directory: &Path) -> Result<Self, ModelError> {
        let name =
            directory.canonicalize().ok().and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
        Ok(Self {
            origin: directory.display().to_string(),
            name: name.unwrap_or_else(|| "model".to_owned()),
            config: file(directory, "config.json")?,
            tokenizer: tokenizer(directory)?,
            weights: weights(directory)?,
        })
    }

    /// The files inside the binary.
    ///
    /// # Errors
    /// [`ModelError::NotEmbedded`] in builds without the `embedded-model` feature.
    #[cfg(feature = "embedded-model")]
    pub fn embedded() -> Result<Self, ModelError> {
        macro_rules! file {
            ($name:literal) => {
                Cow::Borrowed(
                    &include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/models/onrecord-small/", $name))[..],
                )
            };
        }
        Ok(Self {
            origin: "embedded model".to_owned(),
            name: "onrecord-small".to_owned(),
            config: file!("config.json"),
            tokenizer: file!("tokenizer.json"),
            weights: vec![file!("model.safetensors")],
        })
    }

    /// The files inside the binary: this build has none.
    ///
    /// # Errors
    /// Always [`ModelError::NotEmbedded`].
    #[cfg(not(feature = "embedded-model"))]
    pub fn embedded() -> Result<Self, ModelError> {
        Err(ModelError::NotEmbedded)
    }
}

fn file(directory: &Path, name: &str) -> Result<Cow<'static, [u8]>, ModelError> {
    let path = directory.join(name);
    std::fs::read(&path)
        .map(Cow::Owned)
        .map_err(|error| ModelError::File { path: path.display().to_string(), reason: error.to_string() })
}

fn tokenizer(directory: &Path) -> Result<Cow<'static, [u8]>, ModelError> {
    match OTHER_TOKENIZERS.iter().find(|name| directory.join(name).exists()) {
        Some(other) if !directory.join("tokenizer.json").exists() => {
            let directory = directory.display().to_string();
            Err(ModelError::Unreadable { reason: no_tokenizer(other, &directory), origin: directory })
        }
        _ => file(directory, "tokenizer.json"),
    }
}

fn weights(directory: &Path) -> Result<Vec<Cow<'static, [u8]>>, ModelError> {
    let exists = |name: &str| directory.join(name).exists();
    if exists("model.safetensors") {
        return Ok(vec![file(directory, "model.safetensors")?]);
    }
    let origin = || directory.display().to_string();
    if exists(WEIGHTS_INDEX) {
        let names = weights_files(&file(directory, WEIGHTS_INDEX)?)
            .map_err(|reason| ModelError::Unreadable { origin: origin(), reason })?;
        return names.iter().map(|name| file(directory, name)).collect();
    }
    match OTHER_WEIGHTS.iter().find(|name| exists(name)) {
        Some(other) => Err(ModelError::Unreadable { reason: no_safetensors(other, &origin()), origin: origin() }),
        None => Ok(vec![file(directory, "model.safetensors")?]),
    }
}

/// The files that an index of weights names, each a file beside it.
pub(crate) fn weights_files(index: &[u8]) -> Result<Vec<String>, String> {
    let index: WeightsIndex = serde_json::from_slice(index).map_err(|error| format!("{WEIGHTS_INDEX}: {error}"))?;
    let names: BTreeSet<String> = index.weight_map.into_values().collect();
    let plain = |name: &String| {
        let characters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        name.ends_with(".safetensors") && name.chars().all(characters)
    };
    if let Some(other) = names.iter().find(|name| !plain(name)) {
        return Err(format!("{WEIGHTS_INDEX}: weight_map names {other:?}, which is no safetensors file beside it"));
    }
    if names.is_empty() {
        return Err(format!("{WEIGHTS_INDEX}: weight_map names no files"));
    }
    Ok(names.into_iter().collect())
}

/// What to do about a tokenizer in other files.
pub(crate) fn no_tokenizer(found: &str, model: &str) -> String {
    format!(
        "there is no tokenizer.json, only {found}. Make one, in Python with transformers: \
         AutoTokenizer.from_pretrained({model:?}).save_pretrained(\"converted\")"
    )
}

/// What to do about weights in another form.
pub(crate) fn no_safetensors(found: &str, model: &str) -> String {
    format!(
        "there is no model.safetensors, only {found}, which is not read here (such files can run code). Convert it where \
         you trust it, in Python with transformers: \
         AutoModelForTokenClassification.from_pretrained({model:?}).save_pretrained(\"converted\")"
    )
}
