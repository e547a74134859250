//! A worker: takes the next step from the queue, again and again; and what all workers share.

use std::ops::Range;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::answer::{Answer, Timings, Usage, Want};
use super::job::{Decoded, Decoding, Delivered, Job, Preparation, Prepared, Reply};
use super::pace::Pace;
use super::queue::{Alone, Batch, Queue, Step, Task};
use crate::decode::DocumentDecoder;
use crate::engine::options::entity_head;
use crate::engine::windows::{Running, run_batch};
use crate::engine::{EngineError, caught};
use crate::model::{Model, WindowInput, WindowOutput};
use crate::text::WindowSize;

/// From this many tokens on, a lone batch is faster when all workers share it.
const SHARED_TOKENS: usize = 96;

/// A piece of work on one document.
#[derive(Debug)]
pub(super) enum Work {
    /// Tokenise a stretch.
    Prepare(Box<Preparation>),
    /// Run the window of this number.
    Window(Arc<Job>, usize),
    /// Go on decoding.
    Decode(Decoding),
}

/// A document is decoded for so long before others have their turn: less than a batch takes, and more than a short document
/// needs from its scores to its answer.
const DECODING_TURN: Duration = Duration::from_millis(16);

/// What a turn of decoding counts for while it waits: about as many tokens as the encoder reads in that time.
const DECODING_TOKENS: usize = 128;

/// Another turn of decoding.
fn go_on(decoding: Decoding) -> Task<Work> {
    Task { tokens: DECODING_TOKENS, batched: false, work: Work::Decode(decoding) }
}

/// What the workers share.
pub(super) struct Shared {
    pub model: Arc<Model>,
    pub window: WindowSize,
    pub max_batch_tokens: usize,
    /// For a single batch that all workers share.
    pub pool: rayon::ThreadPool,
    pub state: Mutex<State>,
    pub work: Condvar,
}

#[derive(Default)]
pub(super) struct State {
    pub queue: Queue<Work>,
    /// Workers that wait for work.
    pub idle: usize,
    pub draining: bool,
    pub stopped: bool,
    /// When requests were last looked through for clients that have gone.
    pub swept: Option<Instant>,
    pub pace: Pace,
}

impl Shared {
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Works until the service stops.
pub(super) fn run(shared: &Shared, threads: usize) {
    let mut batch = Batch::default();
    let mut state = shared.state();
    loop {
        if state.stopped {
            return;
        }
        // Where others are idle, everybody takes a share.
        let share = (state.queue.tokens() + batch.tokens).div_ceil(state.idle + 1);
        match state.queue.next(share.min(shared.max_batch_tokens), Instant::now(), &mut batch) {
            Step::Alone(task) => {
                wake_others(shared, &state);
                drop(state);
                state = do_alone(shared, task, &mut batch);
            }
            Step::Run => {
                let lone = state.queue.tokens() == 0 && state.idle + 1 == threads && batch.tokens >= SHARED_TOKENS;
                wake_others(shared, &state);
                drop(state);
                let batch = std::mem::take(&mut batch);
                let together = lone && threads > 1;
                let (started, mut paused, tokens) = (Instant::now(), Duration::ZERO, batch.tokens);
                state = {
                    let mut pause = pause(shared, &mut paused);
                    let running = match (together, batch.has_fresh) {
                        (true, _) => Running::Together,
                        (false, true) => Running::Alone,
                        (false, false) => Running::WithPauses(&mut pause),
                    };
                    run_windows(shared, batch, running)
                };
                let workers = if together { threads as u32 } else { 1 };
                state.pace.report(tokens, started.elapsed().saturating_sub(paused) * workers);
            }
            Step::Wait => {
                state.idle += 1;
                state = shared.work.wait(state).unwrap_or_else(PoisonError::into_inner);
                state.idle -= 1;
            }
        }
    }
}

/// What a worker does in the pauses of a batch of long documents: the first turn of a request that has come meanwhile,
/// once, so that the batch comes to its end. How long that took is added to `paused`.
fn pause(shared: &Shared, paused: &mut Duration) -> impl FnMut() {
    let mut has_served = false;
    move || {
        let started = Instant::now();
        let mut batch = Batch::default();
        let mut state = shared.state();
        while !has_served {
            match state.queue.next_fresh(shared.max_batch_tokens, Instant::now(), &mut batch) {
                Step::Alone(task) => {
                    drop(state);
                    state = do_alone(shared, task, &mut batch);
                }
                Step::Run => {
                    drop(state);
                    state = run_windows(shared, std::mem::take(&mut batch), Running::Alone);
                    has_served = true;
                }
                Step::Wait => break,
            }
        }
        drop(state);
        *paused += started.elapsed();
    }
}

/// Does what needs no batch.
fn do_alone<'a>(shared: &'a Shared, task: Alone<Work>, batch: &mut Batch<Work>) -> MutexGuard<'a, State> {
    let Alone { number, tokens, work } = task;
    match work {
        Work::Prepare(preparation) => {
            let next = prepare(shared, preparation);
            let mut state = shared.state();
            state.queue.prepared(number, tokens, next.tasks, next.keeps_its_turn);
            next.reply.into_iter().for_each(Reply::send);
            state
        }
        Work::Decode(decoding) => {
            let started = Instant::now();
            let (next, reply) = decode(decoding);
            let mut state = shared.state();
            state.pace.report(0, started.elapsed());
            state.queue.done_alone(number, tokens, next);
            if let Some(reply) = reply {
                state.queue.document_done(number);
                reply.send();
            }
            state
        }
        // Windows are never handed out alone.
        window @ Work::Window(..) => {
            batch.windows.push((number, window));
            shared.state()
        }
    }
}

