//! Batches: the windows of many documents, run together and decoded as they come.

use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use super::error::EngineError;
use super::extraction::Extraction;
use super::fault;
use super::flow::Flow;
use super::options::{Options, entity_head};
use super::windows::{rounds, run_round};
use crate::decode::{Annotations, DocumentDecoder, Reading, complete};
use crate::model::{Model, ModelError, WindowInput, WindowOutput};
use crate::text::{BorrowedDocument, Tokens, Window, WindowSize, plan_windows};

/// A document cut up, or the reason why it could not be.
struct Prepared<'a> {
    document: BorrowedDocument<'a>,
    flow: Flow,
    tokens: Tokens,
    windows: Vec<Window>,
}

impl<'a> Prepared<'a> {
    fn reading(&'a self, model: &'a Model) -> Reading<'a> {
        Reading { model, text: self.flow.of(self.document.text), tokens: &self.tokens }
    }
}

/// Where a window belongs: document and number in it.
type Place = (usize, usize);

/// What it takes to run batches.
pub(super) struct BatchRunner {
    pub model: Model,
    pub options: Options,
    pub window: WindowSize,
    /// Tokens that have been through the encoder so far.
    pub tokens: AtomicU64,
}

impl BatchRunner {
    /// Extracts from all documents, in order, on the rayon pool that this is called in.
    pub(super) fn run(&self, documents: &[BorrowedDocument<'_>]) -> Vec<Result<Extraction, EngineError>> {
        let (model, options) = (&self.model, &self.options);
        let prepared: Vec<Result<Prepared<'_>, EngineError>> = documents
            .par_iter()
            .map(|&document| {
                fault::at("prepare", document.text);
                let flow = Flow::new(model, document.text);
                let text = flow.of(document.text);
                let tokens = model.tokenizer().tokenise(text)?;
                let windows = plan_windows(&tokens, text, self.window);
                Ok(Prepared { document, flow, tokens, windows })
            })
            .collect();
        let annotations = self.annotate(&prepared);
        prepared
            .into_par_iter()
            .zip(annotations)
            .map(|(prepared, annotations)| {
                let prepared = prepared?;
                let reading = prepared.reading(model);
                Ok(complete(Extraction::new(prepared.document, reading, annotations?, options)))
            })
            .collect()
    }

    /// Runs the windows of all documents in rounds, in text order, and decodes after each round.
    fn annotate(&self, prepared: &[Result<Prepared<'_>, EngineError>]) -> Vec<Result<Annotations, ModelError>> {
        let model = &self.model;
        // The engine would not have started without the head.
        let scheme = entity_head(model, self.options.entity_scheme).unwrap_or_default();
        let heads = DocumentDecoder::heads(model, scheme);
        let decoder = || Ok(DocumentDecoder::new(scheme));
        let mut decoders: Vec<Result<DocumentDecoder, ModelError>> = prepared.iter().map(|_| decoder()).collect();
        let (places, windows): (Vec<Place>, Vec<WindowInput<'_>>) = prepared
            .iter()
            .enumerate()
            .filter_map(|(document, prepared)| Some((document, prepared.as_ref().ok()?)))
            .flat_map(|(document, prepared)| {
                let inputs =
                    prepared.windows.iter().map(|window| WindowInput::new(&prepared.tokens, window.tokens.clone()));
                inputs.enumerate().map(move |(window, input)| ((document, window), input))
            })
            .unzip();
        for round in rounds(&windows) {
            let outputs = run_round(model, &heads, &windows[round.clone()]);
            let tokens: usize = windows[round.clone()].iter().map(|window| window.ids.len()).sum();
            self.tokens.fetch_add(tokens as u64, Ordering::Relaxed);
            let round = &places[round];
            // Each document takes its own windows, in text order, side by side with the others.
            let (from, to) = (round[0].0, round[round.len() - 1].0);
            let mut work: Vec<Vec<(usize, Result<WindowOutput, ModelError>)>> =
                (from..=to).map(|_| Vec::new()).collect();
            for (&(document, window), output) in round.iter().zip(outputs) {
                work[document - from].push((window, output));
            }
            decoders[from..=to].par_iter_mut().zip(&prepared[from..=to]).zip(work).for_each(
                |((decoder, prepared), work)| {
                    let Ok(prepared) = prepared else { return };
                    for (window, output) in work {
                        let Ok(open) = decoder else { return };
                        let window = prepared.windows[window].clone();
                        if let Err(error) =
                            output.and_then(|output| complete(open.push(prepared.reading(model), window, output)))
                        {
                            *decoder = Err(error);
                        }
                    }
                },
            );
        }
        let decoders = decoders.into_par_iter().zip(prepared);
        let annotations = decoders.map(|(decoder, prepared)| match prepared {
            Ok(prepared) => Ok(complete(decoder?.finish(prepared.reading(model)))),
            Err(_) => Ok(Annotations::default()),
        });
        annotations.collect()
    }
}
