//! Flags that several commands have.

use clap::Args;

use super::ending::Failure;
use super::model::ModelArguments;
use crate::engine::{Engine, EntityScheme, Options};
use crate::text::OffsetUnit;

/// How the model is run.
#[derive(Debug, Args)]
pub(super) struct EngineArguments {
    #[command(flatten)]
    pub(super) model: ModelArguments,

    /// Worker threads [default: one per core]
    #[arg(long, value_name = "N", env = "ONRECORD_THREADS", value_parser = clap::value_parser!(u16).range(1..))]
    #[arg(allow_negative_numbers = true)]
    pub(super) threads: Option<u16>,

    /// Most tokens in a window, special tokens included [default: what the model was trained with]
    #[arg(long, value_name = "TOKENS", env = "ONRECORD_MAX_WINDOW")]
    #[arg(allow_negative_numbers = true)]
    pub(super) max_window: Option<usize>,
}

impl EngineArguments {
    pub(super) fn start(&self, options: Options) -> Result<Engine, Failure> {
        let model = self.model.load()?;
        // Told once, and not for each document.
        if let Some(scheme) = options.entity_scheme.map(EntityScheme::name) {
            let head = model.entity_head(Some(scheme));
            head.map_err(|error| Failure::Usage(format!("--entity-scheme {scheme}: {error}")))?;
        }
        let engine = Engine::new(model, options, self.threads.map_or(0, usize::from));
        Ok(engine.and_then(|engine| engine.with_max_window(self.max_window))?)
    }
}

/// What every extraction can be told.
#[derive(Debug, Args)]
pub(super) struct ExtractionArguments {
    /// Which entity labels: news9 (PER ORG LOC NORP FAC PRODUCT DATE MONEY MISC) or conll4 (PER ORG LOC MISC)
    /// [default: news9; a model from Hugging Face has labels of its own]
    #[arg(long, value_name = "SCHEME", env = "ONRECORD_ENTITY_SCHEME")]
    entity_scheme: Option<EntityScheme>,

    /// Unit of all offsets: codepoint (Python), byte (Rust, Go) or utf16 (JavaScript, Java)
    #[arg(long, value_name = "UNIT", env = "ONRECORD_OFFSET_UNIT", default_value = "codepoint")]
    offset_unit: OffsetUnit,

    /// Leave out entities and statements that score below this (0 to 1)
    #[arg(long, value_name = "SCORE", env = "ONRECORD_MIN_SCORE", default_value = "0", value_parser = score)]
    #[arg(allow_negative_numbers = true)]
    min_score: f32,

    /// Leave out floating statements: quotations without source or cue after an attributed one, and turns of
    /// transcripts
    #[arg(long, env = "ONRECORD_NO_FLOATING", value_parser = clap::builder::FalseyValueParser::new())]
    no_floating: bool,
}

impl ExtractionArguments {
    pub(super) fn options(&self) -> Options {
        Options {
            entity_scheme: self.entity_scheme,
            offset_unit: self.offset_unit,
            min_score: self.min_score,
            floating: !self.no_floating,
        }
    }
}

/// Refuses what makes no sense with a model that finds entities only.
pub(super) fn require_statements(engine: &Engine, what: &str) -> Result<(), Failure> {
    let model = engine.model();
    if model.finds_statements() {
        return Ok(());
    }
    Err(Failure::Usage(format!("{what}: the model {} finds entities only, no statements", model.config().name)))
}

fn score(text: &str) -> Result<f32, String> {
    let number: f32 = text.parse().map_err(|_| format!("{text:?} is not a number"))?;
    if (0.0..=1.0).contains(&number) { Ok(number) } else { Err(format!("{number} is not between 0 and 1")) }
}
