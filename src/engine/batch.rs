//! Batches: the windows of many documents, run together in groups of like length.

use rayon::prelude::*;

use super::{EngineError, Extraction, Options};
use crate::decode::{Annotations, DocumentDecoder};
use crate::model::{Model, ModelError, WindowInput, WindowOutput};
use crate::text::{Document, Tokens, Window, WindowSize, plan_windows};

/// Tokens that one worker takes at a time: more gains no speed, and costs memory.
const BATCH_TOKENS: usize = 512;

/// Batches per worker between two rounds of decoding. What is held in memory is one such round.
const BATCHES_PER_ROUND: usize = 8;

/// A document cut up, or the reason why it could not be.
struct Prepared<'a> {
    document: &'a Document,
    tokens: Tokens,
    windows: Vec<Window>,
}

/// Extracts from all documents, in order.
pub(super) fn run(
    model: &Model,
    size: WindowSize,
    options: &Options,
    documents: &[Document],
) -> Vec<Result<Extraction, EngineError>> {
    let prepared: Vec<Result<Prepared<'_>, EngineError>> = documents
        .par_iter()
        .map(|document| {
            let tokens = model.tokenizer().tokenise(&document.text)?;
            let windows = plan_windows(&tokens, &document.text, size);
            Ok(Prepared { document, tokens, windows })
        })
        .collect();
    let annotations = annotate(model, options, &prepared);
    prepared
        .into_par_iter()
        .zip(annotations)
        .map(|(prepared, annotations)| {
            let document = prepared?.document;
            Ok(Extraction::new(model.identifier(), document, annotations?, options))
        })
        .collect()
}

/// Where a window belongs: document and number in it.
type Place = (usize, usize);

/// Runs the windows of all documents in rounds, in text order, and decodes after each round.
fn annotate(
    model: &Model,
    options: &Options,
    prepared: &[Result<Prepared<'_>, EngineError>],
) -> Vec<Result<Annotations, ModelError>> {
    let scheme = options.entity_scheme.name();
    let mut decoders: Vec<Result<Option<DocumentDecoder<'_>>, ModelError>> = prepared
        .iter()
        .map(|prepared| match prepared {
            Ok(prepared) => DocumentDecoder::new(model, &prepared.document.text, &prepared.tokens, scheme).map(Some),
            Err(_) => Ok(None),
        })
        .collect();
    let places: Vec<Place> = prepared
        .iter()
        .enumerate()
        .flat_map(|(document, prepared)| {
            let windows = prepared.as_ref().map_or(0, |prepared| prepared.windows.len());
            (0..windows).map(move |window| (document, window))
        })
        .collect();
    for round in rounds(&places, prepared) {
        let outputs = run_round(model, &DocumentDecoder::heads(scheme), prepared, round);
        // Each document takes its own windows, in text order, side by side with the others.
        let (from, to) = (round[0].0, round[round.len() - 1].0);
        let mut work: Vec<Vec<(usize, Result<WindowOutput, ModelError>)>> = (from..=to).map(|_| Vec::new()).collect();
        for (&(document, window), output) in round.iter().zip(outputs) {
            work[document - from].push((window, output));
        }
        decoders[from..=to].par_iter_mut().zip(&prepared[from..=to]).zip(work).for_each(
            |((decoder, prepared), work)| {
                let Ok(prepared) = prepared else { return };
                for (window, output) in work {
                    let pushed = match decoder {
                        Ok(Some(decoder)) => {
                            output.and_then(|output| decoder.push(prepared.windows[window].clone(), output))
                        }
                        _ => return,
                    };
                    if let Err(error) = pushed {
                        *decoder = Err(error);
                    }
                }
            },
        );
    }
    decoders.into_par_iter().map(|decoder| Ok(decoder?.map(DocumentDecoder::finish).unwrap_or_default())).collect()
}

/// Cuts the list of windows into rounds of bounded size, none of them empty.
fn rounds<'p>(places: &'p [Place], prepared: &[Result<Prepared<'_>, EngineError>]) -> Vec<&'p [Place]> {
    let limit = BATCH_TOKENS * BATCHES_PER_ROUND * rayon::current_num_threads();
    let mut rounds = Vec::new();
    let (mut start, mut tokens) = (0, 0);
    for (index, &place) in places.iter().enumerate() {
        tokens += length(prepared, place);
        if tokens >= limit {
            rounds.push(&places[start..=index]);
            (start, tokens) = (index + 1, 0);
        }
    }
    if start < places.len() {
        rounds.push(&places[start..]);
    }
    rounds
}

fn length(prepared: &[Result<Prepared<'_>, EngineError>], (document, window): Place) -> usize {
    prepared[document].as_ref().map_or(0, |prepared| prepared.windows[window].tokens.len())
}

/// Runs the windows of one round in batches of like length; outputs stand in the order of the windows.
fn run_round(
    model: &Model,
    heads: &[&str],
    prepared: &[Result<Prepared<'_>, EngineError>],
    round: &[Place],
) -> Vec<Result<WindowOutput, ModelError>> {
    let mut order: Vec<usize> = (0..round.len()).collect();
    order.sort_by_key(|&index| std::cmp::Reverse(length(prepared, round[index])));
    let mut batches: Vec<Vec<usize>> = Vec::new();
    let mut tokens = BATCH_TOKENS;
    for index in order {
        let more = length(prepared, round[index]);
        match batches.last_mut() {
            Some(batch) if tokens + more <= BATCH_TOKENS => {
                tokens += more;
                batch.push(index);
            }
            _ => {
                tokens = more;
                batches.push(vec![index]);
            }
        }
    }
    let run = |batch: Vec<usize>, together: bool| {
        let inputs: Vec<WindowInput<'_>> = batch.iter().filter_map(|&index| input(prepared, round[index])).collect();
        let outcome = if together { model.forward_together(&inputs, heads) } else { model.forward(&inputs, heads) };
        let results: Vec<Result<WindowOutput, ModelError>> = match outcome {
            Ok(outputs) => outputs.into_iter().map(Ok).collect(),
            // One bad window must not cost the others: each gets its own try.
            Err(_) => inputs.iter().map(|&input| alone(model, heads, input)).collect(),
        };
        batch.into_iter().zip(results)
    };
    let mut outputs: Vec<(usize, Result<WindowOutput, ModelError>)> = if batches.len() < rayon::current_num_threads() {
        batches.into_iter().flat_map(|batch| run(batch, true)).collect()
    } else {
        batches.into_par_iter().flat_map_iter(|batch| run(batch, false)).collect()
    };
    outputs.sort_by_key(|(index, _)| *index);
    outputs.into_iter().map(|(_, output)| output).collect()
}

fn alone(model: &Model, heads: &[&str], input: WindowInput<'_>) -> Result<WindowOutput, ModelError> {
    let outputs = model.forward(&[input], heads)?;
    let missing = || ModelError::Window("the model returned nothing for it".to_owned());
    outputs.into_iter().next().ok_or_else(missing)
}

fn input<'p>(prepared: &'p [Result<Prepared<'_>, EngineError>], (document, window): Place) -> Option<WindowInput<'p>> {
    let prepared = prepared[document].as_ref().ok()?;
    let range = prepared.windows[window].tokens.clone();
    Some(WindowInput {
        ids: &prepared.tokens.ids[range.clone()],
        shapes: &prepared.tokens.shapes[range.clone()],
        gaps: &prepared.tokens.gaps[range],
    })
}
