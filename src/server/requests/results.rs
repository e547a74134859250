//! What comes of documents: a result each, or the reason why there is none.

use serde::Serialize;
use utoipa::ToSchema;

use super::options::{Part, RequestOptions};
use crate::engine::service::{Answer, Found};
use crate::engine::{EngineError, ExtractedEntity, ExtractedSpeaker, ExtractedStatement, Extraction};
use crate::server::codes::ErrorCode;
use crate::server::errors::Problem;
use crate::text::{Document, OffsetUnit};

/// The documents of a request, as far as they can be processed.
pub(in crate::server) type Documents = Vec<Result<Document, FailedDocument>>;

/// Everything found in one document (docs/output.md), as far as it was asked for.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExtractionResult {
    /// Version of this form: 1.
    pub schema: u32,
    /// Which model produced it, `name@hash`.
    pub model: String,
    /// The document's id, as it was given.
    pub id: String,
    /// Named entities, in text order.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub entities: Option<Vec<ExtractedEntity>>,
    /// Statements, in text order.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub statements: Option<Vec<ExtractedStatement>>,
    /// Who speaks, in the order of first speaking.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub speakers: Option<Vec<ExtractedSpeaker>>,
    /// Unit of every `start` and `end`.
    pub offset_unit: OffsetUnit,
    /// What a reader should know about this result.
    pub warnings: Vec<String>,
}

impl ExtractionResult {
    /// The wanted parts of a result.
    fn new(extraction: Extraction, options: &RequestOptions) -> Self {
        Self {
            schema: extraction.schema,
            model: extraction.model,
            id: extraction.id,
            entities: options.wants(Part::Entities).then_some(extraction.entities),
            statements: options.wants(Part::Statements).then_some(extraction.statements),
            speakers: options.wants(Part::Speakers).then_some(extraction.speakers),
            offset_unit: extraction.offset_unit,
            warnings: extraction.warnings,
        }
    }
}

/// A document that could not be processed, in its place among the results.
#[derive(Debug, Serialize, ToSchema)]
pub struct FailedDocument {
    /// The document's id, if it could be read.
    pub id: Option<String>,
    /// What was wrong with it.
    pub error: Problem,
}

/// A result, or the reason why there is none.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum DocumentResult {
    /// What was found.
    Found(Box<ExtractionResult>),
    /// What was wrong.
    Failed(FailedDocument),
}

/// The answer for one document, in the form of the contract.
pub(in crate::server) fn result(id: String, answer: Answer, options: &RequestOptions) -> DocumentResult {
    let failed = |error: Problem| {
        error.count();
        DocumentResult::Failed(FailedDocument { id: Some(id), error })
    };
    match extraction(answer.found) {
        Ok(extraction) => DocumentResult::Found(Box::new(ExtractionResult::new(extraction, options))),
        Err(error) => failed(error),
    }
}

/// What was found, where an extraction was asked for.
pub(in crate::server) fn extraction(found: Result<Found, EngineError>) -> Result<Extraction, Problem> {
    match found {
        Ok(Found::Extraction(extraction)) => Ok(*extraction),
        Ok(Found::Tags(_)) => {
            Err(Problem::new(ErrorCode::InferenceFailed, "the engine gave another answer than was asked for"))
        }
        Err(error) => Err(Problem::from(&error)),
    }
}
