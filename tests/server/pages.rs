//! Pages of other origins in somebody's browser: what they send without asking is not worked on.

use serde_json::json;

use super::http::{Request, Response};
use super::process::{Server, serve};
use super::{TEXT, check_error, check_plain_error, extract};

/// A request on every route that works, with a body that it would take.
fn working() -> Vec<Request> {
    let infer = json!({"inputs": [{"name": "text", "datatype": "BYTES", "shape": [1], "data": [TEXT]}]});
    let mut requests = vec![
        extract(&json!({"text": TEXT})),
        Request::new("POST", "/v1/extract")
            .header("Content-Type", "application/x-ndjson")
            .body(json!({"text": TEXT}).to_string()),
        Request::json("/admin/reload").header("Content-Length", "0"),
    ];
    requests.extend(["/", "/models/onrecord-small"].map(|path| Request::post(path, &json!({"inputs": TEXT}))));
    requests.extend(
        ["/v2/models/onrecord-small/infer", "/v2/models/onrecord-small/versions/x/infer"]
            .map(|path| Request::post(path, &infer)),
    );
    requests
}

fn check_refused(response: &Response, what: &str) {
    assert_eq!(response.status, 403, "{what}: {response:?}");
    assert_eq!(response.header("Access-Control-Allow-Origin"), None, "{what}");
    if response.json()["error"].is_string() {
        check_plain_error(response, "foreign_origin");
    } else {
        check_error(response, "foreign_origin");
    }
}

#[test]
fn what_a_foreign_page_sends_is_refused_on_every_route_that_works() {
    let server = Server::tiny(&["--cors-origin", "https://news.example"]);
    let own = format!("http://{}", server.address);
    for request in working() {
        for origin in [
            "https://other.example",
            "null",
            "",
            "https://news.example.other",
            "http://news.example",
            &format!("{own}1"),
        ] {
            check_refused(
                &server.ask(&request.clone().header("Origin", origin)),
                &format!("{request:?} of {origin:?}"),
            );
        }
        for site in ["cross-site", "same-site"] {
            check_refused(
                &server.ask(&request.clone().header("Sec-Fetch-Site", site)),
                &format!("{request:?}, {site}"),
            );
        }
        let taken = server.ask(&request);
        for (origin, host) in [("https://news.example", "test"), ("http://test", "test"), ("https://test", "test")] {
            let response = server.ask(&request.clone().header("Origin", origin));
            assert_eq!(response.status, taken.status, "{request:?} of {origin} to {host}");
        }
        // A proxy has made another address of what the browser called.
        let own = request.clone().header("Origin", "https://public.example").header("Sec-Fetch-Site", "same-origin");
        assert_eq!(server.ask(&own).status, taken.status, "{request:?}");
    }
    // What is only read stays open: the page gets the answer from the browser if it may.
    for path in ["/", "/page/main.js", "/info", "/health", "/docs/", "/openapi.json", "/metrics", "/v2"] {
        let response = server
            .ask(&Request::get(path).header("Origin", "https://other.example").header("Sec-Fetch-Site", "cross-site"));
        assert_eq!((response.status, response.header("Access-Control-Allow-Origin")), (200, None), "{path}");
    }
    let open = Server::tiny(&["--cors-origin", "*,https://news.example"]);
    for origin in ["null", "https://other.example"] {
        assert_eq!(open.ask(&extract(&json!({"text": TEXT})).header("Origin", origin)).status, 200, "{origin}");
    }
}

#[test]
fn a_foreign_page_uses_up_nobodys_quota() {
    let server = Server::tiny(&["--max-requests-per-minute", "2"]);
    let request = extract(&json!({"text": TEXT}));
    for _ in 0..10 {
        check_refused(&server.ask(&request.clone().header("Origin", "https://other.example")), "a request");
    }
    assert_eq!(
        [server.ask(&request).status, server.ask(&request).status, server.ask(&request).status],
        [200, 200, 429]
    );
}

#[test]
fn a_body_without_a_type_is_not_read() {
    let server = Server::tiny(&[]);
    let own = format!("http://{}", server.address);
    for path in ["/v1/extract", "/", "/models/onrecord-small"] {
        let body = json!({"text": TEXT, "inputs": TEXT}).to_string();
        let response = server.ask(&Request::new("POST", path).body(body.clone()));
        assert_eq!(response.status, 415, "{path}: {response:?}");
        assert!(
            response.text().contains("Content-Type") && response.text().contains("application/json"),
            "{response:?}"
        );
        let chunked = server.ask(&Request::new("POST", path).chunked(body.as_bytes()));
        assert_eq!(chunked.status, 415, "{path}: {chunked:?}");
    }
    // tritonclient names no type, which no browser can make look so.
    let infer = json!({"inputs": [{"name": "text", "datatype": "BYTES", "shape": [1], "data": [TEXT]}]}).to_string();
    let untyped = Request::new("POST", "/v2/models/onrecord-small/infer");
    assert_eq!(server.ask(&untyped.clone().body(infer.clone())).status, 200);
    for request in [
        untyped.clone().header("Origin", &own).header("Sec-Fetch-Site", "same-origin"),
        untyped.header("Content-Type", "text/plain"),
    ] {
        check_plain_error(&server.ask(&request.body(infer.clone())), "unsupported_media_type");
    }
}

#[test]
fn an_origin_that_is_none_is_told_before_anything_starts() {
    for (wrong, hint) in [
        ("news.example", "https://news.example"),
        ("https://news.example/", "without a path"),
        ("https://good.example,https://news.example/desk", "without a path"),
        ("null", "\"*\""),
        ("https://*.news.example", "is no origin"),
    ] {
        let output =
            serve(&["--port", "0", "--cors-origin", wrong]).stderr(std::process::Stdio::piped()).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{wrong}: {told}");
        assert!(
            told.contains(hint) && told.contains("--cors-origin") && !told.contains("listening"),
            "{wrong}: {told}"
        );
    }
}
