//! Answers on their way: sent piece by piece, to clients that take them.
//!
//! What an answer holds is held for as long as its client lets it wait. So a client has to take the next part in time, or
//! its connection is cut off.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::rt::task::JoinHandle;
use actix_web::web::{self, Bytes};
use tokio::time::sleep_until;
use tracing::Span;

use super::unread::SharedPayload;
use crate::server::process::connection::AbortHandle;
use crate::server::process::ending::InFlight;
use crate::server::state::State;

/// Bytes that are handed to the connection at a time.
const PIECE: usize = 32 * 1024;

/// Bytes that a client must take within the time limit, where there are so many.
const PART: usize = 256 * 1024;

/// What is kept from the arrival of a request until its answer has been sent.
pub(in crate::server) struct Sending {
    payload: SharedPayload,
    in_flight: Option<InFlight>,
    /// What cuts the connection off, and when.
    limit: Option<(Rc<AbortHandle>, Duration)>,
}

impl Sending {
    /// Begins with a request.
    pub fn begin(request: &mut ServiceRequest) -> Self {
        let state = request.app_data::<web::Data<State>>();
        let abort = request.conn_data::<Rc<AbortHandle>>().cloned();
        let in_flight = state.map(|state| state.ending.wait_for_request());
        let limit = abort.zip(state.map(|state| state.configuration.send_timeout));
        Self { payload: SharedPayload::of(request), in_flight, limit }
    }

    /// Ends when this answer has been sent. The span is the request's.
    pub fn send(self, response: ServiceResponse<impl MessageBody + 'static>, span: Span) -> ServiceResponse<Answer> {
        let Self { payload, in_flight, limit } = self;
        response.map_body(|_, body| {
            let is_long = match body.size() {
                BodySize::None => false,
                BodySize::Sized(size) => size > PIECE as u64,
                BodySize::Stream => true,
            };
            let watch = limit.filter(|_| is_long).map(|(abort, limit)| Watch::start(abort, limit, span));
            Answer { body: body.boxed(), rest: Bytes::new(), watch, _payload: payload, _in_flight: in_flight }
        })
    }
}

/// An answer on its way.
pub(in crate::server) struct Answer {
    body: BoxBody,
    /// What the body has given, and was not handed on yet. The body is asked for more only when all of it was.
    rest: Bytes,
    watch: Option<Watch>,
    _payload: SharedPayload,
    _in_flight: Option<InFlight>,
}

impl MessageBody for Answer {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let this = &mut *self;
        while this.rest.is_empty() {
            match Pin::new(&mut this.body).poll_next(context) {
                Poll::Ready(Some(Ok(bytes))) => this.rest = bytes,
                Poll::Pending => {
                    // Until the body has more, nobody waits for the client.
                    this.watch.iter().for_each(Watch::pause);
                    return Poll::Pending;
                }
                end => return end,
            }
        }
        let piece = this.rest.split_to(this.rest.len().min(PIECE));
        this.watch.iter().for_each(|watch| watch.hand(piece.len()));
        Poll::Ready(Some(Ok(piece)))
    }
}

/// Watches whether a client takes its answer.
struct Watch {
    progress: Rc<Progress>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Progress {
    /// Since when the client is to take the next part; `None` while there is nothing to take.
    since: Cell<Option<Instant>>,
    /// Bytes of that part that have been handed on.
    handed: Cell<usize>,
}

impl Watch {
    fn start(abort: Rc<AbortHandle>, limit: Duration, span: Span) -> Self {
        let progress = Rc::<Progress>::default();
        let watched = Rc::clone(&progress);
        let task = actix_web::rt::spawn(async move {
            loop {
                let since = watched.since.get();
                if since.is_some_and(|since| since.elapsed() >= limit) {
                    break;
                }
                sleep_until((since.unwrap_or_else(Instant::now) + limit).into()).await;
            }
            metrics::counter!("onrecord_unread_answers_total").increment(1);
            span.in_scope(|| tracing::info!("cut off: the client does not take the answer"));
            abort.abort();
        });
        Self { progress, task }
    }

    fn pause(&self) {
        self.progress.since.set(None);
    }

    /// Being asked for more, the client has taken all but these bytes and what the system keeps for it.
    fn hand(&self, bytes: usize) {
        let (since, handed) = (self.progress.since.get(), self.progress.handed.get() + bytes);
        if since.is_none() || handed > PART {
            self.progress.since.set(Some(Instant::now()));
            self.progress.handed.set(bytes);
        } else {
            self.progress.handed.set(handed);
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}
