//! The queue: what waits, and who is served next.
//!
//! Work waits by request, and requests take turns, one window each, so that a request of a thousand windows delays
//! one of a single window by no more than any other. A request that has not had a turn yet comes before those that
//! have; but only every other batch starts with one, so that long requests go on under a flood of short ones.
//! Nothing here waits for a batch to fill: a batch is what is there when a worker asks.

use std::collections::{HashMap, VecDeque};
use std::time::Instant;

use tokio::sync::mpsc::UnboundedSender;

use super::answer::Answer;

/// A piece of work on one document.
#[derive(Debug)]
pub(super) struct Task<Work> {
    /// How much it is, in tokens; before tokenisation, an estimate.
    pub tokens: usize,
    /// Whether it is a window, which shares a batch with others, or something that is done alone.
    pub batched: bool,
    /// What to do.
    pub work: Work,
}

/// Whether anybody still waits for the answers of a request.
#[derive(Debug, Clone)]
pub(super) struct Client {
    pub answers: UnboundedSender<Answer>,
    pub deadline: Option<Instant>,
}

impl Client {
    /// Sends an answer, if anybody waits for it.
    pub fn send(&self, answer: Answer) {
        let _ = self.answers.send(answer);
    }

    /// True when no answer is wanted any more.
    pub fn is_gone(&self, now: Instant) -> bool {
        self.answers.is_closed() || self.deadline.is_some_and(|deadline| deadline <= now)
    }
}

/// Windows that a worker is about to run, each with the number of its request.
#[derive(Debug)]
pub(super) struct Batch<Work> {
    pub windows: Vec<(u64, Work)>,
    pub tokens: usize,
    /// Some request in it has its first turn.
    pub has_fresh: bool,
}

impl<Work> Default for Batch<Work> {
    fn default() -> Self {
        Self { windows: Vec::new(), tokens: 0, has_fresh: false }
    }
}

/// Work that no batch is needed for.
#[derive(Debug)]
pub(super) struct Alone<Work> {
    /// Number of the request.
    pub number: u64,
    /// How much it is, in tokens.
    pub tokens: usize,
    pub work: Work,
}

/// What a worker should do next.
#[derive(Debug)]
pub(super) enum Step<Work> {
    /// Something for one document, which then is [`Queue::prepared`].
    Alone(Alone<Work>),
    /// Run the batch.
    Run,
    /// Nothing to do.
    Wait,
}

/// A request that has not been answered in full.
#[derive(Debug)]
struct Request<Work> {
    tasks: VecDeque<Task<Work>>,
    /// Documents without an answer.
    documents: usize,
    /// It has not had a turn yet.
    fresh: bool,
    /// It stands in one of the lines.
    in_line: bool,
    client: Client,
}

impl<Work> Request<Work> {
    /// Looks at few tasks, however many there are.
    fn tokens_up_to_an_article(&self) -> usize {
        let mut tokens = 0;
        for task in &self.tasks {
            tokens += task.tokens;
            if tokens >= ARTICLE {
                return ARTICLE;
            }
        }
        tokens
    }
}

/// Whose work is looked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    All,
    /// That of requests which have not had a turn yet.
    Fresh,
}

/// Tokens of an ordinary article.
const ARTICLE: usize = 1024;

/// All requests that are not answered yet.
#[derive(Debug)]
pub(super) struct Queue<Work> {
    requests: HashMap<u64, Request<Work>>,
    /// Numbers of requests with work, first come first served: those without a turn yet...
    fresh: VecDeque<u64>,
    /// ...and the others.
    rotation: VecDeque<u64>,
    /// The next batch starts with one of the others.
    rotation_is_next: bool,
    last_number: u64,
    documents: usize,
    /// Tokens of all tasks.
    tokens: usize,
    /// Tokens that are being prepared.
    preparing: usize,
}

impl<Work> Default for Queue<Work> {
    fn default() -> Self {
        Self {
            requests: HashMap::new(),
            fresh: VecDeque::new(),
            rotation: VecDeque::new(),
            rotation_is_next: false,
            last_number: 0,
            documents: 0,
            tokens: 0,
            preparing: 0,
        }
    }
}

impl<Work> Queue<Work> {
    /// Documents without an answer.
    pub fn documents(&self) -> usize {
        self.documents
    }

    /// Tokens that nobody works on.
    pub fn tokens(&self) -> usize {
        self.tokens
    }

    /// Tokens that have not been run: those, and what is being prepared.
    pub fn load(&self) -> usize {
        self.tokens + self.preparing
    }

    /// Tokens that are run before an article that would come now has its answer: since requests take turns, no more of
    /// each than an article has.
    pub fn before_an_article(&self) -> usize {
        self.requests.values().map(Request::tokens_up_to_an_article).sum()
    }

    /// Takes in a request of one task per document.
    pub fn admit(&mut self, tasks: Vec<Task<Work>>, client: Client) {
        self.last_number += 1;
        let number = self.last_number;
        self.documents += tasks.len();
        self.tokens += tasks.iter().map(|task| task.tokens).sum::<usize>();
        let documents = tasks.len();
        self.requests.insert(number, Request { tasks: tasks.into(), documents, fresh: true, in_line: true, client });
        self.fresh.push_back(number);
    }

