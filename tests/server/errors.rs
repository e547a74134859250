//! Refusals: each with its code and status, in the form that the route's clients expect.

use serde_json::{Value, json};

use super::http::Request;
use super::process::Server;
use super::{TEXT, check_error, check_plain_error, extract};

fn raw(body: impl Into<Vec<u8>>) -> Request {
    Request::json("/v1/extract").body(body)
}

#[test]
fn what_is_not_json_is_a_bad_request_and_json_of_another_form_is_unprocessable() {
    let server = Server::tiny(&[]);
    let text = json!({"text": TEXT}).to_string();
    let with = |options: Value| json!({"text": TEXT, "options": options}).to_string().into_bytes();
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (b"".to_vec(), "invalid_json"),
        (b"{".to_vec(), "invalid_json"),
        (b"{\"text\": 'x'}".to_vec(), "invalid_json"),
        (format!("{text}{text}").into_bytes(), "invalid_json"),
        (br#"{"text": "\ud83d!"}"#.to_vec(), "invalid_json"),
        (b"{\"text\": \"caf\xe9\"}".to_vec(), "invalid_utf8"),
        (b"\xff\xfe{\0}\0".to_vec(), "invalid_utf8"),
        (b"null".to_vec(), "invalid_request"),
        (b"5".to_vec(), "invalid_request"),
        (b"[]".to_vec(), "invalid_request"),
        (json!([TEXT]).to_string().into(), "invalid_request"),
        (with(json!(["conll4"])), "invalid_request"),
        (b"{}".to_vec(), "invalid_request"),
        (json!({"text": 5}).to_string().into(), "invalid_request"),
        (json!({"text": TEXT, "documents": []}).to_string().into(), "invalid_request"),
        (json!({"documents": {}}).to_string().into(), "invalid_request"),
        (json!({"texts": [TEXT]}).to_string().into(), "invalid_request"),
        (br#"{"text": "one", "text": "two"}"#.to_vec(), "invalid_request"),
        (with(json!([])), "invalid_request"),
        (with(json!({"min_scores": 0.5})), "invalid_request"),
        (with(json!({"min_score": 1.01})), "invalid_request"),
        (with(json!({"min_score": -0.1})), "invalid_request"),
        (with(json!({"min_score": "high"})), "invalid_request"),
        (with(json!({"offset_unit": "words"})), "invalid_request"),
        (with(json!({"entity_scheme": "news10"})), "invalid_request"),
        (with(json!({"include": ["quotations"]})), "invalid_request"),
        (with(json!({"include": "entities"})), "invalid_request"),
        (json!({"text": ""}).to_string().into(), "empty_document"),
        (json!({"text": " \n\t\u{a0}"}).to_string().into(), "empty_document"),
    ];
    let mut connection = server.connect();
    for (body, code) in cases {
        let shown = String::from_utf8_lossy(&body).into_owned();
        let response = connection.ask(&raw(body));
        assert_eq!(response.json()["error"]["code"], *code, "{shown}");
        check_error(&response, code);
    }
    // The connection has taken no harm.
    assert_eq!(connection.ask(&raw(text)).status, 200);
}

#[test]
fn a_key_that_comes_twice_is_refused_by_its_name() {
    let server = Server::tiny(&[]);
    let infer =
        |inputs: &str| format!(r#"{{"inputs": [{{"name": "text", "datatype": "BYTES", "shape": [1], {inputs}}}]}}"#);
    for (path, body, key) in [
        ("/v1/extract", r#"{"text": "Ada said no.", "text": "Bo said yes."}"#.to_owned(), "text"),
        (
            "/v1/extract",
            r#"{"text": "Ada said no.", "options": {"min_score": 0, "min_score": 1}}"#.to_owned(),
            "min_score",
        ),
        ("/", r#"{"inputs": "Ada said no.", "inputs": "Bo said yes."}"#.to_owned(), "inputs"),
        ("/", r#"{"inputs": "Ada.", "parameters": {"stride": 1, "stride": 2}}"#.to_owned(), "stride"),
        ("/v2/models/onrecord-small/infer", infer(r#""data": ["Ada said no."], "data": ["Bo said yes."]"#), "data"),
    ] {
        let response = server.ask(&Request::json(path).body(body));
        assert!([400, 422].contains(&response.status) && response.text().contains(key), "{path}: {}", response.text());
    }
    let documents = r#"{"documents": [{"text": "Ada said no.", "text": "x"}, {"id": 1, "id": 2, "text": "x"}, {"text": "Ada said no."}]}"#;
    let results = server.ask(&raw(documents)).json()["results"].clone();
    for (place, key) in ["text", "id"].into_iter().enumerate() {
        let error = &results[place]["error"];
        assert_eq!(error["code"], "invalid_json");
        assert!(error["message"].as_str().unwrap().contains(&format!("the key \"{key}\" comes twice")), "{error}");
    }
    assert_eq!(results[2]["id"], "2");
    let line = Request::new("POST", "/v1/extract").header("Content-Type", "application/x-ndjson");
    let told = server.ask(&line.body(r#"{"text": "Ada said no.", "text": "x"}"#)).lines();
    assert!(told[0]["error"]["message"].as_str().unwrap().contains("the key \"text\" comes twice"), "{told:?}");
}

#[test]
fn deep_nesting_is_no_danger() {
    let server = Server::tiny(&[]);
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let nested = open.repeat(100_000) + "1" + &close.repeat(100_000);
        // Of several documents such a one is an error in its place.
        let among = server.ask(&raw(format!("{{\"documents\":[{nested}, {{\"text\": {nested}}}]}}")));
        assert_eq!(among.status, 200, "{}", among.text());
        for place in 0..2 {
            assert_eq!(among.json()["results"][place]["error"]["code"], "invalid_json", "{}", among.text());
        }
        for body in [nested.clone(), open.repeat(100_000), format!("{{\"text\":{nested}}}")] {
            let response = server.ask(&raw(body.clone()));
            assert!([400, 422].contains(&response.status), "{}", response.text());
            assert!(response.text().len() < 1000, "the answer repeats the body");
            for path in ["/", "/v2/models/onrecord-small/infer"] {
                let response = server.ask(&Request::json(path).body(body.clone()));
                assert!([400, 422].contains(&response.status), "{path}: {}", response.text());
            }
        }
    }
    assert_eq!(server.ask(&extract(&json!({"text": TEXT}))).status, 200);
}

#[test]
fn only_plain_json_and_lines_are_read() {
    let server = Server::tiny(&[]);
    let body = json!({"text": TEXT}).to_string();
    let ask = |name: &str, value: &str| {
        let target = "/v1/extract";
        let request = if name == "Content-Type" { Request::new("POST", target) } else { Request::json(target) };
        server.ask(&request.header(name, value).body(body.clone()))
    };
    for media in
        ["text/plain", "application/xml", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded"]
    {
        let message = check_error(&ask("Content-Type", media), "unsupported_media_type");
        assert!(message.contains("application/json"), "{message}");
    }
    for media in ["application/json; charset=utf-8", "Application/JSON"] {
        assert_eq!(ask("Content-Type", media).status, 200, "{media}");
    }
    for encoding in ["gzip", "br", "deflate, gzip", "nonsense"] {
        check_error(&ask("Content-Encoding", encoding), "unsupported_encoding");
        for path in ["/", "/v2/models/onrecord-small/infer"] {
            let request = Request::json(path).header("Content-Encoding", encoding);
            check_plain_error(&server.ask(&request.body("{}")), "unsupported_encoding");
        }
    }
    assert_eq!(ask("Content-Encoding", "identity").status, 200);
    let plain = Request::new("POST", "/").header("Content-Type", "text/plain").body("{}");
    check_plain_error(&server.ask(&plain), "unsupported_media_type");
}

#[test]
fn a_time_that_is_none_is_refused() {
    let server = Server::tiny(&[]);
    for value in ["0", "-1", "soon", "", "1.5", "99999999999999999999999"] {
        let timed = |path: &str, body: &Value| Request::post(path, body).header("X-Request-Timeout-Ms", value);
        check_error(&server.ask(&timed("/v1/extract", &json!({"text": TEXT}))), "invalid_header");
        check_plain_error(&server.ask(&timed("/", &json!({"inputs": TEXT}))), "invalid_header");
    }
    let request = extract(&json!({"text": TEXT})).header("X-Request-Timeout-Ms", "18446744073709551615");
    assert_eq!(server.ask(&request).status, 200, "more than the server's own limit is no error");
}

#[test]
fn a_late_answer_is_an_error_in_time() {
    let server = Server::embedded(&[]);
    let long = super::long_text(500_000);
    let request = extract(&json!({"text": long})).header("X-Request-Timeout-Ms", "200");
    let started = std::time::Instant::now();
    let response = server.ask(&request);
    let message = check_error(&response, "deadline_exceeded");
    assert!(message.contains("X-Request-Timeout-Ms"), "{message}");
    assert!(response.header("Retry-After").is_some());
    assert!(started.elapsed().as_millis() >= 200, "{:?}", started.elapsed());
    // Nobody works on it any more.
    super::process::wait_until("nothing waits", || server.metric("onrecord_waiting_tokens", &[]) == 0.0);
    let run = super::tokens_run(&server);
    assert!(run < 60_000.0, "{run} tokens of some 120,000 were run for an answer that came too late");
    check_plain_error(
        &server.ask(&Request::post("/", &json!({"inputs": long})).header("X-Request-Timeout-Ms", "1")),
        "deadline_exceeded",
    );
    let own = Server::embedded(&["--request-timeout", "100ms"]);
    check_error(&own.ask(&extract(&json!({"text": long}))), "deadline_exceeded");
}
