//! Speakers: the person or organisation behind a statement.

use super::beside::{HEADLINES, apposed, headlined, is_document};
use super::carried::{continued, spoke_last};
use super::cast::{Cast, Naming};
use super::mentions::{Form, Mention, Pronoun};
use super::names::{EntityKind, Name, NamedEntity, alias, name_words};
use super::referents::{Referent, referents};
use super::resolve::{Guess, resolve};
use crate::decode::lexicon::{lexicon, words};
use crate::decode::reading::Reading;
use crate::decode::spans::{Entity, Segment};
use crate::decode::statements::Statement;
use crate::decode::steps::rest;
use crate::model::{Calibration, SpeakerScores, calibrated};
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
    /// There is no source: the quotation before has this speaker.
    Running,
}

/// A name is taken for a pronoun if it is this much more probable than nobody. The head learned from texts in which many
/// pronouns go back to no name, and in news most do.
const LIKELY: f32 = 0.2;

/// The same for descriptions: it must be more probable than nobody.
const LIKELY_DESCRIPTION: f32 = 1.0;

impl Via {
    /// The name used in the output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Alias => "alias",
            Self::Pronoun => "pronoun",
            Self::Nominal => "nominal",
            Self::Running => "running",
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
    /// Every mention, by name, pronoun or description, in text order.
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
    /// 0 to 1: how probable it is that the source means this speaker.
    pub score: f32,
}

/// Finds the speakers of a document.
///
/// Returns them in the order in which they first speak, and per statement the speaker and after it the joint
/// speakers ("A and B said"); none where the text names nobody.
///
/// A name in the source is the speaker. A pronoun or a description is whoever the model takes it for, unless that is more
/// probably nobody; "they" behind a statement of several people are these. A participle ("Holt left, saying so") has the
/// speaker of its sentence. "I" and "we" in a quotation are whoever is quoted, and a quotation that floats has the speaker of the
/// one before it.
pub(in crate::decode) async fn resolve_speakers(
    reading: Reading<'_>,
    entities: &[Entity],
    statements: &[Statement],
    mentions: &[Mention],
) -> (Vec<Speaker>, Vec<Vec<Attribution>>) {
    let Reading { model, text, .. } = reading;
    let cast = Cast::of(reading, entities, statements);
    rest().await;
    let referents = referents(reading, &cast, mentions, statements);
    rest().await;
    let guesses = resolve(model, mentions, &referents).await;
    let document = Document { text, cast, mentions, referents, guesses, scores: model.config().speaker_scores };
    let mut meant: Vec<Vec<Meant>> = Vec::with_capacity(statements.len());
    for statement in statements {
        let segments = statement.source.iter();
        let mut found: Vec<Meant> = Vec::new();
        for next in segments.flat_map(|segment| document.meant_by(segment)) {
            if found.iter().all(|known| known.name != next.name) {
                found.push(next);
            }
        }
        meant.push(found);
    }
    for (number, statement) in statements.iter().enumerate() {
        if statement.floating && statement.source.is_empty() {
            meant[number] = running(number.checked_sub(1).map(|before| &meant[before]));
        } else if let Some(quoted) = document.quoted_in(statement)
            && meant[number].is_empty()
        {
            meant[number] = by_pronoun(&meant[quoted]);
        }
    }
    for (number, statement) in statements.iter().enumerate() {
        if let Some(before) = continued(text, statements, number)
            && meant[number].is_empty()
        {
            meant[number] = running(Some(&meant[before]));
        } else if let [segment] = &statement.source[..]
            && document.is_they(segment)
            && let Some(before) = spoke_last(text, statements, number)
            && document.are_joint(&meant[before])
        {
            meant[number] = by_pronoun(&meant[before]);
        }
    }
    document.speakers(&meant)
}

/// Whom a statement is attributed to.
#[derive(Debug, Clone)]
struct Meant {
    name: usize,
    entity: Option<usize>,
    via: Via,
    score: f32,
}

/// True of a description of somebody who is known by then.
fn is_known(description: &str) -> bool {
    words(description, "").next().is_some_and(|first| lexicon().speakers.known.has(&first))
}

