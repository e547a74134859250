//! The words of a name, without what stands around it: titles, possessive endings, punctuation.

use crate::decode::lexicon::lexicon;
use crate::text::ByteRange;

/// A word as names are compared: in lower case, without a final full stop.
pub(super) fn plain(word: &str) -> String {
    word.trim_end_matches('.').to_lowercase()
}

/// The words of a name without titles, possessive endings and surrounding punctuation.
pub(in crate::decode::speakers) fn name_words(text: &str) -> Vec<&str> {
    let lists = &lexicon().speakers;
    let whole = strip_possessive(text.trim_matches(|c: char| !c.is_alphanumeric() && c != '.'));
    let is_mark = |c: char| !c.is_alphanumeric() && !matches!(c, '.' | '\'' | '’' | '&');
    let words = whole.split_whitespace().map(|word| word.trim_matches(is_mark));
    let mut words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let leading = words.iter().take_while(|word| lists.titles.has(&plain(word))).count();
    let last = words.iter().rposition(|word| lists.name_follows.has(&plain(word))).map_or(0, |index| index + 1);
    let titles = leading.max(last);
    // "General Motors" keeps its first word; "the President" alone is no name but stays what it is.
    if titles < words.len() {
        words.drain(..titles);
    }
    words
}

/// The text of a mention as an alias: possessive ending and surrounding punctuation dropped, titles kept.
pub(in crate::decode::speakers) fn alias(text: &str, bytes: &ByteRange) -> String {
    let words: Vec<&str> = text[bytes.clone()].split_whitespace().collect();
    let joined = words.join(" ");
    strip_possessive(joined.trim_matches(|c: char| !c.is_alphanumeric() && c != '.')).to_owned()
}

fn strip_possessive(name: &str) -> &str {
    ["'s", "’s"].iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_no_part_of_a_name() {
        assert_eq!(name_words("Ms. Moreau’s"), ["Moreau"]);
        assert_eq!(name_words("Prime Minister Ada Holt"), ["Ada", "Holt"]);
        assert_eq!(name_words("the President"), ["the", "President"]);
        assert_eq!(name_words("Massachusetts Sen. Ada Holt"), ["Ada", "Holt"]);
        assert_eq!(name_words("Martin Luther King Jr."), ["Martin", "Luther", "King", "Jr."]);
        assert_eq!(name_words("“Shorty” O'Brien"), ["Shorty", "O'Brien"]);
        assert_eq!(name_words("the Growers’ Association’s"), ["Growers’", "Association"]);
        assert_eq!(name_words("Lloyd's & Sons"), ["Lloyd's", "&", "Sons"]);
    }
}
