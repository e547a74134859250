//! What displaCy takes with `manual=True`: for the style "ent" the entities, for the style "span" the statements' parts.
//!
//! There is no `title`, although it takes one: it would put it into its page as it is, and an id can hold anything.

use serde_json::{Value, json};

use super::Annotated;
use crate::text::touched_tokens;

pub(super) fn value(document: &Annotated<'_>) -> Value {
    let words = document.words();
    let entities = document.entities.iter().map(|entity| {
        let (start, end) = document.code_points(&entity.bytes);
        json!({"start": start, "end": end, "label": entity.found.label})
    });
    let spans = document.statements.iter().flat_map(|statement| {
        let parts = statement
            .roles()
            .into_iter()
            .flat_map(|(role, segments)| segments.iter().map(move |segment| (role, segment)));
        let id = &statement.found.id;
        parts.map(move |(role, segment)| (id, role, segment))
    });
    let spans = spans.map(|(id, role, segment)| {
        let covered = touched_tokens(&words, segment);
        json!({"start_token": covered.start, "end_token": covered.end, "label": role.to_uppercase(), "kb_id": id})
    });
    let slices = words.iter().map(|word| &document.text[word.clone()]);
    json!({
        "id": document.found.id,
        "text": document.text,
        "ents": entities.collect::<Vec<_>>(),
        "tokens": slices.collect::<Vec<_>>(),
        "spans": spans.collect::<Vec<_>>(),
        "title": null,
    })
}
