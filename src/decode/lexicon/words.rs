//! The words of a text, as lists have them.

/// The words of a text, in lower case and with straight apostrophes: runs of letters, digits and `signs`.
pub(in crate::decode) fn words(text: &str, signs: &'static str) -> impl DoubleEndedIterator<Item = String> {
    let is_inside = |character: char| {
        character.is_alphanumeric() || signs.contains(if character == '’' { '\'' } else { character })
    };
    let runs = text.split(move |character| !is_inside(character)).filter(|run| !run.is_empty());
    runs.map(|run| run.to_lowercase().replace('’', "'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_in_lower_case_and_without_other_signs() {
        let split = |signs: &'static str| words("Holt & Sons didn’t re-open (“at 5”).", signs).collect::<Vec<_>>();
        assert_eq!(split(""), ["holt", "sons", "didn", "t", "re", "open", "at", "5"]);
        assert_eq!(split("'-"), ["holt", "sons", "didn't", "re-open", "at", "5"]);
        assert_eq!(split("&"), ["holt", "&", "sons", "didn", "t", "re", "open", "at", "5"]);
        assert_eq!(words("Ada Holt", "").next_back().as_deref(), Some("holt"));
    }
}
