//! `POST /v1/extract?format=`: what the command exports, or an error in our own form.

use serde_json::json;

use super::process::Server;
use super::{ODD_TEXTS, check_error, extract};
use crate::server::http::Request;
use crate::support::site::{Run, Site};

const FORMATS: [&str; 8] = ["brat", "conll", "displacy", "webannotation", "citron", "html", "csv", "schemaorg"];

#[test]
fn the_answer_is_what_the_command_exports() {
    let (server, site) = (Server::tiny(&[]), Site::new());
    let info = server.ask(&Request::get("/info")).json();
    assert_eq!(info["export_formats"], json!(FORMATS));
    for text in ODD_TEXTS {
        let document = json!({"id": "odd", "text": text});
        site.write("odd.jsonl", document.to_string());
        for format in FORMATS {
            let target = format!("/v1/extract?format={format}&offset_unit=utf16");
            let answer = server.ask(&Request::post(&target, &json!({"documents": [document]})));
            assert_eq!(answer.status, 200, "{format}: {}", answer.text());
            let run = Run::of(&mut site.onrecord(&["export", "odd.jsonl", "--to", format]));
            assert_eq!((answer.text(), run.code), (run.stdout.as_str(), 0), "{format}");
            let media_type = answer.header("Content-Type").unwrap();
            assert!(["application/", "text/"].iter().any(|family| media_type.starts_with(family)), "{media_type}");
            assert!(answer.header("Content-Disposition").unwrap().starts_with("attachment"), "{format}");
        }
    }
}

#[test]
fn a_form_is_for_one_document_and_for_all_parts() {
    let server = Server::tiny(&[]);
    let one = json!({"id": "a", "text": "Ada Byron said hello."});
    let post = |query: &str, body| server.ask(&Request::post(&format!("/v1/extract?{query}"), &body));
    let message = check_error(&post("format=docx", json!({"text": "Ada."})), "invalid_request");
    assert!(message.contains("webannotation"), "{message}");
    let several = post("format=csv", json!({"documents": [one, one]}));
    assert!(check_error(&several, "invalid_request").contains("one document"));
    let none = post("format=csv", json!({"documents": []}));
    assert!(check_error(&none, "invalid_request").contains("one document"));
    // What is not wanted is left out of this form, too.
    let displacy = |query: &str| post(query, json!({"documents": [one]})).text().to_owned();
    let (all, parts) = (displacy("format=displacy"), displacy("format=displacy&include=statements"));
    assert!(!all.contains(r#""ents":[]"#) && parts.contains(r#""ents":[]"#), "{all} {parts}");
    // A document that is none has no other place for its error.
    check_error(&post("format=csv", json!({"documents": [{"id": "a", "text": " "}]})), "empty_document");
    check_error(&post("format=csv", json!({"documents": [7]})), "invalid_json");
    let stream = Request::new("POST", "/v1/extract?format=csv").header("Content-Type", "application/x-ndjson");
    let stream = server.ask(&stream.body(one.to_string()));
    assert!(check_error(&stream, "invalid_request").contains("stream"));
    assert_eq!(server.ask(&extract(&json!({"text": "Ada."}))).status, 200);
}
