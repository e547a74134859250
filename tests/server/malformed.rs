//! HTTP as it should not be, and the finer points of what it may be: whatever comes, the server goes on serving.

use serde_json::json;

use super::http::{Request, as_chunk};
use super::process::Server;
use super::{TEXT, check_error, extract};

#[test]
fn a_connection_serves_many_requests() {
    let server = Server::tiny(&[]);
    let mut connection = server.connect();
    for number in 0..20 {
        let response = connection.ask(&extract(&json!({"documents": [{"id": number, "text": TEXT}]})));
        assert_eq!(response.json()["results"][0]["id"], number.to_string());
        assert_eq!(connection.ask(&Request::get("/health")).status, 200);
        assert_eq!(connection.ask(&extract(&json!({}))).status, 422);
    }
    let closing = connection.ask(&Request::get("/health").header("Connection", "close"));
    assert_eq!(closing.status, 200);
    assert!(connection.is_closed());
}

#[test]
fn requests_may_be_sent_before_the_answers_come() {
    let server = Server::tiny(&[]);
    let mut connection = server.connect();
    let requests = (0..10).map(|number| extract(&json!({"documents": [{"id": number, "text": TEXT}]})).to_bytes());
    connection.send(&requests.collect::<Vec<_>>().concat());
    for number in 0..10 {
        let response = connection.receive().expect("each has its answer");
        assert_eq!(response.json()["results"][0]["id"], number.to_string(), "answers have lost their order");
    }
    // A request that comes in pieces, byte by byte.
    extract(&json!({"text": TEXT})).to_bytes().chunks(1).for_each(|byte| connection.send(byte));
    assert_eq!(connection.receive().unwrap().status, 200);
}

#[test]
fn expect_continue_is_answered() {
    let server = Server::tiny(&[]);
    let mut connection = server.connect();
    let body = json!({"text": TEXT}).to_string();
    let request = Request::json("/v1/extract").header("Expect", "100-continue");
    connection.send(&request.header("Content-Length", &body.len().to_string()).to_bytes());
    assert_eq!(connection.head().unwrap().status, 100);
    connection.send(body.as_bytes());
    assert_eq!(connection.receive().unwrap().status, 200);
}

#[test]
fn nonsense_is_refused_and_the_server_goes_on() {
    let server = Server::tiny(&["--log", "error"]);
    let long_header = format!("GET /health HTTP/1.1\r\nHost: test\r\nX-Long: {}\r\n\r\n", "x".repeat(300_000));
    let many_headers = format!("GET /health HTTP/1.1\r\nHost: test\r\n{}\r\n", "X-Many: 1\r\n".repeat(5000));
    let long_target = format!("GET /{} HTTP/1.1\r\nHost: test\r\n\r\n", "x".repeat(300_000));
    let post = "POST /v1/extract HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n";
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("garbage", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\xff\xff\r\n\r\n".to_vec()),
        ("zeros", vec![0; 100_000]),
        ("words", b"hello there, how are you?\r\n\r\n".to_vec()),
        ("no version", b"GET /health\r\n\r\n".to_vec()),
        ("another version", b"GET /health HTTP/9.9\r\nHost: test\r\n\r\n".to_vec()),
        ("a header without a name", b"GET /health HTTP/1.1\r\nHost: test\r\n: x\r\n\r\n".to_vec()),
        ("a header with a line end", b"GET /health HTTP/1.1\r\nHost: test\r\nX: \0\r\n\r\n".to_vec()),
        ("a long header", long_header.into_bytes()),
        ("many headers", many_headers.into_bytes()),
        ("a long target", long_target.into_bytes()),
        ("a length that is none", format!("{post}Content-Length: many\r\n\r\n{{}}").into_bytes()),
        ("a negative length", format!("{post}Content-Length: -1\r\n\r\n{{}}").into_bytes()),
        (
            "a length beyond all numbers",
            format!("{post}Content-Length: 99999999999999999999999\r\n\r\n{{}}").into_bytes(),
        ),
        ("two lengths", format!("{post}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{{}}").into_bytes()),
        (
            "length and chunks",
            format!("{post}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n").into_bytes(),
        ),
        ("an unknown coding", format!("{post}Transfer-Encoding: nonsense\r\n\r\n{{}}").into_bytes()),
        ("a chunk size that is none", format!("{post}Transfer-Encoding: chunked\r\n\r\nxyz\r\n{{}}\r\n").into_bytes()),
        (
            "a chunk size beyond all numbers",
            format!("{post}Transfer-Encoding: chunked\r\n\r\nfffffffffffffffffffff\r\n{{}}\r\n").into_bytes(),
        ),
        (
            "a chunk longer than it says",
            format!("{post}Transfer-Encoding: chunked\r\n\r\n1\r\n{{}}\r\n0\r\n\r\n").into_bytes(),
        ),
    ];
    for (name, bytes) in cases {
        let mut connection = server.connect();
        connection.send(&bytes);
        // What was meant to be a request may wait for more of it: nothing more comes.
        let _ = connection.writer().shutdown(std::net::Shutdown::Write);
        match connection.receive() {
            Ok(response) => assert!((400..500).contains(&response.status), "{name}: {response:?}"),
            Err(error) => assert_ne!(error.kind(), std::io::ErrorKind::WouldBlock, "{name}: no answer, and not closed"),
        }
        assert_eq!(server.ask(&extract(&json!({"text": TEXT}))).status, 200, "after {name}");
    }
    assert!(!server.log().contains("panicked"), "{}", server.log());
}

