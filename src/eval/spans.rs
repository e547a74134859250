//! Normalises spans and counts the tokens under them, the way the reference scorer of statements does.
//!
//! [`ScoredText`] is the one place that turns code points of a text into indices.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::gold::StatementSpans;
use crate::text::touched_tokens;

/// Index of the source in the arrays of [`Prepared`].
pub(super) const SOURCE: usize = 0;
/// Index of the cue.
pub(super) const CUE: usize = 1;
/// Index of the content.
pub(super) const CONTENT: usize = 2;

/// The normalised spans of a statement: sorted segments in code points, by role.
pub(super) type Spans = [Vec<Range<usize>>; 3];

/// A text whose characters are classified and whose tokens (words, and other visible characters one by one) are known.
pub(super) struct ScoredText {
    characters: Vec<Class>,
    tokens: Vec<Range<usize>>,
}

/// A statement ready to be compared.
pub(super) struct Prepared {
    pub(super) spans: Spans,
    /// The tokens under each of `spans`.
    pub(super) tokens: [TokenSet; 3],
}

impl ScoredText {
    pub(super) fn new(text: &str) -> Self {
        let characters: Vec<Class> = text.chars().map(Class::of).collect();
        let mut tokens: Vec<Range<usize>> = Vec::new();
        let mut in_word = false;
        for (position, class) in characters.iter().enumerate() {
            match tokens.last_mut() {
                Some(word) if in_word && class.is_word => word.end = position + 1,
                _ if !class.is_space => tokens.push(position..position + 1),
                _ => {}
            }
            in_word = class.is_word;
        }
        Self { characters, tokens }
    }

    pub(super) fn prepare(&self, statement: &StatementSpans) -> Prepared {
        let spans = [&statement.source, &statement.cue, &statement.content].map(|span| self.normalise(span));
        let tokens = spans
            .each_ref()
            .map(|span| TokenSet::new(span.iter().map(|segment| touched_tokens(&self.tokens, segment))));
        Prepared { spans, tokens }
    }

    /// Sorts, joins and trims segments; what is empty, reversed or outside the text disappears.
    fn normalise(&self, segments: &[Range<usize>]) -> Vec<Range<usize>> {
        let length = self.characters.len();
        let mut sorted: Vec<Range<usize>> = segments
            .iter()
            .map(|segment| segment.start..segment.end.min(length))
            .filter(|segment| !segment.is_empty())
            .collect();
        sorted.sort_unstable_by_key(|segment| (segment.start, segment.end));
        let mut joined: Vec<Range<usize>> = Vec::with_capacity(sorted.len());
        for segment in sorted {
            match joined.last_mut() {
                Some(last) if segment.start <= last.end || !self.has_word(last.end..segment.start) => {
                    last.end = last.end.max(segment.end);
                }
                _ => joined.push(segment),
            }
        }
        joined.into_iter().map(|segment| self.trim(segment)).filter(|segment| !segment.is_empty()).collect()
    }

    fn has_word(&self, gap: Range<usize>) -> bool {
        self.characters.get(gap).is_some_and(|gap| gap.iter().any(|class| class.is_word))
    }

    /// Takes trimmable characters off both ends of a segment of the text.
    fn trim(&self, segment: Range<usize>) -> Range<usize> {
        let characters = self.characters.get(segment.clone()).unwrap_or_default();
        match characters.iter().position(|class| !class.is_trimmable) {
            Some(leading) => {
                let trailing = characters.iter().rev().take_while(|class| class.is_trimmable).count();
                segment.start + leading..segment.end - trailing
            }
            None => segment.end..segment.end,
        }
    }
}

impl Prepared {
    /// Whether the sources share a token, or neither has a source.
    pub(super) fn has_source_of(&self, other: &Self) -> bool {
        self.tokens[SOURCE].shared_with(&other.tokens[SOURCE]) > 0
            || (self.spans[SOURCE].is_empty() && other.spans[SOURCE].is_empty())
    }
}

/// A set of token indices as sorted ranges that do not touch.
pub(super) struct TokenSet(Vec<Range<usize>>);

impl TokenSet {
    /// The union of `ranges`.
    pub(super) fn new(ranges: impl IntoIterator<Item = Range<usize>>) -> Self {
        let mut ranges: Vec<Range<usize>> = ranges.into_iter().filter(|range| !range.is_empty()).collect();
        ranges.sort_unstable_by_key(|range| range.start);
        ranges.dedup_by(|next, kept| {
            let touches = next.start <= kept.end;
            if touches {
                kept.end = kept.end.max(next.end);
            }
            touches
        });
        Self(ranges)
    }

