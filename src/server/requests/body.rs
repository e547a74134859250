//! Bodies: read within limits of size, time and memory, and held to account until the answer has been sent.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, MessageBody};
use actix_web::http::header;
use actix_web::web::{Bytes, Payload};
use actix_web::{HttpMessage, HttpRequest};
use futures_util::StreamExt;
use serde_json::json;

use crate::server::codes::ErrorCode;
use crate::server::errors::{ApiError, Problem};

/// How many bytes of requests may be held at the same time.
#[derive(Debug)]
pub(in crate::server) struct Budget {
    limit: usize,
    held: AtomicUsize,
}

/// Bytes of the budget that are taken; given back when dropped.
#[derive(Debug)]
pub(in crate::server) struct Hold {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Budget {
    pub fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, held: AtomicUsize::new(0) })
    }

    /// Bytes that are held now.
    pub fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    /// Takes nothing yet.
    pub fn hold(self: &Arc<Self>) -> Hold {
        Hold { budget: Arc::clone(self), bytes: 0 }
    }
}

impl Hold {
    /// Takes more; false, and nothing taken, where that would pass the limit. Whoever is alone may have any amount.
    pub fn grow(&mut self, bytes: usize) -> bool {
        let own = self.bytes;
        let limit = self.budget.limit;
        let take = |held: usize| (held + bytes <= limit || held == own).then_some(held + bytes);
        let taken = self.budget.held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok();
        if taken {
            self.bytes += bytes;
        }
        taken
    }

    /// Bytes that it holds.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Gives all of them back.
    pub fn shrink(&mut self) {
        self.budget.held.fetch_sub(std::mem::take(&mut self.bytes), Ordering::Relaxed);
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.shrink();
    }
}

/// What a body may be.
#[derive(Debug, Clone, Copy)]
pub(in crate::server) struct BodyLimits {
    /// In bytes.
    pub size: usize,
    /// From the head of the request to the last byte.
    pub time: Duration,
}

/// Reads a whole body.
pub(in crate::server) async fn read(
    request: &HttpRequest,
    mut payload: Payload,
    limits: BodyLimits,
    budget: &Arc<Budget>,
) -> Result<(Vec<u8>, Hold), ApiError> {
    refuse_encoding(request)?;
    let mut hold = budget.hold();
    let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let announced: usize = announced.unwrap_or(0);
    if announced > limits.size {
        return Err(too_large(limits.size));
    }
    if !hold.grow(announced) {
        return Err(overloaded(budget));
    }
    let mut body = Vec::with_capacity(announced);
    let reading = async {
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|error| {
                ApiError::new(ErrorCode::IncompleteBody, format!("the body could not be read to its end: {error}"))
                    .closing()
            })?;
            if body.len() + chunk.len() > limits.size {
                return Err(too_large(limits.size));
            }
            let beyond = (body.len() + chunk.len()).saturating_sub(hold.bytes);
            if beyond > 0 && !hold.grow(beyond) {
                return Err(overloaded(budget));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(())
    };
    let in_time = actix_web::rt::time::timeout(limits.time, reading).await;
    in_time.unwrap_or_else(|_| {
        let message = format!("the body was not here after {} s: send it faster, or less", limits.time.as_secs_f64());
        Err(ApiError::new(ErrorCode::BodyTimeout, message).closing())
    })?;
    Ok((body, hold))
}

/// Bodies are read as they are.
pub(in crate::server) fn refuse_encoding(request: &HttpRequest) -> Result<(), ApiError> {
    match request.headers().get(header::CONTENT_ENCODING) {
        Some(encoding) if !encoding.as_bytes().eq_ignore_ascii_case(b"identity") => {
            let encoding = String::from_utf8_lossy(encoding.as_bytes()).into_owned();
            let message = format!("Content-Encoding {encoding:?} is not read here: send the body uncompressed");
            Err(ApiError::new(ErrorCode::UnsupportedEncoding, message).closing())
        }
        _ => Ok(()),
    }
}

/// The type of JSON.
pub(in crate::server) const JSON: &str = "application/json";

/// Refuses a body of another type than these, and one without: browsers ask before they send these types for a page of
/// another origin, and not before they send none.
pub(in crate::server) fn check_type(request: &HttpRequest, allowed: &[&str]) -> Result<(), ApiError> {
    let given = request.content_type();
    if allowed.iter().any(|allowed| given.eq_ignore_ascii_case(allowed)) {
        return Ok(());
    }
    let allowed = allowed.join(" or ");
    let message = match given {
        "" => format!("the body has no Content-Type: send {allowed}"),
        given => format!("Content-Type {given:?} is not read here: send {allowed}"),
    };
    Err(ApiError::new(ErrorCode::UnsupportedMediaType, message).closing())
}

fn too_large(limit: usize) -> ApiError {
    let message = format!("the body is larger than {limit} bytes: send less at a time, or a stream of lines");
    ApiError::from(Problem::new(ErrorCode::BodyTooLarge, message).with(json!({"limit": limit}))).closing()
}

fn overloaded(budget: &Budget) -> ApiError {
    let message = "as many requests are held as memory allows: try again in 1 s";
    let problem = Problem::new(ErrorCode::Overloaded, message).with(json!({"held_bytes": budget.held()}));
    ApiError { retry_after: Some(1), ..ApiError::from(problem).closing() }
}

/// Bytes that are handed to the connection at a time.
const CHUNK: usize = 32 * 1024;

/// An answer that keeps its request on the budget until the client has read it: a client that reads slowly must not
/// make the server hold more and more.
pub(in crate::server) struct HeldBody {
    bytes: Bytes,
    _hold: Hold,
}

impl HeldBody {
    pub fn new(bytes: impl Into<Bytes>, hold: Hold) -> Self {
        Self { bytes: bytes.into(), _hold: hold }
    }
}

impl MessageBody for HeldBody {
    type Error = std::convert::Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.bytes.len() as u64)
    }

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let length = self.bytes.len().min(CHUNK);
        Poll::Ready((length > 0).then(|| Ok(self.bytes.split_to(length))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budget_is_given_back() {
        let budget = Budget::new(10);
        let (mut first, mut second) = (budget.hold(), budget.hold());
        assert!(first.grow(6) && second.grow(4));
        assert!(!first.grow(1));
        drop(second);
        assert!(first.grow(4) && !budget.hold().grow(1));
        // Alone, one may pass the limit: else a request of the largest size allowed could wait for ever.
        assert!(first.grow(100));
        drop(first);
        assert_eq!(budget.held(), 0);
    }
}
