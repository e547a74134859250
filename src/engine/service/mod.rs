//! The service: the engine for many callers at the same time, each of whom wants an answer soon.
//!
//! ```text
//! submit -> queue (by request) -> workers: tokenise a stretch | run a batch of windows | decode a step -> answers
//! ```
//!
//! Everything that takes time happens on the workers, one per core, in steps of some milliseconds, so that a short
//! request never waits long for a long one. There is no timer anywhere: a batch is what waits when a worker is free,
//! and with a single window waiting the idle workers help inside it. A request that nobody waits for any more costs no
//! further step. What stands beside a window in a batch makes no difference to its result.
//!
//! ```no_run
//! use onrecord::engine::service::{Service, ServiceOptions, Want};
//! use onrecord::engine::Options;
//! # use onrecord::{model::{Arithmetic, Model}, text::Document};
//!
//! let model = Model::embedded(Arithmetic::new(None)?)?;
//! let service = Service::start(model, ServiceOptions::default())?;
//! let document = Document::new("doc-1", "“The pier is beyond repair,” said Claire Moreau.")?;
//! let mut answers = service.submit(vec![document], Want::Extraction(Options::default()), None)?;
//! println!("{:?}", answers.wait());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod answer;
mod job;
mod pace;
mod queue;
mod worker;

use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

pub use answer::{Answer, Found, Timings, Usage, Want};

use super::{EngineError, Options, pool, window_size};
use crate::model::Model;
use crate::text::Document;
use job::{Preparation, estimated_tokens};
use pace::Pace;
use queue::{Client, Task};
use worker::{Shared, State, Work};

/// How a service runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceOptions {
    /// Worker threads; 0: one per core that this process may use.
    pub threads: usize,
    /// Most tokens in a window, special tokens included; `None`: what the model was trained with.
    pub max_window: Option<usize>,
    /// Most tokens that a worker runs at a time. A window of more is run by itself.
    pub max_batch_tokens: usize,
    /// Most documents without an answer.
    pub max_waiting_documents: usize,
    /// Most tokens that wait, where a document that is not tokenised yet counts a token for every four bytes.
    pub max_waiting_tokens: usize,
    /// Longest that what waits may be likely to keep an article, unless only some [`ALWAYS_WAITING`] documents wait: after
    /// a time of too many requests, new ones are served as ever after this time.
    pub max_wait: Duration,
}

/// The smallest batch that has 95 % of the best throughput is one window (docs/serving.md).
const BATCH_TOKENS: usize = 256;

/// So many documents may wait however long they take: clients with a pool of connections are no crowd.
pub const ALWAYS_WAITING: usize = 64;

impl Default for ServiceOptions {
    fn default() -> Self {
        Self {
            threads: 0,
            max_window: None,
            max_batch_tokens: BATCH_TOKENS,
            max_waiting_documents: 1024,
            max_waiting_tokens: 1_000_000,
            max_wait: Duration::from_secs(2),
        }
    }
}

/// Why a request is not taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// As much waits as may wait.
    #[error("{documents} documents with about {tokens} tokens are waiting: try again in {} s", retry_after.as_secs())]
    Full {
        /// Documents without an answer.
        documents: usize,
        /// Tokens that wait.
        tokens: usize,
        /// When there is likely to be room.
        retry_after: Duration,
    },
    /// The service finishes what it has, and stops.
    #[error("the service is shutting down")]
    Draining,
}

/// How much of what may wait a caller takes up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// All of it.
    Whole,
    /// Half of the time, and of the documents that may always wait: for callers with much work who can wait, so that they
    /// leave room for those who cannot.
    Half,
}

/// What waits in a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Load {
    /// Documents without an answer.
    pub documents: usize,
    /// Tokens that wait to be run.
    pub tokens: usize,
}

/// The answers of one request, in the order in which they are ready. Whoever drops it has cancelled the request.
#[derive(Debug)]
pub struct Answers(UnboundedReceiver<Answer>);

impl Answers {
    /// The next answer. `None`: there are no more, because all were given, or the deadline has passed, or the service
    /// has stopped.
    pub async fn next(&mut self) -> Option<Answer> {
        self.0.recv().await
    }

    /// The same, for a thread that may sleep.
    pub fn wait(&mut self) -> Option<Answer> {
        self.0.blocking_recv()
    }
}

/// A model with workers that serve many requests at the same time.
pub struct Service {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
    options: ServiceOptions,
}

/// Requests are not looked through more often than this.
const SWEEP: Duration = Duration::from_millis(10);

impl Service {
    /// Starts the workers and runs one batch, so that the first request finds everything warm.
    ///
    /// # Errors
    /// [`EngineError::Window`], [`EngineError::Threads`], or what the model says to its first batch.
    pub fn start(model: Model, options: ServiceOptions) -> Result<Self, EngineError> {
        let window = window_size(&model, options.max_window)?;
        let pool = pool(options.threads)?;
        let threads = pool.current_num_threads();
        let shared = Arc::new(Shared {
            model: Arc::new(model),
            window,
            max_batch_tokens: options.max_batch_tokens,
            pool,
            state: Mutex::default(),
            work: Condvar::new(),
        });
        let mut service = Self { shared, workers: Vec::with_capacity(threads), options };
        for number in 0..threads {
            let shared = Arc::clone(&service.shared);
            let worker = std::thread::Builder::new().name(format!("worker-{number}"));
            let worker = worker.spawn(move || worker::run(&shared, threads));
            service.workers.push(worker.map_err(|error| EngineError::Threads(error.to_string()))?);
        }
        service.warm_up()?;
        Ok(service)
    }

