//! `onrecord batch` and `onrecord merge`, black box: formats, bad input, interruptions, limits, shards.
//!
//! Nearly all of it runs the tiny model, as the tests of the command line do.

mod formats;
mod inputs;
mod interruptions;
mod limits;
mod outputs;
mod progress;
mod shards;

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use arrow_array::RecordBatch;
use arrow_json::writer::LineDelimited;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};

use crate::support::site::{Run, Site};

impl Site {
    /// Runs `onrecord batch` in this directory, with the tiny model, into `out`.
    fn batch(&self, arguments: &[&str]) -> Run {
        Run::of(self.onrecord(&["batch", "--output", "out"]).args(arguments))
    }

    /// The same, which must succeed; the rows that it has written.
    fn rows(&self, arguments: &[&str]) -> Vec<Value> {
        let run = self.batch(arguments);
        assert_eq!(run.code, 0, "{}", run.stderr);
        let rows = rows(&self.out());
        std::fs::remove_dir_all(self.out()).expect("it can be removed");
        rows
    }

    fn out(&self) -> PathBuf {
        self.path().join("out")
    }

    /// Starts a command, with its standard input open, and does not wait.
    fn spawn(&self, arguments: &[&str]) -> Child {
        let template = self.onrecord(arguments);
        let mut command = Command::new(template.get_program());
        for (name, value) in template.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.current_dir(self.path()).args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        command.spawn().expect("the command starts")
    }

    /// Writes documents `d0`, `d1`, ... as JSON Lines.
    fn write_feed(&self, name: &str, count: usize) {
        let lines: Vec<String> = (0..count).map(|number| format!("{}\n", document(number))).collect();
        self.write(name, lines.concat());
    }
}

/// A document of some length, unlike the others.
fn document(number: usize) -> Value {
    const NAMES: [&str; 4] = ["Ann Holt", "Zoë Hale", "José Dorn", "Ilka Müller"];
    let name = NAMES[number % NAMES.len()];
    let text = format!("“We go on,” said {name} of board {number}. ").repeat(1 + number % 5);
    json!({"id": format!("d{number}"), "text": text, "outlet": format!("paper {}", number % 3), "year": 1990 + number % 30})
}

/// A JSON file of an output.
fn json_file(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("it is there")).expect("it is JSON")
}

fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
}

/// The errors of an output.
fn errors(out: &Path) -> Vec<Value> {
    json_lines(&std::fs::read_to_string(out.join("errors.jsonl")).expect("it is there"))
}

/// The rows of all parts, in their order; the manifest must tell the truth of them.
fn rows(out: &Path) -> Vec<Value> {
    let manifest = json_file(&out.join("manifest.json"));
    assert_eq!((&manifest["schema"], &manifest["complete"]), (&json!(1), &json!(true)));
    let mut all = Vec::new();
    let mut first = 0;
    for part in manifest["parts"].as_array().expect("it has parts") {
        let path = out.join(part["file"].as_str().expect("it has a name"));
        assert_eq!(part["bytes"], path.metadata().expect("it is there").len());
        assert_eq!(part["first"], first);
        first += part["documents"].as_u64().expect("a number") + part["errors"].as_u64().expect("a number");
        let rows = rows_of(&path);
        assert_eq!(part["rows"], rows.len());
        all.extend(rows);
    }
    all
}

fn rows_of(path: &Path) -> Vec<Value> {
    let name = path.display().to_string();
    if name.ends_with(".parquet") {
        return batches(path).iter().flat_map(json_of).collect();
    }
    let bytes = std::fs::read(path).expect("it is there");
    let bytes = if name.ends_with(".zst") { zstd::decode_all(bytes.as_slice()).expect("it unpacks") } else { bytes };
    json_lines(&String::from_utf8(bytes).expect("it is UTF-8"))
}

/// A Parquet file.
fn batches(path: &Path) -> Vec<RecordBatch> {
    let file = File::open(path).expect("it is there");
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).expect("it is Parquet");
    builder.build().expect("it can be read").map(|batch| batch.expect("it can be read")).collect()
}

fn json_of(batch: &RecordBatch) -> Vec<Value> {
    let mut writer = arrow_json::WriterBuilder::new().with_explicit_nulls(true).build::<_, LineDelimited>(Vec::new());
    writer.write(batch).expect("it can be written");
    json_lines(&String::from_utf8(writer.into_inner()).expect("it is UTF-8"))
}

/// A batch of documents with columns of several types, from JSON.
fn batch_of(schema: &arrow_schema::Schema, values: &[Value]) -> RecordBatch {
    let lines: String = values.iter().map(|value| format!("{value}\n")).collect();
    let reader = arrow_json::ReaderBuilder::new(schema.clone().into()).with_batch_size(1_000_000);
    let mut reader = reader.build(BufReader::new(lines.as_bytes())).expect("the schema will do");
    reader.next().expect("there are rows").expect("they fit")
}

fn write_parquet(path: &Path, batch: &RecordBatch) {
    let file = File::create(path).expect("it can be made");
    let mut writer = parquet::arrow::ArrowWriter::try_new(file, batch.schema(), None).expect("it can be written");
    writer.write(batch).expect("it can be written");
    writer.close().expect("it can be written");
}

/// All files of an output that matter, with their bytes.
fn files(out: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(out).expect("it is there").map(|entry| entry.expect("it can be listed").path());
    let mut files: Vec<(String, Vec<u8>)> = entries
        .map(|path| {
            let name = path.file_name().expect("it has a name").to_string_lossy().into_owned();
            (name, std::fs::read(&path).expect("it can be read"))
        })
        .collect();
    files.sort();
    files
}