#[test]
fn nobody_can_smuggle_a_request_into_the_body_of_another() {
    let server = Server::tiny(&[]);
    let inner = "GET /health HTTP/1.1\r\nHost: test\r\n\r\n";
    let post = "POST /v1/extract HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n";
    for framing in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
    ] {
        let mut connection = server.connect();
        connection.send(format!("{post}{framing}\r\n0\r\n\r\n{inner}").as_bytes());
        let first = connection.receive();
        assert!(first.as_ref().map_or(true, |response| response.status >= 400), "{framing}: {first:?}");
    }
    // A refused body is not read as the next request.
    let mut connection = server.connect();
    let refused = format!("POST /nothing HTTP/1.1\r\nHost: test\r\nContent-Length: {}\r\n\r\n{inner}", inner.len());
    connection.send(refused.as_bytes());
    check_error(&connection.receive().unwrap(), "not_found");
    assert!(connection.receive().is_err(), "the body was taken for a request");
}

#[test]
fn a_body_with_broken_chunks_is_incomplete() {
    let server = Server::tiny(&[]);
    let mut connection = server.connect();
    let request = Request::json("/v1/extract").header("Transfer-Encoding", "chunked").to_bytes();
    connection.send(&[request, as_chunk(b"{\"text\": "), b"zz\r\n".to_vec()].concat());
    if let Ok(response) = connection.receive() {
        assert_eq!(response.status, 400, "{response:?}");
    }
    super::process::wait_until("it is let go", || server.metric("onrecord_requests_in_flight", &[]) == 0.0);
    assert_eq!(server.metric("onrecord_held_bytes", &[]), 0.0);
}

#[test]
fn http_1_0_and_a_missing_host_are_no_reason_to_fail() {
    let server = Server::tiny(&[]);
    let mut old = server.connect();
    old.send(b"GET /health HTTP/1.0\r\n\r\n");
    let mut text = String::new();
    std::io::Read::read_to_string(&mut old.writer(), &mut text).unwrap();
    assert!(text.starts_with("HTTP/1.0 200") || text.starts_with("HTTP/1.1 200"), "{text}");
    let mut nameless = server.connect();
    nameless.send(b"GET /health HTTP/1.1\r\n\r\n");
    assert!([200, 400].contains(&nameless.receive().unwrap().status));
}
