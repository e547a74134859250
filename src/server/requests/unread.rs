//! Bodies that are answered before they have come to their end.
//!
//! actix drops what is left of a chunked body for as long as the client sends, or does not send, if its reader has gone
//! when the answer starts: a connection could be held for ever. So the reader stays until the answer has been sent;
//! actix then closes the connection after a moment.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::HttpMessage;
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::error::PayloadError;
use actix_web::web::Bytes;
use futures_util::Stream;

/// A body with two owners: who reads it, and who answers it.
pub(in crate::server) struct SharedPayload(Rc<RefCell<Payload>>);

impl SharedPayload {
    /// Takes the request's body and gives it back to be read.
    pub fn of(request: &mut ServiceRequest) -> Self {
        let payload = Rc::new(RefCell::new(request.take_payload()));
        let reader = Self(Rc::clone(&payload));
        request.set_payload(Payload::Stream { payload: Box::pin(reader) });
        Self(payload)
    }
}

impl Stream for SharedPayload {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_next(context)
    }
}
