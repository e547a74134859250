//! Windows through the model: in rounds of bounded size, each cut into batches of like length for all workers.

use std::cmp::Reverse;
use std::ops::{ControlFlow, Range};
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use crate::model::{Model, ModelError, WindowInput, WindowOutput};

/// Tokens that one worker takes at a time: more gains no speed, and costs memory.
const BATCH_TOKENS: usize = 512;

/// Batches per worker in a round. What is held in memory is one round.
const BATCHES_PER_ROUND: usize = 8;

/// Cuts a list of windows into rounds for the workers of the rayon pool that this is called in, none of them empty.
pub fn rounds(windows: &[WindowInput<'_>]) -> Vec<Range<usize>> {
    let limit = BATCH_TOKENS * BATCHES_PER_ROUND * rayon::current_num_threads();
    let mut rounds = Vec::new();
    let (mut start, mut tokens) = (0, 0);
    for (index, window) in windows.iter().enumerate() {
        tokens += window.ids.len();
        if tokens >= limit {
            rounds.push(start..index + 1);
            (start, tokens) = (index + 1, 0);
        }
    }
    if start < windows.len() {
        rounds.push(start..windows.len());
    }
    rounds
}

/// Runs the windows of a round on all workers of the rayon pool that this is called in; outputs stand in the order of
/// the windows. A window that cannot be run costs its own error. Once `stop` is set, nothing more is begun, and what is not
/// ready costs [`ModelError::GivenUp`].
pub fn run_round(
    model: &Model,
    heads: &[&str],
    windows: &[WindowInput<'_>],
    stop: &AtomicBool,
) -> Vec<Result<WindowOutput, ModelError>> {
    let batches = batches(windows);
    let run = |batch: Vec<usize>, together: bool| {
        let inputs: Vec<WindowInput<'_>> = batch.iter().map(|&index| windows[index]).collect();
        let running = if together { Running::Together } else { Running::Alone };
        let results = run_batch(model, heads, &inputs, running, stop);
        batch.into_iter().zip(results)
    };
    let mut outputs: Vec<(usize, Result<WindowOutput, ModelError>)> = if batches.len() < rayon::current_num_threads() {
        batches.into_iter().flat_map(|batch| run(batch, true)).collect()
    } else {
        // One by one, or the last batches would wait in line behind each other on one core.
        batches.into_par_iter().with_max_len(1).flat_map_iter(|batch| run(batch, false)).collect()
    };
    outputs.sort_by_key(|(index, _)| *index);
    outputs.into_iter().map(|(_, output)| output).collect()
}

/// How a batch is run.
pub(super) enum Running<'a> {
    /// On this thread.
    Alone,
    /// On this thread, with pauses for something more urgent.
    WithPauses(&'a mut dyn FnMut()),
    /// On all threads of the rayon pool that this is called in.
    Together,
}

/// Runs one batch, to the end of the layer in which `stop` is set. A window that cannot be run costs its own error.
pub(super) fn run_batch(
    model: &Model,
    heads: &[&str],
    windows: &[WindowInput<'_>],
    running: Running<'_>,
    stop: &AtomicBool,
) -> Vec<Result<WindowOutput, ModelError>> {
    let mut go_on = || if stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    if go_on().is_break() {
        return given_up(windows);
    }
    let outcome = match running {
        Running::Alone => model.forward_with_pauses(windows, heads, &mut go_on),
        Running::WithPauses(pause) => model.forward_with_pauses(windows, heads, &mut || {
            pause();
            go_on()
        }),
        Running::Together => model.forward_together(windows, heads, &mut go_on),
    };
    match outcome {
        Ok(outputs) => outputs.into_iter().map(Ok).collect(),
        Err(ModelError::GivenUp) => given_up(windows),
        // One bad window must not cost the others: each gets its own try.
        Err(_) => windows.iter().map(|&window| alone(model, heads, window, &mut go_on)).collect(),
    }
}

fn given_up(windows: &[WindowInput<'_>]) -> Vec<Result<WindowOutput, ModelError>> {
    windows.iter().map(|_| Err(ModelError::GivenUp)).collect()
}

/// Groups windows, given by their places, the longest first.
fn batches(windows: &[WindowInput<'_>]) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..windows.len()).collect();
    order.sort_by_key(|&index| Reverse(windows[index].ids.len()));
    let mut batches: Vec<Vec<usize>> = Vec::new();
    let mut tokens = BATCH_TOKENS;
    for index in order {
        let more = windows[index].ids.len();
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
    batches
}

fn alone(
    model: &Model,
    heads: &[&str],
    input: WindowInput<'_>,
    go_on: &mut dyn FnMut() -> ControlFlow<()>,
) -> Result<WindowOutput, ModelError> {
    let outputs = model.forward_with_pauses(&[input], heads, go_on)?;
    let missing = || ModelError::Window("the model returned nothing for it".to_owned());
    outputs.into_iter().next().ok_or_else(missing)
}
