//! What goes wrong over HTTP: one body, stable codes, and words that say what to do.

use std::fmt;
use std::sync::LazyLock;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use regex::Regex;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::engine::EngineError;
use crate::engine::service::Refused;
use crate::text::DocumentError;

/// The body of every error.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ErrorBody {
    /// What went wrong.
    pub error: Problem,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Problem {
    /// A stable name for programs to match on.
    pub code: &'static str,
    /// For people: what was wrong, where, and what to do.
    pub message: String,
    /// Numbers that belong to it, such as the limit that was passed.
    #[serde(skip_serializing_if = "Value::is_null")]
    #[schema(value_type = Option<Object>)]
    pub details: Value,
}

/// A refused request.
#[derive(Debug)]
pub(super) struct ApiError {
    pub status: StatusCode,
    pub problem: Problem,
    /// `Retry-After`, in seconds.
    pub retry_after: Option<u64>,
    /// The rest of the request is not read: the connection must close.
    pub close: bool,
}

/// Every code with its status: the list in docs/serving.md, which a test compares.
pub const CODES: [(&str, u16); 27] = [
    ("invalid_json", 400),
    ("invalid_utf8", 400),
    ("invalid_header", 400),
    ("incomplete_body", 400),
    ("unauthorized", 401),
    ("forbidden", 403),
    ("not_found", 404),
    ("unknown_model", 404),
    ("method_not_allowed", 405),
    ("body_timeout", 408),
    ("reloading", 409),
    ("body_too_large", 413),
    ("too_many_documents", 413),
    ("document_too_large", 413),
    ("too_many_tokens", 413),
    ("unsupported_media_type", 415),
    ("unsupported_encoding", 415),
    ("invalid_request", 422),
    ("empty_document", 422),
    ("overloaded", 429),
    ("quota_exceeded", 429),
    ("inference_failed", 500),
    ("reload_failed", 500),
    ("starting", 503),
    ("draining", 503),
    ("deadline_exceeded", 503),
    ("stream_idle", 408),
];

impl Problem {
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        debug_assert!(CODES.iter().any(|(known, _)| *known == code), "{code} is not in the list");
        Self { code, message: without_texts(message.into()), details: Value::Null }
    }

    pub fn with(self, details: Value) -> Self {
        Self { details, ..self }
    }

    /// Counts it among the errors by code.
    pub fn count(&self) {
        metrics::counter!("onrecord_errors_total", "code" => self.code).increment(1);
    }

    fn status(&self) -> StatusCode {
        let known = CODES.iter().find(|(code, _)| *code == self.code);
        let status = known.and_then(|(_, status)| StatusCode::from_u16(*status).ok());
        status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

/// A message without what serde found where it expected something else: it may be somebody's text. Names of fields are
/// shown only if they look like names of fields.
fn without_texts(message: String) -> String {
    static FOUND: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
        let found = [
            (r#"string "(?:[^"\\]|\\.)*""#, "a string"),
            (r"(?s)unknown variant `.*`, expected", "unknown variant, expected"),
            (r"unknown field `([a-z_]{1,40})`", "unknown field $1"),
            (r"(?s)unknown field `.*`, expected", "unknown field, expected"),
        ];
        found.into_iter().filter_map(|(found, shown)| Some((Regex::new(found).ok()?, shown))).collect()
    });
    // Nearly all messages are our own, and stay as they are.
    FOUND.iter().fold(message, |message, (found, shown)| match found.is_match(&message) {
        true => found.replace_all(&message, *shown).into_owned(),
        false => message,
    })
}

impl From<Problem> for ApiError {
    fn from(problem: Problem) -> Self {
        Self { status: problem.status(), problem, retry_after: None, close: false }
    }
}

impl ApiError {
    /// An error with its code's own status.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Problem::new(code, message).into()
    }

    /// Closes the connection, because the body is not read to its end.
    pub fn closing(self) -> Self {
        Self { close: true, ..self }
    }

    /// The same error in the form of the Hugging Face and KServe clients: a text.
    pub fn in_plain_form(&self) -> HttpResponse {
        self.response(json!({"error": self.problem.message}))
    }

    fn response(&self, body: impl Serialize) -> HttpResponse {
        self.problem.count();
        let mut response = HttpResponse::build(self.status);
        if let Some(seconds) = self.retry_after {
            response.insert_header((header::RETRY_AFTER, seconds.to_string()));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.insert_header((header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")));
        }
        if self.close {
            response.force_close();
        }
        response.json(body)
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.problem.code, self.problem.message)
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        self.response(ErrorBody { error: self.problem.clone() })
    }
}

impl From<Refused> for ApiError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Full { documents, tokens, retry_after } => {
                let details = json!({"waiting_documents": documents, "waiting_tokens": tokens});
                let problem = Problem::new("overloaded", refused.to_string()).with(details);
                Self { retry_after: Some(retry_after.as_secs()), ..problem.into() }
            }
            Refused::Draining => draining(),
        }
    }
}

impl From<&DocumentError> for Problem {
    fn from(error: &DocumentError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl From<&EngineError> for Problem {
    fn from(error: &EngineError) -> Self {
        Self::new("inference_failed", error.to_string())
    }
}

pub(super) fn draining() -> ApiError {
    let error = ApiError::new("draining", "the server is shutting down: send the request to another one, or later");
    ApiError { retry_after: Some(5), ..error }
}

pub(super) fn starting() -> ApiError {
    let error = ApiError::new("starting", "the model is being loaded: try again in a moment");
    ApiError { retry_after: Some(1), ..error }
}

pub(super) fn deadline_exceeded() -> ApiError {
    let message = "the request was not answered within its time: send less at a time, or allow more \
                   (X-Request-Timeout-Ms, --request-timeout)";
    ApiError { retry_after: Some(1), ..ApiError::new("deadline_exceeded", message) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manual_lists_every_code_with_its_status() {
        let manual = include_str!("../../docs/serving.md");
        let rows = manual.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
        let rows = rows.filter_map(|(code, rest)| Some((code, rest.get(..3)?.parse::<u16>().ok()?)));
        let mut listed: Vec<(&str, u16)> = rows.collect();
        let mut known = CODES.to_vec();
        listed.sort_unstable();
        known.sort_unstable();
        assert_eq!(listed, known);
    }
}