/// How sure the speaker of a floating quotation is beside that of the one before it.
const RUNNING: f32 = 0.8;

/// The same speakers, whom a pronoun means.
fn by_pronoun(meant: &[Meant]) -> Vec<Meant> {
    meant.iter().map(|meant| Meant { via: Via::Pronoun, ..meant.clone() }).collect()
}

fn running(before: Option<&Vec<Meant>>) -> Vec<Meant> {
    let follow = |meant: &Meant| Meant { via: Via::Running, score: meant.score * RUNNING, ..meant.clone() };
    before.into_iter().flatten().map(follow).collect()
}

/// What the speakers of a document are found from.
struct Document<'a> {
    text: &'a str,
    cast: Cast,
    mentions: &'a [Mention],
    referents: Vec<Option<Referent>>,
    guesses: Vec<Vec<Guess>>,
    scores: Option<SpeakerScores>,
}

impl Document<'_> {
    /// Whom a segment of a source means.
    fn meant_by(&self, segment: &Segment) -> Vec<Meant> {
        let named = self.cast.named(self.text, &segment.bytes);
        let by_name = named.into_iter().map(|Naming { name, entity }| {
            let form = entity.map_or(&segment.bytes, |entity| &self.cast.entities[entity].bytes);
            let words = name_words(&self.text[form.clone()]).join(" ");
            let full = words.to_lowercase() == self.cast.names[name].fullest.to_lowercase();
            let via = if full { Via::Name } else { Via::Alias };
            let score = segment.score * entity.map_or(1.0, |entity| self.cast.entities[entity].score);
            Meant { name, entity, via, score: self.probability(score, |scores| scores.named) }
        });
        let by_name: Vec<Meant> = by_name.collect();
        if by_name.is_empty() { self.referred_to(segment).into_iter().collect() } else { by_name }
    }

    /// True of "they" for a source.
    fn is_they(&self, segment: &Segment) -> bool {
        let mention = self.mention(&segment.bytes);
        mention.is_some_and(|mention| self.mentions[mention].form == Form::Pronoun(Pronoun::They))
    }

    /// True of several people.
    fn are_joint(&self, meant: &[Meant]) -> bool {
        meant.len() > 1 && meant.iter().all(|meant| self.cast.names[meant.name].kind == EntityKind::Person)
    }

    /// How probable it is that a speaker with such a score is right.
    fn probability(&self, score: f32, calibration: fn(&SpeakerScores) -> Calibration) -> f32 {
        calibrated(self.scores.as_ref().map(calibration), score)
    }

    /// The mention that a source is.
    fn mention(&self, source: &ByteRange) -> Option<usize> {
        let from = self.mentions.partition_point(|mention| mention.bytes.start < source.start);
        let here = self.mentions[from..].iter().take_while(|mention| mention.bytes.start == source.start);
        here.zip(from..).find(|(mention, _)| mention.bytes == *source && mention.form != Form::Name).map(|(_, at)| at)
    }

    /// Whom a source without a name most probably refers to, if to anybody.
    fn referred_to(&self, segment: &Segment) -> Option<Meant> {
        let mention = self.mention(&segment.bytes)?;
        let Guess { name, probability } = self.beside(mention).or_else(|| self.likely(mention))?;
        let via = if self.mentions[mention].form == Form::Nominal { Via::Nominal } else { Via::Pronoun };
        let before = |&&entity: &&usize| self.cast.entities[entity].bytes.start < segment.bytes.start;
        let mentions = &self.cast.names[name].mentions;
        let entity = mentions.iter().rev().find(before).or(mentions.first()).copied();
        let score = self.probability(segment.score * probability, |scores| scores.referred);
        Some(Meant { name, entity, via, score })
    }

    /// The name that "who" or "which" follows without a word between, or that a description belongs to by its place.
    fn beside(&self, mention: usize) -> Option<Guess> {
        let Mention { bytes, form, .. } = &self.mentions[mention];
        if *form == Form::Nominal {
            let in_headline = || {
                let is_headline = self.referents[mention].as_ref()?.paragraph < HEADLINES;
                is_headline.then(|| headlined(self.text, &self.cast.entities, bytes)).flatten()
            };
            let entity = apposed(self.text, &self.cast.entities, bytes).or_else(in_headline)?;
            return Some(Guess { name: self.cast.name_of[entity]?, probability: self.cast.entities[entity].score });
        }
        if *form != Form::Pronoun(Pronoun::Who) {
            return None;
        }
        let before = self.cast.entities.partition_point(|entity| entity.bytes.end <= bytes.start);
        let (entity, name) = (before.saturating_sub(1)..before)
            .find_map(|at| Some((&self.cast.entities[at], self.cast.name_of[at]?)))?;
        let between = &self.text[entity.bytes.end..bytes.start];
        let is_beside = !between.contains(char::is_alphanumeric);
        is_beside.then_some(Guess { name, probability: entity.score })
    }

    /// The name that an anaphor means, where that is likely enough.
    fn likely(&self, mention: usize) -> Option<Guess> {
        let guesses = &self.guesses[mention];
        let nobody = 1.0 - guesses.iter().map(|guess| guess.probability).sum::<f32>();
        let Mention { bytes, form, .. } = &self.mentions[mention];
        let least = match form {
            Form::Nominal if is_known(&self.text[bytes.clone()]) && !is_document(&self.text[bytes.clone()]) => {
                nobody * LIKELY_DESCRIPTION
            }
            Form::Nominal => return None,
            Form::Name | Form::Pronoun(_) => nobody * LIKELY,
        };
        guesses.first().copied().filter(|guess| guess.probability > least)
    }

    /// The statement in whose quoted content this statement's "I" or "we" stands.
    fn quoted_in(&self, statement: &Statement) -> Option<usize> {
        let mention = statement.source.iter().find_map(|segment| self.mention(&segment.bytes))?;
        let is_speaker = matches!(self.mentions[mention].form, Form::Pronoun(Pronoun::I | Pronoun::We));
        self.referents[mention].as_ref()?.content.filter(|_| is_speaker)
    }

    fn speakers(&self, meant: &[Vec<Meant>]) -> (Vec<Speaker>, Vec<Vec<Attribution>>) {
        let mut speakers: Vec<Speaker> = Vec::new();
        let mut speaker_of = vec![None; self.cast.names.len()];
        let mut attributions = Vec::with_capacity(meant.len());
        for (number, meant) in meant.iter().enumerate() {
            let attribution = |meant: &Meant| {
                let speaker = *speaker_of[meant.name].get_or_insert_with(|| {
                    speakers.push(speaker(self.text, &self.cast.entities, &self.cast.names[meant.name]));
                    speakers.len() - 1
                });
                speakers[speaker].statements.push(number);
                Attribution { speaker, entity: meant.entity, via: meant.via, score: meant.score }
            };
            attributions.push(meant.iter().map(attribution).collect());
        }
        for (index, mention) in self.mentions.iter().enumerate().filter(|(_, mention)| mention.form != Form::Name) {
            if let Some(speaker) = self.likely(index).and_then(|guess| speaker_of[guess.name]) {
                speakers[speaker].mentions.push(mention.bytes.clone());
            }
        }
        speakers.iter_mut().for_each(|speaker| speaker.mentions.sort_by_key(|bytes| (bytes.start, bytes.end)));
        (speakers, attributions)
    }
}

fn speaker(text: &str, entities: &[NamedEntity], name: &Name) -> Speaker {
    let mentions: Vec<ByteRange> = name.mentions.iter().map(|&index| entities[index].bytes.clone()).collect();
    let mut aliases: Vec<String> = Vec::new();
    for mention in &mentions {
        let form = alias(text, mention);
        if form != name.fullest && !aliases.contains(&form) {
            aliases.push(form);
        }
    }
    Speaker {
        name: name.fullest.clone(),
        label: name.kind.label().to_owned(),
        aliases,
        mentions,
        statements: Vec::new(),
    }
}
