//! `POST /v1/extract` as a stream of lines.

use std::io::Write;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::http::{Request, as_chunk};
use super::process::{LONG, Server, wait_until};
use super::{ODD_TEXTS, TEXT, check_error, check_problem, extract, long_text, tokens_run};
use crate::support::results::{check, list};

const LINES: &str = "application/x-ndjson";

fn post(target: &str) -> Request {
    Request::new("POST", target).header("Content-Type", LINES)
}

/// A line, and the id of its result, or the code of its error and the id there.
type Case = (Vec<u8>, Result<&'static str, (&'static str, Value)>);

#[test]
fn lines_are_answered_in_order_and_broken_ones_in_their_places() {
    let server = Server::tiny(&["--max-body-bytes", "10000", "--max-characters", "100"]);
    let line = |id: &str, text: &str| json!({"id": id, "text": text}).to_string().into_bytes();
    let cases: Vec<Case> = vec![
        (line("first", TEXT), Ok("first")),
        (json!({"text": TEXT}).to_string().into_bytes(), Ok("2")),
        (b"{\"text\": ".to_vec(), Err(("invalid_json", Value::Null))),
        ([&line("CRLF", TEXT)[..], b"\r"].concat(), Ok("CRLF")),
        (b"{\"text\": \"caf\xe9\"}".to_vec(), Err(("invalid_utf8", Value::Null))),
        (line("blank", " "), Err(("empty_document", json!("blank")))),
        (line("long", &"x".repeat(101)), Err(("document_too_large", json!("long")))),
        (line("huge", &"x".repeat(100_000)), Err(("body_too_large", Value::Null))),
        (b"[1]".to_vec(), Err(("invalid_json", Value::Null))),
        (json!({"id": "none"}).to_string().into_bytes(), Err(("invalid_json", json!("none")))),
        ("[".repeat(9000).into_bytes(), Err(("invalid_json", Value::Null))),
        (line("last", TEXT), Ok("last")),
    ];
    let inputs: Vec<&[u8]> = cases.iter().map(|(input, _)| &input[..]).collect();
    // Blank lines do not count, and the last line needs no end.
    let body = [b"\n \r\n".to_vec(), inputs.join(&b"\n\n"[..])].concat();
    for request in [post("/v1/extract").body(body.clone()), post("/v1/extract").chunked(&body)] {
        let response = server.ask(&request);
        assert_eq!((response.status, response.header("Content-Type")), (200, Some(LINES)));
        let lines = response.lines();
        assert_eq!(lines.len(), cases.len(), "{lines:?}");
        for (number, ((_, expected), line)) in cases.iter().zip(&lines).enumerate() {
            match expected {
                Ok(id) => {
                    assert_eq!(line["id"], *id);
                    check(line, TEXT);
                }
                Err((code, id)) => {
                    check_problem(&line["error"]);
                    assert_eq!((&line["error"]["code"], &line["id"]), (&json!(code), id), "{line}");
                    assert_eq!(line["line"], number + 1, "{line}");
                }
            }
        }
    }
    assert_eq!(server.metric("onrecord_errors_total", &["body_too_large"]), 2.0);
    for nothing in ["", "\n", " \r\n\n"] {
        let response = server.ask(&post("/v1/extract").body(nothing));
        assert_eq!((response.status, response.text()), (200, ""), "{nothing:?}");
    }
}

