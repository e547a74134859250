//! Lists as `lexicon.toml` has them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Deserialize;

use super::forms::{negated, of_noun, of_verb};

/// Words or phrases.
#[derive(Debug, Deserialize)]
#[serde(try_from = "WrittenList")]
pub(in crate::decode) struct List {
    /// In order.
    words: Vec<String>,
}

impl List {
    /// Whether a word, in lower case, is in the list.
    pub fn has(&self, word: &str) -> bool {
        self.words.binary_search_by(|known| known.as_str().cmp(word)).is_ok()
    }

    /// All words, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.words.iter().map(String::as_str)
    }

    /// Whether these words begin with a phrase of the list.
    pub fn begins(&self, words: &[String]) -> bool {
        self.iter().any(|phrase| begins_with(words, phrase))
    }

    /// Whether a phrase of the list stands around the word at `at`.
    pub fn stands_around(&self, words: &[String], at: usize) -> bool {
        self.iter().any(|phrase| {
            let places = phrase.split(' ').enumerate().filter(|(_, word)| *word == words[at]);
            let mut starts = places.filter_map(|(before, _)| at.checked_sub(before));
            starts.any(|start| begins_with(&words[start..], phrase))
        })
    }
}

fn begins_with(words: &[String], phrase: &str) -> bool {
    let mut given = words.iter();
    phrase.split(' ').all(|word| given.next().is_some_and(|given| given == word))
}

/// Words by classes.
#[derive(Debug, Deserialize)]
#[serde(try_from = "WrittenClasses")]
pub(in crate::decode) struct Classes {
    class_of: HashMap<String, String>,
}

impl Classes {
    /// The class of a word in lower case.
    pub fn class_of(&self, word: &str) -> Option<&str> {
        self.class_of.get(word).map(String::as_str)
    }
}

/// A list as it is written.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenList {
    /// Where it comes from.
    from: String,
    /// Words that are in it as they are.
    words: Vec<String>,
    /// Verbs that are in it with all their forms.
    verbs: Vec<String>,
    /// Nouns that are in it with their plurals.
    nouns: Vec<String>,
    /// Auxiliaries that are in it as they deny.
    negated: Vec<String>,
    /// Forms that are made, and are not in it.
    except: Vec<String>,
}

impl WrittenList {
    /// The forms that are made.
    fn forms(&self) -> Result<BTreeSet<String>, String> {
        let verbs = self.verbs.iter().flat_map(|verb| of_verb(verb));
        let nouns = self.nouns.iter().flat_map(|noun| of_noun(noun));
        let negated = self.negated.iter().flat_map(|auxiliary| negated(auxiliary));
        let mut forms: BTreeSet<String> = verbs.chain(nouns).chain(negated).collect();
        for form in &self.except {
            if !forms.remove(form) {
                return Err(format!("{form:?} is no form, and need not be excepted"));
            }
        }
        Ok(forms)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenClasses {
    from: String,
    classes: BTreeMap<String, Vec<String>>,
}

impl TryFrom<WrittenList> for List {
    type Error = String;

    fn try_from(list: WrittenList) -> Result<Self, String> {
        let forms = list.forms()?;
        Ok(Self { words: checked(&list.from, list.words.into_iter().chain(forms).collect())? })
    }
}

impl TryFrom<WrittenClasses> for Classes {
    type Error = String;

    fn try_from(WrittenClasses { from, classes }: WrittenClasses) -> Result<Self, String> {
        checked(&from, classes.values().flatten().cloned().collect())?;
        let of_class = |(class, words): (String, Vec<String>)| words.into_iter().map(move |word| (word, class.clone()));
        Ok(Self { class_of: classes.into_iter().flat_map(of_class).collect() })
    }
}

/// The words in order, each of them as texts are compared, and there once.
fn checked(from: &str, mut words: Vec<String>) -> Result<Vec<String>, String> {
    if from.is_empty() {
        return Err("it is not said where a list comes from".to_owned());
    }
    if let Some(word) = words.iter().find(|word| word.is_empty() || **word != word.to_lowercase() || word.contains('’'))
    {
        return Err(format!("{word:?} is not in lower case, with straight apostrophes"));
    }
    words.sort_unstable();
    match words.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(format!("{:?} is there twice", pair[0])),
        None => Ok(words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(words: &str) -> Result<List, String> {
        let text = format!("from = \"A test.\"\nwords = {words}");
        basic_toml::from_str(&text).map_err(|error| error.to_string())
    }

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn words_and_phrases_are_found() {
        let list = list(r#"["whether or not", "no longer", "never"]"#).unwrap();
        assert!(list.has("never") && !list.has("no"));
        assert!(list.begins(&words("no longer here")) && !list.begins(&words("no pier")) && !list.begins(&words("no")));
        let sentence = words("whether or not it opened or not");
        assert!(list.stands_around(&sentence, 1) && list.stands_around(&sentence, 2));
        assert!(!list.stands_around(&sentence, 5) && !list.stands_around(&words("not or"), 0));
    }

    #[test]
    fn forms_are_made() {
        let list = |words: &str| basic_toml::from_str::<List>(&format!("from = \"A test.\"\n{words}"));
        let verbs = list("verbs = [\"fear\"]\nexcept = [\"fears\"]\nwords = [\"afraid\"]").unwrap();
        assert_eq!(verbs.iter().collect::<Vec<_>>(), ["afraid", "fear", "feared", "fearing"]);
        let others = list("nouns = [\"poll\"]\nnegated = [\"does\"]").unwrap();
        assert_eq!(others.iter().collect::<Vec<_>>(), ["doesn't", "doesnt", "poll", "polls"]);
        assert!(list("verbs = [\"fear\"]\nexcept = [\"fearful\"]").unwrap_err().to_string().contains("is no form"));
        assert!(list("verbs = [\"fear\"]\nwords = [\"feared\"]").unwrap_err().to_string().contains("twice"));
    }

    #[test]
    fn classes_are_found() {
        let classes = "from = \"A test.\"\n[classes]\nsenator = [\"sen\", \"sens\"]\n";
        let classes: Classes = basic_toml::from_str(classes).unwrap();
        assert_eq!((classes.class_of("sens"), classes.class_of("senator")), (Some("senator"), None));
    }

    #[test]
    fn what_is_no_list_is_refused() {
        assert!(list(r#"["Never"]"#).unwrap_err().contains("lower case"));
        assert!(list(r#"["don’t"]"#).unwrap_err().contains("straight"));
        assert!(list(r#"["no", "not", "no"]"#).unwrap_err().contains("twice"));
        assert!(basic_toml::from_str::<List>("from = \"\"\nwords = []").is_err());
        assert!(
            basic_toml::from_str::<List>("words = []").unwrap_err().to_string().contains("where a list comes from")
        );
    }
}
