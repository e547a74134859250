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
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
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

    /// Keeps the body until this answer to it has been sent.
    pub fn keep_for(self, response: ServiceResponse<impl MessageBody + 'static>) -> ServiceResponse<impl MessageBody> {
        response.map_body(|_, body| Answer { body: body.boxed(), _payload: self })
    }
}

impl Stream for SharedPayload {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_next(context)
    }
}

struct Answer {
    body: BoxBody,
    _payload: SharedPayload,
}

impl MessageBody for Answer {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(context)
    }
}
