//! One document on its way through the service: tokenised in stretches, its windows run by whoever is free, decoded
//! in text order and in steps, answered.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use super::answer::{Answer, Found, Timings, Usage, Want};
use super::queue::Client;
use crate::decode::{DocumentDecoder, Reading, TokenDecoder};
use crate::engine::fault;
use crate::engine::flow::Flow;
use crate::engine::options::entity_head;
use crate::engine::{EngineError, Extraction, Options};
use crate::model::{Model, ModelError, WindowInput, WindowOutput};
use crate::text::{Document, Tokenisation, Tokens, Window, WindowSize, plan_windows};

/// Bytes of a text that are tokenised before others have their turn: some milliseconds.
const STRETCH: usize = 32 * 1024;

/// Bytes of text for a token, roughly: what a document counts for before it is tokenised.
const BYTES_PER_TOKEN: usize = 4;

/// What a document counts for before it is tokenised.
pub(super) fn estimated_tokens(text: &str) -> usize {
    text.len().div_ceil(BYTES_PER_TOKEN)
}

/// A document that is being tokenised.
#[derive(Debug)]
pub(super) struct Preparation {
    /// Its place in the request.
    pub place: usize,
    document: Document,
    flow: Flow,
    want: Want,
    pub client: Client,
    submitted: Instant,
    tokenisation: Tokenisation,
    timings: Timings,
}

/// What a stretch of preparation leads to.
pub(super) enum Prepared {
    /// There is more to tokenise.
    Unfinished(Box<Preparation>),
    /// Windows wait.
    Ready(Arc<Job>),
    /// There is no window, and thus nothing to wait for.
    Decode(Decoding),
    /// The document has its answer already.
    Answered(Box<Reply>),
}

/// An answer on its way. It is sent once the queue no longer counts its document, so that whoever has all answers finds
/// the place of their documents free.
#[must_use]
pub(super) struct Reply {
    pub client: Client,
    pub answer: Answer,
}

impl Reply {
    /// Sends the answer, if anybody waits for it.
    pub fn send(self) {
        self.client.send(self.answer);
    }
}

impl Preparation {
    pub fn new(place: usize, document: Document, want: Want, client: Client) -> Self {
        let (tokenisation, timings, submitted) = (Tokenisation::default(), Timings::default(), Instant::now());
        Self { place, document, flow: Flow::default(), want, client, submitted, tokenisation, timings }
    }

    /// What is left to tokenise, in tokens, roughly.
    pub fn remaining_tokens(&self) -> usize {
        estimated_tokens(&self.document.text[self.tokenisation.position()..])
    }

    /// Tokenises a stretch, and cuts the document into windows when that was the last.
    pub fn advance(mut self: Box<Self>, model: &Arc<Model>, size: WindowSize) -> Prepared {
        let started = Instant::now();
        if self.timings.tokenise.is_zero() {
            self.timings.queue = started - self.submitted;
        }
        fault::at("prepare", &self.document.text);
        if self.tokenisation.position() == 0 {
            self.flow = Flow::new(model, &self.document.text);
        }
        let text = self.flow.of(&self.document.text);
        let outcome = model.tokenizer().advance(&mut self.tokenisation, text, STRETCH);
        match outcome {
            Ok(false) => {
                self.timings.tokenise += started.elapsed();
                Prepared::Unfinished(self)
            }
            Ok(true) => {
                let Self { place, document, flow, want, client, tokenisation, mut timings, .. } = *self;
                let text = flow.of(&document.text);
                let tokens = tokenisation.finish(text);
                let windows = plan_windows(&tokens, text, size);
                timings.tokenise += started.elapsed();
                let usage = Usage { windows: windows.len(), tokens: windows.iter().map(|w| w.tokens.len()).sum() };
                let decoder = match Decoder::new(model, want) {
                    Ok(decoder) => decoder,
                    Err(error) => {
                        let answer = Answer { place, found: Err(error.into()), usage: Usage::default(), timings };
                        return Prepared::Answered(Box::new(Reply { client, answer }));
                    }
                };
                let decoder = DecoderState::Waiting(decoder);
                let progress = Mutex::new(Progress { decoder, arrived: BTreeMap::new(), next: 0, timings });
                let job = Arc::new(Job { place, document, flow, want, client, tokens, windows, usage, progress });
                match job.begin(model) {
                    Some(decoding) => Prepared::Decode(decoding),
                    None => Prepared::Ready(job),
                }
            }
            Err(error) => {
                self.timings.tokenise += started.elapsed();
                let (usage, timings) = (Usage::default(), self.timings);
                let answer = Answer { place: self.place, found: Err(error.into()), usage, timings };
                Prepared::Answered(Box::new(Reply { client: self.client, answer }))
            }
        }
    }
}

