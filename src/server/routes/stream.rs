//! `POST /v1/extract` as a stream: documents come in line by line, results go out in order as they are ready, and
//! neither side runs ahead of the other by more than a few documents.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use actix_web::web::{self, Bytes, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;
use tokio::sync::mpsc::{Sender, channel};
use tokio::time::{sleep, timeout_at};

use crate::engine::service::{Answers, Refused, Service, Share, Want};
use crate::server::admission::quotas::Quota;
use crate::server::codes::ErrorCode;
use crate::server::errors::{ApiError, Problem, deadline_exceeded};
use crate::server::requests::body;
use crate::server::requests::budget::{Client, Hold, NoRoom};
use crate::server::requests::lines::{LINES, Line, Lines};
use crate::server::requests::options::{QueryOptions, RequestOptions};
use crate::server::requests::results::{DocumentResult, FailedDocument, result};
use crate::server::requests::run::{check_cost, document, log_text, observe};
use crate::server::state::State;
use crate::text::Document;

/// Documents of one stream that are in the service at the same time...
const DOCUMENTS: usize = 64;

/// ...or bytes of them, unless it is one alone.
const BYTES: usize = 256 * 1024;

/// Where there is no room, it is looked for again after this time.
const PAUSE: Duration = Duration::from_millis(10);

/// How often a stream that waits for its client looks whether the server is to stop.
const LOOK_UP: Duration = Duration::from_millis(200);

/// A line that has no result.
#[derive(Serialize)]
struct FailedLine {
    id: Option<String>,
    /// From 1; blank lines do not count.
    line: usize,
    error: Problem,
}

/// Answers the stream. What is wrong with the request as a whole is an error before it starts; everything later is a
/// line of its own.
pub(in crate::server) async fn extract(
    request: HttpRequest,
    payload: Payload,
    state: web::Data<State>,
) -> Result<HttpResponse, ApiError> {
    body::refuse_encoding(&request)?;
    let (options, format) = QueryOptions::parse(request.query_string()).map_err(ApiError::closing)?;
    if format.is_some() {
        let message = "format: a stream is answered by lines of JSON; ask for another form with one document at a time";
        return Err(ApiError::new(ErrorCode::InvalidRequest, message).closing());
    }
    let service = state.service().map_err(ApiError::closing)?;
    let (want, time) = (options.want(service.model())?, state.time_for(&request)?);
    drop(service);
    let quota = Quota::of(&request);
    let lines = Lines::new(payload, state.body_limits(), &state.budget, Client::of(&request));
    let (sender, mut receiver) = channel::<Ready>(8);
    let stream = Stream {
        state,
        quota,
        options,
        want,
        time,
        sender,
        waiting: VecDeque::new(),
        bytes: 0,
        line: 0,
        held_back: None,
    };
    actix_web::rt::spawn(stream.run(lines));
    let mut sent = None;
    let output = futures_util::stream::poll_fn(move |context| {
        // Being asked for the next line, the connection has taken the last one.
        drop(sent.take());
        let next = std::task::ready!(receiver.poll_recv(context));
        std::task::Poll::Ready(next.map(|Ready { bytes, hold }| {
            sent = hold;
            Ok::<Bytes, std::convert::Infallible>(bytes)
        }))
    });
    Ok(HttpResponse::Ok().content_type(LINES).streaming(output))
}

/// A line of the answer, with the place on the budget of what it answers.
struct Ready {
    bytes: Bytes,
    hold: Option<Hold>,
}

/// A line on its way.
enum Waiting {
    /// It is in the service.
    Submitted { answers: Answers, id: String, bytes: usize, deadline: Instant, line: usize, hold: Hold },
    /// It has its answer already.
    Failed(FailedLine),
}

struct Stream {
    state: web::Data<State>,
    quota: Option<Quota>,
    options: RequestOptions,
    want: Want,
    /// For each line.
    time: Duration,
    sender: Sender<Ready>,
    /// In the order of the lines.
    waiting: VecDeque<Waiting>,
    /// Bytes of text in the service.
    bytes: usize,
    /// Number of the last line read.
    line: usize,
    /// A document for which there was no room, with the time when it came.
    held_back: Option<(Document, Instant, Hold)>,
}

/// Why a stream ends before its input does.
enum End {
    /// The client does not read any more.
    Gone,
    /// It is told why.
    Told(Problem),
}

