//! Referents: what is known of each mention beside its vector, for the resolver and for training alike.

use std::collections::HashMap;

use super::cast::Cast;
use super::descriptions::{described, descriptions};
use super::mentions::{Form, Mention, Pronoun};
use super::names::{EntityKind, Name, gender_by_title};
use super::source_heads::named_heads;
use crate::decode::lexicon::lexicon;
use crate::decode::reading::Reading;
use crate::decode::spans::Entity;
use crate::decode::statements::Statement;
use crate::model::{Gender, MentionClass};
use crate::text::ByteRange;

/// A mention with what the resolver knows of it beside its vector.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Referent {
    /// First token in the document.
    pub first: usize,
    /// Last token in the document.
    pub last: usize,
    /// What kind of mention it is, with what is known of whom it means.
    pub class: MentionClass,
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

/// What is known of each of a document's mentions, where they refer to somebody: what training sees.
pub fn find_referents(
    reading: Reading<'_>,
    entities: &[Entity],
    statements: &[Statement],
    mentions: &[Mention],
) -> Vec<Option<Referent>> {
    referents(reading, &Cast::of(reading, entities, statements), mentions, statements)
}

/// What is known of each mention; nothing of one that refers to nobody who is to be found: what must be a source and is none
/// ("it rains"), and a source that gives a name.
pub(super) fn referents(
    reading: Reading<'_>,
    cast: &Cast,
    mentions: &[Mention],
    statements: &[Statement],
) -> Vec<Option<Referent>> {
    let surroundings = Surroundings::of(reading, cast, statements);
    mentions.iter().map(|mention| surroundings.referent(mention)).collect()
}

/// Sources that may stand around a mention, and contents, one within another: more are not looked at.
const NESTED: usize = 8;

/// Mentions of a name that are looked at for a title.
const TITLED: usize = 64;

/// A segment of a source or a content.
struct Part {
    bytes: ByteRange,
    /// The number of its statement.
    statement: usize,
}

/// What mentions are placed in.
struct Surroundings<'a> {
    reading: Reading<'a>,
    cast: &'a Cast,
    /// For each name the gender that titles before it tell.
    titles: Vec<Option<Gender>>,
    /// In text order.
    sources: Vec<Part>,
    /// For each source the entities that it is about.
    heads: Vec<Vec<usize>>,
    /// In text order.
    contents: Vec<Part>,
    /// For each word that describes names, their numbers.
    descriptions: HashMap<String, Vec<usize>>,
    /// First tokens of all sentences.
    sentences: Vec<usize>,
}

impl<'a> Surroundings<'a> {
    fn of(reading: Reading<'a>, cast: &'a Cast, statements: &[Statement]) -> Self {
        let Reading { text, tokens, .. } = reading;
        let Cast { entities, names, .. } = cast;
        let (mut sources, mut contents) = (Vec::new(), Vec::new());
        for (number, statement) in statements.iter().enumerate() {
            let part = |bytes: &ByteRange| Part { bytes: bytes.clone(), statement: number };
            sources.extend(statement.source.iter().map(|segment| part(&segment.bytes)));
            contents.extend(statement.content.iter().map(|segment| part(&segment.bytes)));
        }
        sources.sort_by_key(|part| (part.bytes.start, part.bytes.end, part.statement));
        contents.sort_by_key(|part| (part.bytes.start, part.statement));
        let places: Vec<ByteRange> = sources.iter().map(|part| part.bytes.clone()).collect();
        Self {
            reading,
            cast,
            titles: names.iter().map(|name| title(text, cast, name)).collect(),
            // Once a source, not once a mention: a source may be a list of thousands of names.
            heads: places.iter().map(|source| named_heads(text, source, entities)).collect(),
            sources,
            contents,
            descriptions: descriptions(text, entities, names, &places),
            sentences: tokens.sentence_starts(text),
        }
    }

