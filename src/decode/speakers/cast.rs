//! The cast of a document: who is named in it, and where.

use super::names::{Name, NamedEntity, group_names, name_of, name_of_text, who_can_speak};
use super::source_heads::named_heads;
use crate::decode::reading::Reading;
use crate::decode::spans::Entity;
use crate::decode::statements::{Statement, sources_of};
use crate::text::ByteRange;

/// Whom mentions refer to.
pub(super) struct Cast {
    /// The document's entities, one for one, as they can speak.
    pub entities: Vec<NamedEntity>,
    /// Who they are.
    pub names: Vec<Name>,
    /// For each entity the number of its name.
    pub name_of: Vec<Option<usize>>,
}

impl Cast {
    /// The cast of a document with these entities, whose statements tell where some names begin.
    pub fn of(Reading { model, text, .. }: Reading<'_>, entities: &[Entity], statements: &[Statement]) -> Self {
        let entities = who_can_speak(text, entities, sources_of(statements));
        let names = group_names(text, &entities, &|given| model.gender_of_given_name(given));
        let name_of = name_of(&entities, &names);
        Self { entities, names, name_of }
    }

    /// The names that a source gives; a source without an entity may still be as a whole a form of one of them.
    pub fn named(&self, text: &str, source: &ByteRange) -> Vec<Naming> {
        let heads = named_heads(text, source, &self.entities);
        if heads.is_empty() {
            let name = name_of_text(&text[source.clone()], &self.names);
            return name.map(|name| Naming { name, entity: None }).into_iter().collect();
        }
        let naming = |entity: usize| Some(Naming { name: self.name_of[entity]?, entity: Some(entity) });
        heads.into_iter().filter_map(naming).collect()
    }

    /// True when a source leads to a name by itself.
    pub fn gives_name(&self, text: &str, source: &ByteRange) -> bool {
        !named_heads(text, source, &self.entities).is_empty()
            || name_of_text(&text[source.clone()], &self.names).is_some()
    }
}

/// A name in a source.
pub(super) struct Naming {
    /// Its number.
    pub name: usize,
    /// The entity that carries it, if one does.
    pub entity: Option<usize>,
}