/// A document that is cut into windows.
#[derive(Debug)]
pub(super) struct Job {
    place: usize,
    document: Document,
    flow: Flow,
    pub want: Want,
    client: Client,
    tokens: Tokens,
    pub windows: Vec<Window>,
    usage: Usage,
    progress: Mutex<Progress>,
}

#[derive(Debug)]
struct Progress {
    decoder: DecoderState,
    /// Outputs that nobody has decoded yet.
    arrived: BTreeMap<usize, WindowOutput>,
    /// The window whose output is to be decoded next.
    next: usize,
    timings: Timings,
}

#[derive(Debug)]
enum DecoderState {
    /// The output of the next window has not come.
    Waiting(Decoder),
    /// A [`Decoding`] has it. Outputs that come meanwhile are left for that one to find.
    Taken,
    /// The document has its answer.
    Done,
}

impl Progress {
    fn is_done(&self) -> bool {
        matches!(self.decoder, DecoderState::Done)
    }
}

/// What a decoder does next.
enum Next {
    /// Decode the output of this window.
    Window(Box<Decoder>, usize, WindowOutput),
    /// Link and resolve: all windows are decoded.
    Finish(Box<Decoder>),
    /// Nothing, until another output comes.
    Wait,
}

#[derive(Debug)]
enum Decoder {
    Extraction(Box<DocumentDecoder>, Options),
    Tags(TokenDecoder),
}

impl Decoder {
    fn new(model: &Model, want: Want) -> Result<Self, ModelError> {
        Ok(match want {
            Want::Extraction(options) => {
                let head = entity_head(model, options.entity_scheme)?;
                Self::Extraction(Box::new(DocumentDecoder::new(head)), options)
            }
            Want::Tags(scheme) => Self::Tags(TokenDecoder::new(entity_head(model, scheme)?)),
        })
    }
}

impl Job {
    /// The tokens of a window, as the encoder wants them.
    pub fn window(&self, index: usize) -> WindowInput<'_> {
        WindowInput::new(&self.tokens, self.windows[index].tokens.clone())
    }

    /// A fault on demand.
    pub fn fault_at(&self, stage: &str) {
        fault::at(stage, &self.document.text);
    }

    /// Takes the output of a window. `spent` is the window's share of the time that its batch took.
    pub fn deliver(
        self: &Arc<Self>,
        model: &Arc<Model>,
        index: usize,
        output: Result<WindowOutput, EngineError>,
        spent: Duration,
    ) -> Delivered {
        fault::at("decode", &self.document.text);
        let mut progress = self.progress();
        progress.timings.inference += spent;
        if progress.is_done() {
            return Delivered::Waits;
        }
        match output {
            Err(error) => Delivered::Answered(Box::new(self.fail(&mut progress, error))),
            Ok(output) => {
                progress.arrived.insert(index, output);
                drop(progress);
                self.begin(model).map_or(Delivered::Waits, Delivered::Decode)
            }
        }
    }

    /// What is to be decoded now, if somebody should begin.
    fn begin(self: &Arc<Self>, model: &Arc<Model>) -> Option<Decoding> {
        let mut progress = self.progress();
        let is_next_here = progress.arrived.contains_key(&progress.next) || progress.next == self.windows.len();
        if !is_next_here || !matches!(progress.decoder, DecoderState::Waiting(_)) {
            return None;
        }
        let DecoderState::Waiting(decoder) = std::mem::replace(&mut progress.decoder, DecoderState::Taken) else {
            return None;
        };
        let (job, model) = (Arc::clone(self), Arc::clone(model));
        Some(Decoding { job: Arc::clone(self), steps: Box::pin(decode(job, model, Box::new(decoder))) })
    }

    /// What a decoder does next; it is kept for the next output where there is nothing.
    fn next(&self, decoder: Box<Decoder>) -> Next {
        let mut progress = self.progress();
        if progress.is_done() {
            return Next::Wait;
        }
        let index = progress.next;
        if index == self.windows.len() {
            return Next::Finish(decoder);
        }
        if let Some(output) = progress.arrived.remove(&index) {
            progress.next += 1;
            return Next::Window(decoder, index, output);
        }
        progress.decoder = DecoderState::Waiting(*decoder);
        Next::Wait
    }

    /// Gives the document an error for its answer, unless it has one.
    pub fn give_up(&self, error: EngineError) -> Option<Reply> {
        let mut progress = self.progress();
        (!progress.is_done()).then(|| self.fail(&mut progress, error))
    }

    fn fail(&self, progress: &mut Progress, error: EngineError) -> Reply {
        progress.decoder = DecoderState::Done;
        progress.arrived.clear();
        self.reply(Err(error), progress.timings)
    }

    fn reply(&self, found: Result<Found, EngineError>, timings: Timings) -> Reply {
        let answer = Answer { place: self.place, found, usage: self.usage, timings };
        Reply { client: self.client.clone(), answer }
    }

    fn reading<'a>(&'a self, model: &'a Model) -> Reading<'a> {
        Reading { model, text: self.flow.of(&self.document.text), tokens: &self.tokens }
    }

    fn progress(&self) -> std::sync::MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What follows on the output of a window.
