//! Who may do what, and what is written down about it: keys, browsers' origins, request ids, logs.

use serde_json::{Value, json};

use super::http::{Request, Response};
use super::process::{Server, wait_until};
use super::{TEXT, check_error, check_plain_error, extract};

fn with_key(request: Request, key: &str) -> Request {
    request.header("Authorization", &format!("Bearer {key}"))
}

fn ask_with(server: &Server, key: &str) -> Response {
    server.ask(&with_key(extract(&json!({"text": TEXT})), key))
}

#[test]
fn without_a_key_only_health_and_metrics_are_open() {
    let server = Server::tiny(&["--api-key", "first-key,second-key", "--api-key", "third-key"]);
    for key in ["first-key", "second-key", "third-key"] {
        assert_eq!(ask_with(&server, key).status, 200, "{key}");
    }
    let request = extract(&json!({"text": TEXT}));
    let wrong = [
        request.clone(),
        with_key(request.clone(), "first"),
        with_key(request.clone(), "first-key2"),
        with_key(request.clone(), "first-key,second-key"),
        with_key(request.clone(), ""),
        request.clone().header("Authorization", "first-key"),
        request.clone().header("Authorization", "Basic first-key"),
        request.clone().header("Authorization", "Bearer\u{a0}first-key"),
        request.clone().header("X-Api-Key", "first-key"),
    ];
    for request in wrong {
        let response = server.ask(&request);
        let message = check_error(&response, "unauthorized");
        assert!(message.contains("Bearer"), "{message}");
        assert_eq!(response.header("WWW-Authenticate"), Some("Bearer"));
    }
    for path in ["/health", "/health/live", "/health/ready", "/metrics"] {
        assert_eq!(server.ask(&Request::get(path)).status, 200, "{path}");
    }
    for path in ["/info", "/docs/", "/openapi.json", "/nothing", "/metrics/", "/health%2f../info"] {
        check_error(&server.ask(&Request::get(path)), "unauthorized");
    }
    check_error(&server.ask(&Request::get("/health/../info")), "not_found");
    for path in ["/v2", "/v2/health/live", "/v2/health/ready", "/v2/models/onrecord-small"] {
        check_plain_error(&server.ask(&Request::get(path)), "unauthorized");
        assert_eq!(server.ask(&with_key(Request::get(path), "third-key")).status, 200, "{path}");
    }
    for path in ["/", "/models/onrecord-small", "/v2/models/onrecord-small/infer"] {
        check_plain_error(&server.ask(&Request::post(path, &json!({"inputs": TEXT}))), "unauthorized");
    }
    let mut lines = server.lines("/v1/extract");
    assert_eq!(lines.head().status, 401);
    // What nobody may send is not read: the answer does not wait for it.
    let mut connection = server.connect();
    connection.send(b"POST /v1/extract HTTP/1.1\r\nHost: test\r\nContent-Length: 1000000\r\n\r\n{");
    check_error(&connection.receive().unwrap(), "unauthorized");
}

#[test]
fn a_file_of_keys_is_read_again_on_sighup() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keys");
    std::fs::write(&path, "\u{feff}old-key\n\n# the desk's\n  other-key \r\n").unwrap();
    let server = Server::tiny(&["--api-key-file", path.to_str().unwrap(), "--api-key", "given-key"]);
    for key in ["old-key", "other-key", "given-key"] {
        assert_eq!(ask_with(&server, key).status, 200, "{key}");
    }
    assert_eq!(ask_with(&server, "# the desk's").status, 401);
    std::fs::write(&path, "new-key").unwrap();
    assert_eq!(ask_with(&server, "new-key").status, 401);
    server.signal("HUP");
    wait_until("the new key is known", || ask_with(&server, "new-key").status == 200);
    assert_eq!(["old-key", "other-key", "given-key"].map(|key| ask_with(&server, key).status), [401, 401, 200]);
    // A file without a key changes nothing, and says so.
    std::fs::write(&path, "\n").unwrap();
    server.signal("HUP");
    wait_until("the fault is reported", || server.log().contains("holds no key"));
    assert_eq!(ask_with(&server, "new-key").status, 200);
    std::fs::remove_file(&path).unwrap();
    server.signal("HUP");
    wait_until("the fault is reported", || server.log().contains("cannot read"));
    assert_eq!(ask_with(&server, "new-key").status, 200);
    assert!(!server.log().contains("new-key"), "{}", server.log());
}

#[test]
fn pages_of_other_origins_are_let_in_only_if_they_are_named() {
    let preflight = |origin: &str| {
        Request::new("OPTIONS", "/v1/extract")
            .header("Origin", origin)
            .header("Access-Control-Request-Method", "POST")
            .header("Access-Control-Request-Headers", "content-type,authorization")
    };
    let call = |origin: &str| with_key(extract(&json!({"text": TEXT})), "key").header("Origin", origin);
    let allowed = |response: &Response| response.header("Access-Control-Allow-Origin").map(str::to_owned);
    let (ours, theirs) = ("https://news.example", "https://other.example");

    let closed = Server::tiny(&[]);
    assert_eq!(allowed(&closed.ask(&call(ours))), None);
    assert_eq!(allowed(&closed.ask(&preflight(ours))), None);

    // The browser asks for permission without the key.
    let server = Server::tiny(&["--cors-origin", &format!("{ours},https://more.example"), "--api-key", "key"]);
    for origin in [ours, "https://more.example"] {
        let response = server.ask(&preflight(origin));
        assert_eq!((response.status, allowed(&response).as_deref()), (200, Some(origin)));
        let methods = response.header("Access-Control-Allow-Methods").unwrap();
        assert!(methods.contains("POST") && methods.contains("GET"), "{methods}");
        let headers = response.header("Access-Control-Allow-Headers").unwrap().to_lowercase();
        assert!(headers.contains("authorization") && headers.contains("content-type"), "{headers}");
        let response = server.ask(&call(origin));
        assert_eq!((response.status, allowed(&response).as_deref()), (200, Some(origin)));
    }
    assert_eq!(allowed(&server.ask(&call(theirs))), None);
    assert_eq!(allowed(&server.ask(&preflight(theirs))), None);
    // The page may read refusals, too.
    assert_eq!(allowed(&server.ask(&extract(&json!({})).header("Origin", ours))).as_deref(), Some(ours));

    let open = Server::tiny(&["--cors-origin", "*"]);
    assert!(allowed(&open.ask(&call(theirs))).is_some_and(|origin| origin == "*" || origin == theirs));
}

