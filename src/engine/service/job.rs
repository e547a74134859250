//! One document on its way through the service: tokenised in stretches, its windows run by whoever is free, decoded
//! in text order, answered.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::queue::Client;
use super::{Answer, Found, Timings, Usage, Want};
use crate::decode::{DocumentDecoder, Reading, TokenDecoder};
use crate::engine::{EngineError, Extraction, Flow, Options, entity_head, fault};
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
    pub fn advance(mut self: Box<Self>, model: &Model, size: WindowSize) -> Prepared {
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
                    Ok(decoder) => Some(decoder),
                    Err(error) => {
                        let answer = Answer { place, found: Err(error.into()), usage: Usage::default(), timings };
                        return Prepared::Answered(Box::new(Reply { client, answer }));
                    }
                };
                let progress = Mutex::new(Progress { decoder, arrived: BTreeMap::new(), next: 0, timings });
                let job = Job { place, document, flow, want, client, tokens, windows, usage, progress };
                match job.answer_if_complete(model) {
                    Some(reply) => Prepared::Answered(Box::new(reply)),
                    None => Prepared::Ready(Arc::new(job)),
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
    /// `None` once the document has its answer.
    decoder: Option<Decoder>,
    /// Outputs that came before those of the windows before them.
    arrived: BTreeMap<usize, WindowOutput>,
    /// The window whose output is to be decoded next.
    next: usize,
    timings: Timings,
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

    /// Takes the output of a window and decodes as far as it is that window's turn; the document's answer, if that was
    /// the last. `spent` is the window's share of the time that its batch took.
    pub fn deliver(
        &self,
        model: &Model,
        index: usize,
        output: Result<WindowOutput, EngineError>,
        spent: Duration,
    ) -> Option<Reply> {
        fault::at("decode", &self.document.text);
        let started = Instant::now();
        let mut progress = self.progress();
        progress.timings.inference += spent;
        let decoded = output.and_then(|output| Ok(self.decode(model, &mut progress, index, output)?));
        progress.timings.decode += started.elapsed();
        progress.decoder.as_ref()?;
        if let Err(error) = decoded {
            return Some(self.fail(&mut progress, error));
        }
        drop(progress);
        self.answer_if_complete(model)
    }

    /// Decodes an output, and those that waited for it, or lets it wait for those before it.
    fn decode(
        &self,
        model: &Model,
        progress: &mut Progress,
        index: usize,
        output: WindowOutput,
    ) -> Result<(), ModelError> {
        let Some(decoder) = &mut progress.decoder else { return Ok(()) };
        progress.arrived.insert(index, output);
        while let Some(output) = progress.arrived.remove(&progress.next) {
            let window = self.windows[progress.next].clone();
            match decoder {
                Decoder::Extraction(decoder, _) => decoder.push(self.reading(model), window, output)?,
                Decoder::Tags(decoder) => decoder.push(self.reading(model), window, output)?,
            }
            progress.next += 1;
        }
        Ok(())
    }

    /// Gives the document an error for its answer, unless it has one.
    pub fn give_up(&self, error: EngineError) -> Option<Reply> {
        let mut progress = self.progress();
        progress.decoder.is_some().then(|| self.fail(&mut progress, error))
    }

    fn fail(&self, progress: &mut Progress, error: EngineError) -> Reply {
        progress.decoder = None;
        progress.arrived.clear();
        self.reply(Err(error), progress.timings)
    }

    fn reply(&self, found: Result<Found, EngineError>, timings: Timings) -> Reply {
        let answer = Answer { place: self.place, found, usage: self.usage, timings };
        Reply { client: self.client.clone(), answer }
    }

    fn answer_if_complete(&self, model: &Model) -> Option<Reply> {
        let started = Instant::now();
        let mut progress = self.progress();
        if progress.next < self.windows.len() {
            return None;
        }
        let decoder = progress.decoder.take()?;
        let mut timings = progress.timings;
        drop(progress);
        let found = match decoder {
            Decoder::Extraction(decoder, options) => {
                let annotations = decoder.finish(self.reading(model));
                let document = self.document.borrowed();
                let extraction = Extraction::new(document, self.reading(model), annotations, &options);
                Found::Extraction(Box::new(extraction))
            }
            Decoder::Tags(decoder) => Found::Tags(decoder.finish()),
        };
        timings.decode += started.elapsed();
        Some(self.reply(Ok(found), timings))
    }

    fn reading<'a>(&'a self, model: &'a Model) -> Reading<'a> {
        Reading { model, text: self.flow.of(&self.document.text), tokens: &self.tokens }
    }

    fn progress(&self) -> std::sync::MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
