//! Where a model's files come from: a directory, or the binary itself.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use safetensors::tensor::Metadata;
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

/// No file beside the weights is larger than this in bytes, whoever made the model: the tokenizers of the largest
/// vocabularies take a tenth of it.
const LARGEST_OF_JSON: u64 = 256 << 20;

/// No header of weights is: the library refuses larger ones.
const LARGEST_HEADER: u64 = 100_000_000;

/// Bytes at the start of weights that tell how long the header behind them is.
const HEADER_LENGTH: u64 = 8;

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

/// Reads a file of JSON.
fn file(directory: &Path, name: &str) -> Result<Cow<'static, [u8]>, ModelError> {
    read(directory, name, |file| {
        check_size(name, file.metadata()?.len())?;
        // A pipe has no size, and a file may grow.
        let bytes = contents(file, LARGEST_OF_JSON + 1)?;
        check_size(name, bytes.len() as u64)?;
        Ok(bytes)
    })
}

/// Reads a file of weights, if it is no longer than it says at its start: what is behind that might be without end.
fn weights_file(directory: &Path, name: &str) -> Result<Cow<'static, [u8]>, ModelError> {
    read(directory, name, |file| {
        let length = file.metadata()?.len();
        let mut bytes = contents(file, HEADER_LENGTH)?;
        let header = <[u8; HEADER_LENGTH as usize]>::try_from(&bytes[..]).map(u64::from_le_bytes);
        // Whatever else is wrong with weights, their parser says.
        let Some(header) = header.ok().filter(|&header| header <= LARGEST_HEADER) else { return Ok(bytes) };
        bytes.extend(contents(file, header)?);
        let Ok(tensors) = serde_json::from_slice::<Metadata>(&bytes[HEADER_LENGTH as usize..]) else {
            return Ok(bytes);
        };
        let told = (HEADER_LENGTH + header).saturating_add(tensors.data_len() as u64);
        if length > told {
            let reason = format!("it has {length} bytes, and says at its start that it has {told}");
            return Err(io::Error::other(format!("{reason}: it is damaged, or another file")));
        }
        let rest = told - bytes.len() as u64;
        bytes.try_reserve_exact(usize::try_from(rest.min(length)).unwrap_or(usize::MAX))?;
        file.take(rest).read_to_end(&mut bytes)?;
        Ok(bytes)
    })
}

/// Opens a file and reads it in this way.
fn read(
    directory: &Path,
    name: &str,
    how: impl FnOnce(&mut File) -> io::Result<Vec<u8>>,
) -> Result<Cow<'static, [u8]>, ModelError> {
    let path = directory.join(name);
    File::open(&path)
        .and_then(|mut file| how(&mut file))
        .map(Cow::Owned)
        .map_err(|error| ModelError::File { path: path.display().to_string(), reason: error.to_string() })
}

/// The next bytes of a file, so many at most.
fn contents(file: &mut File, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Refuses a file beside the weights that is larger than any is.
pub(crate) fn check_size(name: &str, length: u64) -> io::Result<()> {
    if length <= LARGEST_OF_JSON || name.ends_with(".safetensors") {
        return Ok(());
    }
    Err(io::Error::other(format!("it has {length} bytes, and at most {LARGEST_OF_JSON} are read")))
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
        return Ok(vec![weights_file(directory, "model.safetensors")?]);
    }
    let origin = || directory.display().to_string();
    if exists(WEIGHTS_INDEX) {
        let names = weights_files(&file(directory, WEIGHTS_INDEX)?)
            .map_err(|reason| ModelError::Unreadable { origin: origin(), reason })?;
        return names.iter().map(|name| weights_file(directory, name)).collect();
    }
    match OTHER_WEIGHTS.iter().find(|name| exists(name)) {
        Some(other) => Err(ModelError::Unreadable { reason: no_safetensors(other, &origin()), origin: origin() }),
        None => Ok(vec![weights_file(directory, "model.safetensors")?]),
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
