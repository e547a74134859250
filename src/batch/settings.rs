//! What a run is asked to do. What decides the rows that come out is kept in the manifest, so that no run goes on with
//! the output of another.

use std::sync::Arc;

use arrow_schema::{Field, Schema, SchemaRef};
use serde::{Deserialize, Serialize};

use super::columns::document_schema;
use super::error::BatchError;
use super::flat::{entity_schema, statement_schema};
use super::inputs::{Fingerprint, InputFormat, Inputs};
use super::kept::with_kept;
use super::shard::Shard;
use crate::engine::{Engine, EntityScheme};
use crate::text::OffsetUnit;

/// How parts are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum OutputFormat {
    /// Apache Parquet, compressed with zstd
    #[default]
    Parquet,
    /// One JSON object a line
    Jsonl,
    /// The same, compressed with zstd
    #[value(name = "jsonl.zst")]
    #[serde(rename = "jsonl.zst")]
    JsonlZst,
}

impl OutputFormat {
    /// What the name of a part ends with.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Jsonl => "jsonl",
            Self::JsonlZst => "jsonl.zst",
        }
    }
}

/// What gets a row of its own instead of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Flat {
    /// One row per statement
    Statements,
    /// One row per entity
    Entities,
}

/// What decides which rows come out, and in which parts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// How inputs hold documents; `None`: by extension.
    pub input_format: Option<InputFormat>,
    /// The column of texts.
    pub text_column: String,
    /// The column of ids; `None`: `id` where there is one.
    pub id_column: Option<String>,
    /// Columns that are passed through.
    pub keep: Vec<String>,
    /// How parts are written.
    pub output_format: OutputFormat,
    /// What gets a row; `None`: a document.
    pub flat: Option<Flat>,
    /// Documents in a part, those that fail included.
    pub rows_per_part: u64,
    /// The share of the documents that the run takes; `None`: all.
    pub shard: Option<Shard>,
    /// Larger documents are refused, bytes.
    pub max_document_bytes: usize,
    /// Which entity head answers; `None`: the model's first choice.
    pub entity_scheme: Option<EntityScheme>,
    /// The unit of offsets.
    pub offset_unit: OffsetUnit,
    /// What scores lower is left out.
    pub min_score: f32,
    /// Whether quotations without source and cue are statements.
    pub floating: bool,
    /// Most tokens in a window.
    pub max_window: Option<usize>,
}

impl Settings {
    /// The column of ids, and whether every input must have it.
    pub(super) fn id_column(&self) -> (&str, bool) {
        self.id_column.as_deref().map_or(("id", false), |name| (name, true))
    }

    /// Rows of this many bytes are refused without being held in memory: a text of the greatest length fits, with its
    /// escapes if they are not too many, and with other columns.
    pub(super) fn max_row_bytes(&self) -> usize {
        self.max_document_bytes.saturating_mul(2).saturating_add(64 * 1024)
    }

    /// The columns that results have, and then those that are passed through.
    ///
    /// # Errors
    /// [`BatchError::Usage`] when one of the latter is called like one of the former, or comes twice.
    pub(super) fn output_schema(&self, kept: &[Field]) -> Result<SchemaRef, BatchError> {
        let usage = |reason| BatchError::Usage(format!("--keep {reason}"));
        let fields = with_kept(&self.result_schema(), kept).map_err(usage)?;
        Ok(Arc::new(Schema::new(fields)))
    }

    /// The columns that results have.
    pub(super) fn result_schema(&self) -> SchemaRef {
        match self.flat {
            None => document_schema(),
            Some(Flat::Statements) => statement_schema(),
            Some(Flat::Entities) => entity_schema(),
        }
    }
}

/// All that must be the same for a run to go on where another ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// The program with its version.
    pub program: String,
    /// Which model: `name@hash`.
    pub model: String,
    /// The numbers that the encoder computes with.
    pub precision: String,
    /// What was asked for.
    pub options: Settings,
    /// Which files.
    pub inputs: Fingerprint,
}

impl Job {
    /// What this engine is to do.
    pub fn new(engine: &Engine, options: Settings, inputs: &Inputs) -> Self {
        Self {
            program: concat!("onrecord ", env!("CARGO_PKG_VERSION")).to_owned(),
            model: engine.model().identifier(),
            precision: engine.model().arithmetic().precision.to_string(),
            options,
            inputs: inputs.fingerprint(),
        }
    }

    /// The first thing in which another job differs: its name, what it is here, and what it is there.
    pub(super) fn difference(&self, other: &Self) -> Option<(String, String, String)> {
        let flat = |job: &Self| {
            let value = serde_json::to_value(job).unwrap_or_default();
            let mut fields: Vec<(String, serde_json::Value)> = Vec::new();
            for (name, value) in value.as_object().into_iter().flatten() {
                match value.as_object() {
                    Some(inner) if name == "options" => {
                        let flag = |name: &String| format!("--{}", name.replace('_', "-"));
                        fields.extend(inner.iter().map(|(name, value)| (flag(name), value.clone())));
                    }
                    _ => fields.push((name.clone(), value.clone())),
                }
            }
            fields
        };
        let pairs = flat(self).into_iter().zip(flat(other));
        let mut different = pairs.filter(|(ours, theirs)| ours != theirs);
        different.next().map(|((name, ours), (_, theirs))| (name, ours.to_string(), theirs.to_string()))
    }
}
