//! Decoding one document while its windows come in.

use std::ops::Range;

use super::links::{LinkSpan, View};
use super::statements::assemble;
use super::stitch::{Pending, best_window, stitch};
use super::tags::decode_tags;
use super::{Annotations, Entity};
use crate::model::{LinkRole, Model, ModelError, STATEMENT_HEAD, TagScheme, WindowOutput};
use crate::text::{Tokens, Window};

/// Takes the outputs of a document's windows in text order and decodes each paragraph as soon as it is complete, so
/// that memory holds the windows of one paragraph at a time, not of the document.
pub struct DocumentDecoder<'a> {
    model: &'a Model,
    text: &'a str,
    tokens: &'a Tokens,
    statement_scheme: &'a TagScheme,
    entity_scheme: &'a TagScheme,
    pending: Pending,
    /// Paragraphs before this one are decoded.
    paragraph: usize,
    entities: Vec<Entity>,
    spans: Vec<LinkSpan>,
}

/// The statement head's labels in the scheme's order.
const ROLES: [LinkRole; 3] = [LinkRole::Source, LinkRole::Cue, LinkRole::Content];

impl<'a> DocumentDecoder<'a> {
    /// Heads to run, in the order in which [`DocumentDecoder::push`] expects their scores.
    pub fn heads(entity_scheme: &str) -> [&str; 2] {
        [STATEMENT_HEAD, entity_scheme]
    }

    /// A decoder for one document.
    ///
    /// # Errors
    /// [`ModelError::NoHead`] when the model has no such entity scheme.
    pub fn new(model: &'a Model, text: &'a str, tokens: &'a Tokens, entity_scheme: &str) -> Result<Self, ModelError> {
        let [statements, entities] = Self::heads(entity_scheme);
        Ok(Self {
            model,
            text,
            tokens,
            statement_scheme: model.scheme(statements)?,
            entity_scheme: model.scheme(entities)?,
            pending: Pending::new(),
            paragraph: 0,
            entities: Vec::new(),
            spans: Vec::new(),
        })
    }

    /// Takes the next window's output.
    ///
    /// # Errors
    /// A failure of the tensor library while spans are projected for linking.
    pub fn push(&mut self, window: Window, output: WindowOutput) -> Result<(), ModelError> {
        let covered = window.tokens.end;
        self.pending.push_back((window, output));
        while let Some(paragraph) = self.tokens.paragraphs.get(self.paragraph).filter(|p| p.end <= covered) {
            self.decode_paragraph(paragraph.clone())?;
            self.paragraph += 1;
            let done = paragraph.end;
            self.pending.retain(|(window, _)| window.tokens.end > done);
        }
        Ok(())
    }

    /// Links the spans and hands over what was found, in text order.
    pub fn finish(self) -> Annotations {
        let paragraphs: Vec<_> = self.tokens.paragraphs.iter().map(|p| self.tokens.bytes(p.clone())).collect();
        Annotations { entities: self.entities, statements: assemble(self.model, self.text, &paragraphs, &self.spans) }
    }

    fn decode_paragraph(&mut self, paragraph: Range<usize>) -> Result<(), ModelError> {
        let scores = stitch(&self.pending, paragraph.clone(), 1, self.entity_scheme.tags());
        for span in decode_tags(self.entity_scheme, &scores) {
            let tokens = paragraph.start + span.tokens.start..paragraph.start + span.tokens.end;
            self.entities.push(Entity {
                label: self.entity_scheme.labels[span.label].clone(),
                bytes: self.tokens.bytes(tokens),
                score: span.score,
            });
        }
        let scores = stitch(&self.pending, paragraph.clone(), 0, self.statement_scheme.tags());
        let first = self.spans.len();
        for span in decode_tags(self.statement_scheme, &scores) {
            let tokens = paragraph.start + span.tokens.start..paragraph.start + span.tokens.end;
            self.spans.push(LinkSpan {
                role: ROLES[span.label],
                paragraph: self.paragraph,
                bytes: self.tokens.bytes(tokens.clone()),
                tokens,
                score: span.score,
                views: Vec::new(),
                home: 0,
            });
        }
        self.project(first)
    }

    /// Gives the spans from index `first` on their vectors, in every pending window that holds them.
    fn project(&mut self, first: usize) -> Result<(), ModelError> {
        let hidden = self.model.config().encoder.hidden_size;
        let Self { model, pending, spans, .. } = self;
        let state = |index: usize, token: usize| {
            let (window, output) = &pending[index];
            let row = (token - window.tokens.start) * hidden;
            &output.states[row..row + hidden]
        };
        for role in ROLES {
            let mut places = Vec::new();
            let mut ends = Vec::new();
            for (number, span) in spans.iter().enumerate().skip(first).filter(|(_, span)| span.role == role) {
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
        }
        for span in &mut spans[first..] {
            span.settle();
        }
        Ok(())
    }
}
