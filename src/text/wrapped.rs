//! Lines that a mail program or a wire service wrapped: they end where the next word had no room, in the midst of a sentence.
//! A line's end is a paragraph's otherwise, and a statement does not run over it.

use std::ops::RangeInclusive;

/// Widths that texts are wrapped to, in characters. Longer lines are paragraphs.
const WIDTHS: RangeInclusive<usize> = 40..=120;

/// Fewer line ends within paragraphs tell nothing.
const LEAST: usize = 4;

/// Of the line ends that no blank line is at, so many of ten are where the next word had no room; the others end paragraphs.
const FULL_OF_TEN: usize = 7;

/// Of these, so many of ten go on in lower case: rows of a table do not.
const LOWER_OF_TEN: usize = 3;

/// Some programs leave lines that much short (one part of so many of the width), to make them more even.
const SLACK: usize = 8;

/// A line with something behind its end that is no blank line.
struct Break<'text> {
    /// Where its line end begins.
    at: usize,
    /// Characters of the line.
    length: usize,
    next: &'text str,
}

impl Break<'_> {
    /// True where the line's end comes from its width.
    fn is_full(&self, width: usize) -> bool {
        !self.is_set_in() && self.length + 1 + self.word().chars().count() + width / SLACK > width
    }

    /// True where what follows begins something: a paragraph, or a part of a list.
    fn is_set_in(&self) -> bool {
        self.next.starts_with(char::is_whitespace) || ["-", "*", "•", ">"].contains(&self.word())
    }

    fn word(&self) -> &str {
        self.next.split_whitespace().next().unwrap_or_default()
    }
}

/// The text with spaces in place of line ends within paragraphs, byte for byte as long, if its lines were wrapped; `None`
/// for others.
pub fn unwrapped(text: &str) -> Option<String> {
    let breaks = breaks(text);
    let mut lengths: Vec<usize> = breaks.iter().map(|one| one.length).collect();
    lengths.sort_unstable();
    // One of twenty may be longer: an address has no place to be broken at.
    let width = lengths.get(lengths.len() * 19 / 20).copied().filter(|width| WIDTHS.contains(width))?;
    let full: Vec<&Break<'_>> = breaks.iter().filter(|one| one.is_full(width)).collect();
    let others = breaks.iter().filter(|one| !one.is_set_in()).count();
    let lower = full.iter().filter(|one| one.next.starts_with(char::is_lowercase)).count();
    if full.len() < LEAST || full.len() * 10 < others * FULL_OF_TEN || lower * 10 < full.len() * LOWER_OF_TEN {
        return None;
    }
    let (mut flowing, mut done) = (String::with_capacity(text.len()), 0);
    for Break { at, .. } in full {
        let length = if text[*at..].starts_with('\r') { 2 } else { 1 };
        flowing.push_str(&text[done..*at]);
        flowing.push_str(&"  "[..length]);
        done = at + length;
    }
    flowing.push_str(&text[done..]);
    Some(flowing)
}

/// The line ends that no blank line is at; none where a line is too long for wrapped text.
fn breaks(text: &str) -> Vec<Break<'_>> {
    let (mut breaks, mut before, mut start) = (Vec::new(), None, 0);
    for whole in text.split_inclusive('\n') {
        let line = whole.trim_end_matches(['\n', '\r']);
        if line.trim().is_empty() {
            before = None;
        } else {
            if let Some((at, length)) = before {
                breaks.push(Break { at, length, next: line });
            }
            // Bytes are enough to tell what is far too long, and megabytes of it are not counted.
            if line.len() > 4 * WIDTHS.end() {
                return Vec::new();
            }
            before = whole.ends_with('\n').then(|| {
                let end = if whole.ends_with("\r\n") { 2 } else { 1 };
                (start + whole.len() - end, line.chars().count())
            });
        }
        start += whole.len();
    }
    breaks
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ARTICLE: &str = "Ada Holt, who runs the harbour of Lysmouth, said on Monday that the pier would stay \
        shut until spring. “We have counted every plank,” she said, “and too many of them are older than I am.”\n\n\
        The Port Board did not answer a letter from this newspaper, but one of its members, Ben Ruiz, called the \
        decision a farce and said that nobody had asked the fishermen, who lose a third of what they earn.";

    /// Wrapped as `fold` and most mail programs do.
    fn wrapped(text: &str, width: usize, end: &str) -> String {
        let paragraph = |paragraph: &str| {
            let (mut lines, mut line) = (Vec::new(), String::new());
            for word in paragraph.split(' ') {
                if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
                    lines.push(std::mem::take(&mut line));
                }
                if !line.is_empty() {
                    line.push(' ');
                }
                line.push_str(word);
            }
            lines.push(line);
            lines.join(end)
        };
        text.split("\n\n").map(paragraph).collect::<Vec<_>>().join(&end.repeat(2))
    }

    #[test]
    fn wrapped_lines_flow_again() {
        for width in [50, 64, 72, 80] {
            assert_eq!(unwrapped(&wrapped(ARTICLE, width, "\n")).as_deref(), Some(ARTICLE), "{width}");
            let found = unwrapped(&wrapped(ARTICLE, width, "\r\n")).unwrap();
            assert_eq!(found.replace("  ", " ").replace("\r\n", "\n"), ARTICLE, "{width}");
        }
    }

    #[test]
    fn paragraphs_tables_lists_and_verses_stay() {
        let lines = ARTICLE.replace("\n\n", "\n").repeat(3);
        let list =
            "Pier shut until spring\nFishermen protest against the Port Board's new rules\nBoard silent\n".repeat(4);
        let table =
            "Lysmouth Harbour Authority, Lysmouth, 31 boats, 4 piers\nNorthgate Port Board, Northgate, 27 boats\n";
        let table =
            format!("{table}Vostra Ferry Company, Vostra Quay, 12 boats, 1 pier,\nHolt and Ruiz, Lysmouth, 55 boats\n");
        for text in [ARTICLE, &lines, &list, &table.repeat(2), "a\nb", "", "\n\n\n"] {
            assert_eq!(unwrapped(text), None, "{text}");
        }
        let quoted = format!("{}\n- Pier shut\n- Board silent", wrapped(ARTICLE, 64, "\n"));
        assert!(unwrapped(&quoted).unwrap().ends_with("\n- Pier shut\n- Board silent"));
    }

    proptest! {
        #[test]
        fn only_line_ends_change(text in "([a-zA-Zé“]{1,9}[ \n]{0,2}(\r\n)?){0,99}", width in 40usize..90) {
            for text in [wrapped(&text, width, "\n"), text] {
                if let Some(flowing) = unwrapped(&text) {
                    let pairs = || text.bytes().zip(flowing.bytes());
                    prop_assert_eq!(flowing.len(), text.len());
                    prop_assert!(pairs().all(|(a, b)| a == b || matches!(a, b'\n' | b'\r') && b == b' '));
                }
            }
        }
    }
}