    fn warm_up(&self) -> Result<(), EngineError> {
        let words = "\u{201c}This is ready,\u{201d} she said. ".repeat(self.shared.window.capacity);
        let text = &words[..words.floor_char_boundary(self.shared.window.capacity * 4)];
        let Ok(document) = Document::new("", text) else { return Ok(()) };
        let answers = self.submit(vec![document], Want::Extraction(Options::default()), None);
        let Ok(mut answers) = answers else { return Ok(()) };
        answers.wait().map_or(Ok(()), |answer| answer.found.map(drop))
    }

    /// Takes in the documents of a request, all or none.
    ///
    /// The limits are those on what waits; where nothing waits, a request of any size is taken in.
    ///
    /// # Errors
    /// [`Refused`], at once.
    pub fn submit(&self, documents: Vec<Document>, want: Want, deadline: Option<Instant>) -> Result<Answers, Refused> {
        let (answers, receiver) = unbounded_channel();
        let client = Client { answers, deadline };
        let tasks: Vec<Task<Work>> = documents
            .into_iter()
            .enumerate()
            .map(|(place, document)| Task {
                tokens: estimated_tokens(&document.text),
                batched: false,
                work: Work::Prepare(Box::new(Preparation::new(place, document, want, client.clone()))),
            })
            .collect();
        let tokens: usize = tasks.iter().map(|task| task.tokens).sum();
        let mut state = self.shared.state();
        self.make_room(&mut state, tasks.len(), tokens, Share::Whole)?;
        if !tasks.is_empty() {
            state.queue.admit(tasks, client);
        }
        drop(state);
        self.shared.work.notify_one();
        Ok(Answers(receiver))
    }

    /// Refuses what [`Service::submit`] would refuse of this document, or what is beyond the share: for callers who rather
    /// wait than lose it.
    ///
    /// # Errors
    /// As for [`Service::submit`].
    pub fn check_room_for(&self, document: &Document, share: Share) -> Result<(), Refused> {
        self.make_room(&mut self.shared.state(), 1, estimated_tokens(&document.text), share)
    }

    /// Refuses where not even the smallest request would be taken in: for callers who want to know before they read one.
    ///
    /// # Errors
    /// As for [`Service::submit`].
    pub fn check_room(&self) -> Result<(), Refused> {
        self.make_room(&mut self.shared.state(), 1, 1, Share::Whole)
    }

    /// Refuses so many documents and tokens, if there is no room, even without those whose clients have gone.
    fn make_room(&self, state: &mut State, documents: usize, tokens: usize, share: Share) -> Result<(), Refused> {
        if state.draining || state.stopped {
            return Err(Refused::Draining);
        }
        let now = Instant::now();
        // Under a load of refusals, looking at all requests for each would be what the time goes to.
        let may_sweep = state.swept.is_none_or(|swept| now - swept > SWEEP);
        if !self.has_room(state, documents, tokens, share) && may_sweep {
            state.swept = Some(now);
            state.queue.sweep(now);
        }
        if self.has_room(state, documents, tokens, share) {
            return Ok(());
        }
        let (documents, tokens) = (state.queue.documents(), state.queue.load());
        // There is room again long before all is done, but then others come too.
        let seconds = self.time_for(&state.pace, state.queue.before_an_article()).as_secs_f64();
        let retry_after = Duration::from_secs(seconds.ceil().clamp(1.0, 3600.0) as u64);
        Err(Refused::Full { documents, tokens, retry_after })
    }

    fn has_room(&self, state: &State, documents: usize, tokens: usize, share: Share) -> bool {
        let (queue, options) = (&state.queue, &self.options);
        let (always_waiting, max_wait) = match share {
            Share::Whole => (ALWAYS_WAITING, options.max_wait),
            Share::Half => (ALWAYS_WAITING / 2, options.max_wait / 2),
        };
        let fits = queue.documents() + documents <= options.max_waiting_documents
            && queue.load() + tokens <= options.max_waiting_tokens
            && (queue.documents() < always_waiting
                || self.time_for(&state.pace, queue.before_an_article()) <= max_wait);
        fits || queue.documents() == 0
    }

    /// How long all workers together need for so many tokens.
    fn time_for(&self, pace: &Pace, tokens: usize) -> Duration {
        Duration::from_secs_f64(pace.seconds_per_token() * tokens as f64 / self.workers.len().max(1) as f64)
    }

    /// What a document counts for while it waits, in tokens, which is known without any work.
    pub fn estimated_tokens(document: &Document) -> usize {
        estimated_tokens(&document.text)
    }

    /// From now on nothing is taken in; what is here is finished.
    pub fn drain(&self) {
        self.shared.state().draining = true;
    }

    /// What waits.
    pub fn load(&self) -> Load {
        let state = self.shared.state();
        Load { documents: state.queue.documents(), tokens: state.queue.load() }
    }

    /// The model.
    pub fn model(&self) -> &Model {
        &self.shared.model
    }

    /// Number of workers.
    pub fn threads(&self) -> usize {
        self.workers.len()
    }

    /// Most tokens in a window, special ones not counted.
    pub fn window_tokens(&self) -> usize {
        self.shared.window.capacity
    }

    /// How it runs.
    pub fn options(&self) -> ServiceOptions {
        self.options
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.shared.state().stopped = true;
        self.shared.work.notify_all();
        for worker in self.workers.drain(..) {
            // A worker's panic has been answered where it happened.
            let _ = worker.join();
        }
    }
}
