//! `POST /v1/extract`: the results are those of the engine and of the command line, in the form asked for.

use std::sync::Mutex;

use onrecord::engine::Options;
use onrecord::text::Document;
use serde_json::{Value, json};

use super::process::Server;
use super::{ODD_TEXTS, TEXT, extract};
use crate::goldens::{ARTICLES, article};
use crate::support::results::{check, list};
use crate::support::{engine, onrecord};

/// A text with enough in it for the tiny model to mark.
const NEWS: &str = "🚂 “The bridge is safe,” Ilka Dorn said on Friday. She hopes trains will cross it by May.\n\n\
                    Bernard Osei, the town clerk of Pellworth, told reporters that it cost $1.8 million. Lena Farrow \
                    of the Harbour Trust doubted it, according to a report. “We will see,” he said, “and so will you.”";

#[test]
fn results_are_those_of_the_engine_and_of_the_command_line() {
    let server = Server::embedded(&[]);
    let texts: Vec<String> = ARTICLES.iter().map(|name| article(name)).collect();
    let documents: Vec<Value> = texts.iter().zip(ARTICLES).map(|(text, id)| json!({"id": id, "text": text})).collect();
    let response = server.ask(&extract(&json!({"documents": documents})));
    let body = response.json();
    assert_eq!(response.status, 200, "{body}");

    assert_eq!(Options::default().offset_unit, onrecord::text::OffsetUnit::Codepoint);
    let texts: Vec<Document> =
        texts.iter().zip(ARTICLES).map(|(t, id)| Document::new(*id, t.as_str()).unwrap()).collect();
    let expected: Vec<Value> = engine()
        .extract(&texts)
        .into_iter()
        .map(|extraction| serde_json::from_str(&serde_json::to_string(&extraction.unwrap()).unwrap()).unwrap())
        .collect();
    assert_eq!(body["results"], Value::from(expected.clone()));

    let lines: Vec<String> = documents.iter().map(Value::to_string).collect();
    let output =
        onrecord().args(["extract", "--input-format", "jsonl"]).write_stdin(lines.join("\n")).output().unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    let by_command: Vec<Value> = output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(body["results"], Value::from(by_command));

    let statements = |result: &Value| list(result, "statements").len() + list(result, "entities").len();
    assert!(expected.iter().map(statements).sum::<usize>() > 50, "too little to compare");
    assert_eq!(body["model"], expected[0]["model"]);
    assert_eq!(body["usage"]["documents"], ARTICLES.len());
    for (part, name) in [("usage", "windows"), ("usage", "tokens"), ("timings", "inference_ms")] {
        assert!(body[part][name].as_f64().is_some_and(|number| number > 0.0), "{name}: {body}");
    }
    for name in ["queue_ms", "tokenize_ms", "decode_ms"] {
        assert!(body["timings"][name].as_f64().is_some_and(|time| time >= 0.0), "{name}: {body}");
    }
}

#[test]
fn a_lone_text_is_document_0() {
    let server = Server::embedded(&[]);
    let body = server.ask(&extract(&json!({"text": TEXT}))).json();
    let results = list(&body, "results");
    assert_eq!((results.len(), &results[0]["id"], &body["usage"]["documents"]), (1, &json!("0"), &json!(1)));
    check(&results[0], TEXT);
    let statement = &results[0]["statements"][0];
    assert_eq!(statement["speaker"]["name"], "Claire Moreau");
    assert_eq!(statement["content"][0]["text"], "“The pier is beyond repair,”");
    assert_eq!(server.ask(&extract(&json!({"documents": []}))).json()["results"], json!([]));
}

#[test]
fn offsets_are_exact_in_every_unit() {
    let server = Server::tiny(&[]);
    let mut entities: Vec<Vec<Value>> = Vec::new();
    for unit in ["byte", "codepoint", "utf16"] {
        let documents: Vec<Value> = ODD_TEXTS.iter().map(|text| json!({"text": text})).collect();
        let body = server.ask(&extract(&json!({"documents": documents, "options": {"offset_unit": unit}}))).json();
        let results = list(&body, "results");
        assert_eq!(results.len(), ODD_TEXTS.len());
        for (text, result) in ODD_TEXTS.iter().zip(results) {
            assert_eq!(result["offset_unit"], unit);
            assert!(check(result, text) > 0, "nothing to check: {result}");
        }
        let found = results.iter().flat_map(|result| list(result, "entities"));
        entities.push(found.map(|entity| entity["text"].clone()).collect());
    }
    assert!(entities[0] == entities[1] && entities[0] == entities[2], "{entities:?}");
}

