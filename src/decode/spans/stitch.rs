//! Stitching: where windows overlap, each token is scored by the window in which it stands farthest from a border.

use std::ops::Range;

use crate::model::WindowOutput;
use crate::text::{Tokens, Window};

/// The windows of a document as they come in, in text order, and the paragraphs that they make complete: memory holds
/// the windows of one paragraph at a time, not of the document.
#[derive(Debug, Default)]
pub(in crate::decode) struct Arrivals {
    pub pending: Pending,
    /// Tokens before this one have been seen.
    covered: usize,
    /// Paragraphs before this one have been handed out.
    paragraph: usize,
}

impl Arrivals {
    /// Takes the next window's output.
    pub fn push(&mut self, window: Window, output: WindowOutput) {
        self.covered = window.tokens.end;
        self.pending.push_back((window, output));
    }

    /// Number and tokens of the next paragraph whose windows are all here. Windows that were needed only before it are
    /// let go.
    pub fn next_paragraph(&mut self, tokens: &Tokens) -> Option<(usize, Range<usize>)> {
        let done = self.paragraph.checked_sub(1).map_or(0, |last| tokens.paragraphs[last].end);
        self.pending.retain(|(window, _)| window.tokens.end > done);
        let paragraph = tokens.paragraphs.get(self.paragraph).filter(|paragraph| paragraph.end <= self.covered)?;
        self.paragraph += 1;
        Some((self.paragraph - 1, paragraph.clone()))
    }
}

/// Windows that have been run but not yet decoded, in text order.
pub(in crate::decode) type Pending = std::collections::VecDeque<(Window, WindowOutput)>;

/// Index of the pending window that knows a token best; the earlier one where two are equal.
pub(in crate::decode) fn best_window(pending: &Pending, token: usize) -> Option<usize> {
    let context = |(window, _): &(Window, WindowOutput)| window.context(&(token..token + 1));
    (0..pending.len())
        .filter_map(|index| Some((index, context(&pending[index])?)))
        .fold(None, |best: Option<(usize, usize)>, next| match best {
            Some(best) if best.1 >= next.1 => Some(best),
            _ => Some(next),
        })
        .map(|(index, _)| index)
}

/// The rows of one head over a paragraph, each from the best window. `width`: tags of the head.
pub(in crate::decode) fn stitch(pending: &Pending, paragraph: Range<usize>, head: usize, width: usize) -> Vec<f32> {
    let mut rows = Vec::with_capacity(paragraph.len() * width);
    for token in paragraph {
        if let Some((window, output)) = best_window(pending, token).map(|index| &pending[index]) {
            let row = (token - window.tokens.start) * width;
            rows.extend_from_slice(&output.tag_scores[head][row..row + width]);
        }
    }
    rows
}
