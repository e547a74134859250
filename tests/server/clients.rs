//! The forms of other servers' clients, from the outside. The real clients are tested in `tests/clients`.

use serde_json::{Value, json};

use super::http::Request;
use super::process::Server;
use super::{ODD_TEXTS, TEXT, check_plain_error, extract};
use crate::support::results::{check, list};

#[test]
fn hugging_face_gets_a_list_for_a_text_and_lists_for_a_list() {
    let server = Server::embedded(&[]);
    let ask = |path: &str, body: Value| {
        let response = server.ask(&Request::post(path, &body));
        assert_eq!(response.status, 200, "{body}: {}", response.text());
        response.json()
    };
    let one = ask("/", json!({"inputs": TEXT}));
    assert_eq!(one[0]["entity_group"], "PER");
    assert_eq!(one.as_array().map(Vec::len), Some(1), "{one}");
    let (start, end) = (one[0]["start"].as_u64().unwrap() as usize, one[0]["end"].as_u64().unwrap() as usize);
    let slice: String = TEXT.chars().skip(start).take(end - start).collect();
    assert_eq!(slice, "Claire Moreau");
    assert!(one[0]["score"].as_f64().is_some_and(|score| score > 0.5), "{one}");

    assert_eq!(ask("/", json!({"inputs": [TEXT, "", TEXT]})), json!([one, [], one]));
    assert_eq!(ask("/models/onrecord-small", json!({"inputs": TEXT})), one);
    let conll = ask("/models/onrecord-small-conll4", json!({"inputs": [TEXT]}));
    assert_eq!(conll[0][0]["entity_group"], "PER");
    assert_eq!(ask("/", json!({"inputs": TEXT, "parameters": {"ignore_labels": ["O", "PER"]}})), json!([]));
    let tokens = ask("/", json!({"inputs": TEXT, "parameters": {"aggregation_strategy": "none"}}));
    assert!(tokens[0]["entity"].as_str().is_some_and(|tag| tag.starts_with("B-")), "{tokens}");
    // The entities are those of the other route.
    let body = server.ask(&extract(&json!({"text": TEXT}))).json();
    let entity = &body["results"][0]["entities"][0];
    assert_eq!((&entity["start"], &entity["end"]), (&one[0]["start"], &one[0]["end"]));
}

#[test]
fn hugging_face_gets_its_errors_as_texts() {
    let server = Server::tiny(&[]);
    for (path, body, code) in [
        ("/", json!({}), "invalid_request"),
        ("/", json!({"inputs": 5}), "invalid_request"),
        ("/", json!({"inputs": TEXT, "parameters": {"aggregation_strategy": "best"}}), "invalid_request"),
        ("/", json!({"inputs": TEXT, "parameters": {"stride": -1}}), "invalid_request"),
        ("/", json!([TEXT]), "invalid_request"),
        ("/models/other", json!({"inputs": TEXT}), "unknown_model"),
    ] {
        check_plain_error(&server.ask(&Request::post(path, &body)), code);
    }
    for (body, code) in [(&b"{"[..], "invalid_json"), (b"{\"inputs\": \"caf\xe9\"}", "invalid_utf8")] {
        check_plain_error(&server.ask(&Request::json("/").body(body)), code);
    }
}

/// The body of an inference request.
fn infer(texts: &[&str], parameters: Value) -> Value {
    let input = json!({"name": "text", "datatype": "BYTES", "shape": [texts.len()], "data": texts});
    json!({"id": "request-7", "parameters": parameters, "inputs": [input]})
}

