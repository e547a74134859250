//! Referents: what is known of each mention beside its vector, for the resolver and for training alike.

use std::ops::Range;

use super::descriptions::{described, descriptions};
use super::mentions::{Form, Mention, Pronoun, mentions_of};
use super::names::{Name, gender_by_title, group_names, name_of, who_can_speak};
use super::source_heads::{gives_name, named_heads};
use crate::decode::spans::Entity;
use crate::decode::statements::{Statement, sources_of};
use crate::model::{MENTION_CLASSES, Model};
use crate::text::{ByteRange, Tokens};

/// A mention with what the resolver knows of it beside its vector.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Referent {
    /// First token in the document.
    pub first: usize,
    /// Last token in the document.
    pub last: usize,
    /// An index into [`MENTION_CLASSES`].
    pub class: usize,
    /// Number of its sentence in the document.
    pub sentence: usize,
    /// Number of its paragraph in the document.
    pub paragraph: usize,
    /// The last statement, by number, that has it for a source.
    pub source: Option<usize>,
    /// Whether it is who speaks in that statement, and does not only stand in the source.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub speaks: bool,
    /// The first statement, by number, in whose content it stands.
    pub content: Option<usize>,
    /// For a name, its number among the document's names.
    pub name: Option<usize>,
    /// For a name, how often it is mentioned.
    pub frequency: usize,
    /// For a description, the numbers of the names beside which one of its words stands.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub described: Vec<usize>,
    /// For the name of a person of whom no title tells the gender, the given name, in lower case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given: Option<String>,
}

/// All mentions of a document and what is known of them: what training sees.
pub fn find_mentions(
    model: &Model,
    text: &str,
    tokens: &Tokens,
    entities: &[Entity],
    statements: &[Statement],
) -> (Vec<Mention>, Vec<Option<Referent>>) {
    let in_tokens = |bytes: &ByteRange| {
        let first = tokens.spans.partition_point(|span| span.end <= bytes.start);
        first..tokens.spans.partition_point(|span| span.start < bytes.end).max(first)
    };
    let placed = entities.iter().enumerate();
    let placed: Vec<(usize, &str, Range<usize>)> =
        placed.map(|(index, entity)| (index, entity.label.as_str(), in_tokens(&entity.bytes))).collect();
    let mut sources: Vec<Range<usize>> = sources_of(statements).map(in_tokens).collect();
    sources.sort_by_key(|range| (range.start, range.end));
    sources.dedup();
    let within = |range: &Range<usize>, paragraph: &Range<usize>| paragraph.contains(&range.start);
    let mut mentions = Vec::new();
    for paragraph in &tokens.paragraphs {
        let from = placed.partition_point(|(_, _, range)| range.start < paragraph.start);
        let here = placed[from..].iter().take_while(|(_, _, range)| within(range, paragraph));
        let here: Vec<_> = here.cloned().collect();
        let from = sources.partition_point(|range| range.start < paragraph.start);
        let said: Vec<_> = sources[from..].iter().take_while(|range| within(range, paragraph)).cloned().collect();
        mentions.extend(mentions_of(text, tokens, paragraph.clone(), &here, &said));
    }
    let entities = who_can_speak(text, entities, sources_of(statements));
    let names = group_names(text, &entities, &|given| model.class_of_given_name(given));
    let referents = referents(model, text, tokens, &mentions, &entities, statements, &names);
    (mentions, referents)
}

