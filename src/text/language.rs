//! A word of warning for texts that the models were not trained on.

/// Below this length (bytes) a language guess is worth nothing.
const SHORTEST_GUESS: usize = 80;

/// The detector sees at most this much of a document (bytes).
const LONGEST_LOOK: usize = 20_000;

/// A warning when the text does not look English, else nothing. The text is processed all the same.
pub fn language_warning(text: &str) -> Option<String> {
    let look = &text[..text.floor_char_boundary(LONGEST_LOOK)];
    if look.len() < SHORTEST_GUESS {
        return None;
    }
    let guess = whatlang::detect(look)?;
    (guess.lang() != whatlang::Lang::Eng && guess.is_reliable())
        .then(|| format!("the text looks {}, not English: expect poor results", guess.lang().eng_name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_other_languages_are_flagged() {
        let french = "Le ministre a déclaré mercredi que les travaux du port commenceraient au printemps, \
                      après une longue consultation avec les habitants et les pêcheurs.";
        assert!(language_warning(french).is_some_and(|warning| warning.contains("French")));
        let english = "The minister said on Wednesday that work on the harbour would begin in the spring, \
                       after a long consultation with residents and fishermen.";
        assert_eq!(language_warning(english), None);
        assert_eq!(language_warning("Oui."), None);
    }
}
