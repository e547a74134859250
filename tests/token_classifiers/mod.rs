//! Token classifiers in the form of Hugging Face's `transformers`: their pipelines' answers, whole documents of any
//! length, and directories that are broken or of another kind.
//!
//! `tests/fixtures/token_classifiers` is written by `scripts/eval/make_token_classifiers.py`; `scripts/test-long` has it
//! make others, and names their directory in `ONRECORD_TOKEN_CLASSIFIERS`.

mod broken;
mod documents;
#[cfg(feature = "server")]
mod parity;

use std::path::PathBuf;

use onrecord::engine::{Engine, Options};
use onrecord::model::{Arithmetic, KernelPath, Model, Precision};

use crate::support::fixture;

/// All of them.
const NAMES: [&str; 9] = [
    "bert",
    "distilbert",
    "electra",
    "roberta",
    "xlm-roberta",
    "mpnet",
    "deberta-v2",
    "deberta-v2-apart",
    "modernbert",
];

fn directory(name: &str) -> PathBuf {
    let made = std::env::var_os("ONRECORD_TOKEN_CLASSIFIERS").map(PathBuf::from);
    made.unwrap_or_else(|| fixture("token_classifiers")).join(name)
}

fn exact() -> Arithmetic {
    Arithmetic { precision: Precision::F32, kernels: KernelPath::fastest() }
}

fn load(name: &str, arithmetic: Arithmetic) -> Model {
    Model::load(&directory(name), arithmetic).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn engine(name: &str, options: Options) -> Engine {
    Engine::new(load(name, exact()), options, 2).expect("the engine starts")
}
