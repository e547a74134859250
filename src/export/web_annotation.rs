//! Web Annotation (<https://www.w3.org/TR/annotation-model/>): a page of annotations, one for each entity and one for
//! each statement. Targets are slices of the article, each with a position selector (in code points, as the model
//! asks) and a quote selector.
//!
//! A statement's targets are its content; its bodies are source and cue, which are slices too, the speakers' names, and
//! tags. What part a body plays and how sure it is has no word in the model: `onrecord:role` and `onrecord:score`.

use serde_json::{Value, json};

use super::Annotated;
use super::annotated::{Entity, Statement};
use crate::text::ByteRange;

/// The vocabulary of the words that the model lacks.
const VOCABULARY: &str = "urn:onrecord:vocabulary:";

/// Characters before and behind a quote that tell it from others like it.
const AROUND: usize = 32;

pub(super) fn value(document: &Annotated<'_>) -> Value {
    let page = Page { document, article: article(&document.found.id), name: escaped(&document.found.id) };
    let entities = document.entities.iter().map(|entity| page.entity(entity));
    let statements = document.statements.iter().map(|statement| page.statement(statement));
    json!({
        "@context": ["http://www.w3.org/ns/anno.jsonld", {"onrecord": VOCABULARY}],
        "id": format!("urn:onrecord:page:{}", page.name),
        "type": "AnnotationPage",
        "startIndex": 0,
        "items": entities.chain(statements).collect::<Vec<_>>(),
    })
}

/// The article's IRI: its id where that is one, for the web's own kinds.
fn article(id: &str) -> String {
    let is_iri = ["https://", "http://", "urn:"].iter().any(|scheme| id.starts_with(scheme))
        && !id.contains(|character: char| character.is_whitespace() || "<>\"{}|\\^`".contains(character));
    if is_iri { id.to_owned() } else { format!("urn:onrecord:document:{}", escaped(id)) }
}

/// Percent-encoded, but for what may stand in a name everywhere (RFC 3986, "unreserved").
fn escaped(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}

struct Page<'a> {
    document: &'a Annotated<'a>,
    article: String,
    name: String,
}

impl Page<'_> {
    fn entity(&self, entity: &Entity<'_>) -> Value {
        json!({
            "id": self.annotation(&entity.found.id),
            "type": "Annotation",
            "motivation": "classifying",
            "generator": self.generator(),
            "body": [tag(&entity.found.label)],
            "target": self.slice(&entity.bytes),
            "onrecord:score": entity.found.score,
        })
    }

    fn statement(&self, statement: &Statement<'_>) -> Value {
        let found = statement.found;
        let parts = [("source", &statement.source), ("cue", &statement.cue)];
        let parts = parts.into_iter().flat_map(|(role, segments)| segments.iter().map(move |bytes| (role, bytes)));
        let parts = parts.map(|(role, bytes)| {
            let mut slice = self.slice(bytes);
            slice["purpose"] = json!("describing");
            slice["onrecord:role"] = json!(role);
            slice
        });
        let speakers = self.document.speakers_of(statement).into_iter().map(|name| {
            let text = json!({"type": "TextualBody", "purpose": "identifying", "format": "text/plain", "value": name});
            with_role(text, "speaker")
        });
        let tags = [("kind", &found.kind), ("act", &found.act), ("polarity", &found.polarity)];
        let tags = tags.into_iter().map(|(role, value)| with_role(tag(value), role));
        let floating = found.floating.then(|| tag("floating"));
        json!({
            "id": self.annotation(&found.id),
            "type": "Annotation",
            "motivation": "identifying",
            "generator": self.generator(),
            "body": parts.chain(speakers).chain(tags).chain(floating).collect::<Vec<_>>(),
            "target": statement.content.iter().map(|bytes| self.slice(bytes)).collect::<Vec<_>>(),
            "onrecord:score": found.score,
        })
    }

    fn annotation(&self, id: &str) -> String {
        format!("urn:onrecord:annotation:{}:{id}", self.name)
    }

    fn generator(&self) -> Value {
        json!({"type": "Software", "name": format!("onrecord {}", self.document.found.model)})
    }

    fn slice(&self, bytes: &ByteRange) -> Value {
        let text = self.document.text;
        let (start, end) = self.document.code_points(bytes);
        let before: Vec<char> = text[..bytes.start].chars().rev().take(AROUND).collect();
        json!({
            "type": "SpecificResource",
            "source": self.article,
            "selector": [
                {"type": "TextPositionSelector", "start": start, "end": end},
                {
                    "type": "TextQuoteSelector",
                    "exact": text[bytes.clone()],
                    "prefix": before.into_iter().rev().collect::<String>(),
                    "suffix": text[bytes.end..].chars().take(AROUND).collect::<String>(),
                },
            ],
        })
    }
}

fn tag(value: &str) -> Value {
    json!({"type": "TextualBody", "purpose": "tagging", "format": "text/plain", "value": value})
}

fn with_role(mut body: Value, role: &str) -> Value {
    body["onrecord:role"] = json!(role);
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_article_is_named_by_an_iri_whatever_its_id() {
        assert_eq!(article("https://example.org/a?b=1"), "https://example.org/a?b=1");
        assert_eq!(article("news/é 1.txt"), "urn:onrecord:document:news%2F%C3%A9%201.txt");
        assert_eq!(article("http://a b"), "urn:onrecord:document:http%3A%2F%2Fa%20b");
    }
}
