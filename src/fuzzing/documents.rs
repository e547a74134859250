//! Documents: cut into windows, and decoded from scores of every kind.

use std::sync::LazyLock;

use super::{Choices, tiny};
use crate::decode::{Annotations, DocumentDecoder, Reading, Segment, complete};
use crate::model::{Arithmetic, KernelPath, Model, Precision, WindowInput, WindowOutput};
use crate::text::{Document, Tokens, WindowSize, plan_windows};

/// The tiny model reads each token by itself, so that windows can make no difference.
fn model() -> &'static Model {
    static MODEL: LazyLock<Model> = LazyLock::new(|| {
        let arithmetic = Arithmetic { precision: Precision::F32, kernels: KernelPath::Portable };
        Model::from_files(&tiny::files(), arithmetic).unwrap_or_else(|error| panic!("the tiny model: {error}"))
    });
    &MODEL
}

const SCHEME: &str = "news9";

fn document(bytes: &[u8]) -> Option<Document> {
    Document::new("fuzzed", String::from_utf8_lossy(bytes)).ok()
}

/// Any text in windows of any size: every token is in one, and what is found is what a single window finds.
pub fn windows(data: &[u8]) {
    let mut choices = Choices::new(data);
    let capacity = choices.below(48) + 1;
    let size = WindowSize { capacity, overlap: choices.below(capacity / 2 + 1) };
    let Some(document) = document(&choices.rest()[..choices.rest().len().min(3000)]) else { return };
    let Ok(tokens) = model().tokenizer().tokenise(&document.text) else { return };
    let windows = plan_windows(&tokens, &document.text, size);
    let mut next = 0;
    for window in &windows {
        assert!(window.tokens.start <= next && next <= window.tokens.end && !window.tokens.is_empty(), "{windows:?}");
        assert!(window.tokens.len() <= capacity, "{windows:?}");
        next = window.tokens.end;
    }
    assert_eq!(next, tokens.len());
    let cut = annotate(&document.text, &tokens, size);
    check(&document.text, &cut);
    if tokens.len() < 3500 {
        let whole = annotate(&document.text, &tokens, WindowSize::new(4000));
        assert_eq!(places(&cut), places(&whole));
    }
}

/// Scores of any kind for any text: what comes out are slices with probabilities.
pub fn scores(data: &[u8]) {
    let mut choices = Choices::new(data);
    let capacity = choices.below(32) + 1;
    let length = choices.below(160);
    let text = choices.rest();
    let Some(document) = document(&text[..text.len().min(length)]) else { return };
    let Ok(tokens) = model().tokenizer().tokenise(&document.text) else { return };
    let reading = Reading { model: model(), text: &document.text, tokens: &tokens };
    let mut decoder = DocumentDecoder::new(SCHEME);
    for window in plan_windows(&tokens, &document.text, WindowSize::new(capacity)) {
        let mut row = |width: usize| (0..window.tokens.len() * width).map(|_| choices.score()).collect::<Vec<f32>>();
        let width = |head: &&str| model().scheme(head).map_or(0, |scheme| scheme.tags());
        let heads = DocumentDecoder::heads(model(), SCHEME);
        let tag_scores = heads.iter().map(|head| row(width(head))).collect();
        let output = WindowOutput { tokens: window.tokens.len(), tag_scores, states: row(model().hidden_size()) };
        if complete(decoder.push(reading, window, output)).is_err() {
            return;
        }
    }
    let annotations = complete(decoder.finish(reading));
    check(&document.text, &annotations);
    let (speakers, attributions) = complete(annotations.speakers(reading));
    assert_eq!(attributions.len(), annotations.statements.len());
    for attribution in attributions.iter().flatten() {
        assert!(attribution.speaker < speakers.len() && is_probability(attribution.score), "{attribution:?}");
    }
}

fn annotate(text: &str, tokens: &Tokens, size: WindowSize) -> Annotations {
    let reading = Reading { model: model(), text, tokens };
    let mut decoder = DocumentDecoder::new(SCHEME);
    for window in plan_windows(tokens, text, size) {
        let input = WindowInput::new(tokens, window.tokens.clone());
        let outputs = model().forward(&[input], &DocumentDecoder::heads(model(), SCHEME));
        let outputs = outputs.unwrap_or_else(|error| panic!("the tiny model runs: {error}"));
        for output in outputs {
            let pushed = complete(decoder.push(reading, window.clone(), output));
            pushed.unwrap_or_else(|error| panic!("its scores are decoded: {error}"));
        }
    }
    complete(decoder.finish(reading))
}

fn is_probability(score: f32) -> bool {
    (0.0..=1.0).contains(&score)
}

fn segments(annotations: &Annotations) -> impl Iterator<Item = &Segment> {
    annotations.statements.iter().flat_map(|it| it.source.iter().chain(&it.cue).chain(&it.content))
}

fn check(text: &str, annotations: &Annotations) {
    for entity in &annotations.entities {
        assert!(text.get(entity.bytes.clone()).is_some_and(|slice| !slice.trim().is_empty()), "{entity:?}");
        assert!(is_probability(entity.score), "{entity:?}");
    }
    for segment in segments(annotations) {
        assert!(text.get(segment.bytes.clone()).is_some_and(|slice| !slice.trim().is_empty()), "{segment:?}");
        assert!(is_probability(segment.score), "{segment:?}");
    }
    for statement in &annotations.statements {
        assert!(is_probability(statement.score) && !statement.content.is_empty(), "{statement:?}");
    }
}

type Places = Vec<std::ops::Range<usize>>;

fn places(annotations: &Annotations) -> (Places, Places) {
    let entities = annotations.entities.iter().map(|entity| entity.bytes.clone());
    (entities.collect(), segments(annotations).map(|segment| segment.bytes.clone()).collect())
}
