//! Names: when two mentions are the same person or organisation, and which form is the fullest.

use std::collections::HashMap;

use super::named_entities::{EntityKind, NamedEntity};
use super::surnames::{Bearer, bearer, established, gender_by_title};
use super::words::{name_words, plain};
use crate::model::Gender;
use crate::text::ByteRange;

/// The index of the only name that `text` as a whole can mean ("Holt" where the document has one Ada Holt).
pub(in crate::decode::speakers) fn name_of_text(text: &str, names: &[Name]) -> Option<usize> {
    let words: Vec<String> = name_words(text).into_iter().map(plain).collect();
    let is_name = text.split_whitespace().any(|word| word.starts_with(char::is_uppercase));
    if words.is_empty() || !is_name {
        return None;
    }
    if let Some(exact) = names.iter().position(|name| name.words == words) {
        return Some(exact);
    }
    let fits = |name: &Name| name.kind == EntityKind::Person && name.words.ends_with(&words);
    let mut fitting = (0..names.len()).filter(|&index| fits(&names[index]));
    fitting.next().filter(|_| fitting.next().is_none())
}

/// A person, organisation, place or group, with all its mentions.
#[derive(Debug, Clone)]
pub(in crate::decode::speakers) struct Name {
    /// The fullest form, without titles.
    pub fullest: String,
    /// Its words, as they are compared.
    words: Vec<String>,
    /// What it is, by the fullest form.
    pub kind: EntityKind,
    /// Indices of the mentions among the document's entities, in text order.
    pub mentions: Vec<usize>,
}

impl Name {
    /// The given name in lower case, where the fullest form has more than one word.
    pub fn given(&self) -> Option<String> {
        self.words.first().filter(|_| self.words.len() > 1).cloned()
    }

    /// The only word of a name, in lower case.
    pub fn lone(&self) -> Option<&str> {
        let [word] = &self.words[..] else { return None };
        Some(word)
    }
}

/// Groups the mentions of people, organisations, places and groups into names.
///
/// A short form joins a fuller one of the same kind when exactly one fuller form fits: where two people share a
/// surname, each mention of the surname alone goes to the one whom it clearly means, and else stays by itself.
/// `gender` tells that of a given name in lower case.
pub(in crate::decode::speakers) fn group_names(
    text: &str,
    entities: &[NamedEntity],
    gender: &dyn Fn(&str) -> Option<Gender>,
) -> Vec<Name> {
    let mut forms: Vec<Spelling<'_>> = Vec::new();
    let mut known: HashMap<(EntityKind, String), usize> = HashMap::new();
    for (index, entity) in entities.iter().enumerate() {
        let Some(kind) = entity.kind else { continue };
        let mut words = name_words(&text[entity.bytes.clone()]);
        if kind == EntityKind::Organisation {
            words.drain(..describing_words(&words));
        }
        if words.is_empty() {
            continue;
        }
        let key = (kind, words.join(" ").to_lowercase());
        let form = *known.entry(key).or_insert_with(|| {
            forms.push(Spelling::new(kind, words));
            forms.len() - 1
        });
        forms[form].mentions.push(index);
    }
    let (fuller, rivals) = resolve_forms(&forms);
    for (form, rivals) in rivals {
        let bearers: Vec<Bearer> = rivals.iter().map(|&rival| forms[rival].bearer(text, entities, gender)).collect();
        let alone: Vec<&ByteRange> = forms[form].mentions.iter().map(|&mention| &entities[mention].bytes).collect();
        let established = established(text, &bearers, &alone);
        let meant = |&mention: &usize| {
            bearer(text, &entities[mention].bytes, &bearers, established).map(|bearer| rivals[bearer])
        };
        for mention in std::mem::take(&mut forms[form].mentions) {
            forms[meant(&mention).unwrap_or(form)].mentions.push(mention);
        }
    }
    let mut names: Vec<Option<Name>> = forms
        .iter()
        .enumerate()
        .map(|(index, form)| (fuller[index] == index && !form.mentions.is_empty()).then(|| form.name()))
        .collect();
    for (index, form) in forms.iter().enumerate() {
        if let Some(name) = names[fuller[index]].as_mut().filter(|_| fuller[index] != index) {
            name.mentions.extend(&form.mentions);
        }
    }
    let mut names: Vec<Name> = names.into_iter().flatten().collect();
    names.iter_mut().for_each(|name| name.mentions.sort_unstable());
    names
}

/// For each entity the number of its name.
pub(in crate::decode::speakers) fn name_of(entities: &[NamedEntity], names: &[Name]) -> Vec<Option<usize>> {
    let mut name_of = vec![None; entities.len()];
    for (index, name) in names.iter().enumerate() {
        name.mentions.iter().for_each(|&mention| name_of[mention] = Some(index));
    }
    name_of
}

/// One spelling of a name.
struct Spelling<'text> {
    kind: EntityKind,
    words: Vec<&'text str>,
    lower: Vec<String>,
    /// Of an acronym, its letters.
    letters: Option<String>,
    mentions: Vec<usize>,
}

