//! Which model it is: hashes of its files.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

use super::ModelFiles;

/// SHA-256 of a model's files, in hexadecimal.
pub(super) struct Identity {
    /// Of the weights, where they are in several files of these end to end.
    pub weights: String,
    /// Of everything that the model is made of: another tokenizer or other calibrations are another model.
    pub model: String,
}

impl Identity {
    pub fn of(files: &ModelFiles) -> Self {
        let weights = sum(&files.weights);
        let sums = [sum(std::slice::from_ref(&files.config)), sum(std::slice::from_ref(&files.tokenizer)), weights];
        // As `sha256sum` prints them, so that anybody can do the same (docs/models.md).
        let printed = sums.each_ref().map(|sum| format!("{sum}  -\n")).concat();
        let [.., weights] = sums;
        Self { weights, model: hexadecimal(&Sha256::digest(printed)) }
    }
}

fn sum(files: &[Cow<'static, [u8]>]) -> String {
    let mut hasher = Sha256::new();
    files.iter().for_each(|file| hasher.update(file));
    hexadecimal(&hasher.finalize())
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
