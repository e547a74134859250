//! Model files that anybody made.

use std::borrow::Cow;
use std::sync::LazyLock;

use super::{Choices, tiny};
use crate::decode::DocumentDecoder;
use crate::engine::{Engine, Options};
use crate::model::{Arithmetic, KernelPath, Model, ModelFiles, Precision};
use crate::text::Document;

/// The files of models that are edited: ours, and a token classifier with another tokenizer.
fn originals() -> &'static [ModelFiles] {
    static FILES: LazyLock<Vec<ModelFiles>> = LazyLock::new(|| {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/token_classifiers");
        let read = |name: &str| ModelFiles::read(&folder.join(name)).ok();
        [Some(tiny::files()), read("bert"), read("xlm-roberta")].into_iter().flatten().collect()
    });
    &FILES
}

/// Files with any edits: they are refused, or they make a model that runs.
pub fn models(data: &[u8]) {
    let mut choices = Choices::new(data);
    let Some(original) = originals().get(choices.below(originals().len())) else { return };
    let mut files = original.clone();
    let which = choices.byte();
    if which & 1 == 1 {
        files.config = Cow::Owned(choices.edited(&original.config));
    }
    if which & 2 == 2 {
        files.tokenizer = Cow::Owned(choices.edited(&original.tokenizer));
    }
    if which & 4 == 4 {
        // What is at the front of the file says what is in the rest.
        let header = original.weights.first().map_or(&[][..], |weights| &weights[..weights.len().min(6000)]);
        let rest = original.weights.first().map_or(&[][..], |weights| &weights[header.len()..]);
        let edited = [choices.edited(header), rest.to_vec()].concat();
        files.weights = vec![Cow::Owned(if which & 8 == 8 { choices.edited(&edited) } else { edited })];
    }
    let precision = if which & 16 == 16 { Precision::Int8 } else { Precision::F32 };
    let Ok(model) = Model::from_files(&files, Arithmetic { precision, kernels: KernelPath::Portable }) else { return };
    let Ok(document) = Document::new("fuzzed", "“We will appeal,” said Maria Lopez, who runs it.") else { return };
    let entities = model.entity_head(None).map(|head| DocumentDecoder::heads(&model, head).len());
    assert!(entities.is_ok_and(|heads| heads > 0), "a model without a head was loaded");
    let Ok(engine) = Engine::new(model, Options::default(), 1) else { return };
    for extraction in engine.extract(&[document]) {
        // A model may fail at a document; that is an error, and no end of the program.
        let Ok(extraction) = extraction else { continue };
        assert!(extraction.entities.iter().all(|entity| (0.0..=1.0).contains(&entity.score)), "{extraction:?}");
    }
}