#[test]
fn a_stream_gives_the_results_of_the_other_form() {
    let server = Server::embedded(&[]);
    let documents: Vec<Value> = ODD_TEXTS.iter().map(|text| json!({"text": text})).collect();
    let named = |document: &Value, id: usize| json!({"id": id, "text": document["text"]});
    let named: Vec<Value> = documents.iter().enumerate().map(|(id, document)| named(document, id)).collect();
    let options = json!({"offset_unit": "utf16", "entity_scheme": "conll4", "min_score": 0.2, "include": ["entities", "speakers"]});
    let expected = server.ask(&extract(&json!({"documents": named, "options": options}))).json();
    let target = "/v1/extract?offset_unit=utf16&entity_scheme=conll4&min_score=0.2&include=entities,speakers";
    let body: String = named.iter().map(|document| format!("{document}\n")).collect();
    let lines = server.ask(&post(target).body(body)).lines();
    assert_eq!(Value::from(lines), expected["results"]);
    assert!(list(&expected, "results").iter().any(|result| !list(result, "entities").is_empty()));
    for wrong in ["offset_unit=words", "min_score=2", "min_score=x", "include=all", "entity_scheme=", "colour=red"] {
        let response = server.ask(&post(&format!("/v1/extract?{wrong}")).body("\n"));
        check_error(&response, "invalid_request");
    }
    check_error(&server.ask(&post("/v1/extract").header("Content-Encoding", "gzip").body("x")), "unsupported_encoding");
    check_error(&server.ask(&post("/v1/extract").header("X-Request-Timeout-Ms", "0").body("\n")), "invalid_header");
}

#[test]
fn results_come_while_the_input_is_open() {
    let server = Server::tiny(&[]);
    let mut lines = server.lines("/v1/extract");
    // The answer starts before there is a line, and each line is answered before the next is sent.
    assert_eq!(lines.head().status, 200);
    for number in 0..5 {
        let line = json!({"id": number, "text": TEXT}).to_string();
        let (start, end) = line.split_at(20);
        lines.push(start);
        lines.push(format!("{end}\n"));
        assert_eq!(lines.next().unwrap().unwrap()["id"], number.to_string());
    }
    lines.push(json!({"id": "no end", "text": TEXT}).to_string());
    lines.finish();
    assert_eq!(lines.rest()[0]["id"], "no end");
}

#[test]
fn an_archive_goes_through_one_connection() {
    let server = Server::tiny(&[]);
    let mut lines = server.lines("/v1/extract?include=entities");
    let mut writer = lines.writer();
    let number = 5_000;
    let writing = std::thread::spawn(move || {
        for batch in (0..number).collect::<Vec<usize>>().chunks(100) {
            let line = |id: &usize| {
                if id % 10 == 3 { "broken\n".to_owned() } else { format!("{}\n", json!({"id": id, "text": TEXT})) }
            };
            writer.write_all(&as_chunk(batch.iter().map(line).collect::<String>().as_bytes())).unwrap();
        }
        writer.write_all(&as_chunk(b"")).unwrap();
    });
    assert_eq!(lines.head().status, 200);
    for id in 0..number {
        let line = lines.next().unwrap().expect("a line for each");
        if id % 10 == 3 {
            assert_eq!((&line["error"]["code"], &line["line"]), (&json!("invalid_json"), &json!(id + 1)));
        } else {
            assert_eq!(line["id"], id.to_string());
        }
    }
    assert!(lines.next().unwrap().is_none());
    writing.join().unwrap();
    assert_eq!(server.metric("onrecord_documents_total", &[]), number as f64 * 0.9);
}

#[test]
fn a_stream_without_progress_ends_with_a_word() {
    let server = Server::tiny(&["--stream-idle-timeout", "400ms"]);
    let mut lines = server.lines("/v1/extract");
    let started = Instant::now();
    lines.push(format!("{}\n{{\"id\": \"half", json!({"text": TEXT})));
    assert_eq!(lines.head().status, 200);
    assert!(lines.next().unwrap().unwrap().get("error").is_none());
    let last = lines.next().unwrap().expect("it says why");
    assert_eq!((&last["error"]["code"], &last["line"]), (&json!("stream_idle"), &json!(2)), "{last}");
    check_problem(&last["error"]);
    assert!(started.elapsed().as_millis() >= 390, "{:?}", started.elapsed());
    assert!(lines.next().unwrap().is_none());
    let mut silent = server.lines("/v1/extract");
    assert_eq!(silent.head().status, 200);
    let last = silent.next().unwrap().expect("it says why");
    assert_eq!((&last["error"]["code"], &last["line"]), (&json!("stream_idle"), &json!(1)), "{last}");
}

