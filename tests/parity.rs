//! Rust and PyTorch agree: the same tokens, shapes and gaps, and the same scores: to 1e-3 in single precision on every
//! kernel path, and about the same in eight bits.
//!
//! `tests/fixtures/parity*.json` are written by the stage `parity` of `scripts/train` from the weights in `models/`.

use std::path::Path;

use onrecord::engine::Engine;
use onrecord::model::{Arithmetic, LinkKind, LinkRole, MentionClass, Model, PairFeatures, Precision, WindowInput};
use serde::Deserialize;

use crate::support::{arithmetic, engines, fixture};

/// Largest difference of a score that is allowed, and root of the mean squared difference of a head's scores.
fn tolerance(precision: Precision) -> (f32, f32) {
    match precision {
        Precision::F32 => (1e-3, 1e-4),
        Precision::Int8 => (1.0, 0.1),
    }
}

#[derive(Deserialize)]
struct Recorded {
    /// The SHA-256 of the weights.
    weights: String,
    windows: Vec<RecordedWindow>,
}

#[derive(Deserialize)]
struct RecordedWindow {
    text: String,
    ids: Vec<u32>,
    shapes: Vec<u8>,
    gaps: Vec<u8>,
    scores: std::collections::BTreeMap<String, Vec<Vec<f32>>>,
    links: Vec<RecordedLink>,
    references: Vec<RecordedReference>,
}

/// Scores of an anaphor and a candidate, each given by its first and last token.
#[derive(Deserialize)]
struct RecordedReference {
    anaphor: (usize, usize),
    candidate: (usize, usize),
    features: PairFeatures,
    class: usize,
    is_source: bool,
    score: f32,
    nobody: f32,
}

/// Scores of a pair of spans, given by their first and last tokens.
#[derive(Deserialize)]
struct RecordedLink {
    span: (usize, usize),
    cue: (usize, usize),
    content: f32,
    none: f32,
    source: f32,
}

fn recorded(file: &str) -> Recorded {
    let json = std::fs::read_to_string(fixture(file)).expect("the fixture is there");
    serde_json::from_str(&json).expect("the fixture is in order")
}

#[test]
fn scores_agree_with_pytorch() {
    let recorded = recorded("parity.json");
    for model in engines().iter().map(Engine::model) {
        compare(model, &recorded);
    }
}

/// MPNet, from matrices in eight bits: what single precision makes of them is what PyTorch does.
#[test]
fn scores_of_the_base_model_agree_with_pytorch() {
    let recorded = recorded("parity-base.json");
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/onrecord-base");
    for precision in Precision::ALL {
        let way = Arithmetic { precision, ..arithmetic() };
        compare(&Model::load(&directory, way).expect("the base model loads"), &recorded);
    }
}

fn compare(model: &Model, recorded: &Recorded) {
    assert_eq!(
        recorded.weights,
        model.weights_hash(),
        "the weights have changed: record anew with the stage parity of scripts/train (see its README.md)"
    );
    let arithmetic = model.arithmetic();
    let (most, mean) = tolerance(arithmetic.precision);
    // One batch of all windows: lengths differ, nothing is padded.
    let tokens: Vec<_> =
        recorded.windows.iter().map(|w| model.tokenizer().tokenise(&w.text).expect("tokenises")).collect();
    let inputs: Vec<WindowInput<'_>> =
        tokens.iter().map(|t| WindowInput { ids: &t.ids, shapes: &t.shapes, gaps: &t.gaps }).collect();
    let heads: Vec<&str> = model.config().heads.keys().map(String::as_str).collect();
    let outputs = model.forward(&inputs, &heads).expect("the model runs");
    for ((window, tokens), output) in recorded.windows.iter().zip(&tokens).zip(&outputs) {
        assert_eq!((&tokens.ids, &tokens.shapes, &tokens.gaps), (&window.ids, &window.shapes, &window.gaps));
        for (head, scores) in heads.iter().zip(&output.tag_scores) {
            let expected: Vec<f32> = window.scores[*head].concat();
            assert_eq!(scores.len(), expected.len());
            let differences = || scores.iter().zip(&expected).map(|(found, expected)| (found - expected).abs());
            let largest = differences().fold(0.0, f32::max);
            assert!(largest < most, "{arithmetic:?} {head}: off by up to {largest}");
            let typical = (differences().map(|off| off * off).sum::<f32>() / scores.len() as f32).sqrt();
            assert!(typical < mean, "{arithmetic:?} {head}: off by {typical}");
        }
        let hidden = model.config().encoder.hidden_size;
        let state = |token: usize| &output.states[token * hidden..(token + 1) * hidden];
        assert!(!window.references.is_empty());
        for reference in &window.references {
            let (anaphor, candidate) = (reference.anaphor, reference.candidate);
            let ends = [(state(anaphor.0), state(anaphor.1)), (state(candidate.0), state(candidate.1))];
            let vectors = model.mention_vectors(&ends);
            let score = model.antecedent_scores(&vectors[0], &[(&vectors[1], reference.features)])[0];
            let nobody = model.nobody_score(&vectors[0], MentionClass::ALL[reference.class], reference.is_source);
            for (found, expected) in [(score, reference.score), (nobody, reference.nobody)] {
                assert!((found - expected).abs() < most, "{arithmetic:?} {anaphor:?}: {found}, not {expected}");
            }
        }
        assert!(!window.links.is_empty());
        for link in &window.links {
            let vectors = |role, (first, last): (usize, usize)| {
                model.span_vectors(role, &[(state(first), state(last))]).expect("projects").remove(0)
            };
            let cue = vectors(LinkRole::Cue, link.cue);
            let distance = link.cue.0 as isize - link.span.0 as isize;
            let content = vectors(LinkRole::Content, link.span);
            let source = vectors(LinkRole::Source, link.span);
            for (found, expected) in [
                (model.link_score(LinkKind::Content, &content, &cue, distance), link.content),
                (model.no_link_score(&content), link.none),
                (model.link_score(LinkKind::Source, &source, &cue, distance), link.source),
            ] {
                assert!((found - expected).abs() < most, "{arithmetic:?} {:?}: {found}, not {expected}", link.span);
            }
        }
    }
}
