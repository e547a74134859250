//! What the server tells about itself, and what it says to those who knock at the wrong door.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::http::Request;
use super::process::{Server, tiny_model};
use super::{TEXT, check_error, check_plain_error, extract};
use crate::support::results::list;

/// Every path with its method.
const ROUTES: [(&str, &str); 22] = [
    ("POST", "/v1/extract"),
    ("GET", "/page/main.js"),
    ("GET", "/info"),
    ("GET", "/health"),
    ("GET", "/health/live"),
    ("GET", "/health/ready"),
    ("GET", "/metrics"),
    ("POST", "/"),
    ("POST", "/models/onrecord-small"),
    ("POST", "/models/onrecord-small-conll4"),
    ("GET", "/v2"),
    ("GET", "/v2/health/live"),
    ("GET", "/v2/health/ready"),
    ("GET", "/v2/models/onrecord-small"),
    ("GET", "/v2/models/onrecord-small-conll4"),
    ("GET", "/v2/models/onrecord-small/ready"),
    ("POST", "/v2/models/onrecord-small/infer"),
    ("GET", "/v2/models/onrecord-small/versions/VERSION"),
    ("GET", "/v2/models/onrecord-small/versions/VERSION/ready"),
    ("POST", "/v2/models/onrecord-small/versions/VERSION/infer"),
    ("GET", "/openapi.json"),
    ("GET", "/docs/"),
];

/// A body that the route answers.
fn body(path: &str) -> Value {
    if path.starts_with("/v2/") {
        json!({"inputs": [{"name": "text", "datatype": "BYTES", "shape": [1], "data": [TEXT]}]})
    } else if path == "/v1/extract" {
        json!({"text": TEXT})
    } else {
        json!({"inputs": TEXT})
    }
}

fn version(server: &Server) -> String {
    let metadata = server.ask(&Request::get("/v2/models/onrecord-small")).json();
    metadata["versions"][0].as_str().expect("it has a version").to_owned()
}

fn request(method: &str, path: &str) -> Request {
    if method == "POST" { Request::post(path, &body(path)) } else { Request::new(method, path) }
}

#[test]
fn every_route_answers_to_its_method_and_to_no_other() {
    let server = Server::tiny(&[]);
    let version = version(&server);
    for (method, path) in ROUTES {
        let path = path.replace("VERSION", &version);
        let response = server.ask(&request(method, &path));
        assert_eq!(response.status, 200, "{method} {path}: {}", response.text());
        assert!(response.header("X-Request-Id").is_some_and(|id| id.len() == 32), "{method} {path}");
        // The page is not ours.
        if path.starts_with("/docs") || path == "/openapi.json" {
            continue;
        }
        for other in ["GET", "POST", "PUT", "DELETE", "PATCH", "BREW"] {
            if other == method {
                continue;
            }
            // Here people are answered, too.
            if (other, path.as_str()) == ("GET", "/") {
                continue;
            }
            let allowed = if path == "/" { "GET, POST" } else { method };
            let response = server.ask(&Request::new(other, &path).body("{}"));
            assert_eq!(response.header("Allow"), Some(allowed), "{other} {path}");
            let is_plain = path == "/" || path.starts_with("/v2") || path.starts_with("/models");
            if is_plain {
                check_plain_error(&response, "method_not_allowed");
            } else {
                let message = check_error(&response, "method_not_allowed");
                assert!(message.contains(other) && message.contains(method), "{message}");
            }
        }
    }
    let response = server.ask(&Request::get("/docs"));
    assert!((300..400).contains(&response.status), "{response:?}");
    assert_eq!(response.header("Location"), Some("/docs/"));
}

#[test]
fn every_route_of_the_description_answers() {
    let server = Server::tiny(&[]);
    let version = version(&server);
    let keyed = Server::tiny(&["--api-key", "key"]);
    let description = server.ask(&Request::get("/openapi.json")).json();
    let paths = description["paths"].as_object().expect("it has paths");
    let mut described = Vec::new();
    for (path, methods) in paths {
        let filled = path.replace("{name}", "onrecord-small").replace("{version}", &version);
        assert!(!filled.contains('{'), "{path}");
        for (method, operation) in methods.as_object().unwrap() {
            let method = method.to_uppercase();
            let response = match path.as_str() {
                // This one is not for servers without keys.
                "/admin/reload" => keyed.ask(&request(&method, path).header("Authorization", "Bearer key")),
                _ => server.ask(&request(&method, &filled)),
            };
            assert_eq!(response.status, 200, "{method} {path}: {}", response.text());
            let content = operation["responses"]["200"]["content"].as_object().expect("an answer has content");
            let media = response.header("Content-Type").unwrap().split(';').next().unwrap().to_owned();
            assert!(content.contains_key(&media), "{method} {path} answers {media}");
            described.push((method, filled.replace(&version, "VERSION")));
        }
    }
    for (method, path) in ROUTES {
        let ours = ["/openapi.json", "/docs/", "/page/main.js"].contains(&path) || path.ends_with("conll4");
        assert!(ours || described.contains(&(method.to_owned(), path.to_owned())), "{path} is not described");
    }
}

