//! Limits on what a client may send, and on how slowly.

use std::io::Write;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::http::{Request, as_chunk};
use super::process::Server;
use super::{TEXT, check_error, check_plain_error, extract};

#[test]
fn a_body_is_read_up_to_its_limit() {
    let server = Server::tiny(&["--max-body-bytes", "20000"]);
    let sized = |length: usize| {
        let body = json!({"text": TEXT}).to_string();
        format!("{body}{}", " ".repeat(length - body.len()))
    };
    let post = Request::json;
    for request in [post("/v1/extract").body(sized(20_000)), post("/v1/extract").chunked(sized(20_000).as_bytes())] {
        assert_eq!(server.ask(&request).status, 200);
    }
    for length in [20_001, 5_000_000] {
        let with_length = server.ask(&post("/v1/extract").body(sized(length)));
        let message = check_error(&with_length, "body_too_large");
        assert!(message.contains("20000"), "{message}");
        assert_eq!(with_length.json()["error"]["details"], json!({"limit": 20_000}));
        check_error(&server.ask(&post("/v1/extract").chunked(sized(length).as_bytes())), "body_too_large");
        for path in ["/", "/models/onrecord-small", "/v2/models/onrecord-small/infer"] {
            check_plain_error(&server.ask(&post(path).body(sized(length))), "body_too_large");
            check_plain_error(&server.ask(&post(path).chunked(sized(length).as_bytes())), "body_too_large");
        }
    }
    // Who only announces too much is told at once, too.
    let mut connection = server.connect();
    connection
        .send(&[&Request::json("/v1/extract").header("Content-Length", "99999999999").to_bytes()[..], b"{"].concat());
    check_error(&connection.receive().unwrap(), "body_too_large");
    assert_eq!(server.ask(&extract(&json!({"text": TEXT}))).status, 200);
}

#[test]
fn documents_are_counted_before_any_is_read() {
    let server = Server::tiny(&["--max-documents", "3"]);
    let documents = |number: usize| vec![json!({"text": TEXT}); number];
    let response = server.ask(&extract(&json!({"documents": documents(3)})));
    assert_eq!(response.json()["results"].as_array().map(Vec::len), Some(3));
    let response = server.ask(&extract(&json!({"documents": documents(4)})));
    let message = check_error(&response, "too_many_documents");
    assert!(message.contains('4') && message.contains('3'), "{message}");
    assert_eq!(response.json()["error"]["details"], json!({"limit": 3}));
    check_error(&server.ask(&extract(&json!({"documents": vec![Value::Null; 1000]}))), "too_many_documents");
    check_plain_error(&server.ask(&Request::post("/", &json!({"inputs": vec![TEXT; 4]}))), "too_many_documents");
    let infer = json!({"inputs": [{"name": "text", "datatype": "BYTES", "shape": [4], "data": vec![TEXT; 4]}]});
    check_plain_error(&server.ask(&Request::post("/v2/models/onrecord-small/infer", &infer)), "too_many_documents");
}

