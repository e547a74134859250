//! Windows make no difference: with a model that sees tokens one by one, a document cut into windows of any size
//! gives the spans and links of the whole document.

use onrecord::engine::{Engine, Extraction, Options};
use onrecord::model::Model;
use onrecord::text::{Document, unwrapped};
use proptest::prelude::*;

use crate::goldens::{ARTICLES, article};
use crate::support::{arithmetic, engine, tiny, wrapped};

fn tiny_engine(max_window: Option<usize>) -> Engine {
    let model = Model::from_files(&tiny::files(), arithmetic()).expect("the tiny model loads");
    let engine = Engine::new(model, Options::default(), 2).and_then(|engine| engine.with_max_window(max_window));
    engine.expect("the engine starts")
}

fn extract(engine: &Engine, texts: &[&str]) -> Vec<Extraction> {
    let documents: Vec<Document> = texts.iter().map(|text| Document::new("d", *text).expect("not empty")).collect();
    let results = engine.extract(&documents);
    results.into_iter().map(|result| result.expect("the document is processed")).collect()
}

/// An extraction without its scores, which may differ in the last bits.
fn without_scores(mut extraction: Extraction) -> Extraction {
    extraction.entities.iter_mut().for_each(|entity| entity.score = 0.0);
    for statement in &mut extraction.statements {
        statement.score = 0.0;
        for segments in [&mut statement.source, &mut statement.cue, &mut statement.content] {
            segments.iter_mut().for_each(|segment| segment.score = 0.0);
        }
        statement.speaker.iter_mut().for_each(|speaker| speaker.score = 0.0);
    }
    extraction
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn any_window_size_gives_the_same(
        text in "[a-zA-Z“”]([a-zA-Z0-9]{1,3}[ ,.“”\"]|[a-z]{1,4}[ \n]|é|🦀){0,150}",
        window in 3usize..90,
    ) {
        let whole = extract(&tiny_engine(None), &[&text]).remove(0);
        let cut = extract(&tiny_engine(Some(window)), &[&text]).remove(0);
        let scores = |found: &Extraction| -> Vec<f64> {
            let entities = found.entities.iter().map(|entity| entity.score);
            entities.chain(found.statements.iter().map(|statement| statement.score)).collect()
        };
        let (of_whole, of_cut) = (scores(&whole), scores(&cut));
        prop_assert_eq!(of_whole.len(), of_cut.len());
        for (a, b) in of_whole.iter().zip(&of_cut) {
            prop_assert!((a - b).abs() < 1e-3, "{a} and {b}");
        }
        prop_assert_eq!(without_scores(whole), without_scores(cut));
    }

    #[test]
    fn spans_are_exact_slices(text in "(\\PC|[a-z ]|\r\n|\u{301}|🦀|“|”){1,200}") {
        prop_assume!(!text.trim().is_empty());
        let found = extract(&tiny_engine(Some(20)), &[&text]).remove(0);
        let characters: Vec<char> = text.chars().collect();
        let slice = |start: usize, end: usize| characters[start..end].iter().collect::<String>();
        for entity in &found.entities {
            prop_assert_eq!(&slice(entity.start, entity.end), &entity.text);
            prop_assert!(!entity.text.is_empty());
        }
        for statement in &found.statements {
            prop_assert!(!statement.content.is_empty());
            for segment in statement.source.iter().chain(&statement.cue).chain(&statement.content) {
                prop_assert_eq!(&slice(segment.start, segment.end), &segment.text);
            }
        }
    }
}

#[test]
fn the_tiny_model_finds_something() {
    let text = "Aab said “bcd efg”, hij klm. Nop qrs tuv wxy: zab cde, fgh “ijk”. ".repeat(8);
    let found = extract(&tiny_engine(None), &[&text]).remove(0);
    assert!(found.entities.len() > 5 && found.statements.len() > 5, "too little to compare: {found:?}");
    assert!(found.statements.iter().any(|statement| !statement.source.is_empty()));
}

#[test]
fn company_changes_nothing() {
    let texts = ["“We go on,” said Ada Holt of the Port Board.", "Ben Ruiz told reporters that the pier was closed.\n"];
    let long = texts.concat().repeat(60);
    let alone: Vec<Extraction> = texts.iter().map(|text| extract(engine(), &[text]).remove(0)).collect();
    let together = extract(engine(), &[texts[0], &long, texts[1]]);
    assert_eq!(without_scores(alone[0].clone()), without_scores(together[0].clone()));
    assert_eq!(without_scores(alone[1].clone()), without_scores(together[2].clone()));
}

#[test]
fn nothing_is_truncated() {
    let sentence = "“The work goes on,” Ada Holt of the Lysmouth Port Board said on Monday. ";
    // One paragraph of well over 5,000 tokens; then the same in paragraphs.
    for text in [sentence.repeat(320), sentence.replace(". ", ".\n").repeat(320)] {
        let tokens = engine().model().tokenizer().tokenise(&text).expect("it tokenises");
        assert!(tokens.len() > 5_000, "only {} tokens", tokens.len());
        let found = extract(engine(), &[&text]).remove(0);
        // The name stands in every sentence: it must be found in every fiftieth of the document.
        let part = text.chars().count() / 50;
        for start in (0..50).map(|index| index * part) {
            let mut names = found.entities.iter().filter(|entity| entity.text == "Ada Holt");
            assert!(names.any(|name| (start..start + part).contains(&name.start)), "nothing found from {start} on");
        }
    }
}

#[test]
fn wrapped_lines_are_read_as_they_flow() {
    // Blank lines part the paragraphs of a wrapped text.
    let articles = ARTICLES.iter().map(|name| article(name).replace("\r\n", "\n").replace('\n', "\n\n"));
    let texts: Vec<String> = articles.map(|text| text.replace("\n\n\n\n", "\n\n")).collect();
    for text in texts.iter().filter(|text| !text.contains("  ")) {
        let wrapped = wrapped(text, 66);
        assert_ne!(&wrapped, text);
        let [whole, cut] = &extract(engine(), &[text, &wrapped])[..] else { panic!("two results") };
        let characters: Vec<char> = wrapped.chars().collect();
        for entity in &cut.entities {
            assert_eq!(entity.text, characters[entity.start..entity.end].iter().collect::<String>());
        }
        let flowing = serde_json::to_string(cut).expect("it is JSON").replace("\\n", " ");
        assert_eq!(flowing, serde_json::to_string(whole).expect("it is JSON").replace("\\n", " "));
    }
}

/// Over the texts of the corpora beside the checkout, none of which has lines that somebody wrapped.
#[test]
#[ignore = "reads ../shared/data: scripts/test-long wrapped"]
fn texts_that_nobody_wrapped_stay_as_they_are() {
    let data = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let mut count = 0;
    for corpus in ["polnear.train", "polnear.dev", "gum_attribution.train", "litbank", "parcorfull_news", "gap.train"] {
        let lines = std::fs::read_to_string(data.join(format!("{corpus}.jsonl"))).expect("the corpus is there");
        for line in lines.lines() {
            let document: serde_json::Value = serde_json::from_str(line).expect("a line is JSON");
            assert_eq!(unwrapped(document["text"].as_str().expect("it has a text")), None, "{}", document["id"]);
            count += 1;
        }
    }
    println!("{count} documents");
    assert!(count > 3000);
}
