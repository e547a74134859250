//! Documents through the service: what all routes have in common.

use std::time::Instant;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::configuration::Configuration;
use super::errors::{ApiError, Problem, deadline_exceeded, draining};
use super::quotas::Quota;
use super::state::State;
use crate::engine::service::{Answer, Service, Want};
use crate::engine::{EntityScheme, ExtractedEntity, ExtractedSpeaker, ExtractedStatement, Extraction, Options};
use crate::json::kind;
use crate::model::Model;
use crate::text::{Document, DocumentError, OffsetUnit};

/// What a client may choose about the results.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RequestOptions {
    /// Which entity labels: `news9` (PER ORG LOC NORP FAC PRODUCT DATE MONEY MISC), which is the default, or `conll4`
    /// (PER ORG LOC MISC). To be left out where the model has labels of its own.
    pub entity_scheme: Option<EntityScheme>,
    /// Unit of all offsets: `codepoint` (Python), `byte` (Rust, Go) or `utf16` (JavaScript, Java).
    pub offset_unit: OffsetUnit,
    /// Entities and statements that score below this are left out.
    #[schema(minimum = 0, maximum = 1)]
    pub min_score: f32,
    /// Whether quotations that stand by themselves, without source or cue, behind an attributed one, and turns of
    /// transcripts, are statements.
    pub floating: bool,
    /// Parts of the result that are wanted; all of them by default.
    pub include: Option<Vec<Part>>,
}

impl Default for RequestOptions {
    fn default() -> Self {
        let Options { entity_scheme, offset_unit, min_score, floating, .. } = Options::default();
        Self { entity_scheme, offset_unit, min_score, floating, include: None }
    }
}

/// A part of the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Named entities.
    Entities,
    /// Who said what.
    Statements,
    /// Everybody who speaks.
    Speakers,
}

impl RequestOptions {
    /// What the engine is to be asked for; an error where the model cannot give it.
    pub fn want(&self, model: &Model) -> Result<Want, ApiError> {
        let invalid = |message: String| ApiError::new("invalid_request", message);
        let head = model.entity_head(self.entity_scheme.map(EntityScheme::name));
        head.map_err(|error| invalid(format!("entity_scheme: {error}")))?;
        let others = |parts: &Vec<Part>| parts.iter().any(|part| *part != Part::Entities);
        if !model.finds_statements() && self.include.as_ref().is_some_and(others) {
            let name = &model.config().name;
            return Err(invalid(format!("include: the model {name} finds entities only, no statements or speakers")));
        }
        if !(0.0..=1.0).contains(&self.min_score) {
            let message = format!("min_score is {}: it must be between 0 and 1", self.min_score);
            return Err(invalid(message));
        }
        Ok(Want::Extraction(Options {
            entity_scheme: self.entity_scheme,
            offset_unit: self.offset_unit,
            min_score: self.min_score,
            max_window: None,
            floating: self.floating,
        }))
    }

    fn wants(&self, part: Part) -> bool {
        self.include.as_ref().is_none_or(|parts| parts.contains(&part))
    }

    /// A result of which the parts that are not wanted are empty.
    pub fn reduced(&self, mut extraction: Extraction) -> Extraction {
        if !self.wants(Part::Entities) {
            extraction.entities.clear();
        }
        if !self.wants(Part::Statements) {
            extraction.statements.clear();
        }
        if !self.wants(Part::Speakers) {
            extraction.speakers.clear();
        }
        extraction
    }

    /// The wanted parts of a result.
    pub fn parts(&self, extraction: Extraction) -> ExtractionResult {
        ExtractionResult {
            schema: extraction.schema,
            model: extraction.model,
            id: extraction.id,
            entities: self.wants(Part::Entities).then_some(extraction.entities),
            statements: self.wants(Part::Statements).then_some(extraction.statements),
            speakers: self.wants(Part::Speakers).then_some(extraction.speakers),
            offset_unit: extraction.offset_unit,
            warnings: extraction.warnings,
        }
    }
}

/// Everything found in one document (docs/output.md), as far as it was asked for.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExtractionResult {
    /// Version of this form: 1.
    pub schema: u32,
    /// Which weights produced it, `name@hash`.
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

/// A document from JSON: an object with a `text` and perhaps an `id`. Without an id it goes by its place.
pub(super) fn document(value: Value, place: usize, limits: &Configuration) -> Result<Document, FailedDocument> {
    let invalid = |id, message: String| FailedDocument { id, error: Problem::new("invalid_json", message) };
    let Value::Object(mut fields) = value else {
        return Err(invalid(None, format!("a document must be an object with a \"text\", not {}", kind(&value))));
    };
    let id = match fields.remove("id") {
        None | Some(Value::Null) => None,
        Some(Value::String(id)) => Some(id),
        Some(Value::Number(id)) => Some(id.to_string()),
        Some(other) => {
            return Err(invalid(None, format!("\"id\" must be a string or a number, not {}", kind(&other))));
        }
    };
    match fields.remove("text") {
        Some(Value::String(text)) => {
            let name = id.clone().unwrap_or_else(|| place.to_string());
            checked(name, text, limits).map_err(|error| FailedDocument { id, error })
        }
        Some(other) => Err(invalid(id, format!("\"text\" must be a string, not {}", kind(&other)))),
        None => Err(invalid(id, "the document has no \"text\"".to_owned())),
    }
}