/// What is known of each mention. A mention that must be a source and is none has no [`Referent`]; nor has a
/// source that gives a name.
pub(super) fn referents(
    model: &Model,
    text: &str,
    tokens: &Tokens,
    mentions: &[Mention],
    entities: &[Entity],
    statements: &[Statement],
    names: &[Name],
) -> Vec<Option<Referent>> {
    let name_of = name_of(entities, names);
    let titles: Vec<Option<&str>> = names.iter().map(|name| title(text, entities, name)).collect();
    let gender = |name: usize| {
        let by_given = || match names[name].lone() {
            Some(name) => model.class_of_lone_name(name),
            None => names[name].given().and_then(|given| model.class_of_given_name(&given)),
        };
        titles[name].or_else(|| by_given().filter(|_| names[name].label == "PER"))
    };
    let mut sources: Vec<(ByteRange, usize)> = Vec::new();
    let mut contents: Vec<(ByteRange, usize)> = Vec::new();
    for (number, statement) in statements.iter().enumerate() {
        sources.extend(statement.source.iter().map(|segment| (segment.bytes.clone(), number)));
        contents.extend(statement.content.iter().map(|segment| (segment.bytes.clone(), number)));
    }
    sources.sort_by_key(|(bytes, number)| (bytes.start, bytes.end, *number));
    contents.sort_by_key(|(bytes, number)| (bytes.start, *number));
    // Once a source, not once a mention: a source may be a list of thousands of names.
    let heads: Vec<Vec<usize>> = sources.iter().map(|(bytes, _)| named_heads(text, bytes, entities)).collect();
    let known = descriptions(text, entities, names, &sources);
    let sentences = tokens.sentence_starts(text);
    let referent = |mention: &Mention| {
        // A name is a source when it stands in one, everything else when it is one.
        let from = sources.partition_point(|(bytes, _)| bytes.start <= mention.bytes.start);
        let near = sources[..from].iter().zip(&heads).rev().take(8);
        let source = near.filter(|((bytes, _), _)| match mention.form {
            Form::Name => bytes.end >= mention.bytes.end,
            _ => *bytes == mention.bytes,
        });
        let source = source.max_by_key(|((_, number), _)| *number);
        let speaks = source.is_some_and(|(_, heads)| mention.entity.is_none_or(|entity| heads.contains(&entity)));
        let source = source.map(|((_, number), _)| *number);
        let name = mention.entity.and_then(|entity| name_of[entity]);
        let class = match mention.form {
            Form::Name => name_class(&names[name?].label, gender(name?)),
            Form::Pronoun(pronoun) if pronoun.is_personal() || source.is_some() => match pronoun {
                Pronoun::He => "he",
                Pronoun::She => "she",
                Pronoun::They | Pronoun::Each => "they",
                Pronoun::It => "it",
                Pronoun::Who => "who",
                Pronoun::I => "I",
                Pronoun::We => "we",
            },
            Form::Nominal if source.is_some() && !gives_name(text, &mention.bytes, entities, names) => {
                let first = text[mention.bytes.clone()].split_whitespace().next().unwrap_or_default();
                if ["the", "this", "that"].contains(&first.to_lowercase().as_str()) { "definite" } else { "nominal" }
            }
            _ => return None,
        };
        let until = contents.partition_point(|(bytes, _)| bytes.start <= mention.bytes.start);
        let around = contents[..until].iter().rev().take(8);
        let content = around.filter(|(bytes, _)| bytes.end >= mention.bytes.end).map(|(_, number)| *number).min();
        Some(Referent {
            first: mention.tokens.start,
            last: mention.tokens.end - 1,
            class: MENTION_CLASSES.iter().position(|known| *known == class)?,
            sentence: sentences.partition_point(|&start| start <= mention.tokens.start),
            paragraph: tokens.paragraphs.partition_point(|paragraph| paragraph.end <= mention.tokens.start),
            source,
            speaks,
            content,
            name,
            frequency: name.map_or(0, |name| names[name].mentions.len()),
            described: if mention.form == Form::Nominal { described(text, &mention.bytes, &known) } else { Vec::new() },
            given: name
                .filter(|&name| names[name].label == "PER" && titles[name].is_none())
                .and_then(|name| names[name].given()),
        })
    };
    mentions.iter().map(referent).collect()
}

fn name_class(label: &str, gender: Option<&'static str>) -> &'static str {
    match label {
        "PER" => gender.unwrap_or("person"),
        "ORG" => "organisation",
        "NORP" => "group",
        "LOC" => "place",
        _ => "building",
    }
}

/// What the titles before a person's name tell, if any does.
fn title(text: &str, entities: &[Entity], name: &Name) -> Option<&'static str> {
    let mentions = name.mentions.iter().take(64).filter(|_| name.label == "PER");
    mentions.map(|&index| &entities[index].bytes).find_map(|bytes| gender_by_title(text, bytes))
}
