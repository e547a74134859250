//! What the server tells about itself: health, what it is, metrics.

use actix_web::{HttpResponse, web};
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;
use utoipa::ToSchema;

use crate::export::Format;
use crate::server::errors::{ApiError, ErrorBody};
use crate::server::state::State;

/// How the server is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// "ok", "starting" or "draining".
    pub status: &'static str,
}

fn health(state: &State) -> HttpResponse {
    let status = match (state.is_draining(), state.is_ready()) {
        (true, _) => "draining",
        (false, true) => "ok",
        (false, false) => "starting",
    };
    let mut response = if status == "ok" { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    response.json(Health { status })
}

/// Whether the process lives.
#[utoipa::path(get, path = "/health/live", tag = "status", responses((status = 200, body = Health)))]
pub(in crate::server) async fn live() -> HttpResponse {
    HttpResponse::Ok().json(Health { status: "ok" })
}

/// Whether requests are answered.
#[utoipa::path(get, path = "/health/ready", tag = "status", responses(
    (status = 200, description = "Requests are answered", body = Health),
    (status = 503, description = "Starting or shutting down", body = Health),
))]
pub(in crate::server) async fn ready(state: web::Data<State>) -> HttpResponse {
    health(&state)
}

/// The same as `/health/ready`.
#[utoipa::path(get, path = "/health", tag = "status", responses(
    (status = 200, description = "Requests are answered", body = Health),
    (status = 503, description = "Starting or shutting down", body = Health),
))]
pub(in crate::server) async fn overall(state: web::Data<State>) -> HttpResponse {
    health(&state)
}

/// What answers here.
#[derive(Debug, Serialize, ToSchema)]
pub struct Info {
    /// Which model answers, `name@hash`.
    pub model: String,
    /// The names under which `/models/{name}` knows them.
    pub models: Vec<String>,
    /// What the model finds: `entities`, and `statements` with their `speakers` where it is one of this program's own.
    pub finds: Vec<&'static str>,
    /// The kind of its encoder.
    pub architecture: &'static str,
    /// Numbers of the matrix products, and the kernels that compute them.
    pub arithmetic: String,
    /// Forms that `?format=` takes (docs/exports.md).
    pub export_formats: Vec<&'static str>,
    /// Labels of each head.
    #[schema(value_type = std::collections::BTreeMap<String, Vec<String>>)]
    pub labels: std::collections::BTreeMap<String, Vec<String>>,
    /// The limits on requests.
    pub limits: Limits,
    /// Worker threads.
    pub workers: usize,
    /// Version of the program.
    pub version: &'static str,
    /// How the program was built.
    pub build: &'static str,
}

/// The limits on requests: what the flags of these names say.
#[derive(Debug, Serialize, ToSchema)]
pub struct Limits {
    pub max_body_bytes: usize,
    pub max_documents: usize,
    pub max_characters: usize,
    pub max_waiting_documents: usize,
    pub max_waiting_tokens: usize,
    pub max_wait_ms: u64,
    pub max_held_bytes: usize,
    /// `null`: as many as the bytes allow.
    pub max_request_tokens: Option<usize>,
    /// With one key; `null`: any number.
    pub max_requests_per_minute: Option<u32>,
    /// With one key; `null`: any number.
    pub max_tokens_per_minute: Option<u32>,
    pub max_connections: usize,
    pub max_batch_tokens: usize,
    /// Most tokens in a window, special ones not counted.
    pub max_window_tokens: usize,
    pub request_timeout_ms: u64,
}

