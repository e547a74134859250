//! Quotas: what a key may ask for in a minute, and what a request may cost.

use serde_json::json;

use super::http::{Request, Response};
use super::process::{Server, wait_until};
use super::{TEXT, check_error, extract};

fn ask(server: &Server, key: &str, text: &str) -> Response {
    server.ask(&extract(&json!({"text": text})).header("Authorization", &format!("Bearer {key}")))
}

fn seconds(response: &Response) -> u64 {
    response.header("Retry-After").expect("it says when").parse().expect("it is a number of seconds")
}

#[test]
fn a_key_that_asks_too_often_waits_and_the_others_do_not() {
    let server = Server::tiny(&["--api-key", "busy,calm", "--max-requests-per-minute", "5"]);
    let busy: Vec<Response> = (0..7).map(|_| ask(&server, "busy", TEXT)).collect();
    assert!(busy[..5].iter().all(|response| response.status == 200));
    for refused in &busy[5..] {
        let message = check_error(refused, "quota_exceeded");
        assert!(message.contains("5 requests a minute"), "{message}");
        assert!((1..=12).contains(&seconds(refused)), "{}", seconds(refused));
    }
    assert_eq!(ask(&server, "calm", TEXT).status, 200);
    check_error(&ask(&server, "other", TEXT), "unauthorized");
    // Whoever watches the server is not counted.
    assert!((0..20).all(|_| server.ask(&Request::get("/health/ready")).status == 200));
    let limits = server.ask(&Request::get("/info").header("Authorization", "Bearer calm")).json()["limits"].clone();
    assert_eq!((&limits["max_requests_per_minute"], &limits["max_tokens_per_minute"]), (&json!(5), &json!(null)));
}

#[test]
fn tokens_are_counted_before_any_work() {
    let server = Server::tiny(&["--max-tokens-per-minute", "600", "--max-request-tokens", "400"]);
    let text = |tokens: usize| "No, he said. ".repeat(tokens * 4)[..tokens * 4].to_owned();
    let too_large = ask(&server, "", &text(401));
    assert!(check_error(&too_large, "too_many_tokens").contains("400 are allowed"));
    assert_eq!(too_large.json()["error"]["details"], json!({"tokens": 401, "limit": 400}));
    // It cost nothing: there is as much left as before.
    assert_eq!(ask(&server, "", &text(390)).status, 200);
    let refused = ask(&server, "", &text(390));
    check_error(&refused, "quota_exceeded");
    assert!((1..=60).contains(&seconds(&refused)));
    // The same holds for those who speak another protocol.
    let inputs = server.ask(&Request::post("/", &json!({"inputs": text(390)})));
    assert_eq!(inputs.status, 429, "{}", inputs.text());
    wait_until("nothing waits", || server.metric("onrecord_waiting_documents", &[]) == 0.0);
    assert_eq!(server.metric("onrecord_documents_total", &[]), 1.0);
}

#[test]
fn a_stream_waits_for_its_quota() {
    let server = Server::tiny(&["--max-tokens-per-minute", "1200"]);
    // Half a minute's worth, and then ten tokens of half a second each.
    let line = |bytes: usize| json!({"text": "a ".repeat(bytes / 2)}).to_string() + "\n";
    let started = std::time::Instant::now();
    let mut lines = server.lines("/v1/extract");
    lines.push(line(4800));
    (0..3).for_each(|_| lines.push(line(40)));
    lines.finish();
    assert_eq!(lines.head().status, 200);
    let answers = lines.rest();
    assert_eq!(answers.len(), 4);
    assert!(answers.iter().all(|answer| answer.get("error").is_none()), "{answers:?}");
    let waited = started.elapsed();
    assert!(waited.as_millis() > 1_000, "thirty tokens beyond the quota take a second and a half, not {waited:?}");
}
