//! The page: who gets it, what it may do, how it is cached. What it looks like and does is tested in `tests/browser`.

use std::collections::BTreeSet;
use std::io::Read;

use serde_json::json;

use super::http::{Request, Response};
use super::process::Server;
use super::{TEXT, check_error, check_plain_error};

/// What Chromium asks with.
const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";

fn page() -> Request {
    Request::get("/").header("Accept", BROWSER)
}

fn media(response: &Response) -> &str {
    response.header("Content-Type").unwrap_or_default().split(';').next().unwrap_or_default()
}

/// The names of all files that the page refers to, directly or through others, itself first.
fn files(server: &Server) -> Vec<(String, Response)> {
    let index = server.ask(&page());
    let pattern = regex::Regex::new(r#"(?:"page/|from "\./|URL\(")([a-z]+\.[a-z]+)""#).unwrap();
    let names = |response: &Response| -> Vec<String> {
        pattern.captures_iter(response.text()).map(|found| found[1].to_owned()).collect()
    };
    let mut waiting = names(&index);
    let mut found = vec![("index.html".to_owned(), index)];
    let mut seen = BTreeSet::new();
    while let Some(name) = waiting.pop() {
        if seen.insert(name.clone()) {
            let response = server.ask(&Request::get(&format!("/page/{name}")));
            assert_eq!(response.status, 200, "{name}");
            waiting.extend(names(&response));
            found.push((name, response));
        }
    }
    found
}

#[test]
fn browsers_get_the_page_and_programs_the_directory() {
    let server = Server::tiny(&[]);
    let accepts = [
        (BROWSER, "text/html"),
        ("text/html", "text/html"),
        ("text/*", "text/html"),
        ("application/json;q=0.5, text/html", "text/html"),
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        ("text/html;q=0.5, application/json", "application/json"),
        ("image/png", "application/json"),
        ("nonsense", "application/json"),
        ("", "application/json"),
    ];
    for (accept, expected) in accepts {
        let response = server.ask(&Request::get("/").header("Accept", accept));
        assert_eq!((response.status, media(&response)), (200, expected), "{accept}");
        assert!(response.header("Vary").is_some_and(|vary| vary.contains("Accept,")), "{accept}: {response:?}");
    }
    let directory = server.ask(&Request::get("/")).json();
    for (_, path) in directory.as_object().unwrap().iter().filter(|(name, _)| *name != "name") {
        let status = server.ask(&Request::get(path.as_str().unwrap())).status;
        assert!(status == 200 || (status == 405 && path == "/v1/extract"), "{path}: {status}");
    }
    // The path is still that of the Hugging Face clients.
    assert_eq!(server.ask(&Request::post("/", &json!({"inputs": TEXT})).header("Accept", BROWSER)).status, 200);
    check_plain_error(&server.ask(&Request::new("PUT", "/").body("{}")), "method_not_allowed");
}

#[test]
fn the_page_may_do_nothing_but_ask_its_own_server() {
    let server = Server::tiny(&[]);
    let files = files(&server);
    assert!(files.len() > 10, "{:?}", files.iter().map(|(name, _)| name).collect::<Vec<_>>());
    for (name, response) in &files {
        let policy = response.header("Content-Security-Policy").unwrap_or_default();
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"), "{name}: {policy}");
        assert!(!policy.contains("unsafe") && !policy.contains('*') && !policy.contains("  "), "{name}: {policy}");
        for directive in ["frame-ancestors 'none'", "base-uri 'none'", "require-trusted-types-for 'script'"] {
            assert!(policy.contains(directive), "{name}: {policy}");
        }
        assert_eq!(response.header("X-Content-Type-Options"), Some("nosniff"), "{name}");
        assert_eq!(response.header("Referrer-Policy"), Some("no-referrer"), "{name}");
        let text = response.text();
        let foreign = text.matches("://").count() - text.matches("http://www.w3.org/2000/svg").count();
        assert_eq!(foreign, 0, "{name} names another server");
        for unsafe_word in ["innerHTML", "outerHTML =", "insertAdjacentHTML", "document.write", "eval(", " style=\""] {
            assert!(!text.contains(unsafe_word), "{name} has {unsafe_word}");
        }
    }
    let weight: usize = files.iter().map(|(_, response)| response.body.len()).sum();
    assert!(weight < 150_000, "the page weighs {weight} bytes");
}

#[test]
fn a_copy_is_kept_for_as_long_as_it_is_good() {
    let server = Server::tiny(&[]);
    for request in [page(), Request::get("/page/style.css")] {
        let first = server.ask(&request);
        let tag = first.header("ETag").unwrap().to_owned();
        assert_eq!((first.header("Cache-Control"), first.header("Content-Encoding")), (Some("no-cache"), None));
        for held in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
            let mut connection = server.connect();
            let again = connection.ask(&request.clone().header("If-None-Match", &held));
            assert_eq!((again.status, again.body.len()), (304, 0), "{held}");
            assert_eq!(again.header("ETag"), Some(tag.as_str()), "{held}");
            assert_eq!(connection.ask(&request).status, 200, "{held}: the connection has taken no harm");
        }
        assert_eq!(server.ask(&request.clone().header("If-None-Match", "\"other\"")).body, first.body);

        let packed = server.ask(&request.clone().header("Accept-Encoding", "gzip, deflate, br, zstd"));
        assert_eq!(packed.header("Content-Encoding"), Some("gzip"));
        assert_ne!(packed.header("ETag"), Some(tag.as_str()), "two forms under one tag");
        assert!(packed.body.len() * 2 < first.body.len(), "{} of {}", packed.body.len(), first.body.len());
        let mut unpacked = Vec::new();
        flate2::read::GzDecoder::new(packed.body.as_slice()).read_to_end(&mut unpacked).unwrap();
        assert_eq!(unpacked, first.body);
        for without in ["identity", "gzip;q=0", "br", ""] {
            let plain = server.ask(&request.clone().header("Accept-Encoding", without));
            assert_eq!((plain.header("Content-Encoding"), &plain.body), (None, &first.body), "{without}");
        }
    }
}

