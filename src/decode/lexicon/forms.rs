//! Forms of words: what a verb becomes in the third person, the past and the participles, a noun in the plural, an
//! auxiliary where it denies.
//!
//! Endings follow the rules of English spelling, British ones beside American ones ("signaled", "signalled"; "criticize",
//! "criticise"). What follows none is in `irregular.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::Deserialize;

/// What no rule makes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Irregular {
    /// For a verb its past and its participle, or all forms of these.
    verbs: BTreeMap<String, Vec<String>>,
    /// Verbs of several syllables that double their last letter.
    doubled: BTreeSet<String>,
}

#[expect(clippy::expect_used, reason = "the file is part of the program, and tests read it")]
fn irregular() -> &'static Irregular {
    static IRREGULAR: LazyLock<Irregular> =
        LazyLock::new(|| basic_toml::from_str(include_str!("irregular.toml")).expect("the verbs can be read"));
    &IRREGULAR
}

/// All forms of a verb.
pub(super) fn of_verb(verb: &str) -> BTreeSet<String> {
    let mut forms = BTreeSet::new();
    for verb in spellings(verb) {
        forms.extend([with_s(&verb), of_ing(&verb)]);
        let longer = longer(&verb).filter(|_| !must_double(&verb));
        forms.extend(longer.map(|longer| longer + "ing"));
        forms.extend(past_and_participle(&verb));
        forms.insert(verb);
    }
    forms
}

/// A noun and its plural.
pub(super) fn of_noun(noun: &str) -> [String; 2] {
    let plural = match noun {
        _ if noun.ends_with("man") => noun[..noun.len() - 3].to_owned() + "men",
        _ if noun.ends_with("sis") => noun[..noun.len() - 2].to_owned() + "es",
        _ => with_s(noun),
    };
    [noun.to_owned(), plural]
}

/// What an auxiliary becomes where it denies, with the apostrophe and without: "doesn't", "doesnt".
pub(super) fn negated(auxiliary: &str) -> [String; 2] {
    let stem = match auxiliary {
        "can" => "ca",
        "shall" => "sha",
        "will" => "wo",
        _ => auxiliary,
    };
    [format!("{stem}n't"), format!("{stem}nt")]
}

/// A verb as it is spelled in America and in Britain.
fn spellings(verb: &str) -> Vec<String> {
    let british = verb.strip_suffix("ize").filter(|stem| syllables(stem) > 1).map(|stem| format!("{stem}ise"));
    std::iter::once(verb.to_owned()).chain(british).collect()
}

fn past_and_participle(verb: &str) -> BTreeSet<String> {
    match irregular().verbs.get(verb) {
        Some(forms) => forms.iter().cloned().collect(),
        None => of_ed(verb),
    }
}

/// The forms in "-ed": one, or two where spelling varies.
fn of_ed(verb: &str) -> BTreeSet<String> {
    let longer = longer(verb);
    let doubled = longer.clone().map(|longer| longer + "ed");
    let plain = match verb.strip_suffix('y') {
        _ if verb.ends_with('e') => format!("{verb}d"),
        Some(stem) if !stem.ends_with(is_vowel) => format!("{stem}ied"),
        _ => format!("{verb}ed"),
    };
    let is_plain = longer.is_none() || !must_double(verb);
    doubled.into_iter().chain(is_plain.then_some(plain)).collect()
}

/// The form in "-ing".
fn of_ing(verb: &str) -> String {
    if let Some(longer) = longer(verb).filter(|_| must_double(verb)) {
        return longer + "ing";
    }
    match verb.strip_suffix('e') {
        _ if verb.ends_with("ie") => format!("{}ying", &verb[..verb.len() - 2]),
        Some(stem) if !stem.ends_with(['e', 'o', 'y']) => format!("{stem}ing"),
        _ => format!("{verb}ing"),
    }
}

/// The third person of a verb, or the plural of a noun.
fn with_s(word: &str) -> String {
    match word.strip_suffix('y') {
        Some(stem) if !stem.ends_with(is_vowel) => format!("{stem}ies"),
        _ if ["s", "x", "z", "ch", "sh", "o"].iter().any(|ending| word.ends_with(ending)) => format!("{word}es"),
        _ => format!("{word}s"),
    }
}