/// A document within the limits.
pub(super) fn checked(id: String, text: String, limits: &Configuration) -> Result<Document, Problem> {
    let limit = limits.max_characters;
    // Fewer bytes than allowed characters: no need to count.
    if text.len() > limit && text.chars().count() > limit {
        let message = format!("the document has more than {limit} characters: send it in parts");
        return Err(Problem::new("document_too_large", message).with(json!({"limit": limit})));
    }
    Document::new(id, text).map_err(|error: DocumentError| Problem::from(&error))
}

/// Refuses more documents than a request may hold.
pub(super) fn check_number(documents: usize, limits: &Configuration) -> Result<(), ApiError> {
    let limit = limits.max_documents.min(limits.max_waiting_documents);
    if documents <= limit {
        return Ok(());
    }
    let message =
        format!("{documents} documents are more than {limit}, the most in one request: send several, or a stream");
    Err(Problem::new("too_many_documents", message).with(json!({"limit": limit})).into())
}

/// Reads JSON into a type. What is no JSON is a bad request; what is JSON of another form cannot be processed.
pub(super) fn json<'body, T: Deserialize<'body>>(body: &'body [u8]) -> Result<T, ApiError> {
    let text = std::str::from_utf8(body).map_err(|error| {
        let at = error.valid_up_to();
        ApiError::new("invalid_utf8", format!("the body is not valid UTF-8 at byte {at}: convert it to UTF-8 first"))
    })?;
    serde_json::from_str(text).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => {
            ApiError::new("invalid_request", format!("the body has not the expected form: {error}"))
        }
        _ => ApiError::new("invalid_json", format!("the body is not valid JSON: {error}")),
    })
}

/// Work that takes more than some milliseconds must not keep other connections waiting.
pub(super) async fn off_the_network<T: Send + 'static>(
    bytes: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ApiError> {
    const LARGE: usize = 128 * 1024;
    if bytes < LARGE {
        return Ok(work());
    }
    let failed = |_| ApiError::new("inference_failed", "the server failed; please report it");
    actix_web::web::block(work).await.map_err(failed)
}

/// Writes a text into the log, if the operator has asked for it.
pub(super) fn log_text(document: &Document, configuration: &Configuration) {
    if configuration.log_text {
        tracing::info!(document = document.id, text = document.text, "read");
    }
}

/// Refuses what would be more work than a request may ask for.
pub(super) fn check_cost(tokens: usize, limits: &Configuration) -> Result<(), Problem> {
    match limits.max_request_tokens {
        Some(limit) if tokens > limit => {
            let message =
                format!("the request has about {tokens} tokens, and {limit} are allowed: send less at a time");
            Err(Problem::new("too_many_tokens", message).with(json!({"tokens": tokens, "limit": limit})))
        }
        _ => Ok(()),
    }
}

/// Runs documents and waits for all answers; they stand in the order of the documents. What they cost counts against the
/// quota.
pub(super) async fn run(
    state: &State,
    service: &Service,
    quota: Option<&Quota>,
    documents: Vec<Document>,
    want: Want,
    deadline: Instant,
) -> Result<Vec<Answer>, ApiError> {
    let expected = documents.len();
    let tokens: usize = documents.iter().map(Service::estimated_tokens).sum();
    check_cost(tokens, &state.configuration)?;
    quota.map_or(Ok(()), |quota| quota.take_tokens(tokens))?;
    documents.iter().for_each(|document| log_text(document, &state.configuration));
    let submitted = service.submit(documents, want, Some(deadline));
    let mut answers = submitted.inspect_err(|_| quota.into_iter().for_each(|quota| quota.give_back(tokens)))?;
    let mut collected: Vec<Answer> = Vec::with_capacity(expected);
    while collected.len() < expected {
        let next = tokio::time::timeout_at(deadline.into(), answers.next()).await;
        match next {
            Ok(Some(answer)) => {
                observe(&answer);
                collected.push(answer);
            }
            Ok(None) if state.is_draining() && Instant::now() < deadline => return Err(draining()),
            Ok(None) | Err(_) => return Err(deadline_exceeded()),
        }
    }
    collected.sort_by_key(|answer| answer.place);
    Ok(collected)
}

/// Counts an answer.
pub(super) fn observe(answer: &Answer) {
    metrics::counter!("onrecord_documents_total").increment(1);
    metrics::counter!("onrecord_windows_total").increment(answer.usage.windows as u64);
    metrics::counter!("onrecord_tokens_total").increment(answer.usage.tokens as u64);
    for (stage, time) in [
        ("queue", answer.timings.queue),
        ("tokenize", answer.timings.tokenise),
        ("inference", answer.timings.inference),
        ("decode", answer.timings.decode),
    ] {
        metrics::histogram!("onrecord_stage_seconds", "stage" => stage).record(time.as_secs_f64());
    }
}