pub(super) enum Delivered {
    /// Nothing yet, or nothing any more.
    Waits,
    /// There is something to decode.
    Decode(Decoding),
    /// The document has its answer.
    Answered(Box<Reply>),
}

/// What was found, when nothing is left to do; nothing, when the next window is missing.
type Outcome = Option<Result<Found, EngineError>>;

/// The decoding of what has arrived of a document, in steps. Who drops it gives it up.
pub(super) struct Decoding {
    job: Arc<Job>,
    steps: Pin<Box<dyn Future<Output = Outcome> + Send>>,
}

impl fmt::Debug for Decoding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Decoding").field("job", &self.job).finish_non_exhaustive()
    }
}

/// What a turn of decoding leads to.
pub(super) enum Decoded {
    /// There is more to do.
    Unfinished(Decoding),
    /// The document has its answer now, or waits for its next window.
    Over(Option<Box<Reply>>),
}

impl Decoding {
    /// The document.
    pub fn job(&self) -> Arc<Job> {
        Arc::clone(&self.job)
    }

    /// Decodes for about so long.
    pub fn advance(mut self, turn: Duration) -> Decoded {
        let started = Instant::now();
        let mut context = Context::from_waker(Waker::noop());
        let outcome = loop {
            match self.steps.as_mut().poll(&mut context) {
                Poll::Ready(outcome) => break Some(outcome),
                Poll::Pending if started.elapsed() >= turn => break None,
                Poll::Pending => {}
            }
        };
        let mut progress = self.job.progress();
        progress.timings.decode += started.elapsed();
        let Some(found) = outcome else {
            drop(progress);
            return Decoded::Unfinished(self);
        };
        let Some(found) = found.filter(|_| !progress.is_done()) else { return Decoded::Over(None) };
        progress.decoder = DecoderState::Done;
        Decoded::Over(Some(Box::new(self.job.reply(found, progress.timings))))
    }
}

/// Decodes outputs in text order as far as they have come, and all of the document when they all have.
async fn decode(job: Arc<Job>, model: Arc<Model>, mut decoder: Box<Decoder>) -> Outcome {
    let reading = job.reading(&model);
    loop {
        match job.next(decoder) {
            Next::Window(taken, index, output) => {
                decoder = taken;
                let window = job.windows[index].clone();
                let decoded = match &mut *decoder {
                    Decoder::Extraction(decoder, _) => decoder.push(reading, window, output).await,
                    Decoder::Tags(decoder) => decoder.push(reading, window, output),
                };
                if let Err(error) = decoded {
                    return Some(Err(error.into()));
                }
            }
            Next::Finish(decoder) => {
                return Some(Ok(match *decoder {
                    Decoder::Extraction(decoder, options) => {
                        let annotations = decoder.finish(reading).await;
                        let document = job.document.borrowed();
                        let extraction = Extraction::new(document, reading, annotations, &options).await;
                        Found::Extraction(Box::new(extraction))
                    }
                    Decoder::Tags(decoder) => Found::Tags(decoder.finish()),
                }));
            }
            Next::Wait => return None,
        }
    }
}
