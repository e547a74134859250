//! What holds for every result, whoever gives it: its schema, exact slices, ids that agree.

use std::collections::HashSet;
use std::sync::LazyLock;

use serde_json::Value;

/// Checks one output line against the documented schema.
pub fn check_schema(line: &Value) {
    static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
        let schema = serde_json::from_str(include_str!("../../docs/output.schema.json")).expect("the schema is JSON");
        jsonschema::validator_for(&schema).expect("the schema is one")
    });
    let errors: Vec<String> = SCHEMA.iter_errors(line).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?} in {line}");
}

/// Checks a result for a text: its schema, that each span is the exact slice, and that no id dangles. Returns the
/// number of spans.
pub fn check(result: &Value, text: &str) -> usize {
    check_schema(result);
    assert!(result.get("error").is_none(), "{result}");
    check_ids(result);
    check_slices(result, text, result["offset_unit"].as_str().expect("it has a unit"))
}

fn check_slices(value: &Value, text: &str, unit: &str) -> usize {
    let inner: usize = match value {
        Value::Array(items) => items.iter().map(|item| check_slices(item, text, unit)).sum(),
        Value::Object(fields) => fields.values().map(|field| check_slices(field, text, unit)).sum(),
        _ => 0,
    };
    let Some(start) = value.get("start") else { return inner };
    let number = |value: &Value| usize::try_from(value.as_u64().expect("an offset is a number")).expect("it fits");
    let (start, end) = (number(start), number(&value["end"]));
    assert_eq!(slice(text, unit, start, end), value["text"].as_str().expect("a span has a text"), "{unit}: {value}");
    inner + 1
}

/// Slices a text as a reader of the output would.
fn slice(text: &str, unit: &str, start: usize, end: usize) -> String {
    match unit {
        "byte" => text[start..end].to_owned(),
        "codepoint" => text.chars().skip(start).take(end - start).collect(),
        "utf16" => {
            let units: Vec<u16> = text.encode_utf16().collect();
            String::from_utf16(&units[start..end]).expect("no character is cut in two")
        }
        other => panic!("unknown unit {other}"),
    }
}

/// A list in a result.
pub fn list<'v>(value: &'v Value, name: &str) -> &'v Vec<Value> {
    value[name].as_array().expect("it is a list")
}

/// Checks that ids are unique, that those referred to exist, and that statements and speakers agree.
pub fn check_ids(result: &Value) {
    let ids = |name: &str| -> HashSet<&str> {
        let ids: HashSet<&str> = list(result, name).iter().filter_map(|item| item["id"].as_str()).collect();
        assert_eq!(ids.len(), list(result, name).len(), "ids of {name} repeat: {result}");
        ids
    };
    let (entities, statements, speakers) = (ids("entities"), ids("statements"), ids("speakers"));
    let mut said: HashSet<(&str, &str)> = HashSet::new();
    for statement in list(result, "statements") {
        let mut by: Vec<&str> = list(statement, "co_speakers").iter().filter_map(Value::as_str).collect();
        by.extend(statement["speaker"]["id"].as_str());
        assert!(by.iter().all(|id| speakers.contains(id)), "{statement}");
        let entity = statement["speaker"]["entity"].as_str();
        assert!(entity.is_none_or(|id| entities.contains(id)), "{statement}");
        said.extend(by.iter().filter_map(|&speaker| Some((speaker, statement["id"].as_str()?))));
    }
    for speaker in list(result, "speakers") {
        for statement in list(speaker, "statements").iter().filter_map(Value::as_str) {
            assert!(statements.contains(statement), "{speaker}");
            let id = speaker["id"].as_str().expect("a speaker has an id");
            assert!(said.remove(&(id, statement)), "{id} and {statement} do not agree: {result}");
        }
    }
    assert!(said.is_empty(), "speakers do not list {said:?}: {result}");
}
