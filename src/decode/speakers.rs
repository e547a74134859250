//! Speakers: the person or organisation behind a statement, as far as its source names one.

use super::names::{Name, SPEAKING, alias, group_names, name_of_text, name_words};
use super::{Entity, Statement};
use crate::text::ByteRange;

/// How a source leads to its speaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// The source gives the fullest form of the name.
    Name,
    /// The source gives a shorter form.
    Alias,
    /// The source is a pronoun.
    Pronoun,
    /// The source is a description.
    Nominal,
}

impl Via {
    /// The name used in the output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Alias => "alias",
            Self::Pronoun => "pronoun",
            Self::Nominal => "nominal",
        }
    }
}

/// Somebody who speaks in the document.
#[derive(Debug, Clone, PartialEq)]
pub struct Speaker {
    /// The fullest name in the document, without titles.
    pub name: String,
    /// The entity label, for example "PER".
    pub label: String,
    /// Other forms of the name in the document, in text order.
    pub aliases: Vec<String>,
    /// Every mention of the name, in text order.
    pub mentions: Vec<ByteRange>,
    /// Indices of the statements attributed to this speaker, alone or with others.
    pub statements: Vec<usize>,
}

/// A statement's link to a speaker.
#[derive(Debug, Clone, PartialEq)]
pub struct Attribution {
    /// Index of the speaker.
    pub speaker: usize,
    /// Index of the entity inside the source that names the speaker, where there is one.
    pub entity: Option<usize>,
    /// How the source leads to the speaker.
    pub via: Via,
    /// 0 to 1: the source segment's score, times that of the entity.
    pub score: f32,
}

/// Finds the speakers of a document.
///
/// Returns them in the order in which they first speak, and per statement the speaker and after it the joint
/// speakers ("A and B said"); none where the source is a pronoun, a description, or absent.
pub fn resolve_speakers(
    text: &str,
    entities: &[Entity],
    statements: &[Statement],
) -> (Vec<Speaker>, Vec<Vec<Attribution>>) {
    let names = group_names(text, entities);
    let mut name_of = vec![None; entities.len()];
    for (index, name) in names.iter().enumerate() {
        for &mention in &name.mentions {
            name_of[mention] = Some(index);
        }
    }
    let mut speakers: Vec<Speaker> = Vec::new();
    let mut speaker_of = vec![None; names.len()];
    let mut attributions = Vec::with_capacity(statements.len());
    for (number, statement) in statements.iter().enumerate() {
        let mut found: Vec<Attribution> = Vec::new();
        for segment in &statement.source {
            for (name, entity) in named(text, &segment.bytes, entities, &names, &name_of) {
                let speaker = *speaker_of[name].get_or_insert_with(|| {
                    speakers.push(speaker(text, entities, &names[name]));
                    speakers.len() - 1
                });
                if found.iter().any(|attribution| attribution.speaker == speaker) {
                    continue;
                }
                let form = entity.map_or(&segment.bytes, |entity| &entities[entity].bytes);
                let words = name_words(&text[form.clone()]).join(" ");
                let full = words.to_lowercase() == names[name].fullest.to_lowercase();
                found.push(Attribution {
                    speaker,
                    entity,
                    via: if full { Via::Name } else { Via::Alias },
                    score: segment.score * entity.map_or(1.0, |entity| entities[entity].score),
                });
                speakers[speaker].statements.push(number);
            }
        }
        attributions.push(found);
    }
    (speakers, attributions)
}

/// The names (and the entities that carry them) that a source gives; a source without an entity may still be as a
/// whole a form of one of the document's names.
fn named(
    text: &str,
    source: &ByteRange,
    entities: &[Entity],
    names: &[Name],
    name_of: &[Option<usize>],
) -> Vec<(usize, Option<usize>)> {
    let heads = named_heads(text, source, entities);
    if heads.is_empty() {
        return name_of_text(&text[source.clone()], names).map(|name| (name, None)).into_iter().collect();
    }
    heads.into_iter().filter_map(|entity| Some((name_of[entity]?, Some(entity)))).collect()
}

