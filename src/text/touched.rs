//! Which of a text's pieces a span touches.

use std::ops::Range;

/// Indices of the tokens that a segment touches; `tokens` are sorted and do not overlap.
///
/// An empty segment inside a token touches that token, as in the reference scorers.
pub(crate) fn touched_tokens(tokens: &[Range<usize>], segment: &Range<usize>) -> Range<usize> {
    let first = tokens.partition_point(|token| token.end <= segment.start);
    let end = tokens.partition_point(|token| token.start < segment.end);
    first..end.max(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_and_reversed_segments_touch_the_token_around_them() {
        let tokens = [0..3, 4..8];
        assert_eq!(touched_tokens(&tokens, &(1..1)), 0..1);
        assert_eq!(touched_tokens(&tokens, &(3..3)), 1..1);
        assert_eq!(touched_tokens(&tokens, &(3..4)), 1..1);
        assert_eq!(touched_tokens(&tokens, &(2..5)), 0..2);
        #[allow(clippy::reversed_empty_ranges)]
        let reversed = 6..5;
        assert_eq!(touched_tokens(&tokens, &reversed), 1..2);
        assert_eq!(touched_tokens(&tokens, &(90..100)), 2..2);
    }
}
