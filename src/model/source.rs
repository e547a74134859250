//! Where a model's three files come from: a directory, or the binary itself.

use std::borrow::Cow;
use std::path::Path;

use super::ModelError;

/// The contents of a model directory.
pub struct ModelFiles {
    /// Where they came from, for messages.
    pub origin: String,
    /// `config.json`
    pub config: Cow<'static, [u8]>,
    /// `tokenizer.json`
    pub tokenizer: Cow<'static, [u8]>,
    /// `model.safetensors`
    pub weights: Cow<'static, [u8]>,
}

impl ModelFiles {
    /// Reads a model directory.
    ///
    /// # Errors
    /// [`ModelError::File`] names the file that is missing or unreadable.
    pub fn read(directory: &Path) -> Result<Self, ModelError> {
        let file = |name: &str| {
            let path = directory.join(name);
            std::fs::read(&path)
                .map(Cow::Owned)
                .map_err(|error| ModelError::File { path: path.display().to_string(), reason: error.to_string() })
        };
        Ok(Self {
            origin: directory.display().to_string(),
            config: file("config.json")?,
            tokenizer: file("tokenizer.json")?,
            weights: file("model.safetensors")?,
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
            config: file!("config.json"),
            tokenizer: file!("tokenizer.json"),
            weights: file!("model.safetensors"),
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