/// Decodes for a turn: what is left to do, and the document's answer, if it has it now.
fn decode(decoding: Decoding) -> (Option<Task<Work>>, Option<Reply>) {
    let job = decoding.job();
    match caught(|| decoding.advance(DECODING_TURN)) {
        Ok(Decoded::Unfinished(decoding)) => (Some(go_on(decoding)), None),
        Ok(Decoded::Over(reply)) => (None, reply.map(|reply| *reply)),
        Err(fault) => (None, job.give_up(fault)),
    }
}

/// Whoever takes work while more of it waits passes the word on.
fn wake_others(shared: &Shared, state: &State) {
    if state.idle > 0 && state.queue.tokens() > 0 {
        shared.work.notify_one();
    }
}

/// What follows on a stretch of preparation.
struct Next {
    /// What waits now.
    tasks: Vec<Task<Work>>,
    /// The document's request may go on at once.
    keeps_its_turn: bool,
    /// The document's answer, if nothing waits.
    reply: Option<Reply>,
}

/// Tokenises a stretch of a document.
fn prepare(shared: &Shared, preparation: Box<Preparation>) -> Next {
    let (place, client) = (preparation.place, preparation.client.clone());
    let prepared = caught(|| preparation.advance(&shared.model, shared.window));
    let answered = |reply| Next { tasks: Vec::new(), keeps_its_turn: true, reply: Some(reply) };
    match prepared {
        Ok(Prepared::Unfinished(preparation)) => {
            let tokens = preparation.remaining_tokens();
            let tasks = vec![Task { tokens, batched: false, work: Work::Prepare(preparation) }];
            Next { tasks, keeps_its_turn: false, reply: None }
        }
        Ok(Prepared::Ready(job)) => {
            let tokens = job.windows.iter().map(|window| window.tokens.len());
            let window = |(index, tokens)| Task { tokens, batched: true, work: Work::Window(Arc::clone(&job), index) };
            Next { tasks: tokens.enumerate().map(window).collect(), keeps_its_turn: true, reply: None }
        }
        Ok(Prepared::Decode(decoding)) => Next { tasks: vec![go_on(decoding)], keeps_its_turn: true, reply: None },
        Ok(Prepared::Answered(reply)) => answered(*reply),
        Err(_) => {
            let found = Err(EngineError::Panic);
            let answer = Answer { place, found, usage: Usage::default(), timings: Timings::default() };
            answered(Reply { client, answer })
        }
    }
}

