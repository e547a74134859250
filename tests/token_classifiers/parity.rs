//! The pipeline of `transformers` and we give the same answers, for every architecture and aggregation strategy.

use std::collections::BTreeMap;

use onrecord::engine::service::{Found, Service, ServiceOptions, Want};
use onrecord::model::{Arithmetic, KernelPath, Precision};
use onrecord::server::hugging_face::{Request, token_classification};
use onrecord::text::Document;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{NAMES, directory, load};

/// Largest difference of a score that is allowed.
const TOLERANCE: f64 = 1e-4;

#[derive(Deserialize)]
struct Recorded {
    text: String,
    /// Items by strategy.
    answers: BTreeMap<String, Vec<Value>>,
}

fn recorded(name: &str) -> Vec<Recorded> {
    let json = std::fs::read(directory(name).join("recorded.json")).expect("the fixture is there");
    serde_json::from_slice(&json).expect("the fixture is in order")
}

/// What we answer for each text and strategy.
fn answers(name: &str, arithmetic: Arithmetic, recorded: &[Recorded]) -> Vec<BTreeMap<String, Vec<Value>>> {
    let options = ServiceOptions { threads: 2, ..ServiceOptions::default() };
    let service = Service::start(load(name, arithmetic), options).expect("the service starts");
    let documents = recorded.iter().map(|one| Document::new("", one.text.as_str()).expect("there is text")).collect();
    let mut found = service.submit(documents, Want::Tags(None), None).expect("there is room");
    let mut found: Vec<_> = std::iter::from_fn(|| found.wait()).collect();
    found.sort_by_key(|answer| answer.place);
    let model = service.model();
    let scheme = model.entity_head(None).and_then(|head| model.scheme(head)).expect("there is a head");
    let answer = |(one, answer): (&Recorded, onrecord::engine::service::Answer)| {
        let Ok(Found::Tags(tokens)) = answer.found else { panic!("{name}: no tags for {}", one.text) };
        assert_eq!(answer.usage.windows, 1, "{name}: the pipeline reads one window, so must we: {}", one.text);
        let strategies = one.answers.keys().map(|strategy| {
            let ignored: &[&str] = if strategy == "none" { &[] } else { &["O"] };
            let parameters = json!({"aggregation_strategy": strategy, "ignore_labels": ignored});
            let request: Request =
                serde_json::from_value(json!({"inputs": "", "parameters": parameters})).expect("the request is one");
            let items = token_classification(model.tokenizer(), scheme, &one.text, &tokens, &request.parameters);
            let items = serde_json::to_value(items.expect("the tokens are classified")).expect("it serialises");
            (strategy.clone(), items.as_array().expect("it is a list").clone())
        });
        strategies.collect()
    };
    recorded.iter().zip(found).map(answer).collect()
}

/// Takes the score out of an item.
fn without_score(item: &Value) -> (Value, f64) {
    let mut item = item.clone();
    let score = item["score"].take().as_f64().expect("the score is a number");
    (item, score)
}

#[test]
fn the_pipeline_gives_the_same_answers() {
    for name in NAMES {
        let recorded = recorded(name);
        let varied: std::collections::BTreeSet<&str> = recorded
            .iter()
            .flat_map(|one| &one.answers["simple"])
            .filter_map(|item| item["entity_group"].as_str())
            .collect();
        assert!(varied.len() > 1, "{name}: too little to compare: {varied:?}");
        for kernels in KernelPath::available() {
            let arithmetic = Arithmetic { precision: Precision::F32, kernels };
            for (one, found) in recorded.iter().zip(answers(name, arithmetic, &recorded)) {
                for (strategy, expected) in &one.answers {
                    let (found, scores): (Vec<Value>, Vec<f64>) = found[strategy].iter().map(without_score).unzip();
                    let (expected, expected_scores): (Vec<Value>, Vec<f64>) =
                        expected.iter().map(without_score).unzip();
                    assert_eq!(found, expected, "{name} {kernels} {strategy}: {}", one.text);
                    for ((item, found), score) in expected.iter().zip(scores).zip(expected_scores) {
                        let off = (found - score).abs();
                        assert!(off < TOLERANCE, "{name} {kernels} {strategy} {item}: {found}, not {score}");
                    }
                }
            }
        }
    }
}

/// Random weights are far harder on eight bits than trained ones, with tags that are hardly likelier than others: most
/// are those of single precision all the same, where chance would give one in four at best.
#[test]
fn eight_bits_give_nearly_the_same_tags() {
    for name in NAMES {
        let recorded = recorded(name);
        for kernels in KernelPath::available() {
            let arithmetic = Arithmetic { precision: Precision::Int8, kernels };
            let found = answers(name, arithmetic, &recorded);
            let pairs = recorded.iter().zip(&found);
            let tags = pairs.flat_map(|(one, found)| one.answers["none"].iter().zip(&found["none"]));
            let same: Vec<bool> = tags.map(|(expected, found)| expected["entity"] == found["entity"]).collect();
            let share = same.iter().filter(|&&same| same).count() as f64 / same.len() as f64;
            assert!(share > 0.8, "{name} {kernels}: {share}");
        }
    }
}
