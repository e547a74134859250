//! Batches: the windows of many documents, run together and decoded as they come.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rayon::prelude::*;

use super::error::EngineError;
use super::extraction::Extraction;
use super::fault;
use super::flow::Flow;
use super::options::{Options, entity_head};
use super::windows::{rounds, run_round};
use crate::decode::{Annotations, DocumentDecoder, Reading, complete_until};
use crate::model::{Model, ModelError, WindowInput, WindowOutput};
use crate::text::{BorrowedDocument, Tokenisation, Tokens, Window, WindowSize, plan_windows};

/// Bytes of a text that are tokenised between two looks at whether anybody still waits.
const STRETCH: usize = 32 * 1024;

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
    /// Extracts from all documents, in order, on the rayon pool that this is called in. Once `stop` is set, no further step
    /// is taken, and what is not ready costs [`ModelError::GivenUp`].
    pub(super) fn run(
        &self,
        documents: &[BorrowedDocument<'_>],
        stop: &AtomicBool,
    ) -> Vec<Result<Extraction, EngineError>> {
        let (model, options) = (&self.model, &self.options);
        let prepared: Vec<Result<Prepared<'_>, EngineError>> =
            documents.par_iter().map(|&document| self.prepare(document, stop)).collect();
        let annotations = self.annotate(&prepared, stop);
        prepared
            .into_par_iter()
            .zip(annotations)
            .map(|(prepared, annotations)| {
                let prepared = prepared?;
                let reading = prepared.reading(model);
                let extraction = Extraction::new(prepared.document, reading, annotations?, options);
                Ok(complete_until(stop, extraction).ok_or(ModelError::GivenUp)?)
            })
            .collect()
    }

    fn prepare<'a>(&self, document: BorrowedDocument<'a>, stop: &AtomicBool) -> Result<Prepared<'a>, EngineError> {
        fault::at("prepare", document.text);
        let flow = Flow::new(&self.model, document.text);
        let text = flow.of(document.text);
        let mut tokenisation = Tokenisation::default();
        let mut is_done = false;
        while !is_done {
            if stop.load(Ordering::Relaxed) {
                return Err(ModelError::GivenUp.into());
            }
            is_done = self.model.tokenizer().advance(&mut tokenisation, text, STRETCH)?;
        }
        let tokens = tokenisation.finish(text);
        let windows = plan_windows(&tokens, text, self.window);
        Ok(Prepared { document, flow, tokens, windows })
    }

    /// Runs the windows of all documents in rounds, in text order, and decodes after each round.
    fn annotate(
        &self,
        prepared: &[Result<Prepared<'_>, EngineError>],
        stop: &AtomicBool,
    ) -> Vec<Result<Annotations, ModelError>> {
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
            let outputs = run_round(model, &heads, &windows[round.clone()], stop);
            let has_run = windows[round.clone()].iter().zip(&outputs).filter(|(_, output)| output.is_ok());
            let tokens: usize = has_run.map(|(window, _)| window.ids.len()).sum();
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
                        let decoded = output.and_then(|output| {
                            let decoding = open.push(prepared.reading(model), window, output);
                            complete_until(stop, decoding).unwrap_or(Err(ModelError::GivenUp))
                        });
                        if let Err(error) = decoded {
                            *decoder = Err(error);
                        }
                    }
                },
            );
        }
        let decoders = decoders.into_par_iter().zip(prepared);
        let annotations = decoders.map(|(decoder, prepared)| match prepared {
            Ok(prepared) => complete_until(stop, decoder?.finish(prepared.reading(model))).ok_or(ModelError::GivenUp),
            Err(_) => Ok(Annotations::default()),
        });
        annotations.collect()
    }
}