#[test]
fn the_open_inference_protocol_gives_the_results_of_the_other_route() {
    let server = Server::tiny(&[]);
    for (model, scheme) in [("onrecord-small", "news9"), ("onrecord-small-conll4", "conll4")] {
        let metadata = server.ask(&Request::get(&format!("/v2/models/{model}"))).json();
        assert_eq!((&metadata["name"], list(&metadata, "versions").len()), (&json!(model), 1));
        let version = metadata["versions"][0].as_str().unwrap();
        let ready = server.ask(&Request::get(&format!("/v2/models/{model}/versions/{version}/ready"))).json();
        assert_eq!(ready, json!({"name": model, "ready": true}));
        let texts = [ODD_TEXTS[0], ODD_TEXTS[2], "  "];
        let parameters = json!({"offset_unit": "utf16", "include": "entities,statements,speakers", "other": 1});
        let path = format!("/v2/models/{model}/versions/{version}/infer");
        let body = server.ask(&Request::post(&path, &infer(&texts, parameters))).json();
        let head = (&body["model_name"], &body["model_version"], &body["id"]);
        assert_eq!(head, (&json!(model), &json!(version), &json!("request-7")));
        let output = &body["outputs"][0];
        assert_eq!(
            (&output["name"], &output["datatype"], &output["shape"]),
            (&json!("result"), &json!("BYTES"), &json!([3]))
        );
        let results: Vec<Value> =
            list(output, "data").iter().map(|text| serde_json::from_str(text.as_str().unwrap()).unwrap()).collect();
        let options = json!({"offset_unit": "utf16", "entity_scheme": scheme});
        let documents = [json!({"text": texts[0]}), json!({"text": texts[1]})];
        let expected = server.ask(&extract(&json!({"documents": documents, "options": options}))).json();
        assert_eq!(results[..2], list(&expected, "results")[..]);
        assert!(check(&results[0], texts[0]) > 0);
        assert_eq!(results[2]["error"]["code"], "empty_document");
    }
}

#[test]
fn tensors_may_be_binary_both_ways() {
    let server = Server::tiny(&[]);
    let texts = [ODD_TEXTS[0], TEXT];
    let tensor: Vec<u8> =
        texts.iter().flat_map(|text| [&(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat()).collect();
    let head = json!({
        "inputs": [{"name": "text", "datatype": "BYTES", "shape": [2], "parameters": {"binary_data_size": tensor.len()}}],
        "outputs": [{"name": "result", "parameters": {"binary_data": true}}],
    })
    .to_string();
    let request = |length: &str| {
        Request::new("POST", "/v2/models/onrecord-small/infer")
            .header("Content-Type", "application/octet-stream")
            .header("Inference-Header-Content-Length", length)
            .body([head.as_bytes(), &tensor].concat())
    };
    let response = server.ask(&request(&head.len().to_string()));
    assert_eq!(response.status, 200, "{:?}", response.body);
    let length: usize = response.header("Inference-Header-Content-Length").unwrap().parse().unwrap();
    let (head, mut elements) = response.body.split_at(length);
    let head: Value = serde_json::from_slice(head).unwrap();
    assert_eq!(head["outputs"][0]["parameters"]["binary_data_size"], elements.len());
    for text in texts {
        let (length, rest) = elements.split_at(4);
        let (result, rest) = rest.split_at(u32::from_le_bytes(length.try_into().unwrap()) as usize);
        check(&serde_json::from_slice(result).unwrap(), text);
        elements = rest;
    }
    assert!(elements.is_empty());
    for length in ["nonsense", "-1", ""] {
        check_plain_error(&server.ask(&request(length)), "invalid_header");
    }
    for length in ["0", "10", "999999"] {
        check_plain_error(&server.ask(&request(length)), "invalid_json");
    }
}

#[test]
fn the_open_inference_protocol_gets_its_errors_as_texts() {
    let server = Server::tiny(&[]);
    let path = "/v2/models/onrecord-small/infer";
    let wrong_name = json!({"inputs": [{"name": "texts", "datatype": "BYTES", "shape": [1], "data": [TEXT]}]});
    let wrong_shape = json!({"inputs": [{"name": "text", "datatype": "BYTES", "shape": [2], "data": [TEXT]}]});
    for body in [json!({}), json!([]), wrong_name, wrong_shape, infer(&[TEXT], json!({"min_score": 2}))] {
        check_plain_error(&server.ask(&Request::post(path, &body)), "invalid_json");
    }
    for path in ["/v2/models/other", "/v2/models/other/ready", "/v2/models/onrecord-small/versions/0"] {
        check_plain_error(&server.ask(&Request::get(path)), "unknown_model");
    }
    for path in ["/v2/models/other/infer", "/v2/models/onrecord-small/versions/0/infer"] {
        check_plain_error(&server.ask(&Request::post(path, &infer(&[TEXT], json!({})))), "unknown_model");
    }
}