impl Stream {
    async fn run(mut self, mut lines: Lines) {
        if let Err(End::Told(error)) = self.answer(&mut lines).await {
            error.count();
            // The line that was waited for, or that is not read any more.
            let last = FailedLine { id: None, line: self.line + 1, error };
            // Who does not read will not learn why.
            let _ = timeout_at((Instant::now() + PAUSE).into(), self.write(&last, None)).await;
        }
    }

    async fn answer(&mut self, lines: &mut Lines) -> Result<(), End> {
        let idle = self.state.configuration.stream_idle_timeout;
        let line_time = self.state.configuration.body_timeout;
        let mut input_is_open = true;
        let mut progress = Instant::now();
        // Since when the client has had the time to send the line that is coming in.
        let mut line_since = Instant::now();
        loop {
            self.retry();
            let draining = self.state.is_draining();
            let may_read = input_is_open && !draining && self.has_room();
            if !may_read && self.waiting.is_empty() && self.held_back.is_none() {
                let cut_short = draining && input_is_open;
                return if cut_short { Err(End::Told(crate::server::errors::draining().problem)) } else { Ok(()) };
            }
            if self.held_back.is_some() || !self.waiting.is_empty() {
                // As long as the server is at work, the client may wait for it.
                progress = Instant::now();
            }
            if !may_read || !lines.is_within_line() {
                line_since = Instant::now();
            }
            let closed = self.sender.clone();
            tokio::select! {
                biased;
                ready = front(&mut self.waiting) => {
                    self.write_front(ready, idle).await?;
                    progress = Instant::now();
                }
                line = lines.next(), if may_read => {
                    match line {
                        Line::NoRoom => sleep(PAUSE).await,
                        Line::End => input_is_open = false,
                        Line::Broken(reason) => {
                            let message = format!("the body could not be read to its end: {reason}");
                            self.fail_next(Problem::new(ErrorCode::IncompleteBody, message));
                            input_is_open = false;
                        }
                        line => self.take(line),
                    }
                    (progress, line_since) = (Instant::now(), Instant::now());
                }
                () = sleep(PAUSE), if self.held_back.is_some() => {}
                () = closed.closed() => return Err(End::Gone),
                () = sleep(LOOK_UP.min(idle).min(line_time)), if may_read || self.waiting.is_empty() => {
                    if self.waiting.is_empty() && progress.elapsed() >= idle {
                        return Err(End::Told(stream_idle(idle)));
                    }
                    if line_since.elapsed() >= line_time {
                        // What came before has its answers first.
                        self.fail_next(line_timeout(line_time));
                        input_is_open = false;
                    }
                }
            }
        }
    }

    fn has_room(&self) -> bool {
        self.held_back.is_none() && self.waiting.len() < DOCUMENTS && (self.bytes < BYTES || self.waiting.is_empty())
    }

    /// Takes a line in: submits its document, or notes what is wrong with it.
    fn take(&mut self, line: Line) {
        self.line += 1;
        let limits = &self.state.configuration;
        let (bytes, hold) = match line {
            Line::Whole(bytes, hold) => (bytes, hold),
            Line::Overloaded => return self.fail(None, NoRoom::Full.refusal(&self.state.budget).problem),
            _ => {
                let limit = limits.max_body_bytes;
                let problem = Problem::new(ErrorCode::BodyTooLarge, format!("the line is longer than {limit} bytes"));
                return self.fail(None, problem.with(json!({"limit": limit})));
            }
        };
        let document = match crate::server::requests::parsing::json::<&RawValue>(&bytes) {
            // Lines count from 1, as in the errors.
            Ok(value) => document(value.get(), self.line, limits),
            Err(error) => {
                let message = error.problem.message.replacen("the body", "the line", 1);
                Err(FailedDocument { id: None, error: Problem { message, ..error.problem } })
            }
        };
        match document {
            Ok(document) => self.held_back = Some((document, Instant::now(), hold)),
            Err(FailedDocument { id, error }) => self.fail(id, error),
        }
        self.retry();
    }