/// Model, labels, limits, version.
#[utoipa::path(get, path = "/info", tag = "status", responses(
    (status = 200, body = Info),
    (status = 401, description = "No valid API key", body = ErrorBody),
    (status = 503, description = "Starting or shutting down", body = ErrorBody),
), security((), ("key" = [])))]
pub(in crate::server) async fn info(state: web::Data<State>) -> Result<HttpResponse, ApiError> {
    let service = state.service()?;
    let (model, limits) = (service.model(), &state.configuration);
    let arithmetic = model.arithmetic();
    let labels =
        model.config().heads.keys().filter_map(|head| Some((head.clone(), model.scheme(head).ok()?.labels.clone())));
    Ok(HttpResponse::Ok().json(Info {
        model: model.identifier(),
        models: crate::server::models::names(model),
        finds: if model.finds_statements() { vec!["entities", "statements", "speakers"] } else { vec!["entities"] },
        architecture: model.config().encoder.architecture.name(),
        arithmetic: format!("{}, {} kernels", arithmetic.precision, arithmetic.kernels),
        export_formats: Format::ALL.map(Format::name).to_vec(),
        labels: labels.collect(),
        limits: Limits {
            max_body_bytes: limits.max_body_bytes,
            max_documents: limits.max_documents,
            max_characters: limits.max_characters,
            max_waiting_documents: limits.max_waiting_documents,
            max_waiting_tokens: limits.max_waiting_tokens,
            max_wait_ms: limits.max_wait.as_millis() as u64,
            max_held_bytes: limits.max_held_bytes,
            max_request_tokens: limits.max_request_tokens,
            max_requests_per_minute: limits.max_requests_per_minute,
            max_tokens_per_minute: limits.max_tokens_per_minute,
            max_connections: limits.max_connections,
            max_batch_tokens: service.options().max_batch_tokens,
            max_window_tokens: service.window_tokens(),
            request_timeout_ms: limits.request_timeout.as_millis() as u64,
        },
        workers: service.threads(),
        version: env!("CARGO_PKG_VERSION"),
        build: if cfg!(debug_assertions) { "debug" } else { "release" },
    }))
}

/// Metrics in Prometheus' text form.
#[utoipa::path(get, path = "/metrics", tag = "status", responses((status = 200, body = String, content_type = "text/plain")))]
pub(in crate::server) async fn prometheus(
    state: web::Data<State>,
    handle: web::Data<PrometheusHandle>,
) -> HttpResponse {
    let load = state.loaded().map(|service| service.load()).unwrap_or_default();
    metrics::gauge!("onrecord_waiting_documents").set(load.documents as f64);
    metrics::gauge!("onrecord_waiting_tokens").set(load.tokens as f64);
    metrics::gauge!("onrecord_held_bytes").set(state.budget.held() as f64);
    // This request is not one that anybody waits for.
    metrics::gauge!("onrecord_requests_in_flight").set(state.ending.requests().saturating_sub(1) as f64);
    metrics::gauge!("onrecord_ready").set(f64::from(u8::from(state.is_ready())));
    if let Some(bytes) = resident_bytes() {
        metrics::gauge!("process_resident_memory_bytes").set(bytes as f64);
    }
    HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(handle.render())
}

/// Memory of this process, where the system tells (Linux).
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// Says what the metrics mean.
pub(in crate::server) fn describe() {
    use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
    describe_counter!("onrecord_requests_total", "Requests by route, method and status");
    describe_counter!("onrecord_errors_total", "Errors by code, those of single documents and lines included");
    describe_counter!("onrecord_documents_total", "Documents answered");
    describe_counter!("onrecord_windows_total", "Windows run");
    describe_counter!("onrecord_tokens_total", "Tokens run, special ones not counted");
    describe_histogram!("onrecord_request_seconds", Unit::Seconds, "Time of requests, to the start of the answer");
    describe_histogram!(
        "onrecord_stage_seconds",
        Unit::Seconds,
        "Time of a document by stage: queue, tokenize, inference, decode"
    );
    describe_histogram!("onrecord_batch_seconds", Unit::Seconds, "Time of a batch");
    describe_histogram!("onrecord_batch_tokens", "Tokens of a batch");
    describe_histogram!("onrecord_batch_fill", "Tokens of a batch as a share of --max-batch-tokens");
    describe_gauge!("onrecord_waiting_documents", "Documents without an answer");
    describe_gauge!("onrecord_waiting_tokens", "Tokens that wait to be run");
    describe_gauge!("onrecord_held_bytes", Unit::Bytes, "Bytes of requests that are held");
    describe_gauge!("onrecord_requests_in_flight", "Requests whose answers have not been sent yet");
    describe_counter!("onrecord_unread_answers_total", "Connections cut off because an answer was not taken in time");
    describe_gauge!("onrecord_ready", "1 when requests are answered");
    describe_gauge!("process_resident_memory_bytes", Unit::Bytes, "Memory of the process");
}
