//! The same input gives the same bytes, whatever runs beside it: on one kernel path nothing but the text decides.

use onrecord::engine::service::{Found, Service, ServiceOptions, Want};
use onrecord::engine::{Engine, Options};
use onrecord::model::{Arithmetic, Model, Precision};
use onrecord::text::Document;

use crate::goldens::{ARTICLES, article};
use crate::support::arithmetic;

/// Articles, short and long, and texts on which offsets stumble.
fn documents() -> Vec<Document> {
    let articles = ARTICLES.iter().map(|name| article(name));
    let odd =
        ["🚂 “Trains run,” said Zoë.\r\n\r\n“We will go 🎈,” she added.", "He said no.", "said"].map(str::to_owned);
    let long = ARTICLES.iter().map(|name| article(name)).collect::<Vec<_>>().join("\n\n");
    let texts = articles.chain(odd).chain([long]);
    texts.enumerate().map(|(number, text)| Document::new(number.to_string(), text).unwrap()).collect()
}

fn model(precision: Precision) -> Model {
    Model::embedded(Arithmetic { precision, ..arithmetic() }).unwrap()
}

#[test]
fn threads_neighbours_and_order_make_no_difference() {
    let documents = documents();
    for precision in Precision::ALL {
        let one = Engine::new(model(precision), Options::default(), 1).unwrap();
        let bytes = |engine: &Engine, documents: &[Document]| -> Vec<String> {
            let results = engine.extract(documents).into_iter();
            results.map(|extraction| serde_json::to_string(&extraction.unwrap()).unwrap()).collect()
        };
        let alone: Vec<String> =
            documents.iter().map(|document| bytes(&one, std::slice::from_ref(document)).remove(0)).collect();
        assert!(alone.iter().map(String::len).sum::<usize>() > 20_000, "too little to compare");
        for threads in [1, 2, 5] {
            let engine = Engine::new(model(precision), Options::default(), threads).unwrap();
            assert_eq!(bytes(&engine, &documents), alone, "{threads} threads, {precision}");
            let turned: Vec<Document> = documents.iter().rev().cloned().collect();
            let mut found = bytes(&engine, &turned);
            found.reverse();
            assert_eq!(found, alone, "{threads} threads, the other way round, {precision}");
            // Again: nothing is left of what was read before.
            assert_eq!(bytes(&engine, &documents[2..5]), alone[2..5]);
        }
    }
}

#[test]
fn the_service_gives_the_bytes_of_the_engine_under_any_load() {
    let documents = documents();
    let engine = Engine::new(model(arithmetic().precision), Options::default(), 1).unwrap();
    let expected: Vec<_> = engine.extract(&documents).into_iter().map(Result::unwrap).collect();
    for (threads, max_batch_tokens) in [(1, 1), (1, 256), (2, 256), (3, 5000)] {
        let options = ServiceOptions { threads, max_batch_tokens, ..ServiceOptions::default() };
        let service = Service::start(model(arithmetic().precision), options).unwrap();
        // All at the same time, each by itself, and as one request.
        let want = Want::Extraction(Options::default());
        let singles: Vec<_> =
            documents.iter().map(|document| service.submit(vec![document.clone()], want, None).unwrap()).collect();
        let mut together = service.submit(documents.clone(), want, None).unwrap();
        let extraction = |found| match found {
            Ok(Found::Extraction(extraction)) => *extraction,
            other => panic!("{other:?}"),
        };
        for (mut answers, expected) in singles.into_iter().zip(&expected) {
            assert_eq!(
                extraction(answers.wait().unwrap().found),
                *expected,
                "{threads} threads, {max_batch_tokens} tokens"
            );
        }
        for _ in &documents {
            let answer = together.wait().unwrap();
            let place = answer.place;
            assert_eq!(extraction(answer.found), expected[place], "{threads} threads, {max_batch_tokens} tokens");
        }
    }
}
