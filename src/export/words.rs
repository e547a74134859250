//! Words, for the forms that know no other offsets.

use std::sync::LazyLock;

use regex::Regex;

use super::Annotated;
use crate::text::ByteRange;

/// The words of a text, in order: runs of letters, digits, marks and underscores, and every other character that is not
/// white space by itself. A word in which a border lies is cut there, so that every span is a run of whole words.
fn words(text: &str, borders: impl IntoIterator<Item = usize>) -> Vec<ByteRange> {
    static WORD: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\w+|[^\w\s]").ok());
    let mut borders: Vec<usize> = borders.into_iter().collect();
    borders.sort_unstable();
    let mut borders = borders.into_iter().peekable();
    let mut found = Vec::new();
    for word in WORD.iter().flat_map(|word| word.find_iter(text)) {
        let mut start = word.start();
        while let Some(border) = borders.next_if(|border| *border < word.end()) {
            if border > start {
                found.push(start..border);
                start = border;
            }
        }
        found.push(start..word.end());
    }
    found
}

impl Annotated<'_> {
    /// The words of the article, cut so that every span is a run of whole ones.
    pub(super) fn words(&self) -> Vec<ByteRange> {
        let entities = self.entities.iter().map(|entity| &entity.bytes);
        let statements =
            self.statements.iter().flat_map(|statement| statement.roles()).flat_map(|(_, segments)| segments);
        words(self.text, entities.chain(statements).flat_map(|bytes| [bytes.start, bytes.end]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn signs_stand_by_themselves_and_borders_cut() {
        let text = "“Don’t!” said Müller-Lüdenscheidt (49).";
        let slices = |borders: &[usize]| -> Vec<&str> {
            words(text, borders.iter().copied()).into_iter().map(|bytes| &text[bytes]).collect()
        };
        let expected = ["“", "Don", "’", "t", "!", "”", "said", "Müller", "-", "Lüdenscheidt", "(", "49", ")", "."];
        assert_eq!(slices(&[]), expected);
        let said = text.find("said").expect("it is there");
        assert_eq!(slices(&[said, said + 2, said + 4])[6..8], ["sa", "id"]);
    }

    proptest! {
        #[test]
        fn all_but_white_space_is_in_a_word(text in "(\\PC|[ \\n\u{301}🦀]){0,200}", at in 0_usize..200) {
            let border = text.floor_char_boundary(at);
            let words = words(&text, [border]);
            let together: String = words.iter().map(|word| &text[word.clone()]).collect();
            let kept: String = text.chars().filter(|character| !character.is_whitespace()).collect();
            prop_assert_eq!(together, kept);
            prop_assert!(words.iter().all(|word| word.start < word.end && !(word.start < border && border < word.end)));
            prop_assert!(words.is_sorted_by(|one, other| one.end <= other.start));
        }
    }
}