    fn referent(&self, mention: &Mention) -> Option<Referent> {
        let Reading { text, tokens, .. } = self.reading;
        let names = &self.cast.names;
        let source = self.source(mention);
        let speaks =
            source.is_some_and(|place| mention.entity.is_none_or(|entity| self.heads[place].contains(&entity)));
        let source = source.map(|place| self.sources[place].statement);
        let name = mention.entity.and_then(|entity| self.cast.name_of[entity]);
        let untitled = name.filter(|&name| names[name].kind == EntityKind::Person && self.titles[name].is_none());
        let described = || described(text, &mention.bytes, &self.descriptions);
        Some(Referent {
            first: mention.tokens.start,
            last: mention.tokens.end - 1,
            class: self.class(mention, name, source.is_some())?,
            sentence: self.sentences.partition_point(|&start| start <= mention.tokens.start),
            paragraph: tokens.paragraphs.partition_point(|paragraph| paragraph.end <= mention.tokens.start),
            source,
            speaks,
            content: self.content(mention),
            name,
            frequency: name.map_or(0, |name| names[name].mentions.len()),
            described: if mention.form == Form::Nominal { described() } else { Vec::new() },
            given: untitled.and_then(|name| names[name].given()),
        })
    }

    /// The place among the sources of the last one that a mention belongs to: a name when it stands in one, everything else
    /// when it is one.
    fn source(&self, mention: &Mention) -> Option<usize> {
        let until = self.sources.partition_point(|part| part.bytes.start <= mention.bytes.start);
        let near = (until.saturating_sub(NESTED)..until).rev();
        let belongs = near.filter(|&place| match mention.form {
            Form::Name => self.sources[place].bytes.end >= mention.bytes.end,
            _ => self.sources[place].bytes == mention.bytes,
        });
        belongs.max_by_key(|&place| self.sources[place].statement)
    }

    /// The first statement in whose content a mention stands.
    fn content(&self, mention: &Mention) -> Option<usize> {
        let until = self.contents.partition_point(|part| part.bytes.start <= mention.bytes.start);
        let around = self.contents[..until].iter().rev().take(NESTED);
        around.filter(|part| part.bytes.end >= mention.bytes.end).map(|part| part.statement).min()
    }

    /// None of a mention that refers to nobody who is to be found.
    fn class(&self, mention: &Mention, name: Option<usize>, is_source: bool) -> Option<MentionClass> {
        let text = self.reading.text;
        Some(match mention.form {
            Form::Name => self.name_class(name?),
            Form::Pronoun(pronoun) if pronoun.is_personal() || is_source => match pronoun {
                Pronoun::He => MentionClass::He,
                Pronoun::She => MentionClass::She,
                Pronoun::They | Pronoun::Each => MentionClass::They,
                Pronoun::It => MentionClass::It,
                Pronoun::Who => MentionClass::Who,
                Pronoun::I => MentionClass::FirstPerson,
                Pronoun::We => MentionClass::FirstPersons,
            },
            Form::Nominal if is_source && !self.cast.gives_name(text, &mention.bytes) => {
                let first = text[mention.bytes.clone()].split_whitespace().next().unwrap_or_default();
                let is_definite = lexicon().speakers.definite.has(&first.to_lowercase());
                if is_definite { MentionClass::Definite } else { MentionClass::Nominal }
            }
            Form::Pronoun(_) | Form::Nominal => return None,
        })
    }

    fn name_class(&self, name: usize) -> MentionClass {
        match self.cast.names[name].kind {
            EntityKind::Person => match self.titles[name].or_else(|| self.gender_by_given_name(name)) {
                Some(Gender::Man) => MentionClass::Man,
                Some(Gender::Woman) => MentionClass::Woman,
                None => MentionClass::Person,
            },
            EntityKind::Organisation => MentionClass::Organisation,
            EntityKind::Group => MentionClass::Group,
            EntityKind::Place => MentionClass::Place,
            EntityKind::Building => MentionClass::Building,
        }
    }

    fn gender_by_given_name(&self, name: usize) -> Option<Gender> {
        let (model, name) = (self.reading.model, &self.cast.names[name]);
        match name.lone() {
            Some(lone) => model.gender_of_lone_name(lone),
            None => model.gender_of_given_name(&name.given()?),
        }
    }
}

/// What the titles before a person's name tell, if any does.
fn title(text: &str, cast: &Cast, name: &Name) -> Option<Gender> {
    let mentions = name.mentions.iter().take(TITLED).filter(|_| name.kind == EntityKind::Person);
    mentions.map(|&index| &cast.entities[index].bytes).find_map(|bytes| gender_by_title(text, bytes))
}
