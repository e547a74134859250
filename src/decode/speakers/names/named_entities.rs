//! Who can speak: entities as the speakers' room sees them.
//!
//! A body that is named after somebody ("the Obama administration") is that body and not the person, and what ends in a
//! common noun ("Vermont senator") describes somebody rather than names them. Where a source begins inside a person's name,
//! it knows better where the name begins ("a letter to the Lysmouth Post Holt called it a farce").

use crate::decode::lexicon::lexicon;
use crate::decode::spans::Entity;
use crate::text::ByteRange;

/// What an entity that can speak is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::decode::speakers) enum EntityKind {
    Person,
    Organisation,
    /// A people, a religion, a party.
    Group,
    Place,
    Building,
}

impl EntityKind {
    fn of_label(label: &str) -> Option<Self> {
        Some(match label {
            "PER" => Self::Person,
            "ORG" => Self::Organisation,
            "NORP" => Self::Group,
            "LOC" => Self::Place,
            "FAC" => Self::Building,
            _ => return None,
        })
    }

    /// The label that the model's schemes have for it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Person => "PER",
            Self::Organisation => "ORG",
            Self::Group => "NORP",
            Self::Place => "LOC",
            Self::Building => "FAC",
        }
    }
}

/// An entity as somebody who may speak.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::decode::speakers) struct NamedEntity {
    /// None of what cannot speak: a date, a law, a description ("Vermont senator").
    pub kind: Option<EntityKind>,
    /// Where the name stands.
    pub bytes: ByteRange,
    /// The entity's score.
    pub score: f32,
}

impl NamedEntity {
    /// True of a person's name.
    pub fn is_person(&self) -> bool {
        self.kind == Some(EntityKind::Person)
    }
}

impl From<&Entity> for NamedEntity {
    fn from(Entity { label, bytes, score }: &Entity) -> Self {
        Self { kind: EntityKind::of_label(label), bytes: bytes.clone(), score: *score }
    }
}

/// True of the label of people, bodies, places and other things that speak.
pub(in crate::decode::speakers) fn is_of_speaking_kind(label: &str) -> bool {
    EntityKind::of_label(label).is_some()
}

/// True of an entity that is the name of somebody or something that speaks.
pub(in crate::decode::speakers) fn can_speak(label: &str, entity: &str) -> bool {
    EntityKind::of_label(label).is_some_and(|kind| !describes(kind, entity))
}

/// The entities, one for one, as they can speak: a body that is named after one is in its place, as an organisation, and
/// a description is nobody. What sources begin inside of begins with them.
pub(in crate::decode::speakers) fn who_can_speak<'s>(
    text: &str,
    entities: &[Entity],
    sources: impl IntoIterator<Item = &'s ByteRange>,
) -> Vec<NamedEntity> {
    let mut seen: Vec<NamedEntity> = entities.iter().map(|entity| seen(text, entity.into())).collect();
    for source in sources {
        let at = entities.partition_point(|entity| entity.bytes.end <= source.start);
        if begins_inside(text, entities, at, source.start) {
            seen[at].kind = Some(EntityKind::Person);
            seen[at].bytes = source.start..entities[at].bytes.end;
        }
    }
    seen
}

fn seen(text: &str, entity: NamedEntity) -> NamedEntity {
    let Some(kind) = entity.kind else { return entity };
    let name = &text[entity.bytes.clone()];
    if let Some(bytes) = body(text, kind, &entity.bytes) {
        NamedEntity { kind: Some(EntityKind::Organisation), bytes, ..entity }
    } else if kind == EntityKind::Person && ends_in_body(name) {
        NamedEntity { kind: Some(EntityKind::Organisation), ..entity }
    } else if describes(kind, name) {
        NamedEntity { kind: None, ..entity }
    } else {
        entity
    }
}

/// True where a source begins inside a name, with all of another person's name; inside a person's, with its last word will do.
fn begins_inside(text: &str, entities: &[Entity], at: usize, start: usize) -> bool {
    let Some(Entity { label, bytes, .. }) = entities.get(at) else { return false };
    let is_person = label == "PER";
    if !(is_person || label == "ORG") || bytes.start >= start || !text[..start].ends_with(char::is_whitespace) {
        return false;
    }
    let (before, rest) = (&text[bytes.start..start], &text[start..bytes.end]);
    let is_name =
        |other: &str| other.strip_suffix(rest).is_some_and(|head| head.is_empty() || is_person && head.ends_with(' '));
    let is_other = |other: &str| is_name(other) && !other.starts_with(before);
    entities.iter().any(|other| other.label == "PER" && is_other(&text[other.bytes.clone()]))
}

/// The body that an entity gives its name to, where its noun follows.
fn body(text: &str, kind: EntityKind, name: &ByteRange) -> Option<ByteRange> {
    let lists = &lexicon().speakers;
    let next = text[name.end..].strip_prefix(' ')?;
    let noun = next.split(|character: char| !character.is_alphanumeric()).next()?;
    let is_body = match kind {
        // A candidate whose campaign it is may be taken for an organisation.
        EntityKind::Person | EntityKind::Organisation => lists.of_candidates.has(noun),
        EntityKind::Place | EntityKind::Group | EntityKind::Building => false,
    };
    let end = name.end + 1 + noun.len();
    // "the Holt campaign's bus" is the campaign's; "the Holt campaign manager" is somebody else.
    let after = &text[end..];
    let goes_on =
        after.strip_prefix(' ').is_some_and(|after| lists.nouns_behind.iter().any(|noun| after.starts_with(noun)));
    (is_body && !goes_on).then_some(name.start..end)
}

