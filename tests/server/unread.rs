//! Clients that do not take their answers: they keep out nobody, and none of them stays for long.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::json;
use socket2::{Domain, Socket, Type};

use super::http::{Connection, Request};
use super::process::{LONG, Server, wait_until};
use super::tls::Authority;
use super::{TEXT, check_error, extract, long_text};

/// A connection from another address of this machine, for which the system keeps little of what is not read.
pub fn connect_from(server: &Server, last: u8) -> Connection<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(64 * 1024).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, last], 0)).into()).unwrap();
    socket.connect(&server.address.parse::<SocketAddr>().unwrap().into()).expect("the server accepts connections");
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(LONG)).unwrap();
    Connection::new(stream)
}

fn held(server: &Server) -> f64 {
    server.metric("onrecord_held_bytes", &[])
}

fn document(bytes: usize) -> Request {
    extract(&json!({"text": long_text(bytes)}))
}

#[test]
fn normal_requests_go_on_beside_answers_that_nobody_takes() {
    let server = Server::tiny(&["--max-held-bytes", "1000000", "--send-timeout", "120s"]);
    let line = format!("{}\n", json!({"text": long_text(240_000)}));
    let stream = Request::new("POST", "/v1/extract").header("Content-Type", "application/x-ndjson").body(line);
    let requests = [document(240_000), stream, document(240_000), document(70_000)];
    // Nearly all that large ones may hold, from four addresses.
    let mut unread = Vec::new();
    for (last, request) in (2..).zip(requests) {
        let mut connection = connect_from(&server, last);
        connection.send(&request.to_bytes());
        assert_eq!(connection.head().expect("an answer comes").status, 200);
        unread.push(connection);
    }
    wait_until("they are held", || held(&server) > 780_000.0);
    let refused = check_error(&server.ask(&document(100_000)), "overloaded");
    assert!(refused.contains("as many requests are held"), "{refused}");
    for _ in 0..20 {
        assert_eq!(server.ask(&extract(&json!({"text": TEXT}))).status, 200);
    }
    // Whose answers are not taken gets small ones, too.
    assert_eq!(connect_from(&server, 2).ask(&extract(&json!({"text": TEXT}))).status, 200);
    assert!(held(&server) > 780_000.0, "they have been let go: nothing was tested");
    drop(unread);
    wait_until("nothing is held", || held(&server) == 0.0);
    assert_eq!(server.ask(&document(100_000)).status, 200);
}

#[test]
fn one_address_cannot_hold_all() {
    let server = Server::tiny(&["--max-held-bytes", "1000000", "--send-timeout", "120s"]);
    let mut greedy = connect_from(&server, 2);
    greedy.send(&document(375_000).to_bytes());
    assert_eq!(greedy.head().expect("an answer comes").status, 200);
    let refused = check_error(&connect_from(&server, 2).ask(&document(150_000)), "overloaded");
    assert!(refused.contains("this address"), "{refused}");
    assert_eq!(connect_from(&server, 3).ask(&document(150_000)).status, 200);
}

#[test]
fn who_does_not_take_an_answer_is_cut_off() {
    let server = Server::tiny(&["--send-timeout", "1s"]);
    let text = long_text(500_000);
    let lines = format!("{}\n", json!({"text": text})).repeat(2);
    let requests = [
        extract(&json!({"text": text})),
        Request::post("/", &json!({"inputs": text})),
        Request::new("POST", "/v1/extract").header("Content-Type", "application/x-ndjson").body(lines),
        // What holds nothing is no better a reason to wait.
        Request::get("/docs/swagger-ui-bundle.js"),
    ];
    for (number, request) in requests.iter().enumerate() {
        let mut connection = connect_from(&server, 2);
        connection.send(&request.to_bytes());
        let mut response = connection.head().expect("an answer comes");
        assert_eq!(response.status, 200);
        let cut_off = || server.metric("onrecord_unread_answers_total", &[]) as usize;
        wait_until("it is cut off", || cut_off() == number + 1);
        wait_until("nothing is held", || held(&server) == 0.0);
        wait_until("nobody is answered", || server.metric("onrecord_requests_in_flight", &[]) == 0.0);
        assert!(connection.read_body(&mut response).is_err(), "request {number} was answered whole");
        assert!(server.log().matches("cut off").count() == number + 1, "{}", server.log());
    }
}

#[test]
fn who_takes_an_answer_slowly_has_it_whole() {
    let server = Server::tiny(&["--send-timeout", "5s"]);
    let mut connection = connect_from(&server, 2);
    connection.send(&document(1_500_000).to_bytes());
    let mut response = connection.head().expect("an answer comes");
    let length: usize = response.header("Content-Length").unwrap().parse().unwrap();
    let mut stream = connection.writer();
    // All in all longer than the time limit, which is for a part of it only.
    let mut body = vec![0; length];
    let (slowly, rest) = body.split_at_mut(10_000_000);
    for part in slowly.chunks_mut(500_000) {
        std::thread::sleep(Duration::from_millis(400));
        connection.read_exact(part).expect("the next part comes");
    }
    connection.read_exact(rest).expect("the rest comes");
    response.body = body;
    assert!(response.json()["results"][0].get("entities").is_some());
    stream.write_all(&Request::get("/health").to_bytes()).unwrap();
    assert_eq!(connection.receive().unwrap().status, 200);
}

/// A frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

#[test]
fn a_stream_of_http2_that_is_not_read_is_cut_off() {
    let authority = Authority::new();
    let server = authority.serve(&["--send-timeout", "1s"]);
    let metric = |name: &str| {
        let mut connection = Connection::new(authority.dial(&server, &["http/1.1"]));
        let metrics = connection.ask(&Request::get("/metrics"));
        let value = metrics.text().lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok());
        value.unwrap_or_default()
    };
    wait_until("it is ready", || metric("onrecord_ready ") == 1.0);
    let mut connection = authority.dial(&server, &["h2"]);
    // POST /v1/extract as JSON; names and short values are numbers of HPACK's table.
    let mut head = vec![0x83, 0x87, 0x04, 11];
    head.extend(b"/v1/extract\x01\x09localhost\x0f\x10\x10application/json");
    let body = json!({"text": long_text(50_000)}).to_string();
    let mut request = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    request.extend([frame(4, 0, 0, &[]), frame(1, 4, 1, &head)].concat());
    body.as_bytes().chunks(16_000).for_each(|part| request.extend(frame(0, 0, 1, part)));
    request.extend(frame(0, 1, 1, &[]));
    connection.write_all(&request).unwrap();
    connection.flush().unwrap();
    // The client reads what comes, and never asks for more than the window it had at the start.
    let (mut data, mut header) = (0, [0; 9]);
    while data < 65_535 {
        connection.read_exact(&mut header).expect("frames come");
        let mut payload = vec![0; u32::from_be_bytes([0, header[0], header[1], header[2]]) as usize];
        connection.read_exact(&mut payload).expect("frames come whole");
        data += if header[3] == 0 { payload.len() } else { 0 };
    }
    assert!(metric("onrecord_held_bytes ") > 50_000.0);
    wait_until("it is cut off", || metric("onrecord_unread_answers_total ") == 1.0);
    wait_until("nothing is held", || metric("onrecord_held_bytes ") == 0.0);
    while connection.read_exact(&mut header).is_ok() {
        let mut payload = vec![0; u32::from_be_bytes([0, header[0], header[1], header[2]]) as usize];
        assert!(header[3] != 0 && connection.read_exact(&mut payload).is_ok(), "more than the window came");
    }
}
