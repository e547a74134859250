//! schema.org: an article and the quotations in it (<https://schema.org/Quotation>).
//!
//! Only what somebody said or wrote in these words is a quotation: direct statements of speech, and none that the
//! text says was not made.

use serde_json::{Map, Value, json};

use super::Annotated;
use super::annotated::Statement;
use crate::engine::joined;

pub(super) fn value(document: &Annotated<'_>) -> Value {
    let quotations = document.statements.iter().filter(|statement| is_quotation(statement));
    let quotations = quotations.map(|statement| {
        let mut quotation = Map::new();
        quotation.insert("@type".to_owned(), json!("Quotation"));
        quotation.insert("identifier".to_owned(), json!(statement.found.id));
        quotation.insert("text".to_owned(), json!(joined(&statement.found.content)));
        let speakers = speakers(document, statement);
        if !speakers.is_empty() {
            quotation.insert("spokenByCharacter".to_owned(), Value::Array(speakers));
        }
        Value::Object(quotation)
    });
    json!({
        "@context": "https://schema.org",
        "@type": "Article",
        "identifier": document.found.id,
        "hasPart": quotations.collect::<Vec<_>>(),
    })
}

fn is_quotation(statement: &Statement<'_>) -> bool {
    let found = statement.found;
    found.kind == "direct" && found.act == "speech" && found.polarity == "positive"
}

fn speakers(document: &Annotated<'_>, statement: &Statement<'_>) -> Vec<Value> {
    let first = statement.found.speaker.iter().map(|speaker| &speaker.id);
    let ids = first.chain(&statement.found.co_speakers);
    let speaker = |id: &String| document.speakers.iter().find(|speaker| speaker.found.id == *id);
    let named = ids.filter_map(speaker).map(|speaker| {
        let kind = if speaker.found.label == "PER" { "Person" } else { "Organization" };
        json!({"@type": kind, "name": speaker.found.name})
    });
    named.collect()
}
