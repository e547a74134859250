//! Traces to an OpenTelemetry collector, by OTLP over HTTP. They hold what the log lines hold: no texts, no keys.

use actix_web::http::header::HeaderMap;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState, TracerProvider};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use std::sync::OnceLock;
use tracing::{Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

use super::configuration::Configuration;

static PROVIDER: OnceLock<SdkTracerProvider> = OnceLock::new();

/// What sends our spans to the collector, if there is one. An error says what is wrong with its address.
pub(in crate::server) fn layer<S>(configuration: &Configuration) -> Result<Option<impl Layer<S> + use<S>>, String>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let Some(endpoint) = &configuration.otlp_endpoint else { return Ok(None) };
    let exporter = SpanExporter::builder().with_http().with_protocol(Protocol::HttpBinary).with_endpoint(endpoint);
    let exporter = exporter.build().map_err(|error| format!("--otlp-endpoint {endpoint:?}: {error}"))?;
    let resource = Resource::builder().with_service_name(env!("CARGO_PKG_NAME")).build();
    let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build();
    let tracer = provider.tracer(env!("CARGO_PKG_NAME"));
    let _ = PROVIDER.set(provider);
    let ours = filter_fn(|metadata| metadata.is_span() && metadata.target().starts_with(env!("CARGO_PKG_NAME")));
    Ok(Some(tracing_opentelemetry::layer().with_tracer(tracer).with_filter(ours)))
}

/// Makes a span the child of the caller's, as its `traceparent` header names it.
pub(in crate::server) fn continue_trace(span: &Span, trace: &str, parent: &str, headers: &HeaderMap) {
    let (Ok(trace), Ok(parent)) = (TraceId::from_hex(trace), SpanId::from_hex(parent)) else { return };
    let is_sampled = headers.get("traceparent").is_some_and(|value| value.as_bytes().ends_with(b"1"));
    let flags = if is_sampled { TraceFlags::SAMPLED } else { TraceFlags::default() };
    let context = SpanContext::new(trace, parent, flags, true, TraceState::default());
    let _ = span.set_parent(opentelemetry::Context::new().with_remote_span_context(context));
}

/// Sends what has not been sent.
pub(in crate::server) fn flush() {
    if let Some(provider) = PROVIDER.get() {
        let _ = provider.shutdown();
    }
}