fn speaker(text: &str, entities: &[Entity], name: &Name) -> Speaker {
    let mentions: Vec<ByteRange> = name.mentions.iter().map(|&index| entities[index].bytes.clone()).collect();
    let mut aliases: Vec<String> = Vec::new();
    for mention in &mentions {
        let form = alias(text, mention);
        if form != name.fullest && !aliases.contains(&form) {
            aliases.push(form);
        }
    }
    Speaker { name: name.fullest.clone(), label: name.label.clone(), aliases, mentions, statements: Vec::new() }
}

/// The entities that a source is about, not merely with: in "Ada Holt, a lawyer for the Port Board" Ada Holt, in
/// "the Port Board's lawyer" none. People come before organisations, those before the rest; joint names of one
/// kind ("Ada Holt and Ben Ruiz") come together.
fn named_heads(text: &str, source: &ByteRange, entities: &[Entity]) -> Vec<usize> {
    let from = entities.partition_point(|entity| entity.bytes.end <= source.start);
    let to = entities.partition_point(|entity| entity.bytes.start < source.end);
    let heads: Vec<usize> = (from..to)
        .filter(|&index| SPEAKING.contains(&entities[index].label.as_str()))
        .filter(|&index| is_head(text, source, &entities[index].bytes))
        .collect();
    let rank = |label: &str| match label {
        "PER" => 0,
        "ORG" => 1,
        _ => 2,
    };
    let Some(&first) = heads.iter().min_by_key(|&&index| (rank(&entities[index].label), index)) else {
        return Vec::new();
    };
    let mut joint = vec![first];
    for &next in heads.iter().filter(|&&index| index > first && entities[index].label == entities[first].label) {
        let before = joint.last().map_or(0, |&last| entities[last].bytes.end);
        let between = text.get(before..entities[next].bytes.start).unwrap_or_default();
        if words(between).any(|word| matches!(word.as_str(), "and" | "or" | "&")) || between.trim() == "," {
            joint.push(next);
        }
    }
    joint
}

/// Function words that may follow the name that a phrase is about.
const FOLLOWERS: [&str; 24] = [
    "also",
    "and",
    "at",
    "for",
    "from",
    "had",
    "has",
    "herself",
    "himself",
    "in",
    "is",
    "itself",
    "of",
    "on",
    "or",
    "that",
    "themselves",
    "was",
    "which",
    "who",
    "whom",
    "whose",
    "with",
    "&",
];

/// Words before a name that make it somebody else's attribute.
const PREPOSITIONS: [&str; 18] = [
    "about", "against", "at", "behind", "between", "by", "for", "from", "in", "inside", "near", "of", "on", "to",
    "toward", "under", "with", "within",
];

/// Words between such a preposition and the name.
const DETERMINERS: [&str; 10] = ["a", "an", "her", "his", "its", "late", "their", "then", "the", "former"];

fn is_head(text: &str, source: &ByteRange, entity: &ByteRange) -> bool {
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
        || words(next).next().is_some_and(|word| FOLLOWERS.contains(&word.as_str()));
    let before: Vec<String> = words(&text[source.start..entity.start]).collect();
    let mut nearest = before.iter().rev().skip_while(|word| DETERMINERS.contains(&word.as_str()));
    let belongs = nearest.next().is_some_and(|word| PREPOSITIONS.contains(&word.as_str()));
    follows && !belongs
}

/// Lower-case words of a text.
fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    let split = text.split(|c: char| !c.is_alphanumeric() && c != '&');
    split.filter(|word| !word.is_empty()).map(str::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Entities are marked by brackets with a label: "[PER Ada Holt]". The whole text is the source.
    fn heads(marked: &str) -> Vec<String> {
        let (mut text, mut entities, mut rest) = (String::new(), Vec::new(), marked);
        while let Some((before, inner)) = rest.split_once('[') {
            let (entity, behind) = inner.split_once(']').unwrap();
            let (label, name) = entity.split_once(' ').unwrap();
            text.push_str(before);
            let start = text.len();
            text.push_str(name);
            entities.push(Entity { label: label.to_owned(), bytes: start..text.len(), score: 1.0 });
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
        assert_eq!(heads("[DATE Monday]"), none);
    }
}
