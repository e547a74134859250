//! The queue: what waits, and who is served next.
//!
//! Work waits by request, and requests take turns, one window each, so that a request of a thousand windows delays
//! one of a single window by no more than any other. A request that has not had a turn yet comes before those that
//! have; but only every other batch starts with one, so that long requests go on under a flood of short ones.
//! Nothing here waits for a batch to fill: a batch is what is there when a worker asks.

use std::collections::{HashMap, VecDeque};
use std::time::Instant;

use tokio::sync::mpsc::UnboundedSender;

use super::Answer;

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

/// Whose work is looked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    All,
    /// That of requests which have not had a turn yet.
    Fresh,
}

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

    /// Work that was done alone has come to its end: what is to be done next for the document, before all other tasks
    /// of its request; nothing, if it has its answer. Unless it `keeps_its_turn`, the request then queues with those
    /// that have been served.
    pub fn prepared(&mut self, number: u64, tokens: usize, next: Vec<Task<Work>>, keeps_its_turn: bool) {
        self.preparing -= tokens;
        if next.is_empty() {
            return self.document_done(number);
        }
        // If the request is gone, so are they.
        let Some(request) = self.requests.get_mut(&number) else { return };
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
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;
    use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

    use super::*;

    type Name = &'static str;

    fn client() -> (Client, UnboundedReceiver<Answer>) {
        let (answers, receiver) = unbounded_channel();
        (Client { answers, deadline: None }, receiver)
    }

    fn windows(work: Name, count: usize, tokens: usize) -> Vec<Task<Name>> {
        (0..count).map(|_| Task { tokens, batched: true, work }).collect()
    }

    /// What each of the next batches is made of.
    fn batches(queue: &mut Queue<Name>, limit: usize) -> Vec<Vec<Name>> {
        let mut batches = Vec::new();
        loop {
            let mut batch = Batch::default();
            match queue.next(limit, Instant::now(), &mut batch) {
                Step::Run => batches.push(batch.windows.into_iter().map(|(_, work)| work).collect()),
                Step::Alone(..) => panic!("there are only windows"),
                Step::Wait => return batches,
            }
        }
    }

    fn alone(step: Step<Name>, expected: Name) -> (u64, usize) {
        let Step::Alone(Alone { number, tokens, work }) = step else { panic!("{expected:?} was to be done alone") };
        assert_eq!(work, expected);
        (number, tokens)
    }

    #[test]
    fn requests_take_turns_and_a_new_one_is_next() {
        let mut queue = Queue::default();
        let ((first, _a), (second, _b), (third, _c)) = (client(), client(), client());
        queue.admit(windows("a", 4, 100), first);
        queue.admit(windows("b", 2, 100), second);
        assert_eq!(queue.tokens(), 600);
        let mut batch = Batch::default();
        assert!(matches!(queue.next(100, Instant::now(), &mut batch), Step::Run));
        let mut batch = Batch::default();
        // Every other batch is for those that have been served; "a" has, so it goes on before "b" starts.
        assert!(matches!(queue.next(100, Instant::now(), &mut batch), Step::Run));
        assert_eq!(batch.windows[0].1, "a");
        queue.admit(windows("c", 1, 100), third);
        assert_eq!(batches(&mut queue, 100), [["b"], ["a"], ["c"], ["b"], ["a"]]);
        assert_eq!((queue.tokens(), queue.documents()), (0, 7));
    }

    #[test]
    fn batches_hold_as_many_tokens_as_they_may() {
        let mut queue = Queue::default();
        let ((first, _a), (second, _b)) = (client(), client());
        queue.admit(windows("a", 3, 60), first);
        queue.admit(windows("b", 1, 1000), second);
        assert_eq!(batches(&mut queue, 150), [vec!["a", "a"], vec!["a"], vec!["b"]]);
    }

    #[test]
    fn short_preparations_come_before_the_batch_that_they_may_join() {
        let mut queue = Queue::default();
        let ((first, _a), (second, _b)) = (client(), client());
        queue.admit(vec![Task { tokens: 10, batched: false, work: "prepare a" }], first);
        queue.admit(vec![Task { tokens: 10, batched: false, work: "prepare b" }], second);
        let mut batch = Batch::default();
        let now = Instant::now();
        let (number, tokens) = alone(queue.next(100, now, &mut batch), "prepare a");
        assert_eq!((queue.tokens(), queue.load()), (10, 20));
        queue.prepared(number, tokens, windows("a", 1, 12), true);
        let (number, tokens) = alone(queue.next(100, now, &mut batch), "prepare b");
        assert_eq!(batch.windows.len(), 1);
        queue.prepared(number, tokens, windows("b", 1, 12), true);
        assert!(matches!(queue.next(100, now, &mut batch), Step::Run));
        assert_eq!((batch.windows.len(), batch.tokens), (2, 24));
        [1, 2].into_iter().for_each(|number| queue.document_done(number));
        assert_eq!((queue.documents(), queue.tokens(), queue.requests.len()), (0, 0, 0));
    }

    #[test]
    fn a_long_preparation_gives_its_turn_up() {
        let mut queue = Queue::default();
        let ((first, _a), (second, _b)) = (client(), client());
        let now = Instant::now();
        queue.admit(vec![Task { tokens: 9000, batched: false, work: "long" }], first);
        let (number, tokens) = alone(queue.next(100, now, &mut Batch::default()), "long");
        queue.prepared(number, tokens, vec![Task { tokens: 8000, batched: false, work: "the rest" }], false);
        queue.admit(windows("short", 1, 12), second);
        let mut batch = Batch::default();
        assert!(matches!(queue.next(100, now, &mut batch), Step::Run));
        assert_eq!(batch.windows[0].1, "short");
        alone(queue.next(100, now, &mut Batch::default()), "the rest");
    }

    #[test]
    fn what_nobody_waits_for_is_let_go() {
        let mut queue = Queue::default();
        let ((gone, receiver), (mut late, _b), (there, _c)) = (client(), client(), client());
        late.deadline = Instant::now().checked_sub(Duration::from_millis(1));
        queue.admit(windows("gone", 50, 10), gone);
        queue.admit(windows("late", 50, 10), late);
        queue.admit(windows("there", 1, 10), there);
        drop(receiver);
        assert_eq!(batches(&mut queue, 10), [["there"]]);
        assert_eq!((queue.documents(), queue.tokens()), (1, 0));
        queue.preparing = 10;
        queue.prepared(1, 10, windows("gone", 1, 10), true);
        queue.document_done(2);
        assert_eq!((queue.documents(), queue.tokens()), (1, 0));
    }

    #[test]
    fn sweeping_makes_room_at_once() {
        let mut queue = Queue::default();
        let ((gone, receiver), (there, _b)) = (client(), client());
        queue.admit(windows("there", 1, 10), there);
        queue.admit(windows("gone", 50, 10), gone);
        drop(receiver);
        queue.sweep(Instant::now());
        assert_eq!((queue.documents(), queue.tokens()), (1, 10));
    }

    #[test]
    fn a_pause_is_for_those_without_a_turn() {
        let mut queue = Queue::default();
        let ((first, _a), (second, _b)) = (client(), client());
        let now = Instant::now();
        queue.admit(windows("long", 9, 100), first);
        let mut batch = Batch::default();
        assert!(matches!(queue.next(100, now, &mut batch), Step::Run) && batch.has_fresh);
        let mut batch = Batch::default();
        assert!(matches!(queue.next(100, now, &mut batch), Step::Run) && !batch.has_fresh);
        assert!(matches!(queue.next_fresh(100, now, &mut Batch::default()), Step::Wait));
        queue.admit(windows("short", 1, 12), second);
        let mut batch = Batch::default();
        assert!(matches!(queue.next_fresh(100, now, &mut batch), Step::Run));
        assert_eq!(batch.windows.iter().map(|(_, work)| *work).collect::<Vec<_>>(), ["short"]);
        assert_eq!(batches(&mut queue, 100).len(), 7);
    }

    proptest! {
        #[test]
        fn everything_is_served_once(
            requests in prop::collection::vec(prop::collection::vec(1usize..300, 1..8), 1..12),
            limit in 1usize..600,
        ) {
            let mut queue = Queue::default();
            let mut receivers = Vec::new();
            for (request, sizes) in requests.iter().enumerate() {
                let (client, receiver) = client();
                receivers.push(receiver);
                let task = |(window, &tokens)| Task { tokens, batched: true, work: (request, window) };
                queue.admit(sizes.iter().enumerate().map(task).collect(), client);
            }
            let mut served = Vec::new();
            loop {
                let mut batch = Batch::default();
                if matches!(queue.next(limit, Instant::now(), &mut batch), Step::Wait) {
                    break;
                }
                prop_assert!(batch.windows.len() == 1 || batch.tokens <= limit);
                served.extend(batch.windows.iter().map(|(_, work)| *work));
                batch.windows.iter().for_each(|(number, _)| queue.document_done(*number));
            }
            let mut all: Vec<_> = served.clone();
            all.sort_unstable();
            let expected = requests.iter().enumerate();
            let expected: Vec<_> = expected.flat_map(|(r, sizes)| (0..sizes.len()).map(move |w| (r, w))).collect();
            prop_assert_eq!(all, expected);
            // Windows of one request keep their order.
            for request in 0..requests.len() {
                let order: Vec<_> = served.iter().filter(|(r, _)| *r == request).map(|(_, w)| *w).collect();
                prop_assert!(order.is_sorted());
            }
            prop_assert_eq!((queue.documents(), queue.tokens()), (0, 0));
        }
    }
}
