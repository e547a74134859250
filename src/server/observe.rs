//! What the operator sees of every request: an id, a log line, counts. Texts, keys and bodies are in none of them.

use std::time::Instant;

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use tracing::Instrument;

use super::errors::ApiError;
use super::requests::sending::Sending;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");

/// Gives the request an id, counts it, and logs it.
pub(super) async fn observe(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let started = Instant::now();
    let id = request_id(request.headers());
    let trace = trace_context(request.headers());
    let method = request.method().clone();
    // The pattern, not the path: paths are what clients make up, and would be metrics without end.
    let route = request.match_pattern().unwrap_or_else(|| "none".to_owned());
    let (trace_id, parent_id) = trace.unwrap_or_default();
    let span = tracing::info_span!(
        "request", %method, route, id = id.to_str().unwrap_or_default(), trace_id, parent_id,
        status = tracing::field::Empty, milliseconds = tracing::field::Empty
    );
    #[cfg(feature = "otlp")]
    super::process::traces::continue_trace(&span, &trace_id, &parent_id, request.headers());
    let sending = Sending::begin(&mut request);
    let outcome = next.call(request).instrument(span.clone()).await;
    let seconds = started.elapsed().as_secs_f64();
    // What handlers refuse comes as an error; it is an answer like any other.
    let mut response = outcome?;
    let status = response.status().as_u16();
    span.record("status", status);
    span.record("milliseconds", (seconds * 1e6).round() / 1e3);
    let code =
        response.response().error().and_then(|error| error.as_error::<ApiError>()).map(|e| e.problem.code.name());
    span.in_scope(|| match (status, code) {
        (500.., code) => tracing::error!(code, "answered"),
        // Of those there may be thousands a second; the metrics count them.
        (429, code) => tracing::debug!(code, "refused"),
        (400.., code) => tracing::info!(code, "refused"),
        _ => tracing::info!("answered"),
    });
    let labels = [("route", route), ("method", known_method(method.as_str())), ("status", status.to_string())];
    metrics::counter!("onrecord_requests_total", &labels).increment(1);
    metrics::histogram!("onrecord_request_seconds", &labels[..1]).record(seconds);
    response.headers_mut().insert(REQUEST_ID, id);
    Ok(sending.send(response, span))
}

/// The methods that have a meaning here; others are one.
fn known_method(method: &str) -> String {
    let known = ["GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"];
    known.into_iter().find(|known| *known == method).unwrap_or("other").to_owned()
}

/// The client's own id, if it is one that can be logged, or a new one.
fn request_id(headers: &HeaderMap) -> HeaderValue {
    let is_sound = |value: &&HeaderValue| {
        let bytes = value.as_bytes();
        (1..=128).contains(&bytes.len()) && bytes.iter().all(|byte| byte.is_ascii_graphic())
    };
    let given = headers.get(REQUEST_ID).filter(is_sound).cloned();
    given.unwrap_or_else(|| {
        let id = uuid::Uuid::new_v4().simple().to_string();
        HeaderValue::from_str(&id).unwrap_or(HeaderValue::from_static("none"))
    })
}

/// Trace id and parent id of a W3C `traceparent` header (Trace Context, level 1).
fn trace_context(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(TRACE_PARENT)?.to_str().ok()?;
    let parts: Vec<&str> = value.trim().split('-').collect();
    let [version, trace, parent, flags, ..] = parts[..] else { return None };
    let is_hex = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let is_zero = |text: &str| text.bytes().all(|byte| byte == b'0');
    let is_sound = is_hex(version, 2)
        && version != "ff"
        && (version != "00" || parts.len() == 4)
        && is_hex(trace, 32)
        && !is_zero(trace)
        && is_hex(parent, 16)
        && !is_zero(parent)
        && is_hex(flags, 2);
    is_sound.then(|| (trace.to_owned(), parent.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_str(value).unwrap());
        headers
    }

    #[test]
    fn only_sound_ids_are_taken_over() {
        assert_eq!(request_id(&headers(REQUEST_ID, "abc-123")), "abc-123");
        for unsound in ["", "two words", &"x".repeat(129)] {
            let id = request_id(&headers(REQUEST_ID, unsound));
            assert_eq!(id.len(), 32, "{unsound:?} gave {id:?}");
        }
    }

    #[test]
    fn trace_contexts_follow_the_specification() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        let parse = |value: &str| trace_context(&headers(TRACE_PARENT, value));
        assert_eq!(
            parse(&format!("00-{trace}-00f067aa0ba902b7-01")),
            Some((trace.to_owned(), "00f067aa0ba902b7".to_owned()))
        );
        assert!(parse(&format!("01-{trace}-00f067aa0ba902b7-01-more")).is_some());
        for wrong in [
            format!("00-{trace}-00f067aa0ba902b7-01-more"),
            format!("ff-{trace}-00f067aa0ba902b7-01"),
            format!("00-{}-00f067aa0ba902b7-01", trace.to_uppercase()),
            format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
            format!("00-{trace}-0000000000000000-01"),
            "nonsense".to_owned(),
        ] {
            assert_eq!(parse(&wrong), None, "{wrong}");
        }
    }
}
