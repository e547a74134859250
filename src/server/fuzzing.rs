//! Bodies and query strings that anybody sent.

use clap::Parser;
use serde_json::value::RawValue;

use super::hugging_face::Request;
use super::inference_protocol::parse_infer;
use super::process::configuration::Configuration;
use super::requests::options::QueryOptions;
use super::requests::parsing::json;
use super::requests::run;
use super::routes::extract;
use crate::fuzzing::Choices;
use crate::json::Unambiguous;

#[derive(Parser)]
struct Flags {
    #[command(flatten)]
    configuration: Configuration,
}

/// Any bytes as a body in every form, as a line of a stream, and as a query string: they are read or refused.
pub fn requests(data: &[u8]) {
    let mut choices = Choices::new(data);
    let header_length = match choices.byte() {
        0 => Some(usize::MAX),
        1 => Some(choices.below(usize::MAX)),
        _ => None,
    };
    let body = choices.rest();
    let configuration = Flags::parse_from(["serve", "--max-documents", "8", "--max-characters", "100"]).configuration;
    if let Ok((documents, _)) = extract::parse(body, &configuration) {
        assert!(documents.len() <= 8);
        let characters = |document: &crate::text::Document| document.text.chars().count();
        assert!(documents.iter().flatten().all(|document| characters(document) <= 100));
    }
    if let Ok(value) = json::<&RawValue>(body) {
        let _ = run::document(value.get(), 1, &configuration);
    }
    if let Ok(Unambiguous(value)) = json(body)
        && let Ok(request) = Request::try_from(value)
    {
        let _ = request.parameters.check(256);
    }
    let _ = parse_infer(body, header_length);
    let _ = QueryOptions::parse(&String::from_utf8_lossy(body));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fuzzing::bytes;

    /// Bodies that are read, for edits.
    const BODIES: [&str; 4] = [
        r#"1{"text": "Ada said no.", "options": {"entity_scheme": "conll4", "include": ["statements"]}}"#,
        r#"1{"documents": [{"id": 7, "text": "a"}, 7, {"text": null}], "options": {"min_score": 0.5, "floating": false}}"#,
        r#"1{"inputs": ["a", ""], "parameters": {"aggregation_strategy": "max", "stride": 3, "ignore_labels": ["O"]}}"#,
        r#"1{"id": "x", "inputs": [{"name": "text", "datatype": "BYTES", "shape": [2], "data": ["a", "b"]}], "outputs": []}"#,
    ];

    proptest! {
        #[test]
        fn bodies_of_any_bytes_are_read_or_refused(data in bytes(300), which in 0_usize..4) {
            requests(&data);
            requests(&Choices::new(&data).edited(BODIES[which].as_bytes()));
        }
    }
}