#[test]
fn options_without_an_origin_tell_no_secrets() {
    let server = Server::tiny(&["--api-key", "key"]);
    for path in ["/v1/extract", "/info", "/", "/nothing"] {
        let response = server.ask(&Request::new("OPTIONS", path));
        assert!([401, 404, 405].contains(&response.status), "{path}: {response:?}");
    }
}

#[test]
fn request_ids_go_in_and_out() {
    let server = Server::tiny(&["--log-format", "json"]);
    let ask = |request: Request| server.ask(&request).header("X-Request-Id").map(str::to_owned).unwrap();
    assert_eq!(ask(extract(&json!({"text": TEXT})).header("X-Request-Id", "abc-123/7")), "abc-123/7");
    // On refusals as well.
    assert_eq!(ask(extract(&json!({})).header("X-Request-Id", "refused-1")), "refused-1");
    assert_eq!(ask(Request::get("/nothing").header("X-Request-Id", "nothing-1")), "nothing-1");
    let new: Vec<String> = (0..3).map(|_| ask(Request::get("/health"))).collect();
    assert!(new.iter().all(|id| id.len() == 32) && new[0] != new[1] && new[1] != new[2], "{new:?}");
    for unsound in ["two words", &"x".repeat(200), "caf\u{e9}"] {
        assert_ne!(ask(Request::get("/health").header("X-Request-Id", unsound)), *unsound);
    }
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let traced = Request::get("/info").header("traceparent", &format!("00-{trace}-00f067aa0ba902b7-01"));
    assert_eq!(server.ask(&traced).status, 200);
    wait_until("the last request is logged", || server.log().contains(trace));
    let log = server.log();
    let lines = log.lines().filter(|line| !line.starts_with("listening on "));
    let lines: Vec<Value> = lines.map(|line| serde_json::from_str(line).expect("a log line is JSON")).collect();
    let of = |id: &str| {
        let found = lines.iter().find(|line| line["span"]["id"] == id);
        found.unwrap_or_else(|| panic!("{id} is not in the log: {log}"))
    };
    assert_eq!((&of("abc-123/7")["span"]["route"], &of("abc-123/7")["level"]), (&json!("/v1/extract"), &json!("INFO")));
    assert_eq!(of("refused-1")["code"], "invalid_request");
    assert_eq!(of("nothing-1")["span"]["status"].to_string(), "404");
}

#[test]
fn no_text_and_no_key_is_ever_logged() {
    let (text, key, wrong) = ("Canaryville", "canary-key-4711", "canary-wrong-0815");
    let server = Server::tiny(&["--log", "trace", "--api-key", key]);
    let said = format!("“{text} is beyond repair,” said Claire {text}.");
    let ask = |request: Request| server.ask(&with_key(request, key)).status;
    let infer = json!({"inputs": [{"name": "text", "datatype": "BYTES", "shape": [1], "data": [said]}]});
    assert_eq!(ask(extract(&json!({"documents": [{"id": text, "text": said}, {"id": text, "text": said}]}))), 200);
    assert_eq!(ask(Request::post("/", &json!({"inputs": said}))), 200);
    assert_eq!(ask(Request::post("/v2/models/onrecord-small/infer", &infer)), 200);
    // What is wrong with a body must not be told by repeating it.
    assert_eq!(ask(extract(&json!({"text": said, "options": {"offset_unit": said}}))), 422);
    assert_eq!(ask(extract(&json!({ text: said }))), 422);
    assert_eq!(ask(Request::post("/", &json!({"inputs": said, "parameters": {"aggregation_strategy": text}}))), 422);
    assert_eq!(ask(Request::json("/v1/extract").body(format!("{{\"text\": \"{said}"))), 400);
    assert_eq!(ask(Request::post(&format!("/models/{text}"), &infer)), 404);
    assert_eq!(server.ask(&with_key(extract(&infer), wrong)).status, 401);
    let mut lines =
        super::http::Lines::open(server.connect(), "/v1/extract", &[("Authorization", &format!("Bearer {key}"))]);
    lines.push(format!("{}\n{{\"text\": {text}\n", json!({"id": text, "text": said})));
    lines.finish();
    assert_eq!((lines.head().status, lines.rest().len()), (200, 2));
    server.signal("HUP");
    wait_until("the log is written", || server.log().contains("read the API keys again"));
    let metrics = server.ask(&Request::get("/metrics")).text().to_owned();
    let log = server.log();
    assert!(log.lines().count() > 20 && log.contains("TRACE"), "too little is logged to mean anything: {log}");
    for secret in [text, key, wrong] {
        let line = log.lines().chain(metrics.lines()).find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret} is in the log");
    }
}