/// The letters of an acronym in lower case: "S.E.C." and "SEC".
fn letters(words: &[&str]) -> Option<String> {
    let [word] = words else { return None };
    let letters: String = word.chars().filter(|character| *character != '.').collect();
    let is_acronym = letters.len() > 1 && letters.chars().all(char::is_uppercase);
    is_acronym.then(|| letters.to_lowercase())
}

/// How many words describe an organisation before its name begins: "federal Harbour Commission". Short ones may be part
/// of it ("la Caixa").
fn describing_words(words: &[&str]) -> usize {
    let is_description = |word: &&&str| word.chars().count() > 3 && word.chars().all(|letter| letter.is_lowercase());
    let count = words.iter().take_while(is_description).count();
    // What has no capital is no name with something before it.
    if count < words.len() { count } else { 0 }
}

impl<'text> Spelling<'text> {
    fn new(kind: EntityKind, words: Vec<&'text str>) -> Self {
        Self {
            kind,
            lower: words.iter().map(|word| plain(word)).collect(),
            // "HOLT" may be Ada Holt, where names stand in capitals.
            letters: if kind == EntityKind::Person { None } else { letters(&words) },
            words,
            mentions: Vec::new(),
        }
    }

    fn name(&self) -> Name {
        Name {
            fullest: self.words.join(" "),
            words: self.lower.clone(),
            kind: self.kind,
            mentions: self.mentions.clone(),
        }
    }

    /// The first letters of its words, but for small ones: "sec" for "Securities and Exchange Commission".
    fn initials(&self) -> Option<String> {
        let first = self.words.iter().filter_map(|word| word.chars().find(|character| character.is_alphanumeric()));
        let initials: String = first.filter(|character| character.is_uppercase()).collect();
        (initials.chars().count() > 1 && self.words.len() > 1).then(|| initials.to_lowercase())
    }

    fn bearer(&self, text: &str, entities: &[NamedEntity], gender: &dyn Fn(&str) -> Option<Gender>) -> Bearer {
        let mut places: Vec<ByteRange> = self.mentions.iter().map(|&mention| entities[mention].bytes.clone()).collect();
        places.sort_by_key(|place| place.start);
        let by_title = places.iter().take(64).find_map(|place| gender_by_title(text, place));
        Bearer { gender: by_title.or_else(|| gender(self.lower.first()?)), places }
    }

    /// True when this form can be short for `other`.
    fn shortens(&self, other: &Self) -> bool {
        // "C.S.C." is easily taken for a place.
        let letters = self.letters.as_ref().map_or(0, String::len);
        let may_be_body = letters > 2 && self.kind == EntityKind::Place && other.kind == EntityKind::Organisation;
        let is_like = self.kind == other.kind || may_be_body;
        if !is_like || self.lower.len() >= other.lower.len() {
            return false;
        }
        match self.kind {
            // "Moreau" and "Claire Moreau"; "Claire"; "Claire Moreau" and "Claire B. Moreau"
            EntityKind::Person => {
                let subsequence = {
                    let mut rest = other.lower.iter();
                    self.lower.iter().all(|word| rest.any(|candidate| candidate == word))
                };
                let surname = self.lower.last() == other.lower.last();
                let given = self.lower.len() == 1 && self.lower.first() == other.lower.first();
                subsequence && (surname || given)
            }
            // "Harbour Authority" and "Lysmouth Harbour Authority"; "L.H.A."
            EntityKind::Organisation | EntityKind::Place if self.letters.is_some() => self.letters == other.initials(),
            // Not the second of two: "Fund for Bees and Friends of the River".
            EntityKind::Organisation => {
                let before = &other.lower[..other.lower.len() - self.lower.len()];
                let is_joined = before.last().is_some_and(|word| matches!(word.as_str(), "and" | "&"));
                self.lower.len() > 1 && other.lower.ends_with(&self.lower) && !is_joined
            }
            _ => false,
        }
    }
}

