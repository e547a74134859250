//! Who is served when.

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
fn decoding_comes_before_other_work_of_its_request_and_takes_turns_with_others() {
    let mut queue = Queue::default();
    let decoding = || Task { tokens: 10, batched: false, work: "decode a" };
    let ((first, _a), (second, _b)) = (client(), client());
    queue.admit(windows("a", 3, 100), first);
    queue.admit(windows("b", 2, 100), second);
    let mut next = || {
        let mut batch = Batch::default();
        match queue.next(100, Instant::now(), &mut batch) {
            Step::Alone(Alone { number, tokens, work }) => {
                queue.done_alone(number, tokens, None);
                work
            }
            Step::Run => {
                let (number, work) = batch.windows.remove(0);
                if work == "a" {
                    queue.follow_up(number, decoding());
                }
                work
            }
            Step::Wait => "nothing",
        }
    };
    let order: Vec<Name> = (0..9).map(|_| next()).collect();
    assert_eq!(order, ["a", "decode a", "b", "a", "b", "decode a", "a", "decode a", "nothing"]);
    assert_eq!((queue.tokens(), queue.load(), queue.documents()), (0, 0, 5));
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
fn a_long_request_keeps_an_article_no_longer_than_another_article() {
    let mut queue = Queue::default();
    let ((short, _a), (long, _b), (unread, _c)) = (client(), client(), client());
    queue.admit(windows("short", 2, 100), short);
    assert_eq!(queue.before_an_article(), 200);
    queue.admit(windows("long", 4000, 250), long);
    queue.admit(vec![Task { tokens: 500_000, batched: false, work: "unread" }], unread);
    assert_eq!(queue.before_an_article(), 200 + 2 * ARTICLE);
    assert_eq!(queue.tokens(), 200 + 1_000_000 + 500_000);
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
