//! The server with a token classifier of Hugging Face's form: the same routes, for entities.

use serde_json::{Value, json};

use super::http::Request;
use super::process::Server;
use super::{ODD_TEXTS, check_error, check_plain_error, extract};
use crate::support::fixture;
use crate::support::results::{check, list};

const TEXT: &str = "Ana Duarte met Piet Oram in Porto Novo on 12 March.";

fn server(name: &str) -> Server {
    let directory = fixture("token_classifiers").join(name);
    Server::with_model(&directory, &["--precision", "f32"])
}

/// What the pipeline answered for the text.
fn recorded(name: &str, strategy: &str) -> Value {
    let path = fixture("token_classifiers").join(name).join("recorded.json");
    let recorded: Value = serde_json::from_slice(&std::fs::read(path).expect("it is there")).expect("it is JSON");
    let document = recorded.as_array().expect("it is a list").iter().find(|document| document["text"] == TEXT);
    document.expect("the text is among them")["answers"][strategy].clone()
}

#[test]
fn every_route_answers_with_entities() {
    let server = server("roberta");
    let info = server.ask(&Request::get("/info")).json();
    assert_eq!(info["finds"], json!(["entities"]));
    assert_eq!((&info["models"], &info["architecture"]), (&json!(["roberta"]), &json!("RoBERTa")));
    assert_eq!(info["labels"], json!({"entities": ["LOC", "PER", "ORG"]}));

    for path in ["/", "/models/roberta"] {
        for strategy in ["simple", "max"] {
            let body = json!({"inputs": TEXT, "parameters": {"aggregation_strategy": strategy}});
            let response = server.ask(&Request::post(path, &body));
            assert_eq!(response.status, 200, "{}", response.text());
            let (found, expected) = (response.json(), recorded("roberta", strategy));
            assert!(!list(&json!({"items": found}), "items").is_empty(), "{path} {strategy}: nothing to compare");
            for (found, expected) in found.as_array().unwrap().iter().zip(expected.as_array().unwrap()) {
                for field in ["entity_group", "word", "start", "end"] {
                    assert_eq!(found[field], expected[field], "{path} {strategy}");
                }
            }
            assert_eq!(found.as_array().map(Vec::len), expected.as_array().map(Vec::len), "{path} {strategy}");
        }
    }
    check_plain_error(&server.ask(&Request::post("/models/onrecord-small", &json!({"inputs": TEXT}))), "unknown_model");

    let body = server.ask(&extract(&json!({"documents": ODD_TEXTS.map(|text| json!({"text": text}))}))).json();
    for (result, text) in list(&body, "results").iter().zip(ODD_TEXTS) {
        check(result, text);
        assert_eq!((&result["statements"], &result["speakers"]), (&json!([]), &json!([])));
    }
    let version = info["model"].as_str().and_then(|model| model.split('@').nth(1)).expect("it has a hash");
    let input = json!({"name": "text", "datatype": "BYTES", "shape": [1], "data": [TEXT]});
    for path in ["/v2/models/roberta/infer".to_owned(), format!("/v2/models/roberta/versions/{version}/infer")] {
        let answer = server.ask(&Request::post(&path, &json!({"inputs": [input]}))).json();
        let result = answer["outputs"][0]["data"][0].as_str().expect("it is a text");
        check(&serde_json::from_str(result).expect("it is JSON"), TEXT);
    }
    assert_eq!(server.ask(&Request::get("/v2/models/roberta")).status, 200);
}

#[test]
fn what_it_cannot_find_is_refused() {
    let server = server("bert");
    for (options, said) in [
        (json!({"entity_scheme": "conll4"}), "labels of its own"),
        (json!({"include": ["statements"]}), "entities only"),
        (json!({"include": ["entities", "speakers"]}), "entities only"),
    ] {
        let message = check_error(&server.ask(&extract(&json!({"text": TEXT, "options": options}))), "invalid_request");
        assert!(message.contains(said), "{message}");
    }
    let streamed =
        Request::new("POST", "/v1/extract?include=statements").header("Content-Type", "application/x-ndjson");
    check_error(&server.ask(&streamed.body(b"{\"text\": \"Oslo\"}\n")), "invalid_request");
    // What is about statements only has no effect.
    let options = json!({"floating": false, "include": ["entities"], "min_score": 0.5});
    let response = server.ask(&extract(&json!({"text": TEXT, "options": options})));
    assert_eq!(response.status, 200, "{}", response.text());
}
