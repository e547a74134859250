//! Windows: what the encoder reads at a time.
//!
//! Whole paragraphs go together while they fit. A paragraph too long for one window is cut at a sentence end, or
//! failing that between any two tokens, and its windows overlap, so that each token is seen with context on both
//! sides by one of them.

use std::ops::Range;

use super::Tokens;

/// A range of a document's tokens that is read in one go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// Tokens of the document, special tokens not counted.
    pub tokens: Range<usize>,
}

impl Window {
    /// How far a range of tokens stands from the window's borders, in tokens; `None` when it is not all inside.
    pub fn context(&self, tokens: &Range<usize>) -> Option<usize> {
        let before = tokens.start.checked_sub(self.tokens.start)?;
        let after = self.tokens.end.checked_sub(tokens.end)?;
        Some(before.min(after))
    }
}

/// The sizes of windows, in tokens without the special ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowSize {
    /// Most tokens in a window; at least 1.
    pub capacity: usize,
    /// Tokens that two windows of one paragraph share, at least (when the capacity allows it).
    pub overlap: usize,
}

impl WindowSize {
    /// Windows of `capacity` tokens of which two neighbours in one paragraph share a quarter.
    pub fn new(capacity: usize) -> Self {
        let capacity = capacity.max(1);
        Self { capacity, overlap: capacity / 4 }
    }
}

/// Cuts a document into windows that together hold every token, in text order.
pub fn plan_windows(tokens: &Tokens, text: &str, size: WindowSize) -> Vec<Window> {
    let mut windows = Vec::new();
    let mut open: Range<usize> = 0..0;
    for paragraph in &tokens.paragraphs {
        if paragraph.end - open.start <= size.capacity {
            open.end = paragraph.end;
            continue;
        }
        if !open.is_empty() {
            windows.push(Window { tokens: open });
        }
        if paragraph.len() <= size.capacity {
            open = paragraph.clone();
        } else {
            cut_paragraph(tokens, text, size, paragraph.clone(), &mut windows);
            open = paragraph.end..paragraph.end;
        }
    }
    if !open.is_empty() {
        windows.push(Window { tokens: open });
    }
    windows
}

/// Windows over one paragraph that is longer than the capacity.
fn cut_paragraph(tokens: &Tokens, text: &str, size: WindowSize, paragraph: Range<usize>, windows: &mut Vec<Window>) {
    let mut start = paragraph.start;
    loop {
        let limit = start + size.capacity;
        if limit >= paragraph.end {
            windows.push(Window { tokens: start..paragraph.end });
            return;
        }
        let ends = tokens.sentence_ends(text, start + size.capacity / 2..limit);
        let cut = ends.last().copied().unwrap_or(limit);
        windows.push(Window { tokens: start..cut });
        // The next window starts with a sentence if one starts within reach, and always further on than this one.
        let latest = cut.saturating_sub(size.overlap).max(start + 1);
        let earliest = cut.saturating_sub(2 * size.overlap).max(start + 1);
        let starts = tokens.sentence_ends(text, earliest.saturating_sub(1)..latest);
        start = starts.last().copied().unwrap_or(latest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Gap;
    use proptest::prelude::*;

    /// Tokens of one letter, with random gaps.
    fn tokens_of(gaps: &[u8]) -> (Tokens, String) {
        let mut tokens = Tokens::default();
        let mut text = String::new();
        for (index, &gap) in gaps.iter().enumerate() {
            let gap = if index == 0 { Gap::Line as u8 } else { gap };
            text.push_str(["", "", " ", "\n"][usize::from(gap)]);
            let start = text.len();
            text.push(['a', '.'][index % 2]);
            if gap == Gap::Line as u8 {
                tokens.paragraphs.push(index..index);
            }
            if let Some(paragraph) = tokens.paragraphs.last_mut() {
                paragraph.end = index + 1;
            }
            tokens.ids.push(7);
            tokens.shapes.push(1);
            tokens.gaps.push(gap);
            tokens.spans.push(start..text.len());
        }
        (tokens, text)
    }

    proptest! {
        #[test]
        fn every_token_is_in_a_window(gaps in prop::collection::vec(1u8..4, 0..300), capacity in 1usize..80) {
            let (tokens, text) = tokens_of(&gaps);
            let windows = plan_windows(&tokens, &text, WindowSize::new(capacity));
            let mut covered = 0;
            let mut previous: Option<Range<usize>> = None;
            for window in &windows {
                prop_assert!(!window.tokens.is_empty() && window.tokens.len() <= capacity);
                prop_assert!(window.tokens.start <= covered && window.tokens.end > covered);
                if let Some(previous) = previous {
                    prop_assert!(window.tokens.start > previous.start);
                    // Only the pieces of one paragraph overlap.
                    let shared = window.tokens.start..previous.end;
                    if !shared.is_empty() {
                        prop_assert!(tokens.paragraphs.iter().any(|p| p.start <= previous.start && window.tokens.end <= p.end));
                    }
                }
                covered = window.tokens.end;
                previous = Some(window.tokens.clone());
            }
            prop_assert_eq!(covered, tokens.len());
        }
    }

    #[test]
    fn whole_paragraphs_go_together() {
        let gaps = [3, 2, 2, 3, 2, 3, 2, 2];
        let (tokens, text) = tokens_of(&gaps);
        let windows = plan_windows(&tokens, &text, WindowSize::new(5));
        let ranges: Vec<_> = windows.into_iter().map(|window| window.tokens).collect();
        assert_eq!(ranges, [0..5, 5..8]);
    }
}