#[test]
fn nothing_is_found_where_there_is_nothing() {
    let server = Server::tiny(&[]);
    for path in ["/nothing", "/v1", "/v1/extract/", "/v1/Extract", "/health/deep", "/%00", "/..%2f..%2fetc/passwd"] {
        check_error(&server.ask(&Request::get(path)), "not_found");
    }
    for path in ["/v2/nothing", "/v2/models", "/v2/models/onrecord-small/nothing"] {
        check_plain_error(&server.ask(&Request::get(path)), "not_found");
    }
    check_plain_error(&server.ask(&Request::post("/models/a/b", &json!({"inputs": TEXT}))), "not_found");
    // A body that nobody reads does not spoil the server.
    let unread = server.ask(&Request::post("/nothing", &json!({"text": "x".repeat(300_000)})));
    check_error(&unread, "not_found");
}

#[test]
fn head_is_get_without_a_body() {
    let server = Server::tiny(&[]);
    for (path, status) in [
        ("/health", 200),
        ("/health/ready", 200),
        ("/info", 200),
        ("/metrics", 200),
        ("/", 200),
        ("/page/main.js", 200),
        ("/v2", 200),
        ("/v1/extract", 405),
        ("/nothing", 404),
    ] {
        let mut connection = server.connect();
        let response = connection.ask(&Request::new("HEAD", path));
        assert_eq!(response.status, status, "{path}: {response:?}");
        if response.header("Connection") == Some("close") {
            assert!(connection.is_closed(), "{path}: HEAD has a body");
        } else {
            assert_eq!(connection.ask(&Request::get("/health")).status, 200, "{path}: HEAD has a body");
        }
    }
}

#[test]
fn the_server_says_what_it_is() {
    let server = Server::tiny(&["--max-documents", "17", "--request-timeout", "1500ms", "--threads", "1"]);
    let info = server.ask(&Request::get("/info")).json();
    assert!(info["model"].as_str().is_some_and(|model| model.starts_with("tiny@")), "{info}");
    assert_eq!((&info["workers"], &info["version"]), (&json!(1), &json!(env!("CARGO_PKG_VERSION"))));
    let limits = (&info["limits"]["max_documents"], &info["limits"]["request_timeout_ms"]);
    assert_eq!(limits, (&json!(17), &json!(1500)));
    assert_eq!(info["models"], json!(["onrecord-small", "onrecord-small-conll4"]));
    assert_eq!(list(&info["labels"], "conll4").len(), 4, "{info}");
    assert_eq!(server.ask(&Request::get("/health")).json(), json!({"status": "ok"}));
    let metadata = server.ask(&Request::get("/v2")).json();
    assert_eq!((&metadata["name"], &metadata["extensions"]), (&json!("onrecord"), &json!(["binary_tensor_data"])));
}

#[test]
fn before_the_model_is_there_the_server_says_so() {
    let directory = tempfile::tempdir().unwrap();
    for file in ["tokenizer.json", "model.safetensors"] {
        std::fs::copy(tiny_model().join(file), directory.path().join(file)).unwrap();
    }
    // Nobody can read this pipe to its end before the test has written to it.
    let pipe = directory.path().join("config.json");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let server = Server::spawn(&["--model", directory.path().to_str().unwrap()]);
    let response = server.ask(&extract(&json!({"text": TEXT})));
    check_error(&response, "starting");
    assert_eq!(response.header("Retry-After"), Some("1"));
    check_error(&server.ask(&Request::get("/info")), "starting");
    for path in ["/health", "/health/ready"] {
        let response = server.ask(&Request::get(path));
        assert_eq!((response.status, response.json()), (503, json!({"status": "starting"})));
    }
    assert_eq!(server.ask(&Request::get("/health/live")).status, 200);
    assert_eq!(server.ask(&Request::get("/v2/health/live")).status, 200);
    assert_eq!(server.ask(&Request::get("/v2/health/ready")).status, 503);
    for path in ["/", "/models/onrecord-small", "/v2/models/onrecord-small/infer"] {
        check_plain_error(&server.ask(&Request::post(path, &body(path))), "starting");
    }
    let mut lines = server.lines("/v1/extract");
    assert_eq!(lines.head().status, 503);
    std::fs::write(pipe, std::fs::read(tiny_model().join("config.json")).unwrap()).unwrap();
    super::process::wait_until("it is ready", || server.ask(&Request::get("/health/ready")).status == 200);
    assert_eq!(server.ask(&extract(&json!({"text": TEXT}))).status, 200);
}

