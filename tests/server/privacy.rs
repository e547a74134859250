//! Texts stay between the client and the server: no log line, metric or error message has a word of them, unless the
//! operator asks for it.

use serde_json::json;

use super::http::Request;
use super::process::{Server, wait_until};
use super::{extract, long_text};

/// Words that occur nowhere else.
const CANARY: &str = "Quillfeather";
const SECRET: &str = "hushed-key-5561";

fn text() -> String {
    format!("“The {CANARY} vote is off,” said Ada {CANARY}. {CANARY} {CANARY}@example.org.\n")
}

/// Requests of all kinds, sound and broken, with the canary wherever a text can be.
fn requests() -> Vec<Request> {
    let text = text();
    let mut requests = vec![
        extract(&json!({"text": text})),
        extract(&json!({"documents": [{"id": "a", "text": text}, {"id": "b", "text": [text]}, text]})),
        extract(&json!({"documents": text})),
        extract(&json!({"text": [text]})),
        extract(&json!(text)),
        extract(&json!({"text": text, "options": text})),
        extract(&json!({"text": text, "options": {"min_score": text}})),
        extract(&json!({"text": text, "documents": []})),
        extract(&json!({"text": text.repeat(2000)})),
        Request::post("/v1/extract?format=html", &json!({"text": text})),
        Request::post("/", &json!({"inputs": text})),
        Request::post("/", &json!({"inputs": {"text": text}})),
        Request::post("/", &json!({"inputs": [text], "parameters": {"stride": text}})),
        extract(&json!({"text": text, (CANARY): 1})),
        extract(&json!({"text": text, "options": {(CANARY): 1}})),
        extract(&json!({"text": text, "options": {"entity_scheme": text}})),
        extract(&json!({"text": text, "options": {"include": [CANARY]}})),
        Request::post(&format!("/v1/extract?include={CANARY}"), &json!({"text": text})),
        Request::post(&format!("/v1/extract?format={CANARY}&offset_unit={CANARY}"), &json!({"text": text})),
        Request::post("/", &json!({"inputs": text, "parameters": {"aggregation_strategy": text}})),
        Request::post("/", &json!({"inputs": text, "parameters": {(CANARY): text}})),
        Request::post("/models/none", &json!({"inputs": text})),
        Request::post("/v2/models/onrecord-small/infer", &json!({"inputs": text})),
        Request::post("/v2/models/onrecord-small/infer", &json!({"inputs": [{"name": "text", "data": text}]})),
    ];
    let infer = json!({"inputs": [{"name": "text", "datatype": "BYTES", "shape": [2], "data": [text, "\u{0}"]}]});
    requests.push(Request::post("/v2/models/onrecord-small/infer", &infer));
    let json_type =
        |body: String| Request::new("POST", "/v1/extract").header("Content-Type", "application/json").body(body);
    // Broken off, with bytes that are no text, and under another type.
    requests.push(json_type(format!("{{\"text\": \"{CANARY}")));
    requests.push(json_type(format!("{CANARY} is no JSON")));
    let broken = [b"{\"text\": \"", CANARY.as_bytes(), b"\xff\"}"].concat();
    requests.push(Request::new("POST", "/v1/extract").header("Content-Type", "application/json").body(broken));
    requests.push(Request::new("POST", "/v1/extract").header("Content-Type", "text/plain").body(text.clone()));
    let lines = format!("{{\"text\": \"{CANARY}\"}}\n{{\"text\": [\"{CANARY}\"]}}\n{CANARY}\n\"{CANARY}\"\n");
    requests.push(Request::new("POST", "/v1/extract").header("Content-Type", "application/x-ndjson").body(lines));
    requests.into_iter().map(|request| request.header("Authorization", &format!("Bearer {SECRET}"))).collect()
}

#[test]
fn texts_are_in_no_log_line_metric_or_error() {
    for format in ["text", "json"] {
        let arguments = ["--log", "trace", "--log-format", format, "--api-key", SECRET, "--max-characters", "20000"];
        let server = Server::tiny(&arguments);
        let mut answered = 0;
        for request in requests() {
            let response = server.ask(&request);
            answered += usize::from(response.status == 200);
            if response.status != 200 {
                assert!(!response.text().contains(CANARY), "an error shows the text: {}", response.text());
            }
            // The errors of single documents, too.
            let errors: Vec<&str> = response.text().split("\"error\":").skip(1).collect();
            let in_error = errors.iter().any(|error| error.split('}').next().unwrap_or_default().contains(CANARY));
            assert!(!in_error, "an error shows the text: {}", response.text());
        }
        assert!(answered > 4, "too few requests were answered to test anything");
        let metrics = server.ask(&Request::get("/metrics"));
        assert!(metrics.status == 200 && !metrics.text().contains(CANARY) && !metrics.text().contains(SECRET));
        wait_until("the requests are logged", || server.log().contains("/metrics"));
        let log = server.log();
        for secret in [CANARY, SECRET] {
            let line = log.lines().find(|line| line.contains(secret));
            assert_eq!(line, None, "the log shows {secret}");
        }
    }
}

#[test]
fn an_operator_who_asks_for_texts_gets_them() {
    let server = Server::tiny(&["--log-text"]);
    assert!(server.log().contains("--log-text"), "it is said at the start: {}", server.log());
    assert_eq!(server.ask(&extract(&json!({"text": text()}))).status, 200);
    wait_until("the text is logged", || server.log().contains(CANARY));
    let mut lines = server.lines("/v1/extract");
    lines.push(json!({"text": "Second Quillfeather of a stream."}).to_string());
    lines.finish();
    assert_eq!(lines.head().status, 200);
    assert_eq!(lines.rest().len(), 1);
    wait_until("the line is logged", || server.log().contains("Second Quillfeather"));
}

#[test]
fn a_long_text_is_in_no_message_about_its_length() {
    let server = Server::tiny(&["--max-characters", "100", "--log", "trace"]);
    let response = server.ask(&extract(&json!({"text": long_text(10_000) + CANARY})));
    assert!(response.status == 413 && !response.text().contains(CANARY));
}