    /// The union of several sets.
    pub(super) fn union<'a>(sets: impl IntoIterator<Item = &'a TokenSet>) -> Self {
        Self::new(sets.into_iter().flat_map(|set| set.0.iter().cloned()))
    }

    /// Number of tokens in the set.
    pub(super) fn len(&self) -> usize {
        self.0.iter().map(Range::len).sum()
    }

    /// Number of tokens that both sets hold.
    pub(super) fn shared_with(&self, other: &Self) -> usize {
        let (mut left, mut right) = (self.0.iter().peekable(), other.0.iter().peekable());
        let mut shared = 0;
        while let (Some(one), Some(two)) = (left.peek(), right.peek()) {
            let (one, two) = (*one, *two);
            shared += one.end.min(two.end).saturating_sub(one.start.max(two.start));
            if one.end <= two.end {
                left.next();
            } else {
                right.next();
            }
        }
        shared
    }
}

/// What normalisation must know of a character.
#[derive(Clone, Copy)]
struct Class {
    is_word: bool,
    is_space: bool,
    /// White space, quotation mark or punctuation that may not start or end a segment.
    is_trimmable: bool,
}

impl Class {
    fn of(character: char) -> Self {
        let is_space = is_space(character);
        Self { is_word: is_word(character), is_space, is_trimmable: is_space || is_trimmable_mark(character) }
    }
}

/// Python's `str.isspace`, which adds four separators to the Unicode property.
pub(super) fn is_space(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\u{1c}'..='\u{1f}')
}

/// Python's `\w`: letters, numbers and the underscore, but no combining marks.
fn is_word(character: char) -> bool {
    static WORD: LazyLock<Result<Regex, regex::Error>> = LazyLock::new(|| Regex::new(r"[\p{L}\p{N}]"));
    if character.is_ascii() {
        return character.is_ascii_alphanumeric() || character == '_';
    }
    matches(&WORD, character).unwrap_or_else(|| character.is_alphanumeric())
}

fn is_trimmable_mark(character: char) -> bool {
    static PUNCTUATION: LazyLock<Result<Regex, regex::Error>> = LazyLock::new(|| Regex::new(r"\p{P}"));
    match character {
        '%' | '#' | '@' | '&' => false,
        '`' | '´' => true,
        // Unicode counts these ASCII marks as symbols.
        '$' | '+' | '<' | '=' | '>' | '^' | '|' | '~' => false,
        _ if character.is_ascii() => character.is_ascii_punctuation(),
        _ => matches(&PUNCTUATION, character).unwrap_or(false),
    }
}

/// Whether `pattern` finds the character; `None` if it is no valid pattern.
fn matches(pattern: &Result<Regex, regex::Error>, character: char) -> Option<bool> {
    let pattern = pattern.as_ref().ok()?;
    Some(pattern.is_match(character.encode_utf8(&mut [0; 4])))
}

#[cfg(test)]
#[allow(clippy::single_range_in_vec_init)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, segments: &[Range<usize>], expected: &[Range<usize>]) {
        assert_eq!(ScoredText::new(text).normalise(segments), expected);
    }

    #[test]
    fn segments_are_joined_unless_a_word_lies_between() {
        check("one, two three", &[5..8, 0..3], &[0..8]);
        check("one, two three", &[0..3, 9..14], &[0..3, 9..14]);
        check("one, two three", &[0..8, 0..3, 4..6], &[0..8]);
        // A combining mark is no word character, an underscore is.
        check("a \u{301} b", &[0..1, 4..5], &[0..5]);
        check("a _ b", &[0..1, 4..5], &[0..1, 4..5]);
    }

    #[test]
    fn segments_lose_quotation_marks_and_punctuation() {
        check("“Yes,” he", &[0..6], &[1..4]);
        check(" ``Why?''\n", &[0..10], &[3..6]);
        check("_so_ ´it´", &[0..9], &[1..8]);
        check("… ”", &[0..3], &[]);
    }

    #[test]
    fn signs_that_belong_to_words_stay() {
        check("(#tax)", &[0..6], &[1..5]);
        check("“@ana & 5%.”", &[0..12], &[1..10]);
        check("“$5 + €”", &[0..8], &[1..7]);
    }

    #[test]
    fn offsets_outside_the_text_are_cut() {
        check("Ça va 🙂", &[3..90], &[3..7]);
        check("Ça va", &[5..9, 70..80, usize::MAX..usize::MAX], &[]);
        #[allow(clippy::reversed_empty_ranges)]
        check("Ça va", &[4..1, 3..3], &[]);
    }

    #[test]
    fn tokens_are_words_and_single_marks() {
        let text = ScoredText::new("e\u{301}t 🙂🙂 a_1,\u{a0}²");
        assert_eq!(text.tokens, [0..1, 1..2, 2..3, 4..5, 5..6, 7..10, 10..11, 12..13]);
    }

    #[test]
    fn token_sets_count_each_token_once() {
        let one = TokenSet::new([4..6, 0..3, 2..4, 9..9]);
        assert_eq!((one.len(), one.0.len()), (6, 1));
        let two = TokenSet::new([1..2, 5..8]);
        assert_eq!(one.shared_with(&two), 2);
        assert_eq!(TokenSet::union([&one, &two]).len(), 8);
        assert_eq!(TokenSet::new([]).shared_with(&two), 0);
    }
}
