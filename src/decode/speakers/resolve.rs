//! Resolving: which of the document's names a pronoun or a description means.
//!
//! Mentions are taken in text order. Each anaphor spreads its probability over the mentions before it (and the names that
//! follow in its sentence), or over nobody; what falls on a pronoun goes on to whom that pronoun means. A name's
//! probability is the sum of what reaches its mentions, so that ten uncertain ways to one name make a certain one.

use super::mentions::{Form, Mention};
use super::referents::Referent;
use crate::decode::spans::softmax;
use crate::decode::steps::rest;
use crate::model::{MentionClass, Model, PairFeatures};

/// Whom an anaphor may mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Guess {
    /// The number of the name.
    pub name: usize,
    /// How probable it is that the anaphor means it.
    pub probability: f32,
}

/// No more candidates are weighed for an anaphor...
const CANDIDATES: usize = 64;

/// ...of no more mentions before it.
const LOOK_BACK: usize = 256;

/// Names behind an anaphor, in its own sentence, that it may announce ("before he left, Holt said").
const FOLLOWING: usize = 3;

/// What is less probable is forgotten: it keeps work and memory small.
const NEGLIGIBLE: f32 = 1e-3;

/// Anaphors that are resolved before a rest.
const STRETCH: usize = 16;

/// By how much the score of whoever spoke last, in this sentence or the one before, rises for a pronoun that speaks.
const SPOKE_LAST: f32 = 1.5;

/// Classes of mentions that go back to the same, and to which the same goes back.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Person,
    Body,
    He,
    She,
    They,
    It,
    Who,
    FirstPerson,
    Nominal,
}

fn kind(class: MentionClass) -> Kind {
    match class {
        MentionClass::Person | MentionClass::Man | MentionClass::Woman => Kind::Person,
        MentionClass::Organisation | MentionClass::Group | MentionClass::Place | MentionClass::Building => Kind::Body,
        MentionClass::He => Kind::He,
        MentionClass::She => Kind::She,
        MentionClass::They => Kind::They,
        MentionClass::It => Kind::It,
        MentionClass::Who => Kind::Who,
        MentionClass::FirstPerson | MentionClass::FirstPersons => Kind::FirstPerson,
        MentionClass::Nominal | MentionClass::Definite => Kind::Nominal,
    }
}

/// Whether an anaphor may go back to such a mention at all.
fn is_compatible(anaphor: Kind, candidate: Kind) -> bool {
    use Kind::{Body, FirstPerson, He, It, Nominal, Person, She, They, Who};
    match anaphor {
        He => matches!(candidate, Person | He | Nominal),
        She => matches!(candidate, Person | She | Nominal),
        They => matches!(candidate, Person | Body | They | Nominal),
        It => matches!(candidate, Body | It | Nominal),
        Who => matches!(candidate, Person | Body | Nominal),
        Nominal => matches!(candidate, Person | Body | He | She | They | It | Nominal),
        Person | Body | FirstPerson => false,
    }
}

/// Whether a pronoun cannot mean a name of such a class, whatever its score: "it" is no person, "they" no single one.
fn is_impossible(anaphor: MentionClass, name: MentionClass) -> bool {
    let is_of_known_gender = matches!(name, MentionClass::Man | MentionClass::Woman);
    match kind(anaphor) {
        Kind::He | Kind::She => kind(name) != Kind::Person,
        Kind::They => is_of_known_gender,
        Kind::It => kind(name) == Kind::Person,
        _ => false,
    }
}

/// A mention that refers to somebody, or may.
struct Known<'a> {
    /// Its place among all mentions.
    place: usize,
    mention: &'a Mention,
    referent: &'a Referent,
}

