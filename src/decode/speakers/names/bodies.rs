//! Who can speak: entities as the speakers' room sees them.
//!
//! A body that is named after somebody ("the Obama administration") is that body and not the person, and what ends in a
//! common noun ("Vermont senator") describes somebody rather than names them. Where a source begins inside a person's name,
//! it knows better where the name begins ("a letter to the Lysmouth Post Holt called it a farce").

use crate::decode::spans::Entity;
use crate::text::ByteRange;

/// What a body that is named after a person is called.
const OF_PEOPLE: [&str; 7] = ["administration", "camp", "campaign", "foundation", "government", "presidency", "team"];

/// What a body that is named after a place or a people is called.
const OF_PLACES: [&str; 3] = ["administration", "government", "parliament"];

/// The entities, one for one, as they can speak: a body that is named after one is in its place, as an organisation, and
/// a description has no label. What sources begin inside of begins with them.
pub(in crate::decode::speakers) fn who_can_speak<'s>(
    text: &str,
    entities: &[Entity],
    sources: impl IntoIterator<Item = &'s ByteRange>,
) -> Vec<Entity> {
    let seen = |entity: &Entity| {
        if let Some(bytes) = body(text, entity) {
            Entity { label: "ORG".to_owned(), bytes, score: entity.score }
        } else if entity.label == "PER" && ends_in_body(&text[entity.bytes.clone()]) {
            Entity { label: "ORG".to_owned(), ..entity.clone() }
        } else if describes(&entity.label, &text[entity.bytes.clone()]) {
            Entity { label: String::new(), ..entity.clone() }
        } else {
            entity.clone()
        }
    };
    let mut seen: Vec<Entity> = entities.iter().map(seen).collect();
    for source in sources {
        let at = entities.partition_point(|entity| entity.bytes.end <= source.start);
        if begins_inside(text, entities, at, source.start) {
            seen[at] =
                Entity { label: "PER".to_owned(), bytes: source.start..entities[at].bytes.end, ..seen[at].clone() };
        }
    }
    seen
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
fn body(text: &str, entity: &Entity) -> Option<ByteRange> {
    let nouns: &[&str] = match entity.label.as_str() {
        "PER" => &OF_PEOPLE,
        // A candidate whose campaign it is may be taken for an organisation.
        "ORG" => &OF_PEOPLE[..3],
        "LOC" | "NORP" => &OF_PLACES,
        _ => return None,
    };
    let next = text[entity.bytes.end..].strip_prefix(' ')?;
    let word = next.split(|character: char| !character.is_alphanumeric()).next()?;
    let end = entity.bytes.end + 1 + word.len();
    // "the Holt team's bus" is the team's; "the Holt campaign manager" is somebody else.
    let after = &text[end..];
    let goes_on = after.strip_prefix(' ').is_some_and(|after| NOUNS_BEHIND.iter().any(|noun| after.starts_with(noun)));
    (nouns.contains(&word) && !goes_on).then_some(entity.bytes.start..end)
}

/// True of "Holt campaign", which is sometimes taken for a person as a whole.
fn ends_in_body(entity: &str) -> bool {
    entity.rsplit_once(' ').is_some_and(|(_, last)| OF_PEOPLE.contains(&last))
}

/// Beginnings of words that make a body the attribute of somebody.
const NOUNS_BEHIND: [&str; 19] = [
    "advis",
    "aide",
    "attorney",
    "chair",
    "chief",
    "counsel",
    "director",
    "employee",
    "executive",
    "insider",
    "lawyer",
    "leader",
    "manager",
    "member",
    "officer",
    "official",
    "source",
    "spokes",
    "staff",
];

/// Common nouns that name nobody, whatever stands before them.
const ROLES: [&str; 37] = [
    "adviser",
    "advisers",
    "aide",
    "aides",
    "analyst",
    "analysts",
    "attorney",
    "candidate",
    "candidates",
    "chief",
    "congressman",
    "congresswoman",
    "critics",
    "director",
    "doctor",
    "doctors",
    "executive",
    "governor",
    "lawmaker",
    "lawmakers",
    "lawyer",
    "lawyers",
    "mayor",
    "nominee",
    "nominees",
    "official",
    "officials",
    "president",
    "senator",
    "senators",
    "spokesman",
    "spokesperson",
    "spokeswoman",
    "staffers",
    "supporters",
    "voters",
    "workers",
];

/// True of an entity that describes somebody by a common noun: "Republican nominee", "Vermont senator".
pub(in crate::decode::speakers) fn describes(label: &str, entity: &str) -> bool {
    let mut words = entity.split_whitespace().map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()));
    let (first, last) = (words.next().unwrap_or_default(), words.next_back().unwrap_or_default());
    let is_common = last.chars().count() > 3 && last.chars().all(char::is_lowercase);
    let is_body = OF_PEOPLE.contains(&last) || OF_PLACES.contains(&last);
    let is_role = label != "PER" && ROLES.contains(&last.to_lowercase().as_str());
    is_role || matches!(label, "PER" | "NORP") && is_common && !is_body && first.contains(char::is_uppercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(text: &str, label: &str, name: &str) -> (String, String) {
        let start = text.find(name).unwrap();
        let entities = [Entity { label: label.to_owned(), bytes: start..start + name.len(), score: 1.0 }];
        let seen = who_can_speak(text, &entities, []).remove(0);
        (seen.label, text[seen.bytes].to_owned())
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
        let body = ("ORG".to_owned(), "Holt campaign".to_owned());
        assert_eq!(seen("The Holt campaign said no.", "PER", "Holt"), body);
        assert_eq!(seen("the Holt campaign’s answer", "PER", "Holt"), body);
        let person = ("PER".to_owned(), "Holt".to_owned());
        assert_eq!(seen("the Holt campaign manager", "PER", "Holt"), person);
        assert_eq!(seen("Holt campaigned", "PER", "Holt"), person);
        assert_eq!(seen("Holt", "PER", "Holt"), person);
        assert_eq!(seen("the Holt campaign", "PER", "Holt campaign"), ("ORG".to_owned(), "Holt campaign".to_owned()));
        let place = ("LOC".to_owned(), "Vostra".to_owned());
        assert_eq!(seen("the Vostra team", "LOC", "Vostra"), place, "a sports team perhaps");
        assert_eq!(seen("the Vostran government", "NORP", "Vostran").1, "Vostran government");
    }

    #[test]
    fn a_description_is_no_name() {
        assert!(describes("PER", "Vermont senator") && describes("NORP", "Republican nominee"));
        assert!(describes("ORG", "White House Doctor") && !describes("ORG", "Holt campaign"));
        assert!(!describes("PER", "Ada Holt") && !describes("PER", "ada holt") && !describes("PER", "Nomvula"));
        assert!(!describes("ORG", "Médecins sans frontières") && !describes("PER", "Ban Ki-moon"));
        assert!(!describes("PER", "Cornelis van der"), "the end of a name that was cut");
    }
}
