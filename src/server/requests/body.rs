//! Bodies: read within limits of size, time and memory, and held to account until the answer has been sent.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, MessageBody};
use actix_web::http::header;
use actix_web::web::{Bytes, Payload};
use actix_web::{HttpMessage, HttpRequest};
use futures_util::StreamExt;
use serde_json::json;
use tokio::time::sleep;

use super::budget::{Budget, Client, Hold, NoRoom};
use crate::server::codes::ErrorCode;
use crate::server::errors::{ApiError, Problem, draining};
use crate::server::process::ending::Ending;

/// What a body may be.
#[derive(Debug, Clone, Copy)]
pub(in crate::server) struct BodyLimits {
    /// In bytes.
    pub size: usize,
    /// From the head of the request to the last byte.
    pub time: Duration,
}

/// Reads a whole body, unless the server ends meanwhile.
pub(in crate::server) async fn read(
    request: &HttpRequest,
    mut payload: Payload,
    limits: BodyLimits,
    budget: &Arc<Budget>,
    ending: &Ending,
) -> Result<(Vec<u8>, Hold), ApiError> {
    refuse_encoding(request)?;
    let mut hold = budget.hold(Client::of(request));
    let no_room = |refused: NoRoom| refused.refusal(budget).closing();
    let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let announced: usize = announced.unwrap_or(0);
    if announced > limits.size {
        return Err(too_large(limits.size));
    }
    hold.grow(announced).map_err(no_room)?;
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
            let beyond = (body.len() + chunk.len()).saturating_sub(hold.bytes());
            if beyond > 0 {
                hold.grow(beyond).map_err(no_room)?;
            }
            body.extend_from_slice(&chunk);
        }
        Ok(())
    };
    tokio::select! {
        biased;
        read = reading => read?,
        // The end does not wait for what has not come.
        () = ending.begun() => return Err(draining().closing()),
        () = sleep(limits.time) => {
            let time = limits.time.as_secs_f64();
            let message = format!("the body was not here after {time} s: send it faster, or less");
            return Err(ApiError::new(ErrorCode::BodyTimeout, message).closing());
        }
    }
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

/// An answer that keeps its request on the budget until it has been sent.
pub(in crate::server) struct HeldBody {
    size: usize,
    bytes: Option<Bytes>,
    _hold: Hold,
}

impl HeldBody {
    pub fn new(bytes: impl Into<Bytes>, hold: Hold) -> Self {
        let bytes = bytes.into();
        Self { size: bytes.len(), bytes: Some(bytes), _hold: hold }
    }
}

impl MessageBody for HeldBody {
    type Error = std::convert::Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.size as u64)
    }

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Poll::Ready(self.bytes.take().map(Ok))
    }
}