/// What is added to the scores of the candidates `chosen` for what the head knows too little of: number, and that in
/// news he who spoke goes on speaking (the same as `corrections` of `scripts/train`).
fn corrections(known: &[Known<'_>], at: usize, chosen: &[usize]) -> Vec<f32> {
    let me = known[at].referent;
    let goes_on = matches!(kind(me.class), Kind::He | Kind::She | Kind::It) && me.source.is_some();
    let mut is_last = goes_on;
    let correction = |&candidate: &usize| {
        let other = known[candidate].referent;
        if other.name.is_some() && is_impossible(me.class, other.class) {
            return f32::NEG_INFINITY;
        }
        let spoke_last = is_last && other.speaks && candidate < at;
        is_last &= !spoke_last;
        if spoke_last && me.sentence - other.sentence <= 1 { SPOKE_LAST } else { 0.0 }
    };
    chosen.iter().map(correction).collect()
}

/// For each mention the names that it means, the most probable first; a name means itself.
///
/// Anaphors stay without a guess where the model has no coreference head.
pub(super) async fn resolve(model: &Model, mentions: &[Mention], referents: &[Option<Referent>]) -> Vec<Vec<Guess>> {
    let mut guesses: Vec<Vec<Guess>> = vec![Vec::new(); mentions.len()];
    let known: Vec<Known<'_>> = (mentions.iter().zip(referents).enumerate())
        .filter_map(|(place, (mention, referent))| Some(Known { place, mention, referent: referent.as_ref()? }))
        .collect();
    let named = || known.iter().filter_map(|known| Some((known.referent.name?, known.referent.class)));
    let names = named().map(|(name, _)| name + 1).max().unwrap_or(0);
    let mut classes = vec![None; names];
    named().for_each(|(name, class)| classes[name] = Some(class));
    // What falls on each name, for one anaphor at a time; nothing in between.
    let mut sums = vec![0.0; names];
    let mut anaphors = 0;
    for (at, &Known { place, mention, referent }) in known.iter().enumerate() {
        if mention.form == Form::Name {
            guesses[place] = referent.name.map(|name| Guess { name, probability: 1.0 }).into_iter().collect();
            continue;
        }
        if mention.vector.is_empty() || kind(referent.class) == Kind::FirstPerson {
            continue;
        }
        anaphors += 1;
        if anaphors % STRETCH == 0 {
            rest().await;
        }
        let chosen = candidates(&known, at);
        let probabilities = candidate_probabilities(model, &known, at, &chosen);
        let mut found: Vec<usize> = Vec::new();
        for (&candidate, probability) in chosen.iter().zip(probabilities) {
            let Known { place, referent, .. } = known[candidate];
            let own = referent.name.map(|name| Guess { name, probability: 1.0 });
            let meant = if own.is_none() { &guesses[place][..] } else { &[] };
            for Guess { name, probability: share } in own.into_iter().chain(meant.iter().copied()) {
                if sums[name] == 0.0 {
                    found.push(name);
                }
                sums[name] += probability * share;
            }
        }
        let is_possible = |name: usize| classes[name].is_none_or(|class| !is_impossible(referent.class, class));
        let guess = |name: usize| Guess { name, probability: std::mem::take(&mut sums[name]) };
        let mut found: Vec<Guess> = found.into_iter().map(guess).collect();
        found.retain(|guess| guess.probability > NEGLIGIBLE && is_possible(guess.name));
        found.sort_by(|left, right| right.probability.total_cmp(&left.probability).then(left.name.cmp(&right.name)));
        guesses[place] = found;
    }
    guesses
}

/// How probable each of the candidates `chosen` is; what is missing is nobody's.
fn candidate_probabilities(model: &Model, known: &[Known<'_>], at: usize, chosen: &[usize]) -> Vec<f32> {
    let Known { mention, referent, .. } = known[at];
    let features = pair_features(known, at, chosen);
    let vector = |&candidate: &usize| &known[candidate].mention.vector[..];
    let pairs: Vec<(&[f32], PairFeatures)> = chosen.iter().map(vector).zip(features).collect();
    let mut scores = vec![model.nobody_score(&mention.vector, referent.class, referent.source.is_some())];
    let learned = model.antecedent_scores(&mention.vector, &pairs);
    let corrections = corrections(known, at, chosen);
    scores.extend(learned.into_iter().zip(corrections).map(|(score, correction)| score + correction));
    softmax(&scores).split_off(1)
}

/// Places in `known` of the mentions that the one at `at` may go back to: the nearest first, then those that follow.
fn candidates(known: &[Known<'_>], at: usize) -> Vec<usize> {
    let me = known[at].referent;
    let allowed = |other: &Referent| is_compatible(kind(me.class), kind(other.class));
    let is_before = |&other: &usize| {
        let other = known[other].referent;
        allowed(other) && other.last < me.first
    };
    let before = (at.saturating_sub(LOOK_BACK)..at).rev().filter(is_before).take(CANDIDATES);
    let near = at + 1..known.len().min(at + 1 + LOOK_BACK);
    let behind = near.take_while(|&other| known[other].referent.sentence == me.sentence);
    let behind = behind.filter(|&other| {
        let other = known[other].referent;
        allowed(other) && other.name.is_some() && other.first > me.last
    });
    before.chain(behind.take(FOLLOWING)).collect()
}

/// What the head's tables are asked for each candidate (the same as `pair_features` of `scripts/train`).
fn pair_features(known: &[Known<'_>], at: usize, chosen: &[usize]) -> Vec<PairFeatures> {
    let me = known[at].referent;
    let (mut names, mut source_seen) = (Vec::new(), false);
    let features = |&candidate: &usize| {
        let (other, follows) = (known[candidate].referent, candidate > at);
        let distance = me.first.abs_diff(other.first).max(1);
        let is_last_source = other.source.is_some() && !source_seen && !follows;
        source_seen |= is_last_source;
        let flags = [
            me.source.is_some(),
            other.source.is_some(),
            is_last_source,
            me.content.is_some(),
            other.content.is_some(),
            me.content.is_some() && me.content == other.content,
        ];
        let rank = if follows { 0 } else { names.len().min(7) };
        if let Some(name) = other.name.filter(|name| !names.contains(name)) {
            names.push(name);
        }
        [
            ((2.0 * (distance as f64).log2()).floor() as usize).min(19) + if follows { 20 } else { 0 },
            steps(me.sentence.abs_diff(other.sentence), &[1, 2, 3, 4, 5, 7, 10, 15]),
            steps(me.paragraph.abs_diff(other.paragraph), &[1, 2, 3, 4, 6]),
            me.class.row() * MentionClass::COUNT + other.class.row(),
            flags.iter().rev().fold(0, |bits, &flag| bits << 1 | usize::from(flag)),
            steps(other.frequency, &[1, 2, 3, 5, 9]),
            rank,
            usize::from(other.name.is_some_and(|name| me.described.binary_search(&name).is_ok())),
        ]
    };
    chosen.iter().map(features).collect()
}

/// The number of borders that a value has reached.
fn steps(value: usize, borders: &[usize]) -> usize {
    borders.iter().filter(|&&border| value >= border).count()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// A mention of a class, the number of its sentence, and of its name, if it is one.
    fn referents_of(mentions: &[(MentionClass, usize, Option<usize>)]) -> Vec<Referent> {
        let referent = |(place, &(class, sentence, name)): (usize, &(MentionClass, usize, Option<usize>))| Referent {
            first: place * 10,
            last: place * 10,
            class,
            sentence,
            paragraph: sentence,
            source: None,
            speaks: false,
            content: None,
            name,
            frequency: usize::from(name.is_some()),
            described: Vec::new(),
            given: None,
        };
        mentions.iter().enumerate().map(referent).collect()
    }

    fn mention(place: usize, form: Form, vector: &[f32]) -> Mention {
        Mention { bytes: place..place + 1, tokens: place..place + 1, form, entity: None, vector: vector.to_vec() }
    }

    fn known<'a>(mentions: &'a [Mention], referents: &'a [Referent]) -> Vec<Known<'a>> {
        let pairs = mentions.iter().zip(referents).enumerate();
        pairs.map(|(place, (mention, referent))| Known { place, mention, referent }).collect()
    }

    #[test]
    fn candidates_are_compatible_and_near() {
        let referents = referents_of(&[
            (MentionClass::Woman, 0, Some(0)),
            (MentionClass::Organisation, 0, Some(1)),
            (MentionClass::She, 1, None),
            (MentionClass::He, 1, None),
            (MentionClass::FirstPerson, 1, None),
            (MentionClass::Man, 1, Some(2)),
            (MentionClass::Man, 2, Some(3)),
        ]);
        let mentions: Vec<Mention> = (0..7).map(|place| mention(place, Form::Nominal, &[])).collect();
        let known = known(&mentions, &referents);
        assert_eq!(candidates(&known, 3), [0, 5], "neither a body, nor another pronoun, nor the next sentence");
        assert_eq!(candidates(&known, 2), [0, 5]);
        assert_eq!(candidates(&known, 4), [0; 0], "\"I\" goes back to nobody");
        let features = pair_features(&known, 3, &[0, 5]);
        assert_eq!(features[0][0], 9, "thirty tokens: 2 * log2(30) = 9.8");
        assert_eq!(features[1][0], 20 + 8, "twenty tokens behind");
        assert_eq!((features[0][1], features[1][1]), (1, 0));
    }

    #[test]
    fn number_and_the_last_speaker_tell() {
        let mut referents = referents_of(&[
            (MentionClass::Woman, 0, Some(0)),
            (MentionClass::Man, 1, Some(1)),
            (MentionClass::Man, 1, Some(2)),
            (MentionClass::Organisation, 2, Some(3)),
            (MentionClass::He, 2, None),
            (MentionClass::They, 2, None),
            (MentionClass::It, 2, None),
        ]);
        (1..7).for_each(|place| referents[place].source = Some(place));
        referents[1].speaks = true;
        let mentions: Vec<Mention> = (0..7).map(|place| mention(place, Form::Nominal, &[])).collect();
        let known = known(&mentions, &referents);
        assert_eq!(corrections(&known, 4, &[2, 1, 0]), [0.0, SPOKE_LAST, 0.0]);
        assert_eq!(corrections(&known, 5, &[3, 2]), [0.0, f32::NEG_INFINITY], "one man is not \"they\"");
        assert_eq!(corrections(&known, 6, &[3, 0]), [0.0, f32::NEG_INFINITY], "a woman is not \"it\"");
    }

    #[test]
    fn steps_count_borders() {
        assert_eq!([0, 1, 4, 5, 6, 99].map(|value| steps(value, &[1, 5, 6])), [0, 1, 1, 2, 3, 3]);
    }

    /// A referent as `examples/mentions.rs` writes it.
    fn referent(recorded: &Value) -> Referent {
        let number = |key: &str| recorded[key].as_u64().map(|number| number as usize);
        let described = recorded["described"].as_array().into_iter().flatten();
        Referent {
            first: number("first").expect("a token"),
            last: number("last").expect("a token"),
            class: MentionClass::ALL[number("class").expect("a class")],
            sentence: number("sentence").expect("a sentence"),
            paragraph: number("paragraph").expect("a paragraph"),
            source: number("source"),
            speaks: recorded["speaks"].as_bool().unwrap_or_default(),
            content: number("content"),
            name: number("name"),
            frequency: number("frequency").expect("a count"),
            described: described.map(|name| name.as_u64().expect("a name") as usize).collect(),
            given: None,
        }
    }

    /// `scripts/train/tests/test_antecedents.py` recorded the file and holds training to it.
    #[test]
    fn training_means_the_same() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/antecedents.json");
        let recorded = std::fs::read_to_string(file).expect("the fixture is there");
        let recorded: Value = serde_json::from_str(&recorded).expect("the fixture is in order");
        let mut compared = 0;
        for document in recorded.as_array().expect("documents") {
            let referents: Vec<Referent> =
                document["mentions"].as_array().expect("mentions").iter().map(referent).collect();
            let mentions: Vec<Mention> = (0..referents.len()).map(|place| mention(place, Form::Nominal, &[])).collect();
            let known = known(&mentions, &referents);
            for expected in document["antecedents"].as_array().expect("antecedents") {
                let at = expected["anaphor"].as_u64().expect("a number") as usize;
                let chosen = candidates(&known, at);
                let finite = |value: f32| value.is_finite().then_some(value);
                let corrections: Vec<Option<f32>> = corrections(&known, at, &chosen).into_iter().map(finite).collect();
                let found = serde_json::json!({
                    "anaphor": at,
                    "candidates": chosen,
                    "features": pair_features(&known, at, &chosen),
                    "corrections": corrections,
                });
                assert_eq!(found, *expected, "{}", document["id"]);
                compared += 1;
            }
        }
        assert!(compared > 50, "{compared} anaphors");
    }

    /// `benches/stages.rs` measures what it costs; here is why the cost cannot grow with the square of the mentions.
    #[test]
    fn an_anaphor_costs_the_same_among_thousands_of_mentions() {
        let list: Vec<(MentionClass, usize, Option<usize>)> = (0..5000)
            .map(|place: usize| match place % 2 {
                0 => (MentionClass::Person, place / 4, Some(place % 1000)),
                _ => (MentionClass::He, place / 4, None),
            })
            .collect();
        let referents = referents_of(&list);
        let mentions: Vec<Mention> = (0..5000).map(|place| mention(place, Form::Nominal, &[])).collect();
        let known = known(&mentions, &referents);
        for at in (0..5000).filter(|at| at % 2 == 1) {
            let chosen = candidates(&known, at);
            assert!(chosen.len() <= CANDIDATES + FOLLOWING, "{}", chosen.len());
            assert!(chosen.iter().all(|candidate| candidate.abs_diff(at) <= LOOK_BACK));
        }
    }

    #[cfg(feature = "embedded-model")]
    #[test]
    fn guesses_are_probabilities() {
        use super::super::mentions::Pronoun;
        use crate::decode::steps::complete;
        use crate::model::Arithmetic;
        let model = Model::embedded(Arithmetic::new(None).expect("kernels")).expect("the embedded model loads");
        let hidden = model.config().encoder.hidden_size;
        let state: Vec<f32> = (0..hidden).map(|place| (place as f32 * 0.37).sin()).collect();
        let vector = model.mention_vectors(&[(&state, &state)]).remove(0);
        let list: Vec<(MentionClass, usize, Option<usize>)> = (0..500)
            .map(|place: usize| match place % 2 {
                0 => (MentionClass::Person, place / 4, Some(place % 100)),
                _ => (MentionClass::He, place / 4, None),
            })
            .collect();
        let form = |place: usize| if place.is_multiple_of(2) { Form::Name } else { Form::Pronoun(Pronoun::He) };
        let mentions: Vec<Mention> = (0..500).map(|place| mention(place, form(place), &vector)).collect();
        let referents: Vec<Option<Referent>> = referents_of(&list).into_iter().map(Some).collect();
        let guesses = complete(resolve(&model, &mentions, &referents));
        assert!(guesses.iter().skip(1).all(|guesses| !guesses.is_empty()));
        for guesses in guesses {
            let sum: f32 = guesses.iter().map(|guess| guess.probability).sum();
            assert!(sum <= 1.0 + 1e-3 && guesses.iter().all(|guess| guess.probability > 0.0), "{guesses:?}");
        }
    }
}
