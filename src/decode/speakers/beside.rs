//! Descriptions whose place tells whom they mean: beside a name, or in the headline.

use super::descriptions::{is_titled, noun};
use super::names::NamedEntity;
use super::source_heads::{SIGNS, is_independent};
use crate::decode::lexicon::{lexicon, words};
use crate::text::{ByteRange, is_line_end};

/// Paragraphs at the beginning of a document that may be headlines.
pub(super) const HEADLINES: usize = 2;

/// Bytes behind a headline in which whom it describes is named.
const LEAD: usize = 1000;

/// Words of a sentence before a name that an apposition follows: "Even Vostra, its only ally, said".
const OPENING: usize = 2;

/// True of a description of something written.
pub(super) fn is_document(description: &str) -> bool {
    noun(description).is_some_and(|noun| lexicon().speakers.documents.has(&noun))
}

/// The entity that a description stands in apposition to, where the tags left the name out: "Vostra, [its only ally],
/// said". In headlines "others" is such a description as well ("Holt, others agree").
pub(super) fn apposed(text: &str, entities: &[NamedEntity], description: &ByteRange) -> Option<usize> {
    let index = entities.partition_point(|entity| entity.bytes.end <= description.start).checked_sub(1)?;
    let entity = &entities[index];
    let words_of = &text[description.clone()];
    let closes = words_of.ends_with(',') || text[description.end..].starts_with(',');
    let from = text.floor_char_boundary(entity.bytes.start.saturating_sub(80));
    let near = &text[from..entity.bytes.start];
    let is_break = |character: char| is_line_end(character) || ".!?;:“”".contains(character);
    let sentence = near.rfind(is_break).map_or(from, |at| from + at);
    let opens = words(&text[sentence..entity.bytes.start], SIGNS).count() <= OPENING
        && is_independent(text, &(sentence..entity.bytes.end), &entity.bytes);
    let is_beside = text[entity.bytes.end..description.start] == *", ";
    (is_beside && opens && (closes || words_of.eq_ignore_ascii_case("others"))).then_some(index)
}

/// The entity of the person whom a description in a headline means: headlines leave articles out, and the text below
/// gives the name and the same title ("Senator Wants New Bridge" above "Sen. Ada Holt").
pub(super) fn headlined(text: &str, entities: &[NamedEntity], description: &ByteRange) -> Option<usize> {
    let words_of = &text[description.clone()];
    let is_plural = words_of.ends_with('s');
    let names_somebody = !is_plural && !is_document(words_of) && words_of.starts_with(char::is_uppercase);
    let noun = noun(words_of).filter(|_| names_somebody)?;
    let mut lead = entities.iter().take_while(|entity| entity.bytes.start < description.end + LEAD);
    let is_meant = |entity: &NamedEntity| entity.is_person() && is_titled(text, &entity.bytes, &noun);
    lead.position(is_meant)
}

#[cfg(test)]
mod tests {
    use super::super::names::EntityKind;
    use super::*;

    fn entities(text: &str, names: &[(EntityKind, &str)]) -> Vec<NamedEntity> {
        let entity = |&(kind, name): &(EntityKind, &str)| {
            let start = text.find(name).unwrap();
            NamedEntity { kind: Some(kind), bytes: start..start + name.len(), score: 1.0 }
        };
        names.iter().map(entity).collect()
    }

    #[test]
    fn an_apposition_means_the_name_before_it() {
        let meant = |text: &str, description: &str| {
            let start = text.find(description).unwrap();
            apposed(text, &entities(text, &[(EntityKind::Place, "Vostra")]), &(start..start + description.len()))
        };
        assert_eq!(meant("Rain fell. Even Vostra, its only ally, said no.", "its only ally"), Some(0));
        assert_eq!(meant("Vostra, others protest.", "others"), Some(0));
        assert_eq!(meant("In Vostra, the mayor, a baker, said no.", "the mayor"), None, "a place, not a speaker");
        assert_eq!(meant("Vostra, the mayor said.", "the mayor"), None, "nothing closes it");
        assert_eq!(meant("Two boats sailed for Vostra, the mayor, too, said.", "the mayor"), None);
    }

    #[test]
    fn a_headline_means_whom_the_lead_gives_the_title() {
        let meant = |text: &str, names: &[(EntityKind, &str)], description: &str| {
            let start = text.find(description).unwrap();
            headlined(text, &entities(text, names), &(start..start + description.len()))
        };
        let text = "Lawmaker Wants New Bridge\nBen Ruiz came. Rep. Ada Holt spoke.";
        let names = [(EntityKind::Person, "Ben Ruiz"), (EntityKind::Person, "Ada Holt")];
        assert_eq!(meant(text, &names, "Lawmaker"), Some(1));
        let text = "Poll Shows Close Race\nBen Ruiz came. Rep. Ada Holt spoke.";
        assert_eq!(meant(text, &names, "Poll"), None);
        let text = "Senators Want New Bridge\nBen Ruiz came. Sen. Ada Holt spoke.";
        assert_eq!(meant(text, &names, "Senators"), None, "more than one");
    }

    #[test]
    fn what_is_written_is_nobody() {
        assert!(
            is_document("the report") && is_document("The chairman’s bill") && is_document("the statement of the port")
        );
        assert!(!is_document("the author of the report") && !is_document("the mayor"));
    }
}