#[test]
fn characters_are_counted_and_not_bytes() {
    let server = Server::tiny(&["--max-characters", "1000"]);
    let ask = |text: &str| server.ask(&extract(&json!({"text": text})));
    assert_eq!(ask(&"🚂 ".repeat(500)).status, 200);
    let response = ask(&format!("{}!", "🚂 ".repeat(500)));
    let message = check_error(&response, "document_too_large");
    assert!(message.contains("1000"), "{message}");
    assert_eq!(response.json()["error"]["details"], json!({"limit": 1000}));
    let long = "a ".repeat(501);
    check_plain_error(&server.ask(&Request::post("/", &json!({"inputs": [TEXT, long]}))), "document_too_large");
    let infer = json!({"inputs": [{"name": "text", "datatype": "BYTES", "shape": [2], "data": [TEXT, long]}]});
    let body = server.ask(&Request::post("/v2/models/onrecord-small/infer", &infer)).json();
    let results: Vec<Value> = body["outputs"][0]["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| serde_json::from_str(result.as_str().unwrap()).unwrap())
        .collect();
    assert!(results[0].get("error").is_none(), "{body}");
    assert_eq!((&results[1]["error"]["code"], &results[1]["id"]), (&json!("document_too_large"), &json!("1")));
}

#[test]
fn a_slow_head_is_not_waited_for() {
    let server = Server::tiny(&["--header-timeout", "1s"]);
    let started = Instant::now();
    let mut connection = server.connect();
    connection.send(b"POST /v1/extract HTTP/1.1\r\nHost: te");
    let mut writer = connection.writer();
    // A byte now and then keeps no door open.
    let slow = std::thread::spawn(move || {
        while started.elapsed() < Duration::from_secs(10) && writer.write_all(b"x").is_ok() {
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    let closed = connection.receive();
    assert!(closed.as_ref().is_err() || closed.as_ref().is_ok_and(|response| response.status == 408), "{closed:?}");
    // The clock behind it ticks twice a second; and the client would have gone on for longer.
    assert!((400..10_000).contains(&started.elapsed().as_millis()), "{:?}", started.elapsed());
    drop(connection);
    slow.join().unwrap();
    assert_eq!(server.ask(&extract(&json!({"text": TEXT}))).status, 200);
}

#[test]
fn a_slow_body_is_not_waited_for() {
    let server = Server::tiny(&["--body-timeout", "400ms"]);
    for path in ["/v1/extract", "/", "/v2/models/onrecord-small/infer"] {
        let started = Instant::now();
        let mut connection = server.connect();
        connection.send(&Request::json(path).header("Transfer-Encoding", "chunked").to_bytes());
        let mut writer = connection.writer();
        let slow = std::thread::spawn(move || {
            while started.elapsed() < Duration::from_secs(10) && writer.write_all(&as_chunk(b"[")).is_ok() {
                std::thread::sleep(Duration::from_millis(50));
            }
        });
        let response = connection.receive().expect("an answer comes");
        if path == "/v1/extract" {
            check_error(&response, "body_timeout");
        } else {
            check_plain_error(&response, "body_timeout");
        }
        assert!((390..10_000).contains(&started.elapsed().as_millis()), "{:?}", started.elapsed());
        assert!(connection.is_closed(), "{path}");
        drop(connection);
        slow.join().unwrap();
    }
}

#[test]
fn connections_beyond_the_limit_wait_for_their_turn() {
    let server = Server::tiny(&["--max-connections", "4"]);
    let mut held: Vec<_> = (0..4).map(|_| server.connect()).collect();
    for connection in &mut held {
        assert_eq!(connection.ask(&Request::get("/health")).status, 200);
    }
    let mut fifth = server.connect();
    fifth.send(&Request::get("/health").to_bytes());
    let stream = fifth.writer();
    stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    assert!(fifth.head().is_err(), "it was answered beyond the limit");
    stream.set_read_timeout(Some(super::process::LONG)).unwrap();
    held.clear();
    assert_eq!(fifth.receive().unwrap().status, 200);
}

#[test]
fn an_idle_connection_is_closed() {
    let server = Server::tiny(&["--keep-alive", "1s"]);
    let mut connection = server.connect();
    assert_eq!(connection.ask(&Request::get("/health")).status, 200);
    let started = Instant::now();
    assert!(connection.is_closed());
    assert!(started.elapsed().as_millis() >= 400, "{:?}", started.elapsed());
}

#[test]
fn memory_for_requests_is_bounded() {
    let server = Server::embedded(&["--max-held-bytes", "100000"]);
    // One alone may be larger than the limit...
    let mut large = server.connect();
    large.send(&extract(&json!({"text": super::long_text(300_000)})).to_bytes());
    super::process::wait_until("it is held", || server.metric("onrecord_held_bytes", &[]) > 300_000.0);
    // ...and then nobody else may come who is not small.
    let body = json!({"text": super::long_text(1000)});
    let response = server.ask(&extract(&body));
    check_error(&response, "overloaded");
    assert_eq!(response.header("Retry-After"), Some("1"));
    let chunked = Request::json("/v1/extract");
    check_error(&server.ask(&chunked.chunked(body.to_string().as_bytes())), "overloaded");
    check_plain_error(&server.ask(&Request::post("/", &json!({"inputs": body["text"]}))), "overloaded");
    assert_eq!(server.ask(&extract(&json!({"text": TEXT}))).status, 200);
    drop(large);
    super::process::wait_until("it is let go", || server.metric("onrecord_held_bytes", &[]) == 0.0);
    assert_eq!(server.ask(&extract(&json!({"text": TEXT}))).status, 200);
}
