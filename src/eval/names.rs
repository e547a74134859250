//! Makes names comparable, the way the reference scorer of speakers does.

use super::spans::is_space;

/// A name without titles before it, possessive after it, and differences of case, for comparison.
pub(super) fn plain_name(name: &str) -> String {
    const TITLES: [&str; 12] =
        ["the", "mr", "mrs", "ms", "dr", "sen", "rep", "gov", "president", "secretary", "senator", "governor"];
    let words: Vec<&str> = name.split(is_space).filter(|word| !word.is_empty()).collect();
    let name = words.join(" ");
    let mut rest = name.strip_suffix("’s").or_else(|| name.strip_suffix("'s")).unwrap_or(&name);
    while let Some((word, after)) = rest.split_once(' ') {
        let title = fold_case(word.strip_suffix('.').unwrap_or(word));
        if !TITLES.contains(&title.as_str()) {
            break;
        }
        rest = after;
    }
    fold_case(rest.trim_matches([' ', '.', ',']))
}

/// Lower case, with the few letters folded for which that is not the same as Unicode case folding.
fn fold_case(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for letter in text.chars().flat_map(char::to_lowercase) {
        match letter {
            'ß' => folded.push_str("ss"),
            'ς' => folded.push('σ'),
            'ſ' => folded.push('s'),
            _ => folded.push(letter),
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_titles_and_possessives() {
        let cases = [
            ("  The  President Ana\u{a0}Duarte’s ", "ana duarte"),
            ("SEN. MRS Ito", "ito"),
            ("Mr.Ito", "mr.ito"),
            ("Governor", "governor"),
            ("governor REP. Secretary Bo", "bo"),
            ("Theodora Weiß, Jr.", "theodora weiss, jr"),
            ("ΝΙΚΟΣ", "νικοσ"),
            ("the 's", ""),
        ];
        for (name, expected) in cases {
            assert_eq!(plain_name(name), expected, "{name:?}");
        }
    }
}
