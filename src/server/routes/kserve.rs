//! `/v2`: the Open Inference Protocol of KServe and Triton.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Map, Value, json};

use super::refusals::{PlainBodyRefusal, PlainRefusal};
use crate::engine::EntityScheme;
use crate::engine::service::Service;
use crate::server::admission::quotas::Quota;
use crate::server::codes::ErrorCode;
use crate::server::errors::{ApiError, Problem};
use crate::server::inference_protocol::{
    HEADER_LENGTH, InferRequestBody, InferResponse, ModelMetadata, ModelReady, ProtocolError, ServerLive,
    ServerMetadata, ServerReady, model_metadata, parse_infer, render_infer, server_metadata,
};
use crate::server::models;
use crate::server::requests::body::{self, HeldBody, JSON};
use crate::server::requests::options::RequestOptions;
use crate::server::requests::parsing::without_texts;
use crate::server::requests::results::{DocumentResult, FailedDocument, result};
use crate::server::requests::run::{check_number, checked, off_the_network, run};
use crate::server::state::State;
use crate::text::Document;

/// The type of a body with tensors in binary.
const BINARY: &str = "application/octet-stream";

/// Name and extensions of the server.
#[utoipa::path(get, path = "/v2", tag = "Open Inference Protocol", responses(
    (status = 200, body = ServerMetadata),
    (status = 401, description = "No valid API key", body = ProtocolError),
), security((), ("key" = [])))]
pub(in crate::server) async fn server() -> HttpResponse {
    HttpResponse::Ok().json(server_metadata())
}

/// Whether the process lives.
#[utoipa::path(get, path = "/v2/health/live", tag = "Open Inference Protocol", responses(
    (status = 200, body = ServerLive),
    (status = 401, description = "No valid API key", body = ProtocolError),
), security((), ("key" = [])))]
pub(in crate::server) async fn live() -> HttpResponse {
    HttpResponse::Ok().json(ServerLive { live: true })
}

/// Whether requests are answered.
#[utoipa::path(get, path = "/v2/health/ready", tag = "Open Inference Protocol", responses(
    (status = 200, description = "Requests are answered", body = ServerReady),
    (status = 401, description = "No valid API key", body = ProtocolError),
    (status = 503, description = "Starting or shutting down", body = ServerReady),
), security((), ("key" = [])))]
pub(in crate::server) async fn ready(state: web::Data<State>) -> HttpResponse {
    let ready = state.is_ready();
    let mut response = if ready { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    response.json(ServerReady::new(ready))
}

/// Inputs and outputs of a model.
#[utoipa::path(get, path = "/v2/models/{name}", tag = "Open Inference Protocol",
    params(("name" = String, Path, description = "onrecord-small or onrecord-small-conll4, or what /info names")),
    responses(
        (status = 200, body = ModelMetadata),
        (status = 404, description = "No such model", body = ProtocolError),
        PlainRefusal,
    ), security((), ("key" = [])))]
pub(in crate::server) async fn model(path: web::Path<String>, state: web::Data<State>) -> HttpResponse {
    plain(metadata(&state, &path, None))
}

/// Inputs and outputs of a version of a model.
#[utoipa::path(get, path = "/v2/models/{name}/versions/{version}", tag = "Open Inference Protocol",
    params(
        ("name" = String, Path, description = "onrecord-small or onrecord-small-conll4, or what /info names"),
        ("version" = String, Path, description = "The version that the model's metadata names"),
    ),
    responses(
        (status = 200, body = ModelMetadata),
        (status = 404, description = "No such model or version", body = ProtocolError),
        PlainRefusal,
    ), security((), ("key" = [])))]
pub(in crate::server) async fn model_version(
    path: web::Path<(String, String)>,
    state: web::Data<State>,
) -> HttpResponse {
    plain(metadata(&state, &path.0, Some(&path.1)))
}

/// Whether a model answers.
#[utoipa::path(get, path = "/v2/models/{name}/ready", tag = "Open Inference Protocol",
    params(("name" = String, Path, description = "onrecord-small or onrecord-small-conll4, or what /info names")),
    responses(
        (status = 200, body = ModelReady),
        (status = 404, description = "No such model", body = ProtocolError),
        PlainRefusal,
    ), security((), ("key" = [])))]
