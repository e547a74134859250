//! `onrecord eval`: how good the model, or a file of results, is on annotated documents.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use crate::cli::arguments::{EngineArguments, require_statements};
use crate::cli::ending::{ALL_GOOD, Failure};
use crate::engine::{Engine, EntityScheme, ExtractedSegment, Extraction, Options};
use crate::eval::entities::{self, LabelMapping};
use crate::eval::gold::{
    GoldSpeaker, JsonLines, PredictedDocument, PredictedEntity, PredictedStatement, StatementSpans,
};
use crate::eval::{EvalError, statements};
use crate::text::Document;

/// Documents that are extracted together.
const GROUP: usize = 64;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum EvalCommand {
    /// Score statements (source, cue, content, speaker) against {"id", "text", "attributions"} lines.
    ///
    /// docs/annotations.md describes them. The page of `onrecord serve` downloads such lines, speakers included.
    Statements {
        #[command(flatten)]
        common: Common,

        /// Who the source of each gold statement is: {"doc", "index", "speaker", "aliases", "form"} lines. They replace
        /// what the gold itself says
        #[arg(long, value_name = "FILE")]
        speakers: Option<PathBuf>,
    },
    /// Score entities against {"id", "doc", "tokens", "ner"} lines, on running text.
    Entities {
        #[command(flatten)]
        common: Common,

        /// Which entity head to score [default: news9; a model from Hugging Face has labels of its own]
        #[arg(long, value_name = "SCHEME", env = "ONRECORD_ENTITY_SCHEME")]
        entity_scheme: Option<EntityScheme>,

        /// The gold uses en_worldwide's long names (Person, Organization, ...)
        #[arg(long)]
        worldwide: bool,

        /// Predictions of other labels than these do not count (for example PER,ORG,LOC)
        #[arg(long, value_name = "LABELS", value_delimiter = ',')]
        only: Vec<String>,
    },
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Common {
    /// The annotated documents (JSON Lines)
    gold: PathBuf,

    /// Score these results of `onrecord extract` instead of running the model
    #[arg(long, value_name = "FILE")]
    predictions: Option<PathBuf>,

    /// Print the scores as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    engine: EngineArguments,
}

/// Runs the command; returns the exit code.
pub(in crate::cli) fn run(command: &EvalCommand) -> Result<u8, Failure> {
    match command {
        EvalCommand::Statements { common, speakers } => {
            let gold = open(&common.gold)?.gold_documents().map_err(unusable)?;
            // What a file of speakers says counts more: the last word on a statement does.
            let mut known: Vec<GoldSpeaker> =
                gold.iter().flat_map(|document| document.speakers.iter().cloned()).collect();
            if let Some(path) = speakers {
                known.extend(open(path)?.gold_speakers().map_err(unusable)?);
            }
            let texts = gold.iter().map(|document| (document.id.as_str(), document.text.as_str()));
            let predicted = common.predictions(texts, None, true)?;
            let scores = statements::score(&gold, &predicted, &known);
            print(common.json, &scores)
        }
        EvalCommand::Entities { common, entity_scheme, worldwide, only } => {
            let gold = open(&common.gold)?.entity_documents().map_err(unusable)?;
            let texts = entities::documents(&gold).map(|document| (document.id, document.text));
            let predicted = common.predictions(texts, *entity_scheme, false)?;
            let mapping = if *worldwide { LabelMapping::Worldwide } else { LabelMapping::Identity };
            let scores = entities::score(&gold, &predicted, mapping, only);
            print(common.json, &scores)
        }
    }
}

fn open(path: &Path) -> Result<JsonLines<std::io::BufReader<std::fs::File>>, Failure> {
    JsonLines::open(path).map_err(unusable)
}

fn unusable(error: EvalError) -> Failure {
    Failure::Unusable(error.to_string())
}

fn print(json: bool, scores: &(impl serde::Serialize + std::fmt::Display)) -> Result<u8, Failure> {
    let mut output = std::io::stdout().lock();
    let written = if json {
        serde_json::to_writer_pretty(&mut output, scores).map_err(std::io::Error::from).and_then(|()| writeln!(output))
    } else {
        write!(output, "{scores}")
    };
    written.map_err(|error| Failure::output(&error))?;
    Ok(ALL_GOOD)
}

impl Common {
    /// What is to be scored: the file's results, or the model's on these texts.
    fn predictions<'text>(
        &self,
        texts: impl Iterator<Item = (&'text str, &'text str)>,
        entity_scheme: Option<EntityScheme>,
        needs_statements: bool,
    ) -> Result<Vec<PredictedDocument>, Failure> {
        if let Some(path) = &self.predictions {
            return open(path)?.predicted_documents().map_err(unusable);
        }
        let engine = self.engine.start(Options { entity_scheme, ..Options::default() })?;
        if needs_statements {
            require_statements(&engine, "eval statements")?;
        }
        // A document without text has nothing to be found in it.
        let documents: Vec<Document> = texts.filter_map(|(id, text)| Document::new(id, text).ok()).collect();
        let mut predicted = Vec::with_capacity(documents.len());
        for group in documents.chunks(GROUP) {
            predicted.extend(extract(&engine, group)?);
        }
        Ok(predicted)
    }
}

fn extract(engine: &Engine, documents: &[Document]) -> Result<Vec<PredictedDocument>, Failure> {
    let results = engine.extract(documents).into_iter();
    let predicted = results.map(|result| result.map(predicted).map_err(|error| Failure::Unusable(error.to_string())));
    predicted.collect()
}

fn predicted(extraction: Extraction) -> PredictedDocument {
    let spans = |segments: &[ExtractedSegment]| segments.iter().map(|segment| segment.start..segment.end).collect();
    let name_of = |id: &String| {
        let speaker = extraction.speakers.iter().find(|speaker| &speaker.id == id);
        speaker.map(|speaker| speaker.name.clone())
    };
    let statements = extraction.statements.iter().map(|statement| PredictedStatement {
        spans: StatementSpans {
            source: spans(&statement.source),
            cue: spans(&statement.cue),
            content: spans(&statement.content),
        },
        speaker: statement.speaker.as_ref().map(|speaker| speaker.name.clone()),
        other_speakers: statement.co_speakers.iter().filter_map(name_of).collect(),
    });
    let entities = extraction.entities.iter().map(|entity| PredictedEntity {
        label: entity.label.clone(),
        start: entity.start,
        end: entity.end,
    });
    PredictedDocument { statements: statements.collect(), entities: entities.collect(), id: extraction.id.clone() }
}
