//! The words of a name, without what stands around it: titles, possessive endings, punctuation.

use crate::text::ByteRange;

/// Words before a name that are not part of it, as [`plain`] makes them.
const TITLES: [&str; 59] = [
    "admiral",
    "ambassador",
    "archbishop",
    "baroness",
    "bishop",
    "capt",
    "captain",
    "chairman",
    "chairwoman",
    "chancellor",
    "col",
    "colonel",
    "commissioner",
    "congressman",
    "congresswoman",
    "councillor",
    "dame",
    "dr",
    "father",
    "former",
    "gen",
    "general",
    "gov",
    "governor",
    "imam",
    "judge",
    "justice",
    "king",
    "lady",
    "lord",
    "lt",
    "madam",
    "maj",
    "major",
    "mayor",
    "minister",
    "miss",
    "mr",
    "mrs",
    "ms",
    "pope",
    "premier",
    "president",
    "prime",
    "prince",
    "princess",
    "prof",
    "professor",
    "queen",
    "rep",
    "representative",
    "rev",
    "secretary",
    "sen",
    "senator",
    "sgt",
    "sir",
    "speaker",
    "the",
];

/// Titles after which a name begins, whatever stands before them ("Massachusetts Sen. Ada Holt").
const NAME_FOLLOWS: [&str; 16] = [
    "ambassador",
    "capt",
    "col",
    "congressman",
    "congresswoman",
    "dr",
    "gen",
    "gov",
    "governor",
    "minister",
    "mr",
    "mrs",
    "ms",
    "rep",
    "sen",
    "senator",
];

/// A word as names are compared: in lower case, without a final full stop.
pub(super) fn plain(word: &str) -> String {
    word.trim_end_matches('.').to_lowercase()
}

fn is_one_of(titles: &[&str], word: &str) -> bool {
    titles.contains(&plain(word).as_str())
}

/// The words of a name without titles, possessive endings and surrounding punctuation.
pub(in crate::decode::speakers) fn name_words(text: &str) -> Vec<&str> {
    let whole = strip_possessive(text.trim_matches(|c: char| !c.is_alphanumeric() && c != '.'));
    let is_mark = |c: char| !c.is_alphanumeric() && !matches!(c, '.' | '\'' | '’' | '&');
    let words = whole.split_whitespace().map(|word| word.trim_matches(is_mark));
    let mut words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let leading = words.iter().take_while(|word| is_one_of(&TITLES, word)).count();
    let last = words.iter().rposition(|word| is_one_of(&NAME_FOLLOWS, word)).map_or(0, |index| index + 1);
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
