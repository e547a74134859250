//! Descriptions: whom "the mayor" can mean by the words that stand beside names ("Mayor Ada Holt", "Ada Holt, the mayor
//! of Lysmouth,").

use std::collections::HashMap;

use super::names::{EntityKind, Name, NamedEntity};
use crate::decode::lexicon::{lexicon, words};
use crate::text::{ByteRange, is_line_end};

/// Words before a name that may describe it.
const BEFORE: usize = 4;

/// Words behind a name and a comma that may describe it.
const BEHIND: usize = 8;

/// Mentions of a name that are looked at.
const MENTIONS: usize = 64;

/// Sources that may stand around a name, one within another.
const NESTED: usize = 4;

/// What ends the word of an owner.
const OWNERS: [&str; 4] = ["'s ", "’s ", "s' ", "s’ "];

/// For each word that describes a name, the numbers of the names, in order. `sources` are those of
/// all statements, in text order: what stands in one before a name describes it even across a comma ("the spokesman, Ada Holt,
/// said").
pub(super) fn descriptions(
    text: &str,
    entities: &[NamedEntity],
    names: &[Name],
    sources: &[ByteRange],
) -> HashMap<String, Vec<usize>> {
    let mut described: HashMap<String, Vec<usize>> = HashMap::new();
    for (number, name) in names.iter().enumerate() {
        for &mention in name.mentions.iter().take(MENTIONS) {
            let bytes = &entities[mention].bytes;
            let own = if name.kind == EntityKind::Person { "" } else { &text[bytes.clone()] };
            let beside = [own, before(text, bytes), apposed(text, entities, mention, sources), behind(text, bytes)];
            for word in beside.into_iter().flat_map(describing) {
                let names = described.entry(word).or_default();
                if names.last() != Some(&number) {
                    names.push(number);
                }
            }
        }
    }
    described
}

/// Names that share a word with what a description says that somebody is, in order: "the mayor's lawyer" is no mayor.
pub(super) fn described(text: &str, description: &ByteRange, known: &HashMap<String, Vec<usize>>) -> Vec<usize> {
    let mut names: Vec<usize> =
        describing(head(&text[description.clone()])).filter_map(|word| known.get(&word)).flatten().copied().collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The last word of what a description says that somebody is, in lower case, offices by one name each.
pub(super) fn noun(description: &str) -> Option<String> {
    describing(head(description)).last()
}

/// Whether a person's name bears such a noun for a title: "Senator" of "Sen. Ada Holt".
pub(super) fn is_titled(text: &str, name: &ByteRange, noun: &str) -> bool {
    let is_noun = |word: &str| describing(word).next().is_some_and(|word| word == noun);
    let near = &text[text.floor_char_boundary(name.start.saturating_sub(24))..name.start];
    let before = near.strip_suffix(' ').and_then(|near| near.split_whitespace().next_back());
    before.is_some_and(is_noun) || text[name.clone()].split_once(' ').is_some_and(|(first, _)| is_noun(first))
}

/// What a description is about, without whose it is and what follows: "spokesman" of "the president's spokesman in Rome".
fn head(description: &str) -> &str {
    let additions = &lexicon().speakers.additions;
    let owner = OWNERS.iter().filter_map(|owner| Some(description.rfind(owner)? + owner.len())).max();
    let rest = &description[owner.unwrap_or(0)..];
    let is_addition = |behind: &str| behind.split_once(' ').is_some_and(|(word, _)| additions.has(word));
    let addition = rest.match_indices(' ').map(|(at, _)| at).find(|at| is_addition(&rest[at + 1..]));
    let until = addition.into_iter().chain(rest.find([',', ';', '('])).min();
    &rest[..until.unwrap_or(rest.len())]
}

/// What a source says before the name that it ends with, but for other people in it.
fn apposed<'text>(text: &'text str, entities: &[NamedEntity], mention: usize, sources: &[ByteRange]) -> &'text str {
    let name = &entities[mention].bytes;
    let from = sources.partition_point(|source| source.start < name.start);
    let around = sources[..from].iter().rev().take(NESTED).find(|source| source.end >= name.end);
    let Some(source) = around else { return "" };
    let mut inside = entities[..mention].iter().rev().take_while(|entity| entity.bytes.end > source.start);
    let other = inside.find(|entity| entity.is_person());
    let start = other.map_or(source.start, |other| other.bytes.end);
    text.get(start..name.start).unwrap_or_default()
}

