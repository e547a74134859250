//! Tokens: word pieces with their places in the text.

use std::ops::Range;

use super::ByteRange;
use super::features::Gap;

/// The tokens of a document, without special tokens.
#[derive(Debug, Default)]
pub struct Tokens {
    /// Vocabulary ids.
    pub ids: Vec<u32>,
    /// Where each token stands, in bytes: as the tokenizer says, so that the white space before a word may count.
    pub spans: Vec<ByteRange>,
    /// [`Shape`](super::Shape) classes.
    pub shapes: Vec<u8>,
    /// [`Gap`] classes.
    pub gaps: Vec<u8>,
    /// Token ranges of the paragraphs, in order, covering all tokens.
    pub paragraphs: Vec<Range<usize>>,
}

impl Tokens {
    /// Number of tokens.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// True when the text held no token (control characters only, say).
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The bytes from the first to the last token of a range; empty for an empty range.
    pub fn bytes(&self, tokens: Range<usize>) -> ByteRange {
        match (self.spans.get(tokens.start), tokens.end.checked_sub(1).and_then(|last| self.spans.get(last))) {
            (Some(first), Some(last)) => first.start..last.end,
            _ => 0..0,
        }
    }

    /// Whether a token goes on with the word of the token before: letters or digits with nothing between them.
    pub(crate) fn continues_word(&self, text: &str, token: usize) -> bool {
        let (Some(before), Some(span)) =
            (token.checked_sub(1).and_then(|before| self.spans.get(before)), self.spans.get(token))
        else {
            return false;
        };
        let last = text.get(..before.end).and_then(|text| text.chars().next_back());
        let first = text.get(span.start..).and_then(|text| text.chars().next());
        // Two tokens of one character, which stands for several in the vocabulary, are one word as well.
        span.start < before.end
            || span.start == before.end && [last, first].iter().all(|end| end.is_some_and(char::is_alphanumeric))
    }

    /// First tokens of all sentences, in text order; every paragraph starts one.
    pub(crate) fn sentence_starts(&self, text: &str) -> Vec<usize> {
        let mut starts = Vec::new();
        for paragraph in &self.paragraphs {
            starts.push(paragraph.start);
            starts.extend(self.sentence_ends(text, paragraph.start..paragraph.end.saturating_sub(1)));
        }
        starts
    }

    /// Token indices in `(range.start, range.end]` before which a sentence has ended: final punctuation, perhaps
    /// closing marks, then a gap.
    pub(super) fn sentence_ends(&self, text: &str, range: Range<usize>) -> Vec<usize> {
        let is = |token: usize, set: &str| {
            let piece = text[self.spans[token].clone()].trim();
            !piece.is_empty() && piece.chars().all(|character| set.contains(character))
        };
        let mut ends = Vec::new();
        for next in range.start + 1..(range.end + 1).min(self.len()) {
            if self.gaps[next] == Gap::Glued as u8 {
                continue;
            }
            let mut last = next - 1;
            while last > range.start && is(last, "\"”’')]»") {
                last -= 1;
            }
            if is(last, ".?!…") {
                ends.push(next);
            }
        }
        ends
    }
}

/// What is left of a span without white space at its ends; empty where there is nothing else.
pub(crate) fn trimmed(text: &str, span: ByteRange) -> ByteRange {
    let slice = text.get(span.clone()).unwrap_or_default();
    let left = slice.trim_start();
    let start = span.start + (slice.len() - left.len());
    start..start + left.trim_end().len()
}