pub(in crate::server) async fn model_ready(path: web::Path<String>, state: web::Data<State>) -> HttpResponse {
    plain(readiness(&state, &path, None))
}

/// Whether a version of a model answers.
#[utoipa::path(get, path = "/v2/models/{name}/versions/{version}/ready", tag = "Open Inference Protocol",
    params(
        ("name" = String, Path, description = "onrecord-small or onrecord-small-conll4, or what /info names"),
        ("version" = String, Path, description = "The version that the model's metadata names"),
    ),
    responses(
        (status = 200, body = ModelReady),
        (status = 404, description = "No such model or version", body = ProtocolError),
        PlainRefusal,
    ), security((), ("key" = [])))]
pub(in crate::server) async fn model_version_ready(
    path: web::Path<(String, String)>,
    state: web::Data<State>,
) -> HttpResponse {
    plain(readiness(&state, &path.0, Some(&path.1)))
}

/// Extract from texts: one JSON string of a result (docs/output.md) or an error for each.
#[utoipa::path(post, path = "/v2/models/{name}/infer", tag = "Open Inference Protocol",
    params(("name" = String, Path, description = "onrecord-small or onrecord-small-conll4, or what /info names")),
    request_body = InferRequestBody,
    responses(
        (status = 200, body = InferResponse),
        (status = 400, description = "Not a request of the protocol", body = ProtocolError),
        (status = 404, description = "No such model", body = ProtocolError),
        PlainBodyRefusal,
        PlainRefusal,
    ), security((), ("key" = [])))]
pub(in crate::server) async fn infer(
    request: HttpRequest,
    path: web::Path<String>,
    payload: web::Payload,
    state: web::Data<State>,
) -> HttpResponse {
    plain(answer(&request, payload, &state, &path, None).await)
}

/// The same, by version.
#[utoipa::path(post, path = "/v2/models/{name}/versions/{version}/infer", tag = "Open Inference Protocol",
    params(
        ("name" = String, Path, description = "onrecord-small or onrecord-small-conll4, or what /info names"),
        ("version" = String, Path, description = "The version that the model's metadata names"),
    ),
    request_body = InferRequestBody,
    responses(
        (status = 200, body = InferResponse),
        (status = 400, description = "Not a request of the protocol", body = ProtocolError),
        (status = 404, description = "No such model or version", body = ProtocolError),
        PlainBodyRefusal,
        PlainRefusal,
    ), security((), ("key" = [])))]
pub(in crate::server) async fn infer_version(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    payload: web::Payload,
    state: web::Data<State>,
) -> HttpResponse {
    plain(answer(&request, payload, &state, &path.0, Some(&path.1)).await)
}

fn plain(outcome: Result<HttpResponse, ApiError>) -> HttpResponse {
    outcome.unwrap_or_else(|error| error.in_plain_form())
}

/// The entity head of a model and the version that is loaded; an error if that is not the one asked for.
fn find(service: &Service, name: &str, asked: Option<&str>) -> Result<(Option<EntityScheme>, String), ApiError> {
    let (scheme, version) = (models::scheme(service.model(), name)?, service.model().hash().to_owned());
    match asked {
        Some(asked) if asked != version => {
            let message = format!("there is no version {asked:?} of {name} here: use {version}");
            Err(Problem::new(ErrorCode::UnknownModel, message).with(json!({"versions": [version]})).into())
        }
        _ => Ok((scheme, version)),
    }
}

fn metadata(state: &State, name: &str, version: Option<&str>) -> Result<HttpResponse, ApiError> {
    let (_, version) = find(&*state.service()?, name, version)?;
    Ok(HttpResponse::Ok().json(model_metadata(name, &version)))
}

fn readiness(state: &State, name: &str, version: Option<&str>) -> Result<HttpResponse, ApiError> {
    find(&*state.service()?, name, version)?;
    Ok(HttpResponse::Ok().json(ModelReady { name: name.to_owned(), ready: true }))
}

