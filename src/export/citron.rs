//! The form of BBC Citron (docs/data_format.md in its repository): quotes with cue, sources, contents, the names that
//! sources stand for, and a confidence.
//!
//! It has one cue for each quote and knows no quote without one: of a cue in several parts the first is given, and a
//! statement without a cue has null there.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::Annotated;
use crate::text::ByteRange;

pub(super) fn value(document: &Annotated<'_>) -> Value {
    let span = |bytes: &ByteRange| {
        let (start, end) = document.code_points(bytes);
        json!({"start": start, "end": end, "text": document.text[bytes.clone()]})
    };
    let spans = |segments: &[ByteRange]| Value::Array(segments.iter().map(span).collect());
    let entities: HashMap<&str, &ByteRange> =
        document.entities.iter().map(|entity| (entity.found.id.as_str(), &entity.bytes)).collect();
    let quotes = document.statements.iter().map(|statement| {
        let speaker = statement.found.speaker.as_ref();
        let name = speaker.and_then(|speaker| entities.get(speaker.entity.as_deref()?));
        json!({
            "id": statement.found.id,
            "cue": statement.cue.first().map(span),
            "sources": spans(&statement.source),
            "contents": spans(&statement.content),
            "coreferences": name.map(|bytes| span(bytes)).into_iter().collect::<Vec<_>>(),
            "confidence": statement.found.score,
        })
    });
    let groups = document.speakers.iter().map(|speaker| spans(&speaker.mentions));
    json!({
        "id": document.found.id,
        "text": document.text,
        "quotes": quotes.collect::<Vec<_>>(),
        "coreference_groups": groups.collect::<Vec<_>>(),
    })
}
