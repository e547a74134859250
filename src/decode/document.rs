//! Decoding one document while its windows come in.

use std::ops::Range;

use super::annotations::Annotations;
use super::reading::Reading;
use super::spans::{
    Arrivals, Entity, ROLE_OF_LABEL, TagSpan, begins_with_subject, best_window, decode_tags, end_before_tail,
    settle_labels, spare_sources, stitch,
};
use super::speakers::{find_mentions, place, possible_mentions};
use super::statements::{LinkSpan, View, assemble};
use super::steps::rest;
use crate::model::{LinkRole, Model, ModelError, STATEMENT_HEAD, WindowOutput, calibrated};
use crate::text::{Window, trimmed};

/// Takes the outputs of a document's windows in text order and decodes each paragraph as soon as it is complete. All
/// calls must be about the same [`Reading`].
#[derive(Debug)]
pub struct DocumentDecoder {
    entity_scheme: String,
    arrivals: Arrivals,
    entities: Vec<Entity>,
    spans: Vec<LinkSpan>,
    sightings: Vec<Sighting>,
}

/// A stretch of tokens that may turn out to be a mention, as the coreference head sees it: windows are gone by the time
/// that labels are settled.
#[derive(Debug)]
struct Sighting {
    tokens: Range<usize>,
    /// See [`Model::mention_vectors`].
    vector: Vec<f32>,
}

/// Spans or mentions whose vectors are computed before a rest.
const STRETCH: usize = 128;

