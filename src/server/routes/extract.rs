//! `POST /v1/extract`: documents in, entities and statements out, in one body.

use actix_web::{HttpMessage, HttpRequest, HttpResponse, web};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::export;
use super::stream;
use crate::engine::service::Answer;
use crate::json::{Unambiguous, kind};
use crate::server::admission::quotas::Quota;
use crate::server::codes::ErrorCode;
use crate::server::errors::{ApiError, ErrorBody};
use crate::server::process::configuration::Configuration;
use crate::server::requests::body::{self, HeldBody, JSON};
use crate::server::requests::lines::LINES;
use crate::server::requests::options::{QueryOptions, RequestOptions};
use crate::server::requests::parsing::{json, without_texts};
use crate::server::requests::results::{DocumentResult, Documents, FailedDocument, result};
use crate::server::requests::run::{check_number, checked, document, off_the_network, run};
use crate::server::state::State;

/// One text, or several documents, and what is wanted of them.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ExtractRequest<'body> {
    text: Option<String>,
    #[serde(borrow)]
    documents: Option<Vec<&'body RawValue>>,
    #[serde(deserialize_with = "options")]
    options: Option<RequestOptions>,
}

/// Options from an object only: serde would take an array of their values, too.
fn options<'body, D: Deserializer<'body>>(deserializer: D) -> Result<Option<RequestOptions>, D::Error> {
    let told = |error| D::Error::custom(without_texts(&error));
    match Option::<Unambiguous>::deserialize(deserializer)? {
        None => Ok(None),
        Some(Unambiguous(fields @ Value::Object(_))) => serde_json::from_value(fields).map(Some).map_err(told),
        Some(Unambiguous(other)) => {
            Err(D::Error::custom(format_args!("options must be an object, not {}", kind(&other))))
        }
    }
}

// Only for the description: what is read goes through `ExtractRequest`, whose errors say more.
/// One text, or several documents.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = ExtractRequest, example = json!({"text": "“The pier is beyond repair,” said Claire Moreau."}))]
#[expect(dead_code, reason = "for the description")]
enum ExtractForm {
    Text(TextForm),
    Documents(DocumentsForm),
}

/// One text.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TextForm {
    /// A text. It must hold more than white space.
    #[schema(pattern = r"[\p{L}\p{N}]")]
    text: String,
    /// What is wanted; without this, what the query string says.
    #[serde(skip_serializing_if = "Option::is_none")]
    options: Option<RequestOptions>,
}

/// Several documents.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DocumentsForm {
    /// Objects `{"id": "...", "text": "..."}`. What is none is answered by an error in its place.
    documents: Vec<Value>,
    /// What is wanted; without this, what the query string says.
    #[serde(skip_serializing_if = "Option::is_none")]
    options: Option<RequestOptions>,
}

/// The results, in the order of the documents.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExtractResponse {
    /// Which model produced them, `name@hash`.
    pub model: String,
    /// One for each document.
    pub results: Vec<DocumentResult>,
    /// How much work it was.
    pub usage: RequestUsage,
    /// How long it took.
    pub timings: RequestTimings,
}

/// How much work a request was.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct RequestUsage {
    /// Documents processed.
    pub documents: usize,
    /// Windows that the model read.
    pub windows: usize,
    /// Tokens in them.
    pub tokens: usize,
}

/// How long a request took, in milliseconds: waiting until the first work on it, and the work of all its documents.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct RequestTimings {
    pub queue_ms: f64,
    pub tokenize_ms: f64,
    pub inference_ms: f64,
    pub decode_ms: f64,
}