    /// Submits the document that was held back, if there is room by now, or its time is over.
    fn retry(&mut self) {
        let Some((document, came, hold)) = self.held_back.take() else { return };
        let deadline = came + self.time;
        if Instant::now() >= deadline {
            return self.fail(Some(document.id), deadline_exceeded().problem);
        }
        let (id, bytes, line) = (document.id.clone(), document.text.len(), self.line);
        let service = match self.state.service() {
            Ok(service) => service,
            Err(error) => return self.fail(Some(id), error.problem),
        };
        // The document would be lost to a refusal: so ask first. Nor should others be refused because of a stream, which
        // can wait; but it goes on, whatever others do.
        let share = if self.waiting.is_empty() { Share::Whole } else { Share::Half };
        if let Err(Refused::Full { .. }) = service.check_room_for(&document, share) {
            self.held_back = Some((document, came, hold));
            return;
        }
        let tokens = Service::estimated_tokens(&document);
        if let Err(problem) = check_cost(tokens, &self.state.configuration) {
            return self.fail(Some(id), problem);
        }
        if let Some(quota) = &self.quota
            && quota.take_tokens(tokens).is_err()
        {
            self.held_back = Some((document, came, hold));
            return;
        }
        log_text(&document, &self.state.configuration);
        match service.submit(vec![document.clone()], self.want, Some(deadline)) {
            Ok(answers) => {
                self.bytes += bytes;
                self.waiting.push_back(Waiting::Submitted { answers, id, bytes, deadline, line, hold });
            }
            Err(Refused::Full { .. }) => {
                self.quota.iter().for_each(|quota| quota.give_back(tokens));
                self.held_back = Some((document, came, hold));
            }
            Err(refused) => self.fail(Some(id), ApiError::from(refused).problem),
        }
    }

    fn fail(&mut self, id: Option<String>, error: Problem) {
        error.count();
        self.waiting.push_back(Waiting::Failed(FailedLine { id, line: self.line, error }));
    }

    /// What went wrong instead of the next line.
    fn fail_next(&mut self, error: Problem) {
        self.line += 1;
        self.fail(None, error);
    }

    /// Writes the answer of the first of the waiting lines; a client that does not take it in time is let go.
    async fn write_front(&mut self, answer: Option<crate::engine::service::Answer>, idle: Duration) -> Result<(), End> {
        let Some(front) = self.waiting.pop_front() else { return Ok(()) };
        let write = async {
            match (front, answer) {
                (Waiting::Failed(failed), _) => self.write(&failed, None).await,
                (Waiting::Submitted { id, bytes, line, hold, .. }, answer) => {
                    self.bytes -= bytes;
                    let draining = self.state.is_draining();
                    let failed = |id, error| FailedLine { id, line, error };
                    match answer {
                        None => {
                            let error = if draining { crate::server::errors::draining() } else { deadline_exceeded() };
                            error.problem.count();
                            self.write(&failed(Some(id), error.problem), None).await
                        }
                        Some(answer) => {
                            observe(&answer);
                            match result(id, answer, &self.options) {
                                DocumentResult::Found(found) => self.write(&found, Some(hold)).await,
                                DocumentResult::Failed(FailedDocument { id, error }) => {
                                    self.write(&failed(id, error), None).await
                                }
                            }
                        }
                    }
                }
            }
        };
        match timeout_at((Instant::now() + idle).into(), write).await {
            Ok(written) => written,
            Err(_) => Err(End::Gone),
        }
    }

    async fn write(&self, line: &impl Serialize, hold: Option<Hold>) -> Result<(), End> {
        let failed = |error: serde_json::Error| End::Told(Problem::new(ErrorCode::InferenceFailed, error.to_string()));
        let mut bytes = serde_json::to_vec(line).map_err(failed)?;
        bytes.push(b'\n');
        self.sender.send(Ready { bytes: bytes.into(), hold }).await.map_err(|_| End::Gone)
    }
}

/// Waits until the first line has its answer; `None` if it has none to wait for. Never returns without a line.
async fn front(waiting: &mut VecDeque<Waiting>) -> Option<crate::engine::service::Answer> {
    match waiting.front_mut() {
        Some(Waiting::Submitted { answers, deadline, .. }) => {
            timeout_at((*deadline).into(), answers.next()).await.ok().flatten()
        }
        Some(Waiting::Failed(_)) => None,
        None => std::future::pending().await,
    }
}

fn line_timeout(time: Duration) -> Problem {
    let seconds = time.as_secs_f64();
    let message =
        format!("the line was not here {seconds} s after its start: send it faster, or less; the stream ends here");
    Problem::new(ErrorCode::BodyTimeout, message)
}

fn stream_idle(idle: Duration) -> Problem {
    let message = format!("nothing came for {} s: the stream ends here", idle.as_secs_f64());
    Problem::new(ErrorCode::StreamIdle, message)
}
