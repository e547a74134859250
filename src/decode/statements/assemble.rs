//! From linked spans to statements.

use super::act::act;
use super::floating::floating;
use super::links::{Link, LinkSpan, link};
use super::polarity::polarity;
use super::quotation::Quotations;
use super::statement::Statement;
use super::transcript::add_turns;
use crate::decode::spans::Segment;
use crate::decode::spans::paragraphs::leads_into;
use crate::model::{LinkRole, Model, ScoreCalibrations, calibrated};
use crate::text::ByteRange;

/// Links the spans of a document and builds its statements, in text order. A cue without a content is dropped.
pub(in crate::decode) async fn assemble(
    model: &Model,
    text: &str,
    paragraphs: &[ByteRange],
    spans: &[LinkSpan],
) -> Vec<Statement> {
    let led_into = paragraphs.windows(2).map(|pair| leads_into(&text[pair[0].clone()], &text[pair[1].clone()]));
    let led_into: Vec<bool> = std::iter::once(false).chain(led_into).collect();
    let mut links = link(model, spans, &led_into).await;
    links.sort_by_key(|link| (link.cue, link.span));
    let quotations = Quotations::find(text);
    let scores = model.config().scores.as_ref();
    let by_cue = links.chunk_by(|a, b| a.cue == b.cue);
    let mut statements: Vec<Statement> =
        by_cue.filter_map(|links| statement(text, &quotations, scores, spans, links)).collect();
    statements.sort_by_key(Statement::start);
    let floating = floating(text, paragraphs, &quotations, &statements);
    statements.extend(floating);
    add_turns(text, paragraphs, &mut statements);
    statements.sort_by_key(Statement::start);
    statements
}

/// The statement of one cue, whose links these are.
fn statement(
    text: &str,
    quotations: &Quotations,
    scores: Option<&ScoreCalibrations>,
    spans: &[LinkSpan],
    links: &[Link],
) -> Option<Statement> {
    let cue = &spans[links.first()?.cue];
    let segment = |span: &LinkSpan| {
        let calibration = scores.map(|scores| match span.role {
            LinkRole::Source => scores.source,
            LinkRole::Cue => scores.cue,
            LinkRole::Content => scores.content,
        });
        let words = || text[span.bytes.clone()].split_whitespace().count();
        let calibration = calibration.map(|calibration| calibration.of_words(words()));
        Segment { bytes: span.bytes.clone(), score: calibrated(calibration, span.score) }
    };
    let segments = |role: LinkRole| -> Vec<Segment> {
        let linked = links.iter().map(|link| &spans[link.span]);
        linked.filter(|span| span.role == role).map(segment).collect()
    };
    let (source, content) = (segments(LinkRole::Source), segments(LinkRole::Content));
    if content.is_empty() {
        return None;
    }
    let ranges: Vec<ByteRange> = content.iter().map(|segment| segment.bytes.clone()).collect();
    let polarity = polarity(text, &source, &[segment(cue)], &content);
    let product: f32 = links.iter().map(|link| link.probability * spans[link.span].score).product();
    Some(Statement {
        source,
        cue: vec![segment(cue)],
        content,
        kind: quotations.kind(text, &ranges),
        act: act(&text[cue.bytes.clone()]),
        polarity,
        floating: false,
        score: calibrated(scores.map(|scores| scores.statements), probability(product * cue.score)),
    })
}

/// A product of probabilities. Weights that are no numbers make it none, and then nothing is sure.
fn probability(product: f32) -> f32 {
    if product.is_nan() { 0.0 } else { product.clamp(0.0, 1.0) }
}