/// Extract entities, statements and speakers.
///
/// With `?format=` the answer is the result of a single document in a form of other tools.
///
/// With `Content-Type: application/x-ndjson` the body is a stream of documents, one JSON object `{"id", "text"}` a line,
/// and so is the answer: a result or an error for each line, in order, as they are ready.
#[utoipa::path(
    post,
    path = "/v1/extract",
    tag = "onrecord",
    request_body(content(
        (ExtractForm = "application/json"),
        (String = "application/x-ndjson"),
    )),
    params(QueryOptions),
    responses(
        (status = 200, description = "The results", content(
            (ExtractResponse = "application/json"),
            (String = "application/x-ndjson"),
            (Value = "application/ld+json"),
            (Value = "application/vnd.onrecord.citron+json"),
            (Value = "application/vnd.onrecord.displacy+json"),
            (String = "text/csv"),
            (String = "text/html"),
            (String = "text/plain"),
        )),
        (status = 400, description = "Not JSON", body = ErrorBody),
        (status = 401, description = "No valid API key", body = ErrorBody),
        (status = 403, description = "A page of another origin", body = ErrorBody),
        (status = 408, description = "The body took too long to come", body = ErrorBody),
        (status = 413, description = "Too large", body = ErrorBody),
        (status = 415, description = "Another media type", body = ErrorBody),
        (status = 422, description = "JSON of another form", body = ErrorBody),
        (status = 429, description = "Too much is waiting: see Retry-After", body = ErrorBody),
        (status = 500, description = "A fault of the server", body = ErrorBody),
        (status = 503, description = "Starting, shutting down, or out of time", body = ErrorBody),
    ),
    security((), ("key" = [])),
)]
pub(in crate::server) async fn extract(
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    body::check_type(&request, &[JSON, LINES])?;
    if request.content_type().eq_ignore_ascii_case(LINES) {
        return stream::extract(request, payload, state).await;
    }
    let (deadline, quota) = (state.deadline(&request)?, Quota::of(&request));
    let (asked, format) = QueryOptions::parse(request.query_string()).map_err(ApiError::closing)?;
    let service = state.service().map_err(ApiError::closing)?;
    let (body, hold) = body::read(&request, payload, state.body_limits(), &state.budget, &state.ending).await?;
    service.check_room()?;
    let size = body.len();
    let limits = state.clone();
    let (documents, options) = off_the_network(size, move || parse(&body, &limits.configuration)).await??;
    let options = options.unwrap_or(asked);
    if let Some(format) = format {
        let asked = export::Asked { options: &options, format, deadline, quota: quota.as_ref() };
        return export::answer(&state, &service, documents, asked, hold).await;
    }
    let want = options.want(service.model())?;
    let mut accepted = Vec::with_capacity(documents.len());
    let places: Vec<Option<FailedDocument>> =
        documents.into_iter().map(|document| document.map(|document| accepted.push(document)).err()).collect();
    places.iter().flatten().for_each(|failed| failed.error.count());
    let ids: Vec<String> = accepted.iter().map(|document| document.id.clone()).collect();
    let answers = run(&state, &service, quota.as_ref(), accepted, want, deadline).await?;
    let model = service.model().identifier();
    let rendered = off_the_network(size, move || {
        let response = respond(model, places, ids, answers, &options);
        serde_json::to_vec(&response)
    });
    let rendered = rendered.await?.map_err(|error| ApiError::new(ErrorCode::InferenceFailed, error.to_string()))?;
    Ok(HttpResponse::Ok().content_type("application/json").body(HeldBody::new(rendered, hold)))
}

/// The documents of a body, and what is wanted of them.
pub(in crate::server) fn parse(
    body: &[u8],
    limits: &Configuration,
) -> Result<(Documents, Option<RequestOptions>), ApiError> {
    let request: ExtractRequest = json(body)?;
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(ApiError::new(ErrorCode::InvalidRequest, "the body must be an object, not an array"));
    }
    let documents = match (request.text, request.documents) {
        // A lone text that is no document is a request that cannot be answered.
        (Some(text), None) => vec![Ok(checked("0".to_owned(), text, limits)?)],
        (None, Some(documents)) => {
            check_number(documents.len(), limits)?;
            documents.iter().enumerate().map(|(place, value)| document(value.get(), place, limits)).collect()
        }
        _ => {
            let message = "the body must have either \"text\" or \"documents\"";
            return Err(ApiError::new(ErrorCode::InvalidRequest, message));
        }
    };
    Ok((documents, request.options))
}

/// Puts answers and failed documents into their places.
fn respond(
    model: String,
    places: Vec<Option<FailedDocument>>,
    ids: Vec<String>,
    answers: Vec<Answer>,
    options: &RequestOptions,
) -> ExtractResponse {
    let mut usage = RequestUsage::default();
    let mut timings = RequestTimings::default();
    timings.queue_ms = answers.iter().map(|answer| milliseconds(answer.timings.queue)).reduce(f64::min).unwrap_or(0.0);
    for answer in &answers {
        usage.documents += 1;
        usage.windows += answer.usage.windows;
        usage.tokens += answer.usage.tokens;
        timings.tokenize_ms += milliseconds(answer.timings.tokenise);
        timings.inference_ms += milliseconds(answer.timings.inference);
        timings.decode_ms += milliseconds(answer.timings.decode);
    }
    let mut answers = ids.into_iter().zip(answers).map(|(id, answer)| result(id, answer, options));
    let results = places.into_iter().filter_map(|failed| match failed {
        Some(failed) => Some(DocumentResult::Failed(failed)),
        None => answers.next(),
    });
    let results = results.collect();
    ExtractResponse { model, results, usage, timings }
}

fn milliseconds(time: std::time::Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}
