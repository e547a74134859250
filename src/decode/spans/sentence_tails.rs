//! Contents that run a few words into the sentence behind them.
//!
//! "He called it 'a disaster.' The word was chosen with care": where "The word" is tagged as content too, the annotators
//! would not have it so. Of 23,289 contents in PolNeAR's training set seven end in the first words of a sentence that goes
//! on, most of these behind a question.

use crate::text::ByteRange;

/// More words than this are taken for what somebody said.
const MOST_WORDS: usize = 12;

/// Marks that end a sentence.
const ENDS: &str = ".?!…";

/// Marks that may stand between the end of a sentence and the space behind it.
const CLOSING: &str = "\"”’'»)]";

/// Marks that may stand before the first word of a sentence.
const OPENING: &str = "\"“‘'«([";

/// Where a content should end (a byte of the text) instead of in the first words of a sentence that goes on.
pub(in crate::decode) fn end_before_tail(text: &str, content: ByteRange) -> Option<usize> {
    let (inside, behind) = (&text[content.clone()], &text[content.end..]);
    let goes_on = match behind.strip_prefix(", ") {
        Some(behind) => behind.starts_with(char::is_alphanumeric),
        None => {
            let next = behind.trim_start_matches([' ', '\t', '\u{a0}']);
            next.len() < behind.len() && next.starts_with(char::is_lowercase)
        }
    };
    let is_open = inside.ends_with(char::is_alphanumeric);
    if !(goes_on && is_open) {
        return None;
    }
    let (end, start) = last_border(inside)?;
    (inside[start..].split_whitespace().count() <= MOST_WORDS).then_some(content.start + end)
}

/// The last border between two sentences: where one ends, with its closing marks, and where the next begins.
fn last_border(text: &str) -> Option<(usize, usize)> {
    let mut marks = text.char_indices().rev().filter(|&(_, character)| ENDS.contains(character));
    marks.find_map(|(place, mark)| {
        let behind = &text[place + mark.len_utf8()..];
        let space = behind.trim_start_matches(|character| CLOSING.contains(character));
        let next = space.trim_start();
        let starts = next.trim_start_matches(|character| OPENING.contains(character)).starts_with(char::is_uppercase);
        let is_closed = space.len() < behind.len();
        let ends = mark != '.' || is_closed || !is_abbreviated(&text[..place]);
        let border = (text.len() - space.len(), text.len() - next.len());
        (next.len() < space.len() && starts && ends).then_some(border)
    })
}

/// Whether a full stop behind this is likely to stand for letters left out: "Mr.", "Sen.", "U.S.", "v.".
fn is_abbreviated(before: &str) -> bool {
    let word = before.rsplit(|character: char| !character.is_alphanumeric()).next().unwrap_or_default();
    let letters = word.chars().count();
    letters <= 2 || letters <= 4 && word.starts_with(char::is_uppercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left of the content, which stands in braces.
    fn left(marked: &str) -> String {
        let (before, rest) = marked.split_once('{').unwrap();
        let (content, behind) = rest.split_once('}').unwrap();
        let text = format!("{before}{content}{behind}");
        let content = before.len()..before.len() + content.len();
        let end = end_before_tail(&text, content.clone()).unwrap_or(content.end);
        text[content.start..end].to_owned()
    }

    #[test]
    fn the_first_words_of_a_sentence_that_goes_on_are_cut_off() {
        for (marked, expected) in [
            ("He called it {“a disaster.” The word} was chosen with care.", "“a disaster.”"),
            (
                "She asked {who would pay for the pier. Much as it hurt}, the council paid.",
                "who would pay for the pier.",
            ),
            ("{Is it safe? No one} knows.", "Is it safe?"),
            ("{It fell… “We} saw it,” he said.", "It fell…"),
        ] {
            assert_eq!(left(marked), expected, "{marked}");
        }
    }

    #[test]
    fn whole_sentences_stay() {
        for marked in [
            "{It is over. We leave}, she said.".replace("leave}, ", "leave,} "),
            "“{It is over. We leave}”, she said.".to_owned(),
            "{It is over. We leave at dawn}. Nobody did.".to_owned(),
            "{It is over. We leave} Velmouth at dawn.".to_owned(),
            "He praised {Mr. Holt} at length.".to_owned(),
            "They quoted {the U.S. Senate} at length.".to_owned(),
            "They cited {Holt v. Moreau} at length.".to_owned(),
            "{It is over. We leave".to_owned() + &" again and again".repeat(5) + "} until dawn.",
            "{}".to_owned(),
            "{No}".to_owned(),
        ] {
            let content = &marked[marked.find('{').unwrap() + 1..marked.find('}').unwrap()];
            assert_eq!(left(&marked), content, "{marked}");
        }
    }
}
