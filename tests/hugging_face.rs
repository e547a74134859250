//! Our token classification and the pipeline of `transformers` give the same answers for the same tokens.
//!
//! `tests/fixtures/hugging_face.json` is written by `scripts/eval/make_hugging_face_fixture.py` from the pipeline.

use onrecord::decode::TaggedToken;
use onrecord::model::TagScheme;
use onrecord::server::hugging_face::{AggregationStrategy, Parameters, Request, token_classification};
use onrecord::text::Tokenizer;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::{engine, fixture};

/// Largest difference of a score that is allowed.
const TOLERANCE: f64 = 1e-5;

#[derive(Deserialize)]
struct Recorded {
    tags: Vec<String>,
    documents: Vec<RecordedDocument>,
}

#[derive(Deserialize)]
struct RecordedDocument {
    text: String,
    ids: Vec<u32>,
    /// Probabilities of each token's tags.
    millionths: Vec<Vec<u32>>,
    answers: Vec<RecordedAnswer>,
}

#[derive(Deserialize)]
struct RecordedAnswer {
    parameters: Value,
    items: Vec<Value>,
}

/// The document's tokens, each with its most probable tag.
fn tagged(tokenizer: &Tokenizer, document: &RecordedDocument) -> Vec<TaggedToken> {
    let tokens = tokenizer.tokenise(&document.text).expect("the text is tokenised");
    assert_eq!(tokens.ids, document.ids, "{}", document.text);
    assert_eq!(tokens.len(), document.millionths.len(), "{}", document.text);
    let places = tokens.ids.into_iter().zip(tokens.spans);
    let tag = |((id, bytes), millionths): ((u32, _), &Vec<u32>)| {
        let highest = millionths.iter().max().expect("there are tags");
        let tag = millionths.iter().position(|value| value == highest).expect("it is one of them");
        let probabilities = millionths.iter().map(|&value| value as f32 / 1e6).collect();
        TaggedToken { id, bytes, tag, probabilities }
    };
    places.zip(&document.millionths).map(tag).collect()
}

/// Takes the score out of an item.
fn without_score(item: &Value) -> (Value, f64) {
    let mut item = item.clone();
    let score = item["score"].take().as_f64().expect("the score is a number");
    (item, score)
}

#[test]
fn the_pipeline_gives_the_same_answers() {
    let recorded = std::fs::read(fixture("hugging_face.json")).expect("the fixture is there");
    let Recorded { tags, documents } = serde_json::from_slice(&recorded).expect("the fixture is JSON");
    let model = engine().model();
    let scheme: &TagScheme = model.scheme("news9").expect("the model has the head");
    let names: Vec<&str> = (0..scheme.tags()).map(|tag| scheme.name_of(tag)).collect();
    assert_eq!(names, tags);
    for document in &documents {
        let text = &document.text;
        let tokens = tagged(model.tokenizer(), document);
        for RecordedAnswer { parameters, items } in &document.answers {
            let request = json!({"inputs": text, "parameters": parameters});
            let request: Request = serde_json::from_value(request).expect("the request is understood");
            let answer = token_classification(model.tokenizer(), scheme, text, &tokens, &request.parameters)
                .expect("the tokens are classified");
            let answer = serde_json::to_value(answer).expect("the answer serialises");
            let answer = answer.as_array().expect("the answer is a list").iter().map(without_score);
            let (found, found_scores): (Vec<Value>, Vec<f64>) = answer.unzip();
            let (expected, scores): (Vec<Value>, Vec<f64>) = items.iter().map(without_score).unzip();
            assert_eq!(found, expected, "{parameters} {text}");
            for ((item, found), score) in expected.iter().zip(found_scores).zip(scores) {
                assert!((found - score).abs() < TOLERANCE, "{parameters} {item}: {found}, not {score}");
            }
        }
    }
}

#[test]
fn the_decoders_tag_counts_before_the_most_probable_one() {
    let model = engine().model();
    let scheme = model.scheme("conll4").expect("the model has the head");
    let text = "Duarte";
    let tokens = model.tokenizer().tokenise(text).expect("the text is tokenised");
    assert_eq!(tokens.len(), 2, "a word of two pieces");
    // The decoder says B-PER I-PER, each token by itself I-ORG.
    let mut probabilities = vec![0.0; scheme.tags()];
    probabilities[1..5].copy_from_slice(&[0.25, 0.125, 0.125, 0.5]);
    let tagged: Vec<TaggedToken> = (0..2)
        .map(|at| TaggedToken {
            id: tokens.ids[at],
            bytes: tokens.spans[at].clone(),
            tag: at + 1,
            probabilities: probabilities.clone(),
        })
        .collect();
    for (aggregation_strategy, label, score) in [
        (AggregationStrategy::Simple, "PER", 0.1875),
        (AggregationStrategy::First, "PER", 0.25),
        (AggregationStrategy::Average, "ORG", 0.5),
        (AggregationStrategy::Max, "ORG", 0.5),
    ] {
        let parameters = Parameters { aggregation_strategy, ..Parameters::default() };
        let items = token_classification(model.tokenizer(), scheme, text, &tagged, &parameters)
            .expect("the tokens are classified");
        let found = serde_json::to_value(items).expect("the answer serialises");
        let expected = json!([{"entity_group": label, "score": score, "word": "duarte", "start": 0, "end": 6}]);
        assert_eq!(found, expected, "{}", aggregation_strategy.name());
    }
}
