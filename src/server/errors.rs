//! What goes wrong over HTTP: one body, stable codes, and words that say what to do.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::codes::ErrorCode;
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
    #[schema(value_type = String)]
    pub code: ErrorCode,
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

impl Problem {
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), details: Value::Null }
    }

    pub fn with(self, details: Value) -> Self {
        Self { details, ..self }
    }

    /// Counts it among the errors by code.
    pub fn count(&self) {
        metrics::counter!("onrecord_errors_total", "code" => self.code.name()).increment(1);
    }
}

impl From<Problem> for ApiError {
    fn from(problem: Problem) -> Self {
        Self { status: problem.code.status(), problem, retry_after: None, close: false }
    }
}

impl ApiError {
    /// An error with its code's own status.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
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
        write!(formatter, "{}: {}", self.problem.code.name(), self.problem.message)
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
                let problem = Problem::new(ErrorCode::Overloaded, refused.to_string()).with(details);
                Self { retry_after: Some(retry_after.as_secs()), ..problem.into() }
            }
            Refused::Draining => draining(),
        }
    }
}

impl From<&DocumentError> for Problem {
    fn from(error: &DocumentError) -> Self {
        let code = match error {
            DocumentError::Empty => ErrorCode::EmptyDocument,
            DocumentError::InvalidUtf8 { .. } => ErrorCode::InvalidUtf8,
            DocumentError::TooLarge { .. } => ErrorCode::DocumentTooLarge,
        };
        Self::new(code, error.to_string())
    }
}

impl From<&EngineError> for Problem {
    fn from(error: &EngineError) -> Self {
        Self::new(ErrorCode::InferenceFailed, error.to_string())
    }
}

pub(super) fn draining() -> ApiError {
    let error =
        ApiError::new(ErrorCode::Draining, "the server is shutting down: send the request to another one, or later");
    ApiError { retry_after: Some(5), ..error }
}

pub(super) fn starting() -> ApiError {
    let error = ApiError::new(ErrorCode::Starting, "the model is being loaded: try again in a moment");
    ApiError { retry_after: Some(1), ..error }
}

pub(super) fn deadline_exceeded() -> ApiError {
    let message = "the request was not answered within its time: send less at a time, or allow more \
                   (X-Request-Timeout-Ms, --request-timeout)";
    ApiError { retry_after: Some(1), ..ApiError::new(ErrorCode::DeadlineExceeded, message) }
}