impl DocumentDecoder {
    /// Heads to run, in the order in which [`DocumentDecoder::push`] expects their scores: that of entities, and that
    /// of statements where the model has one.
    pub fn heads<'a>(model: &Model, entities: &'a str) -> Vec<&'a str> {
        let statements = model.finds_statements().then_some(STATEMENT_HEAD);
        std::iter::once(entities).chain(statements).collect()
    }

    /// A decoder for one document.
    pub fn new(entity_scheme: &str) -> Self {
        Self {
            entity_scheme: entity_scheme.to_owned(),
            arrivals: Arrivals::default(),
            entities: Vec::new(),
            spans: Vec::new(),
            sightings: Vec::new(),
        }
    }

    /// Takes the next window's output.
    ///
    /// # Errors
    /// [`ModelError::NoHead`] when the model has no such entity scheme; a failure of the tensor library while spans
    /// are projected for linking.
    pub async fn push(&mut self, reading: Reading<'_>, window: Window, output: WindowOutput) -> Result<(), ModelError> {
        self.arrivals.push(window, output);
        while let Some((number, paragraph)) = self.arrivals.next_paragraph(reading.tokens) {
            self.decode_paragraph(reading, number, paragraph).await?;
        }
        Ok(())
    }

    /// Links the spans and hands over what was found, in text order.
    pub async fn finish(self, Reading { model, text, tokens }: Reading<'_>) -> Annotations {
        let paragraphs: Vec<_> = tokens.paragraphs.iter().map(|p| tokens.bytes(p.clone())).collect();
        let Self { entity_scheme, mut entities, spans, sightings, .. } = self;
        if !model.finds_statements() {
            // Others' token classifiers say what they say.
            return Annotations { entities, statements: Vec::new(), mentions: Vec::new() };
        }
        settle_labels(text, &mut entities);
        let scores = model.config().scores.as_ref();
        let calibration = scores.and_then(|scores| scores.entities.get(&entity_scheme).copied());
        entities.iter_mut().for_each(|entity| entity.score = calibrated(calibration, entity.score));
        let statements = assemble(model, text, &paragraphs, &spans).await;
        rest().await;
        let mut mentions = find_mentions(text, tokens, &entities, &statements);
        for mention in &mut mentions {
            let seen = sightings.binary_search_by_key(&place(&mention.tokens), |sighting| place(&sighting.tokens));
            if let Ok(seen) = seen {
                mention.vector.clone_from(&sightings[seen].vector);
            }
        }
        Annotations { entities, statements, mentions }
    }

    async fn decode_paragraph(
        &mut self,
        reading: Reading<'_>,
        number: usize,
        paragraph: Range<usize>,
    ) -> Result<(), ModelError> {
        let Reading { model, text, tokens } = reading;
        let scheme = model.scheme(&self.entity_scheme)?;
        let first_entity = self.entities.len();
        let scores = stitch(&self.arrivals.pending, paragraph.clone(), 0, scheme.tags());
        let continues = |token: usize| tokens.continues_word(text, paragraph.start + token);
        for span in decode_tags(scheme, &scores, continues) {
            let range = paragraph.start + span.tokens.start..paragraph.start + span.tokens.end;
            let bytes = trimmed(text, tokens.bytes(range));
            if bytes.is_empty() {
                continue;
            }
            let label = scheme.labels[span.label].clone();
            self.entities.push(Entity { label, bytes, score: span.score });
        }
        if !model.finds_statements() {
            return Ok(());
        }
        rest().await;
        let scheme = model.scheme(STATEMENT_HEAD)?;
        let scores = stitch(&self.arrivals.pending, paragraph.clone(), 1, scheme.tags());
        let first = self.spans.len();
        let spans = decode_tags(scheme, &scores, continues);
        rest().await;
        let spare = spare_sources(scheme, &scores, &spans);
        rest().await;
        let spans = spans.into_iter().map(|span| (span, false)).chain(spare.into_iter().map(|span| (span, true)));
        let mut spans: Vec<(TagSpan, bool)> = spans.collect();
        spans.sort_by_key(|(span, _)| span.tokens.start);
        for (span, is_spare) in spans {
            let mut range = paragraph.start + span.tokens.start..paragraph.start + span.tokens.end;
            match ROLE_OF_LABEL[span.label] {
                LinkRole::Content => {
                    if let Some(end) = end_before_tail(text, tokens.bytes(range.clone())) {
                        range.end =
                            range.start + tokens.spans[range.clone()].partition_point(|token| token.start < end);
                    }
                }
                LinkRole::Source if begins_with_subject(text, tokens, &range) => range.end = range.start + 1,
                LinkRole::Source | LinkRole::Cue => {}
            }
            self.spans.push(LinkSpan {
                role: ROLE_OF_LABEL[span.label],
                paragraph: number,
                is_spare,
                bytes: tokens.bytes(range.clone()),
                tokens: range,
                score: span.score,
                views: Vec::new(),
                home: 0,
            });
        }
        let sources = self.spans[first..].iter().filter(|span| span.role == LinkRole::Source);
        let sources: Vec<Range<usize>> = sources.map(|span| span.tokens.clone()).collect();
        let possible = possible_mentions(text, tokens, paragraph, &self.entities[first_entity..], &sources);
        rest().await;
        self.see(model, &possible).await;
        self.project(model, first).await
    }

    /// Takes the vectors of what may be mentions, each end as its best window knows it.
    async fn see(&mut self, model: &Model, possible: &[Range<usize>]) {
        let hidden = model.hidden_size();
        for possible in possible.chunks(STRETCH) {
            let pending = &self.arrivals.pending;
            let state = |token: usize| {
                let (window, output) = &pending[best_window(pending, token)?];
                let row = (token - window.tokens.start) * hidden;
                Some(&output.states[row..row + hidden])
            };
            let ends: Option<Vec<(&[f32], &[f32])>> =
                possible.iter().map(|range| Some((state(range.start)?, state(range.end - 1)?))).collect();
            let vectors = ends.map(|ends| model.mention_vectors(&ends)).unwrap_or_default();
            let sighting = |(tokens, vector): (&Range<usize>, _)| Sighting { tokens: tokens.clone(), vector };
            self.sightings.extend(possible.iter().zip(vectors).map(sighting));
            rest().await;
        }
    }

    /// Gives the spans from index `first` on their vectors, in every pending window that holds them.
    async fn project(&mut self, model: &Model, first: usize) -> Result<(), ModelError> {
        for role in ROLE_OF_LABEL {
            let here = self.spans.iter().enumerate().skip(first).filter(|(_, span)| span.role == role);
            let here: Vec<usize> = here.map(|(number, _)| number).collect();
            for stretch in here.chunks(STRETCH) {
                self.project_role(model, role, stretch)?;
                rest().await;
            }
        }
        for span in &mut self.spans[first..] {
            span.settle();
        }
        Ok(())
    }

    /// The same for spans of one role, given by their indices.
    fn project_role(&mut self, model: &Model, role: LinkRole, stretch: &[usize]) -> Result<(), ModelError> {
        let hidden = model.hidden_size();
        let Self { arrivals: Arrivals { pending, .. }, spans, .. } = self;
        let state = |index: usize, token: usize| {
            let (window, output) = &pending[index];
            let row = (token - window.tokens.start) * hidden;
            &output.states[row..row + hidden]
        };
        let mut places = Vec::new();
        let mut ends = Vec::new();
        for &number in stretch {
            let span = &spans[number];
            let last = span.tokens.end - 1;
            for (index, (window, _)) in pending.iter().enumerate() {
                if window.context(&span.tokens).is_some() {
                    places.push((number, Some(window.clone())));
                    ends.push((state(index, span.tokens.start), state(index, last)));
                }
            }
            // A span longer than a window: each end as its own best window knows it.
            let home = (best_window(pending, span.tokens.start), best_window(pending, last));
            if let (Some(left), Some(right)) = home
                && left != right
            {
                places.push((number, None));
                ends.push((state(left, span.tokens.start), state(right, last)));
            }
        }
        for ((number, window), vectors) in places.into_iter().zip(model.span_vectors(role, &ends)?) {
            spans[number].views.push(View { window, vectors });
        }
        Ok(())
    }
}