/// True of "Holt campaign", which is sometimes taken for a person as a whole.
fn ends_in_body(entity: &str) -> bool {
    entity.rsplit_once(' ').is_some_and(|(_, last)| lexicon().speakers.of_candidates.has(last))
}

/// True of an entity that describes somebody by a common noun: "Republican nominee", "Vermont senator".
fn describes(kind: EntityKind, entity: &str) -> bool {
    let lists = &lexicon().speakers;
    let mut words = entity.split_whitespace().map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()));
    let (first, last) = (words.next().unwrap_or_default(), words.next_back().unwrap_or_default());
    let is_common = last.chars().count() > 3 && last.chars().all(char::is_lowercase);
    let is_body = lists.of_candidates.has(last);
    match kind {
        EntityKind::Person => is_common && !is_body && first.contains(char::is_uppercase),
        _ if lists.roles.has(&last.to_lowercase()) => true,
        EntityKind::Group => is_common && !is_body && first.contains(char::is_uppercase),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(text: &str, label: &str, name: &str) -> (&'static str, String) {
        let start = text.find(name).unwrap();
        let entities = [Entity { label: label.to_owned(), bytes: start..start + name.len(), score: 1.0 }];
        let seen = who_can_speak(text, &entities, []).remove(0);
        (seen.kind.map_or("nobody", EntityKind::label), text[seen.bytes].to_owned())
    }

    #[test]
    fn a_source_knows_where_its_name_begins() {
        let seen = |text: &str, names: &[&str], source: &str| {
            let range = |part: &str| text.find(part).map(|start| start..start + part.len()).unwrap();
            let label = |name: &str| if name.starts_with("Lysmouth") { "ORG" } else { "PER" }.to_owned();
            let entity = |name: &&str| Entity { label: label(name), bytes: range(name), score: 1.0 };
            let entities: Vec<Entity> = names.iter().map(entity).collect();
            let seen = who_can_speak(text, &entities, [&range(source)]);
            seen.into_iter().map(|entity| text[entity.bytes].to_owned()).collect::<Vec<_>>()
        };
        let letter = "Holt left, and in the Lysmouth Post Holt called it a farce.";
        assert_eq!(seen(letter, &["Holt", "Lysmouth Post Holt"], "Holt called"), ["Holt", "Holt"]);
        let letter = "Ada Holt left, and in the Post Holt called it a farce.";
        assert_eq!(seen(letter, &["Ada Holt", "Post Holt"], "Holt called"), ["Ada Holt", "Holt"]);
        let firm = "Ada Holt runs Lysmouth Holt.";
        assert_eq!(seen(firm, &["Ada Holt", "Lysmouth Holt"], "Holt."), ["Ada Holt", "Lysmouth Holt"]);
        let cut = "Ada Holt left, said Ben Ruiz.";
        assert_eq!(seen(cut, &["Ada Holt", "Ben Ruiz"], "Ruiz"), ["Ada Holt", "Ben Ruiz"], "no other Ruiz");
        let again = "Ada Holt left. ada. Ada Holt's aide";
        assert_eq!(seen(again, &["Ada Holt"], "Holt"), ["Ada Holt"], "her own name is no other");
    }

    #[test]
    fn a_body_is_not_the_person_it_is_named_after() {
        let body = ("ORG", "Holt campaign".to_owned());
        assert_eq!(seen("The Holt campaign said no.", "PER", "Holt"), body);
        assert_eq!(seen("the Holt campaign’s answer", "PER", "Holt"), body);
        let person = ("PER", "Holt".to_owned());
        assert_eq!(seen("the Holt campaign manager", "PER", "Holt"), person);
        assert_eq!(seen("Holt campaigned", "PER", "Holt"), person);
        assert_eq!(seen("Holt", "PER", "Holt"), person);
        assert_eq!(seen("the Holt campaign", "PER", "Holt campaign"), ("ORG", "Holt campaign".to_owned()));
        let place = ("LOC", "Vostra".to_owned());
        assert_eq!(seen("the Vostra team", "LOC", "Vostra"), place, "a sports team perhaps");
    }

    #[test]
    fn a_description_is_no_name() {
        let is_description = |label: &str, name: &str| describes(EntityKind::of_label(label).expect("a kind"), name);
        assert!(is_description("PER", "Vermont senator") && is_description("NORP", "Republican nominee"));
        assert!(is_description("ORG", "White House Doctor") && !is_description("ORG", "Holt campaign"));
        assert!(
            !is_description("PER", "Ada Holt")
                && !is_description("PER", "ada holt")
                && !is_description("PER", "Nomvula")
        );
        assert!(!is_description("ORG", "Médecins sans frontières") && !is_description("PER", "Ban Ki-moon"));
        assert!(!is_description("PER", "Cornelis van der"), "the end of a name that was cut");
    }
}