    /// Preparation has come to its end: what is to be done next for the document, before all other tasks of its request;
    /// nothing, if it has its answer. Unless it `keeps_its_turn`, the request then queues with those that have been served.
    pub fn prepared(&mut self, number: u64, tokens: usize, next: Vec<Task<Work>>, keeps_its_turn: bool) {
        self.preparing -= tokens;
        if next.is_empty() {
            return self.document_done(number);
        }
        self.put_first(number, next, keeps_its_turn);
    }

    /// Other work that was done alone has come to its end, and this is to be done next for the document, if anything.
    pub fn done_alone(&mut self, number: u64, tokens: usize, next: Option<Task<Work>>) {
        self.preparing -= tokens;
        self.put_first(number, next.into_iter().collect(), false);
    }

    /// A window was run, and this is to be done next for its document.
    pub fn follow_up(&mut self, number: u64, next: Task<Work>) {
        self.put_first(number, vec![next], false);
    }

    fn put_first(&mut self, number: u64, next: Vec<Task<Work>>, keeps_its_turn: bool) {
        // If the request is gone, so are they.
        let Some(request) = self.requests.get_mut(&number).filter(|_| !next.is_empty()) else { return };
        request.fresh &= keeps_its_turn;
        for task in next.into_iter().rev() {
            self.tokens += task.tokens;
            request.tasks.push_front(task);
        }
        if !request.in_line {
            request.in_line = true;
            if request.fresh { self.fresh.push_front(number) } else { self.rotation.push_back(number) }
        }
    }

    /// A document of this request has its answer.
    pub fn document_done(&mut self, number: u64) {
        let Some(request) = self.requests.get_mut(&number) else { return };
        request.documents -= 1;
        self.documents -= 1;
        if request.documents == 0 {
            self.remove(number);
        }
    }

    /// Lets go of all requests that nobody waits for.
    pub fn sweep(&mut self, now: Instant) {
        let gone = self.requests.iter().filter(|(_, request)| request.client.is_gone(now));
        let gone: Vec<u64> = gone.map(|(&number, _)| number).collect();
        gone.into_iter().for_each(|number| self.remove(number));
    }

    /// Fills a batch up to `limit` tokens, or says what has to be done before. A window larger than the limit is run
    /// by itself.
    pub fn next(&mut self, limit: usize, now: Instant, batch: &mut Batch<Work>) -> Step<Work> {
        self.next_of(Whose::All, limit, now, batch)
    }

    /// The same, for requests only that have not had a turn yet.
    pub fn next_fresh(&mut self, limit: usize, now: Instant, batch: &mut Batch<Work>) -> Step<Work> {
        self.next_of(Whose::Fresh, limit, now, batch)
    }

    fn next_of(&mut self, whose: Whose, limit: usize, now: Instant, batch: &mut Batch<Work>) -> Step<Work> {
        while let Some((number, is_fresh)) = self.head(whose, now) {
            let Some(request) = self.requests.get_mut(&number) else { continue };
            let Some(task) = request.tasks.front() else { continue };
            let fits = batch.windows.is_empty() || batch.tokens + task.tokens <= limit;
            // With windows in hand, only what is quickly done may come between.
            if !fits || !(task.batched || is_fresh || batch.windows.is_empty()) {
                break;
            }
            let Some(task) = request.tasks.pop_front() else { continue };
            self.tokens -= task.tokens;
            if task.batched && batch.windows.is_empty() {
                self.rotation_is_next = is_fresh;
            }
            if task.batched || !is_fresh {
                request.fresh = false;
                request.in_line = !request.tasks.is_empty();
                if is_fresh {
                    self.fresh.pop_front()
                } else {
                    self.rotation.pop_front()
                };
                if request.in_line {
                    self.rotation.push_back(number);
                }
            }
            if task.batched {
                batch.tokens += task.tokens;
                batch.has_fresh |= is_fresh;
                batch.windows.push((number, task.work));
            } else {
                self.rotation_is_next &= is_fresh;
                self.preparing += task.tokens;
                return Step::Alone(Alone { number, tokens: task.tokens, work: task.work });
            }
        }
        if batch.windows.is_empty() { Step::Wait } else { Step::Run }
    }

    /// The request whose turn it is, and whether that is its first. On the way, those that nobody waits for are let
    /// go.
    fn head(&mut self, whose: Whose, now: Instant) -> Option<(u64, bool)> {
        loop {
            let is_fresh =
                whose == Whose::Fresh || self.rotation.is_empty() || !(self.fresh.is_empty() || self.rotation_is_next);
            let line = if is_fresh { &mut self.fresh } else { &mut self.rotation };
            let number = *line.front()?;
            match self.requests.get_mut(&number) {
                Some(request) if request.client.is_gone(now) => self.remove(number),
                Some(request) if request.tasks.is_empty() => {
                    request.in_line = false;
                    line.pop_front();
                }
                Some(request) if is_fresh && !request.fresh => {
                    line.pop_front();
                    self.rotation.push_back(number);
                }
                Some(_) => return Some((number, is_fresh)),
                None => {
                    line.pop_front();
                }
            }
        }
    }

    fn remove(&mut self, number: u64) {
        if let Some(request) = self.requests.remove(&number) {
            self.documents -= request.documents;
            self.tokens -= request.tasks.iter().map(|task| task.tokens).sum::<usize>();
        }
    }
}

#[cfg(test)]
mod tests;