/// For each form the index of the fullest form that it belongs to (itself, when it has none or several); and the forms
/// that are the surname of several people, with these people's.
fn resolve_forms(forms: &[Spelling<'_>]) -> (Vec<usize>, Vec<(usize, Vec<usize>)>) {
    // Only forms that share a word, or the initials, can belong together: with that index a document of many names stays
    // fast.
    let mut by_word: HashMap<String, Vec<usize>> = HashMap::new();
    for (index, form) in forms.iter().enumerate() {
        let initials = form.letters.clone().or_else(|| form.initials());
        for word in form.lower.iter().cloned().chain(initials.map(|initials| format!(".{initials}"))) {
            by_word.entry(word).or_default().push(index);
        }
    }
    let mut rivals = Vec::new();
    let mut fullest = |index: usize| {
        let form = &forms[index];
        let letters = form.letters.as_ref().map(|letters| format!(".{letters}"));
        let shared = letters.iter().chain(form.lower.iter().filter(|_| letters.is_none()));
        let rarest = shared.filter_map(|word| by_word.get(word)).min_by_key(|list| list.len());
        let fuller: Vec<usize> =
            rarest.into_iter().flatten().copied().filter(|&other| form.shortens(&forms[other])).collect();
        let longest =
            fuller.iter().copied().max_by_key(|&other| (forms[other].lower.len(), std::cmp::Reverse(other)))?;
        let agree = fuller.iter().all(|&other| other == longest || forms[other].shortens(&forms[longest]));
        if !agree && form.kind == EntityKind::Person && form.lower.len() == 1 {
            let is_whole = |one: usize| fuller.iter().all(|&other| !forms[one].shortens(&forms[other]));
            let bears = |one: usize| forms[one].lower.last() == form.lower.last();
            rivals.push((index, fuller.iter().copied().filter(|&one| is_whole(one) && bears(one)).collect()));
        }
        agree.then_some(longest)
    };
    let fullest = (0..forms.len()).map(|index| fullest(index).unwrap_or(index)).collect();
    (fullest, rivals)
}

#[cfg(test)]
mod tests {
    use super::*;

    use EntityKind::{Organisation, Person};

    fn names(text: &str, mentions: &[(EntityKind, &str)]) -> Vec<(String, usize)> {
        let mut entities = Vec::new();
        let mut from = 0;
        for &(kind, mention) in mentions {
            let start = from + text[from..].find(mention).unwrap();
            from = start + mention.len();
            entities.push(NamedEntity { kind: Some(kind), bytes: start..from, score: 1.0 });
        }
        let names = group_names(text, &entities, &|_| None);
        names.into_iter().map(|name| (name.fullest, name.mentions.len())).collect()
    }

    #[test]
    fn short_forms_join_the_fullest() {
        let text = "Moreau met Claire Moreau. Claire B. Moreau left with Ms. Moreau and the Lysmouth Port Board, the Port Board.";
        let mentions = [
            (Person, "Moreau"),
            (Person, "Claire Moreau"),
            (Person, "Claire B. Moreau"),
            (Person, "Moreau"),
            (Organisation, "Lysmouth Port Board"),
            (Organisation, "Port Board"),
        ];
        let expected = [("Claire B. Moreau".to_owned(), 4), ("Lysmouth Port Board".to_owned(), 2)];
        assert_eq!(names(text, &mentions), expected);
    }

    #[test]
    fn a_surname_in_capitals_is_no_acronym() {
        let text = "ADA HOLT: We waited. HOLT: Nobody came. The HOLT Works did.";
        let mentions = [(Person, "ADA HOLT"), (Person, "HOLT"), (Organisation, "HOLT")];
        assert_eq!(names(text, &mentions), [("ADA HOLT".to_owned(), 2), ("HOLT".to_owned(), 1)]);
    }

    #[test]
    fn what_describes_an_organisation_is_no_part_of_its_name() {
        let text =
            "The federal Harbour Works Commission said so; the Harbour Works Commission, or H.W.C., did. la Caixa too.";
        let mentions = ["federal Harbour Works Commission", "Harbour Works Commission", "H.W.C.", "la Caixa"]
            .map(|name| (Organisation, name));
        let expected = [("Harbour Works Commission".to_owned(), 3), ("la Caixa".to_owned(), 1)];
        assert_eq!(names(text, &mentions), expected);
    }

    #[test]
    fn the_second_of_two_is_not_short_for_both() {
        let text = "The Fund for Bees and Friends of the River wrote. Friends of the River paid.";
        let mentions =
            [(Organisation, "Fund for Bees and Friends of the River"), (Organisation, "Friends of the River")];
        let expected = mentions.map(|(_, name)| (name.to_owned(), 1));
        assert_eq!(names(text, &mentions), expected);
    }

    #[test]
    fn a_shared_surname_is_given_to_nobody() {
        let text = "Ada Holt and Ben Holt came. Holt spoke. Ada left.";
        let mentions = [(Person, "Ada Holt"), (Person, "Ben Holt"), (Person, "Holt"), (Person, "Ada")];
        let expected = [("Ada Holt".to_owned(), 2), ("Ben Holt".to_owned(), 1), ("Holt".to_owned(), 1)];
        assert_eq!(names(text, &mentions), expected);
    }

    #[test]
    fn a_text_can_mean_one_name_only() {
        let name = |fullest: &str, kind: EntityKind| Name {
            fullest: fullest.into(),
            words: fullest.split(' ').map(plain).collect(),
            kind,
            mentions: vec![],
        };
        let names = [
            name("Ada Holt", Person),
            name("Ben Ruiz", Person),
            name("Cem Ruiz", Person),
            name("Port Board", Organisation),
        ];
        assert_eq!(name_of_text("Ms. Holt", &names), Some(0));
        assert_eq!(name_of_text("the Port Board", &names), Some(3));
        assert_eq!(name_of_text("Ruiz", &names), None);
        assert_eq!(name_of_text("Board", &names), None);
        assert_eq!(name_of_text("she", &names), None);
    }
}
