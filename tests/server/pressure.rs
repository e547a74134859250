//! Back-pressure: what is too much is refused at once, and a stream waits.

use std::time::Duration;

use serde_json::{Value, json};

use super::http::{Connection, Request};
use super::process::{Server, wait_until};
use super::{TEXT, check_error, check_plain_error, extract, long_text};

/// Keeps the server busy until it is dropped.
fn occupy(server: &Server) -> Connection<std::net::TcpStream> {
    let mut connection = server.connect();
    connection.send(&extract(&json!({"text": long_text(1_000_000)})).to_bytes());
    // So many tokens can be nobody else's.
    wait_until("the server is busy", || server.metric("onrecord_waiting_tokens", &[]) > 100_000.0);
    connection
}

#[test]
fn too_many_documents_are_refused_at_once_and_as_a_whole() {
    let server = Server::embedded(&["--max-waiting-documents", "3"]);
    let busy = occupy(&server);
    let documents = |number: usize| extract(&json!({"documents": vec![json!({"text": TEXT}); number]}));
    // One waits, so two more may come, and not three.
    let response = server.ask(&documents(3));
    check_error(&response, "overloaded");
    let seconds: u64 = response.header("Retry-After").expect("it says when").parse().expect("in seconds");
    assert!((1..=3600).contains(&seconds), "{seconds}");
    let details = &response.json()["error"]["details"];
    assert_eq!(details["waiting_documents"], 1, "no part of the batch was taken in: {details}");
    assert!(details["waiting_tokens"].as_u64().is_some_and(|tokens| tokens > 10_000), "{details}");
    check_plain_error(&server.ask(&Request::post("/", &json!({"inputs": vec![TEXT; 3]}))), "overloaded");
    let infer = json!({"inputs": [{"name": "text", "datatype": "BYTES", "shape": [3], "data": vec![TEXT; 3]}]});
    check_plain_error(&server.ask(&Request::post("/v2/models/onrecord-small/infer", &infer)), "overloaded");
    assert_eq!(server.metric("onrecord_errors_total", &["code=\"overloaded\""]), 3.0);
    // What fits is answered while the long document runs.
    assert_eq!(server.ask(&documents(2)).status, 200);
    assert!(server.metric("onrecord_waiting_documents", &[]) >= 1.0, "the long document has ended: nothing was tested");
    drop(busy);
    wait_until("there is room again", || server.ask(&documents(3)).status == 200);
}

#[test]
fn too_many_tokens_are_refused_unless_nothing_waits() {
    let server = Server::embedded(&["--max-waiting-tokens", "1000"]);
    let alone = server.ask(&extract(&json!({"text": long_text(10_000)})));
    assert_eq!(alone.status, 200, "a lone document may be larger than the limit");
    let busy = occupy(&server);
    check_error(&server.ask(&extract(&json!({"text": TEXT}))), "overloaded");
    drop(busy);
    wait_until("there is room again", || server.ask(&extract(&json!({"text": TEXT}))).status == 200);
}

#[test]
fn a_stream_waits_where_others_are_refused() {
    let server = Server::embedded(&["--max-waiting-documents", "1"]);
    let busy = occupy(&server);
    check_error(&server.ask(&extract(&json!({"text": TEXT}))), "overloaded");
    let mut lines = server.lines("/v1/extract");
    lines.push((0..5).map(|number| format!("{}\n", json!({"id": number, "text": TEXT}))).collect::<String>());
    lines.finish();
    assert_eq!(lines.head().status, 200);
    lines.writer().set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    assert!(lines.next().is_err(), "there was no room for a line, and yet it was answered");
    lines.writer().set_read_timeout(Some(super::process::LONG)).unwrap();
    drop(busy);
    let ids: Vec<Value> = lines.rest().into_iter().map(|line| line["id"].clone()).collect();
    assert_eq!(Value::from(ids), json!(["0", "1", "2", "3", "4"]));
}

#[test]
fn short_requests_are_answered_beside_long_ones() {
    let server = Server::embedded(&[]);
    let busy = occupy(&server);
    for _ in 0..5 {
        assert_eq!(server.ask(&extract(&json!({"text": TEXT}))).status, 200);
    }
    assert!(server.metric("onrecord_waiting_documents", &[]) >= 1.0, "the long document has ended: nothing was tested");
    drop(busy);
}
