//! Heads: which of the names in a source it is about, and which only stand beside.

use super::names::{EntityKind, NamedEntity};
use crate::decode::lexicon::{lexicon, words};
use crate::text::ByteRange;

/// Signs that are words, or part of one.
pub(super) const SIGNS: &str = "&";

/// The entities that a source is about, not merely with: in "Ada Holt, a lawyer for the Port Board" Ada Holt, in
/// "the Port Board's lawyer" none. People come before organisations, those before the rest; joint names of one
/// kind ("Ada Holt and Ben Ruiz") come together.
pub(super) fn named_heads(text: &str, source: &ByteRange, entities: &[NamedEntity]) -> Vec<usize> {
    let from = entities.partition_point(|entity| entity.bytes.end <= source.start);
    let to = entities.partition_point(|entity| entity.bytes.start < source.end);
    let heads: Vec<usize> = (from..to)
        .filter(|&index| entities[index].kind.is_some())
        .filter(|&index| is_head(text, source, entities, index))
        .collect();
    let rank = |kind: Option<EntityKind>| match kind {
        Some(EntityKind::Person) => 0,
        Some(EntityKind::Organisation) => 1,
        _ => 2,
    };
    let Some(&first) = heads.iter().min_by_key(|&&index| (rank(entities[index].kind), index)) else {
        return Vec::new();
    };
    let mut joint = vec![first];
    for &next in heads.iter().filter(|&&index| index > first && entities[index].kind == entities[first].kind) {
        let before = joint.last().map_or(0, |&last| entities[last].bytes.end);
        let between = text.get(before..entities[next].bytes.start).unwrap_or_default();
        if words(between, SIGNS).any(|word| lexicon().speakers.conjunctions.has(&word)) || between.trim() == "," {
            joint.push(next);
        }
    }
    joint
}

/// True when what a source says behind a person's name begins with a verb: "Ada Holt joined the board". A noun there would
/// make the name an attribute ("Holt supporters").
fn is_predicate(text: &str, source: &ByteRange, entities: &[NamedEntity], index: usize) -> bool {
    let bytes = &entities[index].bytes;
    if !entities[index].is_person() {
        return false;
    }
    // "The board, Ada Holt noted": what stands before a comma is who the source is about.
    let is_apposed = text[source.start..bytes.start].contains(',');
    let next = text[bytes.end..source.end].split_whitespace().next().unwrap_or_default();
    let is_past = next.len() > 4 && next.ends_with("ed") && next.chars().all(char::is_lowercase);
    // "Ada Holt Blames Port Board" in a headline: a word between two names.
    let behind = entities.get(index + 1).filter(|behind| !behind.is_person() && behind.bytes.end <= source.end);
    let is_between = behind
        .and_then(|behind| text.get(bytes.end..behind.bytes.start))
        .is_some_and(|between| between.trim() == next && next.ends_with('s') && !next.ends_with("ss"));
    (is_past || is_between) && !is_apposed
}

/// True of a name in a phrase that no preposition makes somebody else's attribute.
pub(super) fn is_independent(text: &str, phrase: &ByteRange, entity: &ByteRange) -> bool {
    let lists = &lexicon().speakers;
    let before = words(&text[phrase.start..entity.start], SIGNS).rev();
    let mut nearest = before.skip_while(|word| lists.determiners.has(word));
    nearest.next().is_none_or(|word| !lists.prepositions.has(&word))
}

fn is_head(text: &str, source: &ByteRange, entities: &[NamedEntity], index: usize) -> bool {
    let entity = &entities[index].bytes;
    let inside = entity.start >= source.start && entity.end <= source.end;
    if !inside {
        // A source that is part of a longer name ("Holt" of "the Holt") still names it.
        return entity.start <= source.start && entity.end >= source.end;
    }
    if ["'s", "’s", "'", "’"].iter().any(|ending| text[entity.clone()].ends_with(ending)) && entity.end < source.end
    {
        return false;
    }
    let after = &text[entity.end..source.end];
    if after.starts_with(['\'', '’']) {
        return false;
    }
    let next = after.trim_start();
    let follows = next.is_empty()
        || !next.starts_with(char::is_alphanumeric)
        || words(next, SIGNS).next().is_some_and(|word| lexicon().speakers.followers.has(&word))
        || is_predicate(text, source, entities, index);
    follows && is_independent(text, source, entity)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::spans::Entity;

    /// Entities are marked by brackets with a label: "[PER Ada Holt]". The whole text is the source.
    fn heads(marked: &str) -> Vec<String> {
        let (mut text, mut entities, mut rest) = (String::new(), Vec::new(), marked);
        while let Some((before, inner)) = rest.split_once('[') {
            let (entity, behind) = inner.split_once(']').unwrap();
            let (label, name) = entity.split_once(' ').unwrap();
            text.push_str(before);
            let start = text.len();
            text.push_str(name);
            let entity = Entity { label: label.to_owned(), bytes: start..text.len(), score: 1.0 };
            entities.push(NamedEntity::from(&entity));
            rest = behind;
        }
        text.push_str(rest);
        let found = named_heads(&text, &(0..text.len()), &entities);
        found.into_iter().map(|index| text[entities[index].bytes.clone()].to_owned()).collect()
    }

    #[test]
    fn the_head_of_a_source_is_found() {
        let none: [&str; 0] = [];
        assert_eq!(heads("the harbour’s chief, [PER Claire Moreau]"), ["Claire Moreau"]);
        assert_eq!(heads("[LOC Vostra] spokesman [PER Ilya Petran]"), ["Ilya Petran"]);
        assert_eq!(heads("[PER Ada Holt], a lawyer for the [ORG Port Board]"), ["Ada Holt"]);
        assert_eq!(heads("the [ORG Port Board]"), ["Port Board"]);
        assert_eq!(heads("[ORG Port Board] officials"), none);
        assert_eq!(heads("a spokesman for [PER Ben Ruiz]"), none);
        assert_eq!(heads("a spokesman for the late [PER Ben Ruiz]"), none);
        assert_eq!(heads("[PER Ben Ruiz]’s lawyer"), none);
        assert_eq!(heads("[PER Ben Ruiz’s] lawyer"), none);
        assert_eq!(heads("[PER Ada Holt] and [PER Ben Ruiz] of the [ORG Port Board]"), ["Ada Holt", "Ben Ruiz"]);
        assert_eq!(heads("[PER Ada Holt], [PER Ben Ruiz] and [PER Cem Tan]"), ["Ada Holt", "Ben Ruiz", "Cem Tan"]);
        assert_eq!(heads("Secretary of State [PER Ada Holt]"), ["Ada Holt"]);
        assert_eq!(heads("[PER Ada Holt], who succeeded [PER Ben Ruiz],"), ["Ada Holt"]);
        assert_eq!(heads("he"), none);
        assert_eq!(heads("[PER Ada Holt] joined the board of the [ORG Port Board]"), ["Ada Holt"]);
        assert_eq!(heads("[PER Ada Holt] walked out and"), ["Ada Holt"]);
        assert_eq!(heads("[PER Ada Holt] Blames [ORG Port Board] Chief"), ["Ada Holt"]);
        assert_eq!(heads("[PER Holt] supporters"), none);
        assert_eq!(heads("the council, that Mayor [PER Ada Holt] chaired,"), none);
        assert_eq!(heads("[DATE Monday]"), none);
    }
}