/// The verb with its last letter doubled, where it is one that may double: a consonant behind a single vowel ("plan",
/// "signal", but not "weigh", "fear" or "show").
fn longer(verb: &str) -> Option<String> {
    let mut letters = verb.chars().rev();
    let (last, vowel, before) = (letters.next()?, letters.next()?, letters.next()?);
    let is_single = !is_vowel(before) || before == 'u' && letters.next() == Some('q');
    let may_double = !is_vowel(last) && !matches!(last, 'w' | 'x' | 'y') && is_vowel(vowel) && is_single;
    let doubles = may_double && (must_double(verb) || last == 'l');
    doubles.then(|| format!("{verb}{last}"))
}

/// True of a verb that is never spelled with one letter, if it may double: of one syllable, or accented on the last.
fn must_double(verb: &str) -> bool {
    syllables(verb) == 1 || irregular().doubled.contains(verb)
}

/// How many groups of vowels a word has.
fn syllables(word: &str) -> usize {
    let word = word.replace("qu", "q");
    let is_vowel = |letter: char| is_vowel(letter) || letter == 'y';
    let starts = word.char_indices().filter(|&(at, letter)| is_vowel(letter) && !word[..at].ends_with(is_vowel));
    starts.count()
}

fn is_vowel(letter: char) -> bool {
    matches!(letter, 'a' | 'e' | 'i' | 'o' | 'u')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verb(verb: &str) -> String {
        of_verb(verb).into_iter().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn endings_follow_the_rules() {
        assert_eq!(verb("assert"), "assert asserted asserting asserts");
        assert_eq!(verb("agree"), "agree agreed agreeing agrees");
        assert_eq!(verb("argue"), "argue argued argues arguing");
        assert_eq!(verb("echo"), "echo echoed echoes echoing");
        assert_eq!(verb("deny"), "denied denies deny denying");
        assert_eq!(verb("portray"), "portray portrayed portraying portrays");
        assert_eq!(verb("lie"), "lie lied lies lying");
        assert_eq!(verb("watch"), "watch watched watches watching");
        assert_eq!(verb("show"), "show showed showing shown shows");
        assert_eq!(verb("weigh"), "weigh weighed weighing weighs");
        assert_eq!(verb("speak"), "speak speaking speaks spoke spoken");
    }

    #[test]
    fn letters_are_doubled_behind_an_accented_vowel() {
        assert_eq!(verb("plan"), "plan planned planning plans");
        assert_eq!(verb("quip"), "quip quipped quipping quips");
        assert_eq!(verb("admit"), "admit admits admitted admitting");
        assert_eq!(verb("forget"), "forget forgets forgetting forgot forgotten");
        assert_eq!(verb("utter"), "utter uttered uttering utters");
        assert_eq!(verb("reveal"), "reveal revealed revealing reveals");
        assert_eq!(verb("vow"), "vow vowed vowing vows");
    }

    #[test]
    fn both_spellings_are_there() {
        let signal = "signal signaled signaling signalled signalling signals";
        assert_eq!(verb("signal"), signal);
        assert!(verb("criticize").contains("criticising") && verb("criticize").contains("criticized"));
        assert!(!verb("prize").contains("prise"), "another word");
    }

    #[test]
    fn nouns_have_plurals() {
        let plural = |noun: &str| of_noun(noun)[1].clone();
        let plurals = ["policy", "spokeswoman", "analysis", "speech", "survey", "aide"].map(plural);
        assert_eq!(plurals, ["policies", "spokeswomen", "analyses", "speeches", "surveys", "aides"]);
    }

    #[test]
    fn auxiliaries_deny_with_an_apostrophe_and_without() {
        assert_eq!(negated("does"), ["doesn't", "doesnt"]);
        assert_eq!(
            (negated("can"), negated("will")),
            (["can't", "cant"].map(str::to_owned), ["won't", "wont"].map(str::to_owned))
        );
    }
}