#[test]
fn options_do_what_they_say() {
    let server = Server::tiny(&[]);
    let result = |options: Value| {
        let response = server.ask(&extract(&json!({"text": NEWS, "options": options})));
        assert_eq!(response.status, 200, "{options}: {}", response.text());
        response.json()["results"][0].clone()
    };
    let all = result(json!({}));
    let parts = ["entities", "statements", "speakers"];
    for part in parts {
        assert!(!list(&all, part).is_empty(), "{part} are missing: {all}");
        let one = result(json!({"include": [part]}));
        assert_eq!(parts.map(|name| one.get(name)), parts.map(|name| if name == part { all.get(name) } else { None }));
        assert_eq!((&one["id"], &one["schema"], &one["warnings"]), (&all["id"], &all["schema"], &all["warnings"]));
    }
    let none = result(json!({"include": []}));
    assert!(parts.iter().all(|part| none.get(part).is_none()), "{none}");

    let scores = |result: &Value| -> Vec<f64> {
        list(result, "entities").iter().map(|entity| entity["score"].as_f64().unwrap()).collect()
    };
    let mut sorted = scores(&all);
    sorted.sort_by(f64::total_cmp);
    let middle = sorted[sorted.len() / 2];
    assert!(sorted[0] < middle, "all scores are the same");
    let sure = scores(&result(json!({"min_score": middle})));
    assert!(!sure.is_empty() && sure.len() < sorted.len(), "{sure:?} of {sorted:?}");
    assert!(sure.iter().all(|&score| score >= middle - 1e-6), "{sure:?} of {middle}");

    let labels = |scheme: &str| -> Vec<String> {
        let result = result(json!({"entity_scheme": scheme}));
        list(&result, "entities").iter().map(|entity| entity["label"].as_str().unwrap().to_owned()).collect()
    };
    let four = |label: &String| ["PER", "ORG", "LOC", "MISC"].contains(&label.as_str());
    assert!(!labels("conll4").is_empty() && labels("conll4").iter().all(four));
    assert!(!labels("news9").iter().all(four));
}

#[test]
fn a_bad_document_costs_its_own_answer() {
    let server = Server::tiny(&["--max-characters", "100"]);
    let long = "é".repeat(101);
    let cases = [
        (json!({"id": "good", "text": TEXT}), Ok("good")),
        (json!({"id": "blank", "text": " \n\u{2028}"}), Err(("empty_document", json!("blank")))),
        (json!({"text": TEXT}), Ok("2")),
        (json!({"id": 12, "text": TEXT, "extra": [1]}), Ok("12")),
        (json!({"id": "long", "text": long}), Err(("document_too_large", json!("long")))),
        (json!({"id": "full", "text": &long[2..]}), Ok("full")),
        (json!({"id": "none"}), Err(("invalid_json", json!("none")))),
        (json!({"id": "number", "text": 5}), Err(("invalid_json", json!("number")))),
        (json!({"id": ["list"], "text": TEXT}), Err(("invalid_json", Value::Null))),
        (json!("a text"), Err(("invalid_json", Value::Null))),
        (Value::Null, Err(("invalid_json", Value::Null))),
        (json!({"id": "good", "text": TEXT}), Ok("good")),
    ];
    let documents: Vec<&Value> = cases.iter().map(|(document, _)| document).collect();
    let response = server.ask(&extract(&json!({"documents": documents})));
    let body = response.json();
    assert_eq!((response.status, list(&body, "results").len()), (200, cases.len()), "{body}");
    for ((document, expected), result) in cases.iter().zip(list(&body, "results")) {
        match expected {
            Ok(id) => {
                assert_eq!(result["id"], *id);
                check(result, document["text"].as_str().unwrap());
            }
            Err((code, id)) => {
                super::check_problem(&result["error"]);
                assert_eq!((&result["error"]["code"], &result["id"]), (&json!(code), id), "{document}: {result}");
                assert_eq!(result.as_object().unwrap().len(), 2, "{result}");
            }
        }
    }
    assert_eq!(body["usage"]["documents"], 5);
}

#[test]
fn ids_of_numbers_keep_their_digits() {
    let server = Server::tiny(&[]);
    let ids = ["18446744073709551616", "18446744073709551617", "1e2", "1.50", "7"];
    let documents = ids.map(|id| format!("{{\"id\": {id}, \"text\": \"Ada said no.\"}}"));
    let told = |results: &[Value]| results.iter().map(|result| result["id"].clone()).collect::<Vec<_>>();
    let body = format!("{{\"documents\": [{}]}}", documents.join(", "));
    let response = server.ask(&super::Request::json("/v1/extract").body(body)).json();
    assert_eq!(told(list(&response, "results")), ids);
    let stream = super::Request::new("POST", "/v1/extract").header("Content-Type", "application/x-ndjson");
    assert_eq!(told(&server.ask(&stream.body(documents.join("\n"))).lines()), ids);
}

#[test]
fn results_depend_on_nothing_that_runs_beside_them() {
    let server = Server::embedded(&[]);
    let texts: Vec<String> = ARTICLES.iter().map(|name| article(name)).collect();
    let ask = |order: &[usize]| -> Vec<(usize, String)> {
        let documents: Vec<Value> = order.iter().map(|&i| json!({"id": i, "text": texts[i]})).collect();
        let body = server.ask(&extract(&json!({"documents": documents}))).json();
        let results = list(&body, "results").iter().map(Value::to_string);
        order.iter().copied().zip(results).collect()
    };
    let alone: Vec<String> = (0..texts.len()).map(|i| ask(&[i]).remove(0).1).collect();
    let together = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for thread in 0..6 {
            let (ask, together) = (&ask, &together);
            scope.spawn(move || {
                // Every thread has another order, in requests of another size.
                let order: Vec<usize> = (0..7).map(|i| (i * (thread + 1) + thread) % 7).collect();
                let results: Vec<_> = order.chunks(thread + 1).flat_map(ask).collect();
                together.lock().unwrap().extend(results);
            });
        }
    });
    let together = together.into_inner().unwrap();
    assert_eq!(together.len(), 42);
    for (number, result) in together {
        assert_eq!(result, alone[number], "{}", ARTICLES[number]);
    }
}
