//! Names: which entities can speak, when two of them are the same person or organisation, and what it is called.

mod bodies;
mod grouping;
mod surnames;
mod words;

pub(super) use bodies::{describes, who_can_speak};
pub(super) use grouping::{Name, SPEAKING, group_names, name_of, name_of_text};
pub(super) use surnames::gender_by_title;
pub(super) use words::{alias, name_words};
