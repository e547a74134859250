//! Names: which entities can speak, when two of them are the same person or organisation, and what it is called.

mod grouping;
mod named_entities;
mod surnames;
mod words;

pub(super) use grouping::{Name, group_names, name_of, name_of_text};
pub(super) use named_entities::{EntityKind, NamedEntity, can_speak, is_of_speaking_kind, who_can_speak};
pub(super) use surnames::gender_by_title;
pub(super) use words::{alias, name_words};
