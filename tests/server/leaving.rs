//! Those who leave: clients that hang up, and the server that is told to stop.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::http::Request;
use super::process::{Server, wait_until};
use super::unread::connect_from;
use super::{TEXT, check_problem, extract, long_text, tokens_run};
use crate::support::results::list;

/// What is under way may take long on a busy machine, and is to be finished all the same.
const PATIENT: &[&str] = &["--drain-timeout", "120s", "--request-timeout", "120s"];

/// Half of the time limits that would end what nothing else does: of `--drain-timeout` and `--body-timeout`.
const AT_ONCE: Duration = Duration::from_secs(15);

fn is_busy(server: &Server) -> bool {
    server.metric("onrecord_waiting_documents", &[]) >= 1.0
}

#[test]
fn a_client_that_hangs_up_costs_nothing_more() {
    let server = Server::embedded(&[]);
    let text = long_text(1_000_000);
    let infer = json!({"inputs": [{"name": "text", "datatype": "BYTES", "shape": [1], "data": [text]}]});
    let requests = [
        extract(&json!({"text": text})),
        Request::post("/", &json!({"inputs": text})),
        Request::post("/v2/models/onrecord-small/infer", &infer),
        Request::new("POST", "/v1/extract")
            .header("Content-Type", "application/x-ndjson")
            .body(json!({"text": text}).to_string()),
    ];
    for (number, request) in requests.into_iter().enumerate() {
        let mut connection = server.connect();
        connection.send(&request.to_bytes());
        wait_until("windows wait", || server.metric("onrecord_waiting_tokens", &[]) > 100_000.0);
        let before = tokens_run(&server);
        drop(connection);
        wait_until("nothing waits", || server.metric("onrecord_waiting_tokens", &[]) == 0.0);
        let run = tokens_run(&server) - before;
        assert!(run < 100_000.0, "request {number}: {run} tokens were run for nobody");
        assert_eq!(server.ask(&extract(&json!({"text": TEXT}))).status, 200);
        wait_until("nothing is held", || server.metric("onrecord_held_bytes", &[]) == 0.0);
        wait_until("no request is in flight", || server.metric("onrecord_requests_in_flight", &[]) == 0.0);
    }
}

#[test]
fn what_is_under_way_is_finished_before_the_end() {
    let mut server = Server::embedded(PATIENT);
    let text = long_text(60_000);
    let mut idle = server.connect();
    assert_eq!(idle.ask(&Request::get("/health/ready")).status, 200);
    let mut connection = server.connect();
    connection.send(&extract(&json!({"text": text})).to_bytes());
    wait_until("it is under way", || is_busy(&server));
    server.signal("TERM");
    // Until the end nobody is sent here any more, whether the door is open or not.
    wait_until("it is not ready", || match TcpStream::connect(&server.address) {
        Ok(_) => idle.ask(&Request::get("/health/ready")).status == 503,
        Err(_) => true,
    });
    let response = connection.receive().expect("the answer comes");
    let body = response.json();
    assert_eq!(response.status, 200, "{body}");
    assert!(list(&body["results"][0], "entities").len() > 100, "{body}");
    assert!(body["model"].as_str().is_some_and(|model| model.starts_with("onrecord-small@")), "{}", body["model"]);
    assert_eq!(server.wait().code(), Some(0));
    assert!(server.log().contains("stopped"), "{}", server.log());
}

