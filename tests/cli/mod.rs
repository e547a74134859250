//! The command line, black box: one test per flag and per bad input.
//!
//! Nearly all of them run the tiny model, which loads at once and marks spans all over a text. What it marks makes no
//! sense, but sense is not tested here: only the form of the output is.

mod flags;
mod input;
mod model;
mod output;

use std::collections::HashSet;
use std::path::Path;
use std::sync::LazyLock;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{onrecord, tiny};

/// A working directory with the tiny model in `model`.
struct Site(TempDir);

impl Site {
    fn new() -> Self {
        let site = Self(tempfile::tempdir().expect("there is room for a directory"));
        let files = tiny::files();
        site.write("model/config.json", &files.config);
        site.write("model/tokenizer.json", &files.tokenizer);
        site.write("model/model.safetensors", &files.weights);
        site
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().expect("it has a directory")).expect("the directory can be made");
        std::fs::write(path, contents).expect("the file can be written");
    }

    /// `onrecord` in this directory, with the tiny model.
    fn onrecord(&self, arguments: &[&str]) -> assert_cmd::Command {
        let mut command = onrecord();
        command.current_dir(self.path()).env("ONRECORD_MODEL", "model").args(arguments);
        command
    }

    /// Runs `onrecord extract` in this directory, with the tiny model.
    fn extract(&self, arguments: &[&str]) -> Run {
        Run::of(self.onrecord(&["extract"]).args(arguments))
    }
}

/// What a run left behind.
struct Run {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Run {
    fn of(command: &mut assert_cmd::Command) -> Self {
        let output = command.output().expect("the command starts");
        let run = Self {
            code: output.status.code().expect("no signal ended it"),
            stdout: String::from_utf8(output.stdout).expect("the output is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("the messages are UTF-8"),
        };
        assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
        run
    }

    /// The output, one JSON value a line.
    fn lines(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
    }
}

/// Checks one output line against the documented schema.
fn check_schema(line: &Value) {
    static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
        let schema = serde_json::from_str(include_str!("../../docs/output.schema.json")).expect("the schema is JSON");
        jsonschema::validator_for(&schema).expect("the schema is one")
    });
    let errors: Vec<String> = SCHEMA.iter_errors(line).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?} in {line}");
}

/// Checks a result for a text: its schema, that each span is the exact slice, and that no id dangles. Returns the
/// number of spans.
fn check(result: &Value, text: &str) -> usize {
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

fn list<'v>(value: &'v Value, name: &str) -> &'v Vec<Value> {
    value[name].as_array().expect("it is a list")
}

/// Checks that ids are unique, that those referred to exist, and that statements and speakers agree.
fn check_ids(result: &Value) {
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