/// Runs a batch and hands the outputs to their documents.
fn run_windows<'a>(shared: &'a Shared, batch: Batch<Work>, running: Running<'_>) -> MutexGuard<'a, State> {
    let mut windows: Vec<(u64, Arc<Job>, usize)> = Vec::with_capacity(batch.windows.len());
    windows.extend(batch.windows.into_iter().filter_map(|(number, work)| match work {
        Work::Window(job, index) => Some((number, job, index)),
        Work::Prepare(_) | Work::Decode(_) => None,
    }));
    metrics::histogram!("onrecord_batch_tokens").record(batch.tokens as f64);
    metrics::histogram!("onrecord_batch_fill").record(batch.tokens as f64 / shared.max_batch_tokens as f64);
    let mut followed = Vec::new();
    let mut running = Some(running);
    // Windows for which the same heads are to be run go together.
    while let Some((_, first, _)) = windows.first() {
        let wanted = Heads::of(&shared.model, first.want);
        let group: Vec<_> =
            windows.extract_if(.., |(_, job, _)| Heads::of(&shared.model, job.want) == wanted).collect();
        followed.extend(run_group(shared, &wanted, &group, running.take().unwrap_or(Running::Alone)));
    }
    let mut state = shared.state();
    for (number, follows) in followed {
        match follows {
            Follows::Task(task) => state.queue.follow_up(number, task),
            Follows::Reply(reply) => {
                state.queue.document_done(number);
                reply.send();
            }
        }
    }
    state
}

/// What follows on the output of a window, for its request.
enum Follows {
    /// More to do.
    Task(Task<Work>),
    /// The document's answer.
    Reply(Reply),
}

/// The heads that a request needs.
#[derive(PartialEq)]
struct Heads<'model> {
    statements: bool,
    entities: &'model str,
}

impl<'model> Heads<'model> {
    /// A job whose head the model lacks has had its answer before it came to windows.
    fn of(model: &'model Model, want: Want) -> Self {
        let (statements, scheme) = match want {
            Want::Extraction(options) => (model.finds_statements(), options.entity_scheme),
            Want::Tags(scheme) => (false, scheme),
        };
        Self { statements, entities: entity_head(model, scheme).unwrap_or_default() }
    }
}

fn run_group(
    shared: &Shared,
    heads: &Heads<'_>,
    group: &[(u64, Arc<Job>, usize)],
    running: Running<'_>,
) -> Vec<(u64, Follows)> {
    let names =
        if heads.statements { DocumentDecoder::heads(&shared.model, heads.entities) } else { vec![heads.entities] };
    let names = names.as_slice();
    let inputs: Vec<WindowInput<'_>> = group.iter().map(|(_, job, index)| job.window(*index)).collect();
    let tokens: usize = inputs.iter().map(|input| input.ids.len()).sum();
    let (started, never) = (Instant::now(), AtomicBool::new(false));
    let run = |places: Range<usize>, running: Running<'_>| {
        let outputs = caught(|| {
            group[places.clone()].iter().for_each(|(_, job, _)| job.fault_at("run"));
            match running {
                Running::Together => {
                    shared.pool.install(|| run_batch(&shared.model, names, &inputs[places], Running::Together, &never))
                }
                running => run_batch(&shared.model, names, &inputs[places], running, &never),
            }
        })?;
        Ok(outputs.into_iter().map(|output| output.map_err(EngineError::from)).collect::<Vec<_>>())
    };
    // What makes the program fail is found by running one window after another, and costs its own document.
    let outputs: Vec<Result<WindowOutput, EngineError>> =
        run(0..group.len(), running).unwrap_or_else(|_: EngineError| {
            let alone = |place| run(place..place + 1, Running::Alone)?.pop().unwrap_or(Err(EngineError::Panic));
            (0..group.len()).map(alone).collect()
        });
    let spent = started.elapsed();
    metrics::histogram!("onrecord_batch_seconds").record(spent.as_secs_f64());
    let deliver = |((number, job, index), output): (&(u64, Arc<Job>, usize), _)| {
        let share = job.window(*index).ids.len() as f64 / tokens.max(1) as f64;
        let spent = Duration::from_secs_f64(spent.as_secs_f64() * share);
        let (task, reply) = match caught(|| job.deliver(&shared.model, *index, output, spent)) {
            Ok(Delivered::Waits) => (None, None),
            Ok(Delivered::Decode(decoding)) => decode(decoding),
            Ok(Delivered::Answered(reply)) => (None, Some(*reply)),
            Err(fault) => (None, job.give_up(fault)),
        };
        let follows = reply.map(Follows::Reply).or(task.map(Follows::Task));
        follows.map(|follows| (*number, follows))
    };
    group.iter().zip(outputs).filter_map(deliver).collect()
}