#[test]
fn what_comes_during_the_end_is_refused() {
    let mut server = Server::embedded(PATIENT);
    let mut waiting = server.connect();
    assert_eq!(waiting.ask(&Request::get("/health/ready")).status, 200);
    let mut connection = server.connect();
    connection.send(&extract(&json!({"text": long_text(60_000)})).to_bytes());
    wait_until("it is under way", || is_busy(&server));
    server.signal("TERM");
    wait_until("it drains", || server.log().contains("finishing what is under way"));
    let response = waiting.ask(&extract(&json!({"text": TEXT})));
    super::check_error(&response, "draining");
    assert!(response.header("Retry-After").is_some());
    assert_eq!(connection.receive().expect("the answer comes").status, 200);
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn answers_are_sent_to_their_end() {
    let text = long_text(1_500_000);
    let lines = format!("{}\n", json!({"text": text}));
    let requests = [
        extract(&json!({"text": text})),
        Request::new("POST", "/v1/extract").header("Content-Type", "application/x-ndjson").body(lines),
    ];
    for request in requests {
        let mut server = Server::tiny(PATIENT);
        let mut connection = server.connect();
        connection.send(&request.to_bytes());
        let mut response = connection.head().expect("an answer comes");
        wait_until("it is ready", || server.metric("onrecord_documents_total", &[]) == 1.0);
        server.signal("TERM");
        // The client takes its time, more of it than a connection is given to close.
        std::thread::sleep(Duration::from_secs(3));
        connection.read_body(&mut response).expect("the answer comes whole");
        // More than the system keeps for the client.
        assert!(response.body.len() > 20_000_000, "{} bytes: nothing was tested", response.body.len());
        let answer = &response.lines()[0];
        assert!(answer.get("results").or(answer.get("entities")).is_some());
        assert_eq!(server.wait().code(), Some(0));
        assert!(!server.log().contains("not finished within"), "{}", server.log());
    }
}

#[test]
fn the_last_bytes_of_answers_are_sent_too() {
    let mut server = Server::tiny(PATIENT);
    let in_flight = || server.metric("onrecord_requests_in_flight", &[]);
    // Ever longer answers, until one is too long to be handed to its connection whole.
    let mut answers = Vec::new();
    for kilobytes in (64..).step_by(8) {
        let mut connection = connect_from(&server, 2);
        let id = "x".repeat(kilobytes * 1000);
        connection.send(&extract(&json!({"documents": [{"id": id, "text": TEXT}]})).to_bytes());
        let head = connection.head().expect("an answer comes");
        let stays = |_| {
            std::thread::sleep(Duration::from_millis(30));
            in_flight() == 1.0
        };
        if (0..10).all(stays) {
            break;
        }
        answers.push((connection, head, id));
    }
    wait_until("nothing is waited for but what is handed on", || in_flight() == 0.0);
    server.signal("TERM");
    std::thread::sleep(Duration::from_secs(3));
    for (mut connection, mut response, id) in answers {
        connection.read_body(&mut response).expect("the answer comes whole");
        assert_eq!(response.json()["results"][0]["id"], id);
    }
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn the_end_does_not_wait_for_what_has_not_come() {
    let mut server = Server::tiny(&[]);
    let mut half = server.connect();
    let head = "POST /v1/extract HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n";
    half.send(format!("{head}Content-Length: 100\r\n\r\n{{").as_bytes());
    wait_until("it is waited for", || server.metric("onrecord_requests_in_flight", &[]) == 1.0);
    let started = Instant::now();
    server.signal("TERM");
    super::check_error(&half.receive().expect("it is told"), "draining");
    assert_eq!(server.wait().code(), Some(0));
    assert!(started.elapsed() < AT_ONCE, "{:?}", started.elapsed());
}

#[test]
fn the_end_does_not_wait_for_ever() {
    let mut server = Server::embedded(&["--drain-timeout", "300ms"]);
    let mut connection = server.connect();
    connection.send(&extract(&json!({"text": long_text(1_000_000)})).to_bytes());
    wait_until("it is under way", || is_busy(&server));
    let started = Instant::now();
    server.signal("TERM");
    assert_eq!(server.wait().code(), Some(0));
    let time = started.elapsed();
    assert!(time.as_millis() >= 250, "{time:?}");
    assert!(server.log().contains("not finished within 0.3 s"), "{}", server.log());
    assert!(connection.receive().is_err(), "there cannot be an answer");
}

#[test]
fn an_idle_server_ends_at_once() {
    for signal in ["TERM", "INT"] {
        let mut server = Server::tiny(&[]);
        // A connection without a request keeps nobody.
        let mut connection = server.connect();
        assert_eq!(connection.ask(&Request::get("/health")).status, 200);
        let started = Instant::now();
        server.signal(signal);
        assert_eq!(server.wait().code(), Some(0));
        assert!(started.elapsed() < AT_ONCE, "{:?}", started.elapsed());
    }
}

#[test]
fn a_stream_is_told_of_the_end() {
    let mut server = Server::tiny(&[]);
    let mut lines = server.lines("/v1/extract");
    let line = format!("{}\n", json!({"text": TEXT}));
    lines.push(&line);
    assert_eq!(lines.head().status, 200);
    assert!(lines.next().unwrap().is_some_and(|line| line.get("entities").is_some()));
    server.signal("TERM");
    let last = lines.rest();
    assert_eq!(last.len(), 1, "{last:?}");
    check_problem(&last[0]["error"]);
    assert_eq!((&last[0]["error"]["code"], &last[0]["line"]), (&json!("draining"), &json!(2)));
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn lines_under_way_are_answered_before_the_end() {
    let mut server = Server::embedded(PATIENT);
    let mut lines = server.lines("/v1/extract?include=entities");
    let text = long_text(5_000);
    lines.push(format!("{}\n", json!({"text": text})).repeat(10));
    wait_until("all of them are taken in", || server.metric("onrecord_waiting_documents", &[]) >= 5.0);
    server.signal("TERM");
    let answers = lines.head();
    assert_eq!(answers.status, 200);
    let answers: Vec<Value> = lines.rest();
    let (last, results) = answers.split_last().expect("there are lines");
    assert_eq!(last["error"]["code"], "draining", "{last}");
    assert!((5..=10).contains(&results.len()), "{}", results.len());
    assert!(results.iter().all(|result| result.get("entities").is_some()), "{results:?}");
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn connections_are_free_again_after_their_clients_have_gone() {
    let server = Server::tiny(&["--max-connections", "8"]);
    for _ in 0..50 {
        let mut connection = server.connect();
        connection.send(&[&Request::json("/v1/extract").header("Content-Length", "100").to_bytes()[..], b"{"].concat());
    }
    let started = Instant::now();
    assert_eq!(server.ask(&extract(&json!({"text": TEXT}))).status, 200);
    assert!(started.elapsed() < AT_ONCE, "{:?}", started.elapsed());
}
