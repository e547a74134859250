//! `docs/api.md`: every route and every object of the server, from its own OpenAPI description, and its error codes.

use onrecord::server::ErrorCode;
use serde_json::{Map, Value};

use super::{cell, check, linked, table};
use crate::server::http::Request;
use crate::server::process::Server;

/// Objects that are described elsewhere, field by field.
const ELSEWHERE: [(&str, &str); 7] = [
    ("ExtractionResult", "output.md#the-result"),
    ("ExtractedEntity", "output.md#entities"),
    ("ExtractedStatement", "output.md#statements"),
    ("ExtractedSegment", "output.md#statements"),
    ("SpeakerLink", "output.md#statements"),
    ("ExtractedSpeaker", "output.md#speakers"),
    ("TextSpan", "output.md#speakers"),
];

#[test]
fn the_interface_is_described_as_it_is() {
    let server = Server::tiny(&[]);
    let description = server.ask(&Request::get("/openapi.json")).json();
    let mut reference = String::new();
    for tag in description["tags"].as_array().expect("it has tags") {
        let tag = text(&tag["name"]);
        reference += &format!("\n## {}\n", heading(tag));
        for (path, methods) in object(&description["paths"]) {
            for (method, operation) in object(methods) {
                if operation["tags"][0] == tag {
                    reference += &route(&format!("{} {path}", method.to_uppercase()), operation);
                }
            }
        }
    }
    reference += "\n## Error codes\n\n[serving.md](serving.md#errors) says what each means.\n\n";
    let mut codes: Vec<_> = ErrorCode::ALL.iter().map(|code| (code.name(), code.status().as_u16())).collect();
    codes.sort_by_key(|(code, status)| (*status, *code));
    reference += &table(
        ["status", "codes"],
        codes.chunk_by(|(_, one), (_, other)| one == other).map(|codes| {
            let names: Vec<String> = codes.iter().map(|(code, _)| format!("`{code}`")).collect();
            [codes[0].1.to_string(), names.join(", ")]
        }),
    );
    reference += "## Objects\n";
    for (name, schema) in object(&description["components"]["schemas"]) {
        if ELSEWHERE.iter().all(|(elsewhere, _)| elsewhere != name) {
            reference += &described(name, schema);
        }
    }
    check("api.md", &reference);
}

/// The routes of the tag `onrecord` are the main ones.
fn heading(tag: &str) -> String {
    match tag {
        "onrecord" => "Extraction".to_owned(),
        _ => tag[..1].to_uppercase() + &tag[1..],
    }
}

fn route(name: &str, operation: &Value) -> String {
    let mut route = format!("\n### {name}\n\n{}\n\n", sentences(&[&operation["summary"], &operation["description"]]));
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    route += &table(
        ["parameter", "in", "type", "meaning"],
        parameters.map(|parameter| {
            let [name, place] = ["name", "in"].map(|field| text(&parameter[field]));
            [format!("`{name}`"), place.to_owned(), kind(&parameter["schema"]), cell(text(&parameter["description"]))]
        }),
    );
    if let Some(content) = operation["requestBody"]["content"].as_object() {
        route += &format!("Body: {}.\n\n", contents(content));
    }
    let (good, bad): (Vec<_>, Vec<_>) =
        object(&operation["responses"]).into_iter().partition(|(status, _)| status.starts_with('2'));
    for (status, answer) in good {
        route += &format!("Answer: {status}{}.\n\n", content(answer));
    }
    let mut refusals: Vec<(String, Vec<String>)> = Vec::new();
    for (status, answer) in bad {
        let (content, refusal) = (content(answer), format!("{status} ({})", text(&answer["description"])));
        match refusals.iter_mut().find(|(known, _)| *known == content) {
            Some((_, alike)) => alike.push(refusal),
            None => refusals.push((content, vec![refusal])),
        }
    }
    for (content, refusals) in refusals {
        route += &format!("Refusals{content}: {}.\n\n", refusals.join("; "));
    }
    route.trim_end().to_owned() + "\n"
}

fn described(name: &str, schema: &Value) -> String {
    let mut described = format!("\n### {name}\n\n{}\n\n", sentences(&[&schema["description"]]));
    match schema["properties"].as_object() {
        Some(fields) => {
            let required = schema["required"].as_array();
            let is_required = |name: &str| required.is_some_and(|all| all.iter().any(|one| one == name));
            described += &table(
                ["field", "type", "meaning"],
                fields.iter().map(|(name, schema)| {
                    let optional = if is_required(name) { "" } else { ", optional" };
                    [format!("`{name}`"), kind(schema) + optional, meaning(schema)]
                }),
            );
        }
        None => described += &format!("{}.\n", kind(schema)),
    }
    described.trim_end().to_owned() + "\n"
}

/// What a field says of itself, or what the only form that it can have says.
fn meaning(schema: &Value) -> String {
    let forms = schema["oneOf"].as_array().into_iter().flatten();
    let own = std::iter::once(schema).chain(forms).find_map(|schema| schema["description"].as_str());
    cell(own.unwrap_or_default())
}

/// A type in words.
fn kind(schema: &Value) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap_or_default();
        let elsewhere = ELSEWHERE.iter().find(|(elsewhere, _)| *elsewhere == name);
        let target = elsewhere.map_or_else(|| format!("#{}", name.to_lowercase()), |(_, target)| (*target).to_owned());
        return format!("[{name}]({target})");
    }
    if let Some(forms) = ["oneOf", "anyOf"].iter().find_map(|form| schema[form].as_array()) {
        return forms.iter().map(kind).collect::<Vec<_>>().join(" or ");
    }
    if let Some(values) = schema["enum"].as_array() {
        return values.iter().map(|value| format!("`{}`", text(value))).collect::<Vec<_>>().join(", ");
    }
    let names = match &schema["type"] {
        Value::Array(names) => names.iter().map(text).collect(),
        Value::String(name) => vec![name.as_str()],
        _ => vec!["anything"],
    };
    let named = |name: &str| match name {
        "array" => format!("list of {}", kind(&schema["items"])),
        "object" if schema["additionalProperties"].is_object() => {
            format!("object of {}", kind(&schema["additionalProperties"]))
        }
        name => name.to_owned(),
    };
    names.into_iter().map(named).collect::<Vec<_>>().join(" or ")
}

/// The body of an answer, behind a comma.
fn content(answer: &Value) -> String {
    answer["content"].as_object().map(|content| format!(", {}", contents(content))).unwrap_or_default()
}

fn contents(content: &Map<String, Value>) -> String {
    let forms = sorted(content).into_iter().map(|(media, form)| match &form["schema"] {
        Value::Null => format!("`{media}`"),
        schema => format!("`{media}`: {}", kind(schema)),
    });
    forms.collect::<Vec<_>>().join("; ")
}

fn sentences(parts: &[&Value]) -> String {
    linked(&parts.iter().filter_map(|part| part.as_str()).collect::<Vec<_>>().join("\n\n"))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

/// The fields of an object, by name.
fn object(value: &Value) -> Vec<(&String, &Value)> {
    sorted(value.as_object().unwrap_or_else(|| panic!("{value} is no object")))
}

fn sorted(fields: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut fields: Vec<_> = fields.iter().collect();
    fields.sort_by_key(|(name, _)| *name);
    fields
}
