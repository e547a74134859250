//! Documents through the service: what all routes have in common.

use std::time::Instant;

use serde_json::json;

use super::results::FailedDocument;
use crate::engine::service::{Answer, Service, Want};
use crate::json::{Field, fields, kind_of};
use crate::server::admission::quotas::Quota;
use crate::server::codes::ErrorCode;
use crate::server::errors::{ApiError, Problem, deadline_exceeded, draining};
use crate::server::process::configuration::Configuration;
use crate::server::state::State;
use crate::text::{Document, DocumentError};

/// A document from JSON: an object with a `text` and perhaps an `id`. Without an id it goes by its place.
pub(in crate::server) fn document(
    value: &str,
    place: usize,
    limits: &Configuration,
) -> Result<Document, FailedDocument> {
    let invalid = |id, message: String| FailedDocument { id, error: Problem::new(ErrorCode::InvalidJson, message) };
    if !value.starts_with('{') {
        return Err(invalid(None, format!("a document must be an object with a \"text\", not {}", kind_of(value))));
    }
    let mut found = match fields(value, &["id", "text"]) {
        Ok(found) => found.into_iter(),
        Err(reason) => return Err(invalid(None, format!("the document cannot be read: {reason}"))),
    };
    let id = match found.next().flatten() {
        None | Some(Field::Null) => None,
        Some(Field::Text(id) | Field::Number(id)) => Some(id),
        Some(other) => {
            return Err(invalid(None, format!("\"id\" must be a string or a number, not {}", other.kind())));
        }
    };
    match found.next().flatten() {
        Some(Field::Text(text)) => {
            let name = id.clone().unwrap_or_else(|| place.to_string());
            checked(name, text, limits).map_err(|error| FailedDocument { id, error })
        }
        Some(other) => Err(invalid(id, format!("\"text\" must be a string, not {}", other.kind()))),
        None => Err(invalid(id, "the document has no \"text\"".to_owned())),
    }
}

/// A document within the limits.
pub(in crate::server) fn checked(id: String, text: String, limits: &Configuration) -> Result<Document, Problem> {
    let limit = limits.max_characters;
    // Fewer bytes than allowed characters: no need to count.
    if text.len() > limit && text.chars().count() > limit {
        let message = format!("the document has more than {limit} characters: send it in parts");
        return Err(Problem::new(ErrorCode::DocumentTooLarge, message).with(json!({"limit": limit})));
    }
    Document::new(id, text).map_err(|error: DocumentError| Problem::from(&error))
}

/// Refuses more documents than a request may hold.
pub(in crate::server) fn check_number(documents: usize, limits: &Configuration) -> Result<(), ApiError> {
    let limit = limits.max_documents.min(limits.max_waiting_documents);
    if documents <= limit {
        return Ok(());
    }
    let message =
        format!("{documents} documents are more than {limit}, the most in one request: send several, or a stream");
    Err(Problem::new(ErrorCode::TooManyDocuments, message).with(json!({"limit": limit})).into())
}

/// Work that takes more than some milliseconds must not keep other connections waiting.
pub(in crate::server) async fn off_the_network<T: Send + 'static>(
    bytes: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ApiError> {
    const LARGE: usize = 128 * 1024;
    if bytes < LARGE {
        return Ok(work());
    }
    let failed = |_| ApiError::new(ErrorCode::InferenceFailed, "the server failed; please report it");
    actix_web::web::block(work).await.map_err(failed)
}

/// Writes a text into the log, if the operator has asked for it.
pub(in crate::server) fn log_text(document: &Document, configuration: &Configuration) {
    if configuration.log_text {
        tracing::info!(document = document.id, text = document.text, "read");
    }
}

/// Refuses what would be more work than a request may ask for.
pub(in crate::server) fn check_cost(tokens: usize, limits: &Configuration) -> Result<(), Problem> {
    match limits.max_request_tokens {
        Some(limit) if tokens > limit => {
            let message =
                format!("the request has about {tokens} tokens, and {limit} are allowed: send less at a time");
            Err(Problem::new(ErrorCode::TooManyTokens, message).with(json!({"tokens": tokens, "limit": limit})))
        }
        _ => Ok(()),
    }
}

/// Runs documents and waits for all answers; they stand in the order of the documents. What they cost counts against the
/// quota.
pub(in crate::server) async fn run(
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
pub(in crate::server) fn observe(answer: &Answer) {
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