/// The last words before a name in its sentence.
fn before<'text>(text: &'text str, name: &ByteRange) -> &'text str {
    let from = text.floor_char_boundary(name.start.saturating_sub(80));
    let near = &text[from..name.start];
    let near = near.rsplit(|character: char| is_line_end(character) || "!?;:,“”\"()".contains(character)).next();
    let near = near.unwrap_or_default();
    let start = near.char_indices().rev().filter(|(_, character)| character.is_whitespace()).nth(BEFORE);
    start.map_or(near, |(at, _)| &near[at..])
}

/// What stands in apposition to a name: "Ada Holt, the mayor of Lysmouth, said".
fn behind<'text>(text: &'text str, name: &ByteRange) -> &'text str {
    let Some(near) = text[name.end..].strip_prefix(',') else { return "" };
    let near = near.split(|character: char| is_line_end(character) || ".!?;:,“”\"()".contains(character)).next();
    let near = near.unwrap_or_default();
    let end = near.char_indices().filter(|(_, character)| character.is_whitespace()).nth(BEHIND);
    end.map_or(near, |(at, _)| &near[..at])
}

/// The words that may describe somebody, in lower case, offices by one name each.
fn describing(text: &str) -> impl Iterator<Item = String> {
    let lists = &lexicon().speakers;
    words(text, "").filter_map(|word| match lists.offices.class_of(&word) {
        Some(office) => Some(office.to_owned()),
        None => (word.chars().count() >= 4 && !lists.empty.has(&word)).then_some(word),
    })
}

#[cfg(test)]
mod tests {
    use super::super::names::group_names;
    use super::*;

    #[test]
    fn titles_and_appositions_describe() {
        let text = "Mayor Ada Holt spoke at length with Ben Ruiz, a lawyer for the port, and Sen. Cem Tan.\nThe Lysmouth Medical Journal wrote.";
        let entity = |name: &str, kind: EntityKind| {
            let start = text.find(name).unwrap();
            NamedEntity { kind: Some(kind), bytes: start..start + name.len(), score: 1.0 }
        };
        let entities = [
            entity("Ada Holt", EntityKind::Person),
            entity("Ben Ruiz", EntityKind::Person),
            entity("Cem Tan", EntityKind::Person),
            entity("Lysmouth Medical Journal", EntityKind::Organisation),
        ];
        let names = group_names(text, &entities, &|_| None);
        let known = descriptions(text, &entities, &names, &[]);
        let meant = |description: &str| {
            let text = description.to_owned();
            described(&text, &(0..text.len()), &known)
        };
        assert_eq!(meant("the mayor"), [0]);
        assert_eq!(meant("the lawyer"), [1]);
        assert_eq!(meant("the senator"), [2]);
        assert_eq!(meant("the journal"), [3]);
        assert!(meant("the banker").is_empty());
        assert_eq!(meant("the mayor’s lawyer"), [1], "it is the lawyer who speaks");
        assert_eq!(meant("the lawyer for the senator"), [1]);
    }

    #[test]
    fn what_stands_before_a_name_in_a_source_describes_it() {
        let text = "The spokesman of the port, Ada Holt, agreed.\nThe mayor, Ben Ruiz, did not.";
        let entity = |name: &str| {
            let start = text.find(name).unwrap();
            NamedEntity { kind: Some(EntityKind::Person), bytes: start..start + name.len(), score: 1.0 }
        };
        let entities = [entity("Ada Holt"), entity("Ben Ruiz")];
        let names = group_names(text, &entities, &|_| None);
        let mayor = text.find("The mayor").unwrap()..entities[1].bytes.end;
        let with = descriptions(text, &entities, &names, &[0..entities[0].bytes.end, mayor]);
        assert_eq!((with.get("spokesman"), with.get("mayor")), (Some(&vec![0]), Some(&vec![1])));
        assert_eq!(descriptions(text, &entities, &names, &[]).get("mayor"), None);
    }
}
