//! The end at any moment under load: told to stop, the server answers what it has taken in; killed, it leaves nobody with
//! half an answer that looks like a whole one, and another takes its place at once.

use std::io;
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::json;

use super::http::{Connection, Request};
use super::process::{LONG, Server, serve, wait_until};
use super::{TEXT, extract, long_text};
use crate::support::results::check;

const CLIENTS: usize = 6;

/// A request that is sent before this has been accepted by a server that is told to stop now.
const ON_THE_WAY: Duration = Duration::from_millis(500);

/// What clients saw of a server until it ended.
#[derive(Debug, Default)]
struct Seen {
    /// Requests.
    sent: AtomicUsize,
    /// Whole answers with results, each checked.
    results: AtomicUsize,
    /// Whole answers that say that the server ends.
    refusals: AtomicUsize,
    /// Requests without an answer: their ids, and when they were sent.
    lost: Mutex<Vec<(String, Instant, io::Error)>>,
}

/// Asks until the server is gone.
fn ask_until_the_end(server: &Server, number: usize, seen: &Seen, ended: &AtomicBool) {
    let mut texts = [TEXT.to_owned(), long_text(3_000), long_text(30_000)].into_iter().cycle().skip(number);
    while !ended.load(Ordering::Relaxed)
        && let Ok(stream) = TcpStream::connect(&server.address)
    {
        stream.set_read_timeout(Some(LONG)).unwrap();
        let mut connection = Connection::new(stream);
        let text = texts.next().unwrap();
        let (id, sent) = (format!("client-{number}-{}-", seen.sent.fetch_add(1, Ordering::Relaxed)), Instant::now());
        let request = extract(&json!({"documents": [{"id": number, "text": text}]})).header("X-Request-Id", &id);
        connection.send(&request.to_bytes());
        match connection.receive() {
            Ok(answer) if answer.status == 200 => {
                let result = &answer.json()["results"][0];
                assert_eq!(result["id"], number.to_string());
                check(result, &text);
                seen.results.fetch_add(1, Ordering::Relaxed);
            }
            Ok(answer) => {
                super::check_error(&answer, "draining");
                seen.refusals.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => seen.lost.lock().unwrap().push((id, sent, error)),
        }
    }
}

/// Load on a server, and a signal at some moment; what was seen, and when the signal was sent.
fn end_under_load(server: &Server, signal: &str, after: Duration) -> (Seen, Instant) {
    let (seen, ended) = (Seen::default(), AtomicBool::new(false));
    let at = thread::scope(|scope| {
        for number in 0..CLIENTS {
            let (seen, ended) = (&seen, &ended);
            scope.spawn(move || ask_until_the_end(server, number, seen, ended));
        }
        thread::sleep(after);
        let at = Instant::now();
        server.signal(signal);
        // Clients of a port that is closed stop by themselves; with another server on it they would not.
        thread::sleep(Duration::from_millis(20));
        ended.store(true, Ordering::Relaxed);
        at
    });
    (seen, at)
}

/// Milliseconds, other ones in every run of the tests.
fn moments(count: usize) -> Vec<u64> {
    let mut runner = TestRunner::default();
    (0..count).map(|_| (0_u64..1_500).new_tree(&mut runner).expect("a number").current()).collect()
}

#[test]
fn a_server_told_to_stop_at_any_moment_answers_what_it_has_taken_in() {
    let mut results = 0;
    for after in moments(5) {
        let mut server = Server::embedded(&["--drain-timeout", "120s", "--request-timeout", "120s"]);
        let (seen, at) = end_under_load(&server, "TERM", Duration::from_millis(after));
        assert_eq!(server.wait().code(), Some(0), "after {after} ms");
        wait_until("the log is read", || server.log().contains("stopped"));
        let log = server.log();
        assert!(!log.contains("not finished within"), "after {after} ms: {log}");
        let lost = seen.lost.lock().unwrap();
        for (id, sent, error) in &*lost {
            // What the server has answered came to its client.
            assert!(!log.contains(id), "after {after} ms: {error} instead of an answer to {id}: {log}");
            assert!(*sent + ON_THE_WAY >= at, "after {after} ms: {id} was sent long before: {error}");
        }
        // One a client may have come when the door was closing.
        assert!(lost.len() <= CLIENTS, "after {after} ms: {lost:?}");
        results += seen.results.load(Ordering::Relaxed);
    }
    assert!(results > 0, "nothing was answered: nothing was tested");
}

#[test]
fn a_server_killed_at_any_moment_is_replaced_at_once() {
    for after in moments(5) {
        let mut server = Server::embedded(&[]);
        // What came whole was sound: every client has checked it.
        let (seen, _) = end_under_load(&server, "KILL", Duration::from_millis(after));
        assert_eq!(server.wait().code(), None, "it was killed, after {after} ms");
        assert!(seen.refusals.load(Ordering::Relaxed) == 0, "after {after} ms: {seen:?}");
        let port = server.address.rsplit(':').next().expect("there is a port").to_owned();
        // Connections of the dead one may linger; they do not keep its port.
        let next = Server::run(serve(&["--port", &port]));
        wait_until("it is ready", || next.ask(&Request::get("/health/ready")).status == 200);
        check(&next.ask(&extract(&json!({"text": TEXT}))).json()["results"][0], TEXT);
    }
}