#[test]
fn head_tells_how_long_the_page_is() {
    let server = Server::tiny(&[]);
    let length = server.ask(&page()).body.len().to_string();
    let mut connection = server.connect();
    let response = connection.ask(&Request::new("HEAD", "/").header("Accept", BROWSER));
    assert_eq!((response.status, media(&response)), (200, "text/html"));
    assert_eq!(response.header("Content-Length"), Some(length.as_str()));
    assert_eq!(connection.ask(&Request::get("/health")).status, 200, "HEAD has a body");
}

#[test]
fn the_page_needs_no_key_and_what_it_asks_for_does() {
    let server = Server::tiny(&["--api-key", "key"]);
    for request in [page(), Request::get("/"), Request::get("/page/main.js"), Request::new("HEAD", "/page/main.js")] {
        assert_eq!(server.ask(&request).status, 200, "{request:?}");
    }
    for path in ["/info", "/docs/", "/page", "/pages", "//", "/page/../info"] {
        let status = server.ask(&Request::get(path)).status;
        assert!([401, 404].contains(&status), "{path}: {status}");
    }
    check_error(&server.ask(&Request::post("/page/main.js", &json!({}))), "unauthorized");
    check_plain_error(&server.ask(&Request::post("/", &json!({"inputs": TEXT}))), "unauthorized");
    check_error(&server.ask(&Request::post("/v1/extract", &json!({"text": TEXT}))), "unauthorized");
}

#[test]
fn only_the_files_of_the_page_are_there() {
    let server = Server::tiny(&[]);
    for name in ["nothing.js", "", "main.js/", "Main.js", "..%2fmod.rs", "%2e%2e/page.rs", "main.js%00"] {
        check_error(&server.ask(&Request::get(&format!("/page/{name}"))), "not_found");
    }
}