#[test]
fn a_line_that_comes_too_slowly_ends_the_stream_after_the_answers_before_it() {
    let server = Server::tiny(&["--body-timeout", "600ms"]);
    let mut lines = server.lines("/v1/extract");
    let started = Instant::now();
    lines.push(format!("{}\n{{\"id\": \"slow", json!({"id": "first", "text": TEXT})));
    let mut writer = lines.writer();
    // A byte now and then keeps no door open.
    let slow = std::thread::spawn(move || {
        while started.elapsed() < LONG / 4 && writer.write_all(&as_chunk(b"w")).is_ok() {
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    assert_eq!(lines.head().status, 200);
    assert_eq!(lines.next().unwrap().unwrap()["id"], "first");
    let last = lines.next().unwrap().expect("it says why");
    assert_eq!((&last["error"]["code"], &last["line"]), (&json!("body_timeout"), &json!(2)), "{last}");
    check_problem(&last["error"]);
    assert!(lines.next().unwrap().is_none());
    assert!((590..20_000).contains(&started.elapsed().as_millis()), "{:?}", started.elapsed());
    drop(lines);
    slow.join().unwrap();
    wait_until("no request is in flight", || server.metric("onrecord_requests_in_flight", &[]) == 0.0);
}

#[test]
fn time_limits_are_for_lines_and_not_for_the_stream() {
    let server = Server::embedded(&["--body-timeout", "1s", "--header-timeout", "10s"]);
    let long = json!({"id": "long", "text": long_text(300_000)});
    let mut lines = super::http::Lines::open(server.connect(), "/v1/extract", &[("X-Request-Timeout-Ms", "700")]);
    assert_eq!(lines.head().status, 200);
    for round in 0..2 {
        lines.push(format!("{}\n", json!({"id": round, "text": TEXT})));
        assert_eq!(lines.next().unwrap().unwrap()["id"], round.to_string());
        lines.push(format!("{long}\n"));
        let line = lines.next().unwrap().unwrap();
        assert_eq!((&line["error"]["code"], &line["id"]), (&json!("deadline_exceeded"), &json!("long")), "{line}");
        assert_eq!(line["line"], 2 * (round + 1));
    }
    lines.finish();
    assert!(lines.rest().is_empty());
}

#[test]
fn a_body_that_breaks_off_is_told() {
    let server = Server::tiny(&[]);
    let mut connection = server.connect();
    let request = post("/v1/extract").header("Transfer-Encoding", "chunked").to_bytes();
    let line = format!("{}\n", json!({"text": TEXT}));
    connection.send(&[request, as_chunk(line.as_bytes()), b"nonsense\r\n".to_vec()].concat());
    match connection.receive() {
        Ok(response) if response.status == 200 => {
            let lines = response.lines();
            let last = lines.last().expect("it says why");
            assert_eq!(last["error"]["code"], "incomplete_body", "{lines:?}");
        }
        Ok(response) => assert_eq!(response.status, 400),
        Err(_) => {}
    }
    assert_eq!(server.ask(&extract(&json!({"text": TEXT}))).status, 200);
    wait_until("no request is in flight", || server.metric("onrecord_requests_in_flight", &[]) == 0.0);
}

#[test]
fn a_client_that_never_reads_is_a_burden_to_nobody() {
    let server = Server::tiny(&["--stream-idle-timeout", "3s"]);
    let before = server.mebibytes("VmRSS");
    let lines = server.lines("/v1/extract");
    let mut writer = lines.writer();
    writer.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
    let chunk = as_chunk(format!("{}\n", json!({"text": TEXT.repeat(20)})).repeat(50).as_bytes());
    let mut written = 0;
    // Sooner or later nothing more is taken from it.
    while writer.write_all(&chunk).is_ok() {
        written += chunk.len();
        assert!(written < 500_000_000, "the server takes in what it cannot pass on");
    }
    assert_eq!(server.ask(&extract(&json!({"text": TEXT}))).status, 200);
    let beside = server.metric("onrecord_requests_in_flight", &[]);
    assert!(beside >= 1.0, "the client has been let go: nothing was tested");
    let after = server.mebibytes("VmRSS");
    assert!(after < before + 60, "memory grew from {before} to {after} MiB");
    // In the end it is let go.
    let started = Instant::now();
    wait_until("the client is let go", || server.metric("onrecord_requests_in_flight", &[]) == 0.0);
    assert!(started.elapsed() < LONG / 2, "{:?}", started.elapsed());
    assert_eq!(server.metric("onrecord_waiting_documents", &[]), 0.0);
}

#[test]
fn a_client_that_vanishes_leaves_nothing_behind() {
    let server = Server::embedded(&[]);
    for _ in 0..3 {
        let mut lines = server.lines("/v1/extract");
        lines.push(format!("{}\n", json!({"text": long_text(100_000)})).repeat(5));
        wait_until("it is under way", || server.metric("onrecord_waiting_tokens", &[]) > 10_000.0);
        let before = tokens_run(&server);
        drop(lines);
        wait_until("nothing waits", || server.metric("onrecord_waiting_tokens", &[]) == 0.0);
        let run = tokens_run(&server) - before;
        assert!(run < 60_000.0, "{run} tokens of some 120,000 were run for nobody");
        wait_until("no request is in flight", || server.metric("onrecord_requests_in_flight", &[]) == 0.0);
    }
}

#[test]
fn long_lines_are_on_the_budget() {
    let server = Server::tiny(&["--max-held-bytes", "100000"]);
    let mut first = server.lines("/v1/extract?include=entities");
    first.push(format!("{{\"text\": \"{}", "a ".repeat(50_000)));
    wait_until("it is held", || server.metric("onrecord_held_bytes", &[]) > 50_000.0);
    // There is no room for a second one beside it: it waits until the first has come to its end.
    let mut second = server.lines("/v1/extract?include=entities");
    second.push(format!("{}\n", json!({"id": "second", "text": "a ".repeat(50_000)})));
    second.finish();
    assert_eq!(second.head().status, 200);
    second.writer().set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    assert!(second.next().is_err(), "there was no room for it, and yet it was answered");
    second.writer().set_read_timeout(Some(LONG)).unwrap();
    first.push("\"}\n");
    first.finish();
    assert_eq!(first.head().status, 200);
    assert_eq!(first.rest().len(), 1);
    assert_eq!(second.rest()[0]["id"], "second");
    wait_until("nothing is held", || server.metric("onrecord_held_bytes", &[]) == 0.0);
}

#[test]
fn lines_do_not_wait_for_each_other_for_ever() {
    let server = Server::tiny(&["--max-held-bytes", "100000", "--body-timeout", "5s"]);
    let mut streams: Vec<_> = (0..2).map(|_| server.lines("/v1/extract?include=entities")).collect();
    for (stream, bytes) in streams.iter_mut().zip([30_000, 18_000]) {
        let before = server.metric("onrecord_held_bytes", &[]);
        stream.push(format!("{{\"text\": \"{}", "a ".repeat(bytes / 2)));
        wait_until("it is held", || server.metric("onrecord_held_bytes", &[]) >= before + bytes as f64);
    }
    // There is no room for the rest of either.
    for stream in &mut streams {
        stream.push(format!("{}\"}}\n{}\n", "a ".repeat(25_000), json!({"id": "next", "text": TEXT})));
        stream.finish();
    }
    let answers: Vec<Vec<Value>> = streams.iter_mut().map(|stream| (stream.head(), stream.rest()).1).collect();
    assert!(answers.iter().any(|lines| lines[0]["error"]["code"] == "overloaded"), "{answers:?}");
    assert!(answers.iter().all(|lines| lines.len() == 2 && lines[1]["id"] == "next"), "{answers:?}");
    wait_until("nothing is held", || server.metric("onrecord_held_bytes", &[]) == 0.0);
}