#[test]
fn metrics_count() {
    let server = Server::tiny(&[]);
    let documents = json!({"documents": [{"text": TEXT}, {"text": TEXT}, {"text": ""}]});
    assert_eq!(server.ask(&extract(&documents)).status, 200);
    assert_eq!(server.ask(&extract(&json!([]))).status, 422);
    let labels = ["route=\"/v1/extract\"", "method=\"POST\""];
    let count = |status: &str| server.metric("onrecord_requests_total", &[labels[0], labels[1], status]);
    assert_eq!((count("status=\"200\""), count("status=\"422\"")), (1.0, 1.0));
    assert_eq!(server.metric("onrecord_request_seconds_count", &labels[..1]), 2.0);
    assert_eq!(server.metric("onrecord_errors_total", &["code=\"empty_document\""]), 1.0);
    assert_eq!(server.metric("onrecord_errors_total", &["code=\"invalid_request\""]), 1.0);
    assert_eq!(server.metric("onrecord_documents_total", &[]), 2.0);
    assert_eq!(server.metric("onrecord_windows_total", &[]), 2.0);
    let tokens = server.metric("onrecord_tokens_total", &[]);
    assert!(tokens > 10.0, "{tokens}");
    for stage in ["queue", "tokenize", "inference", "decode"] {
        let label = format!("stage=\"{stage}\"");
        assert_eq!(server.metric("onrecord_stage_seconds_count", &[&label]), 2.0, "{stage}");
    }
    assert!(server.metric("onrecord_batch_tokens_sum", &[]) >= tokens);
    assert_eq!(server.metric("onrecord_ready", &[]), 1.0);
    // Errors of single documents count on the other routes, too.
    let infer = json!({"inputs": [{"name": "text", "datatype": "BYTES", "shape": [1], "data": [" "]}]});
    assert_eq!(server.ask(&Request::post("/v2/models/onrecord-small/infer", &infer)).status, 200);
    assert_eq!(server.metric("onrecord_errors_total", &["code=\"empty_document\""]), 2.0);
    assert!(server.metric("process_resident_memory_bytes", &[]) > 1e6);
    for gone in ["waiting_documents", "waiting_tokens", "held_bytes", "requests_in_flight"] {
        super::process::wait_until(gone, || server.metric(&format!("onrecord_{gone}"), &[]) == 0.0);
    }
    // Paths that clients make up are no metrics of their own.
    (0..50).for_each(|number| drop(server.ask(&Request::get(&format!("/nothing/{number}")))));
    let text = server.ask(&Request::get("/metrics")).text().to_owned();
    assert!(!text.contains("/nothing"), "{text}");
    assert_eq!(server.metric("onrecord_requests_total", &["status=\"404\""]), 50.0);
}

/// Observations wait until they are counted, which asking for them does; where nobody asks, time must. What is never counted
/// grows in every round, what the allocator keeps for itself beside a busy machine in some.
#[test]
fn a_server_whose_metrics_nobody_reads_does_not_grow() {
    let server = Server::tiny(&[]);
    let request = extract(&json!({"documents": vec![json!({"text": "Ada said no."}); 256]}));
    let ask = |times: usize| (0..times).for_each(|_| assert_eq!(server.ask(&request).status, 200));
    ask(20);
    let mut memory = vec![server.mebibytes("VmRSS")];
    for _ in 0..5 {
        let before = memory[memory.len() - 1];
        ask(150);
        let mut after = server.mebibytes("VmRSS");
        // Long enough for what has been counted to be given back.
        let started = Instant::now();
        while after > before + 2 && started.elapsed().as_secs() < 10 {
            std::thread::sleep(Duration::from_millis(200));
            after = server.mebibytes("VmRSS");
        }
        if after <= before + 2 {
            return;
        }
        memory.push(after);
    }
    panic!("memory grew with every 38,400 documents, to {memory:?} MiB");
}