async fn answer(
    request: &HttpRequest,
    payload: web::Payload,
    state: &State,
    name: &str,
    version: Option<&str>,
) -> Result<HttpResponse, ApiError> {
    let service = state.service().map_err(ApiError::closing)?;
    let (scheme, version) = find(&service, name, version).map_err(ApiError::closing)?;
    check_type(request)?;
    let (deadline, quota) = (state.deadline(request)?, Quota::of(request));
    let header_length = header_length(request)?;
    let (body, hold) = body::read(request, payload, state.body_limits(), &state.budget, &state.ending).await?;
    service.check_room()?;
    let size = body.len();
    let parsed = off_the_network(size, move || parse_infer(&body, header_length)).await?;
    // The protocol's clients expect 400 for whatever is wrong with a request.
    let invalid = |error: String| ApiError::new(ErrorCode::InvalidJson, error);
    let mut infer = parsed.map_err(|error| invalid(error.to_string()))?;
    let options = options(&infer.parameters, scheme).map_err(invalid)?;
    let want = options.want(service.model()).map_err(|error| invalid(error.problem.message))?;
    let texts = std::mem::take(&mut infer.texts);
    check_number(texts.len(), &state.configuration)?;
    let mut documents: Vec<Document> = Vec::with_capacity(texts.len());
    let mut place = |(place, text): (usize, Result<String, _>)| {
        let document = text.map_err(|error| Problem::from(&error));
        let document = document.and_then(|text| checked(place.to_string(), text, &state.configuration));
        document.map(|document| documents.push(document)).err()
    };
    let failed: Vec<Option<Problem>> = texts.into_iter().enumerate().map(&mut place).collect();
    failed.iter().flatten().for_each(Problem::count);
    let answers = run(state, &service, quota.as_ref(), documents, want, deadline).await?;
    let name = name.to_owned();
    let rendered = off_the_network(size, move || {
        let mut answers = answers.into_iter();
        let results = failed.into_iter().enumerate().filter_map(|(place, error)| {
            let id = place.to_string();
            Some(match error {
                Some(error) => DocumentResult::Failed(FailedDocument { id: Some(id), error }),
                None => result(id, answers.next()?, &options),
            })
        });
        let results: Vec<String> = results.map(|result| serde_json::to_string(&result)).collect::<Result<_, _>>()?;
        render_infer(&infer, &name, &version, &results)
    });
    let failed = |error: serde_json::Error| ApiError::new(ErrorCode::InferenceFailed, error.to_string());
    let (rendered, header_length) = rendered.await?.map_err(failed)?;
    let mut response = HttpResponse::Ok();
    match header_length {
        Some(length) => response.content_type(BINARY).insert_header((HEADER_LENGTH, length)),
        None => response.content_type("application/json"),
    };
    Ok(response.body(HeldBody::new(rendered, hold)))
}

/// The protocol's types; or none, which tritonclient sends. A browser always says which page it asks for, and then a type is
/// needed here as anywhere.
fn check_type(request: &HttpRequest) -> Result<(), ApiError> {
    let is_program = !request.headers().contains_key(header::ORIGIN);
    if is_program && !request.headers().contains_key(header::CONTENT_TYPE) {
        return Ok(());
    }
    body::check_type(request, &[JSON, BINARY])
}

fn header_length(request: &HttpRequest) -> Result<Option<usize>, ApiError> {
    let Some(value) = request.headers().get(HEADER_LENGTH) else { return Ok(None) };
    let length = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    let message = format!("the header {HEADER_LENGTH} must be a whole number of bytes");
    length.map(Some).ok_or_else(|| ApiError::new(ErrorCode::InvalidHeader, message))
}

/// Our options among the request's parameters; the protocol's clients may send others of their own.
fn options(parameters: &Map<String, Value>, scheme: Option<EntityScheme>) -> Result<RequestOptions, String> {
    const OURS: [&str; 5] = ["entity_scheme", "offset_unit", "min_score", "floating", "include"];
    let ours = parameters.iter().filter(|(name, _)| OURS.contains(&name.as_str()));
    let mut ours: Map<String, Value> = ours.map(|(name, value)| (name.clone(), value.clone())).collect();
    // The protocol's parameters are no lists: names with commas between them will do.
    if let Some(Value::String(names)) = ours.get("include") {
        let names = names.split(',').map(Value::from).collect();
        ours.insert("include".to_owned(), Value::Array(names));
    }
    if let Some(scheme) = scheme {
        ours.entry("entity_scheme").or_insert_with(|| Value::from(scheme.name()));
    }
    serde_json::from_value(Value::Object(ours)).map_err(|error| format!("parameters: {}", without_texts(&error)))
}
