//! Bad input costs its own error, and nothing else.

use arrow_schema::{DataType, Field, Schema};
use serde_json::{Value, json};

use super::{batch_of, document, errors, rows, write_parquet};
use crate::support::site::{Run, Site};

/// Places, ids and codes of the errors.
fn told(site: &Site) -> Vec<(String, Value, Value, String)> {
    let text = |value: &Value| value.as_str().expect("it is a string").to_owned();
    let tell = |line: &Value| {
        assert!(!text(&line["error"]["message"]).is_empty());
        (text(&line["file"]), line["row"].clone(), line["id"].clone(), text(&line["error"]["code"]))
    };
    errors(&site.out()).iter().map(tell).collect()
}

fn ids(site: &Site) -> Vec<Value> {
    rows(&site.out()).iter().map(|row| row["id"].clone()).collect()
}

#[test]
fn bad_rows_of_json_lines_are_told_in_their_order() {
    let site = Site::new();
    let mut feed = Vec::new();
    let lines: [&[u8]; 10] = [
        br#"{"id": "a", "text": "Ada said no."}"#,
        b"{not json",
        br#"{"id": "c", "text": " "}"#,
        b"",
        b"[1]",
        br#"{"id": "e", "text": 7}"#,
        br#"{"id": true, "text": "Ada said no."}"#,
        b"{\"id\": \"g\", \"text\": \"caf\xe9\"}",
        br#"{"id": "h"}"#,
        br#"{"id": "i", "text": "Ada said yes."}"#,
    ];
    lines.iter().for_each(|line| feed.extend([*line, b"\n"].concat()));
    site.write("feed.jsonl", feed);
    let run = site.batch(&["feed.jsonl"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(run.stderr.contains("7 documents failed") && run.stderr.contains("errors.jsonl"), "{}", run.stderr);
    assert_eq!(ids(&site), ["a", "i"]);
    let told: Vec<(Value, Value, String)> = told(&site).into_iter().map(|(_, row, id, code)| (row, id, code)).collect();
    let expected = [
        (2, Value::Null, "invalid_json"),
        (3, json!("c"), "empty_document"),
        (5, Value::Null, "invalid_json"),
        (6, json!("e"), "invalid_json"),
        (7, Value::Null, "invalid_json"),
        (8, Value::Null, "invalid_utf8"),
        (9, json!("h"), "invalid_json"),
    ];
    assert_eq!(told, expected.map(|(row, id, code)| (json!(row), id, code.to_owned())));
}

#[test]
fn ids_of_numbers_keep_their_digits() {
    let site = Site::new();
    let numbers = ["18446744073709551616", "18446744073709551617", "1e2", "1.50", "-0", "7"];
    let line = |id: &str| format!("{{\"id\": {id}, \"text\": \"Ada said no.\", \"more\": [{id}, {{\"a\": {id}}}]}}\n");
    site.write("feed.jsonl", numbers.map(line).concat());
    let rows = site.rows(&["feed.jsonl", "--keep", "more"]);
    assert_eq!(rows.iter().map(|row| row["id"].clone()).collect::<Vec<_>>(), numbers);
    let kept = numbers.map(|id| format!("[{id},{{\"a\":{id}}}]"));
    assert_eq!(rows.iter().map(|row| row["more"].clone()).collect::<Vec<_>>(), kept);
}

#[test]
fn a_key_that_comes_twice_is_refused_by_its_name() {
    let site = Site::new();
    let lines = [
        r#"{"id": "a", "text": "Ada said no.", "text": "Bo said yes."}"#,
        r#"{"id": "b", "\u0069d": "c", "text": "Ada said no."}"#,
        r#"{"id": "d", "text": "Ada said no.", "tags": {"year": 1, "year": 2}}"#,
        r#"{"id": "e", "text": "Ada said no.", "unread": 1, "unread": 2}"#,
    ];
    site.write("feed.jsonl", lines.join("\n"));
    let run = site.batch(&["feed.jsonl", "--keep", "tags"]);
    assert_eq!((run.code, ids(&site)), (1, vec![json!("e")]), "{}", run.stderr);
    let messages: Vec<Value> = errors(&site.out()).iter().map(|line| line["error"]["message"].clone()).collect();
    for (message, key) in messages.iter().zip(["text", "id", "year"]) {
        assert!(message.as_str().unwrap().contains(&format!("the key \"{key}\" comes twice")), "{message}");
    }
    assert_eq!(messages.len(), 3);
}

#[test]
fn bad_rows_of_tables_are_told() {
    let site = Site::new();
    site.write("a.csv", b"id,text\n1,Ada said no.\n2\n3,\"Ada, she\nsaid no.\"\n4,caf\xe9\n5,x,y\n,\n7,\"unclosed");
    let run = site.batch(&["a.csv"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert_eq!(ids(&site), ["1", "3", "7"]);
    let codes: Vec<(Value, String)> = told(&site).into_iter().map(|(_, row, _, code)| (row, code)).collect();
    let expected = [(2, "invalid_csv"), (4, "invalid_utf8"), (5, "invalid_csv"), (6, "empty_document")];
    assert_eq!(codes, expected.map(|(row, code)| (json!(row), code.to_owned())));
}

#[test]
fn a_short_row_costs_its_error_also_where_its_columns_are_kept() {
    // Found by fuzzing: the kept column was looked for where the row before had it.
    let site = Site::new();
    site.write("a.csv", "id,text,year\n1,Ada said a good deal no.,1990\n2,b\n3\n4,Bo said no.,7\n");
    let run = site.batch(&["a.csv", "--keep", "year"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    let rows = rows(&site.path().join("out"));
    let years: Vec<&str> = rows.iter().map(|row| row["year"].as_str().unwrap()).collect();
    assert_eq!(years, ["1990", "7"]);
}

#[test]
fn files_without_the_columns_are_told() {
    let site = Site::new();
    let parquet = |name: &str, fields: &[(&str, DataType)], value: Value| {
        let fields: Vec<Field> = fields.iter().map(|(name, of)| Field::new(*name, of.clone(), true)).collect();
        write_parquet(&site.path().join(name), &batch_of(&Schema::new(fields), &[value]));
    };
    let texts = [("id", DataType::Utf8), ("text", DataType::Utf8), ("year", DataType::Int64)];
    parquet("0.parquet", &texts, json!({"id": "a", "text": "Ada said no.", "year": 1990}));
    parquet("1.parquet", &[("id", DataType::Utf8), ("body", DataType::Utf8)], json!({"id": "b", "body": "x"}));
    parquet("2.parquet", &[("text", DataType::Int64)], json!({"text": 7}));
    parquet("3.parquet", &[("text", DataType::Utf8), ("id", DataType::Float64)], json!({"text": "x", "id": 0.5}));
    parquet("4.parquet", &[("text", DataType::Utf8), ("year", DataType::Utf8)], json!({"text": "x", "year": "1"}));
    parquet("5.parquet", &texts, json!({"id": null, "text": null, "year": null}));
    parquet("6.parquet", &texts, json!({"id": null, "text": "Ada said yes.", "year": null}));
    site.write("7.csv", "id,body\n1,x\n");
    site.write("8.csv", "text,year\nx,1990\n");
    site.write("9.parquet", "this is no Parquet");
    site.write("9.arrow", "ARROW1 nor Arrow");
    site.write("9.csv", "");
    let run = site.batch(&[".", "--keep", "year", "--input-format", "parquet"]);
    // With a format given, whatever is in the folder is read as such.
    assert_eq!(run.code, 1, "{}", run.stderr);
    std::fs::remove_dir_all(site.out()).unwrap();
    let run = site.batch(&["*.parquet", "*.csv", "*.arrow", "--keep", "year"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert_eq!(ids(&site), ["a", "6.parquet:1"]);
    let codes: Vec<(String, String)> = told(&site).into_iter().map(|(file, _, _, code)| (file, code)).collect();
    let expected = [
        ("1.parquet", "missing_column"),
        ("2.parquet", "wrong_type"),
        ("3.parquet", "wrong_type"),
        ("4.parquet", "wrong_type"),
        ("5.parquet", "empty_document"),
        ("9.parquet", "unreadable"),
        ("7.csv", "missing_column"),
        ("8.csv", "wrong_type"),
        ("9.csv", "missing_column"),
        ("9.arrow", "unreadable"),
    ];
    assert_eq!(codes, expected.map(|(file, code)| (file.to_owned(), code.to_owned())));
    let messages: Vec<Value> = errors(&site.out()).iter().map(|line| line["error"]["message"].clone()).collect();
    assert_eq!(messages[0], "it has no column \"text\"; its columns: id, body");
    assert_eq!(messages[1], "its column \"text\" is Int64, not text");
}

#[test]
fn columns_that_come_twice_are_refused_where_they_are_wanted() {
    let site = Site::new();
    site.write("a.csv", "id,text,text\n1,Ada said no.,Bo said yes.\n");
    site.write("b.tsv", "id\tid\ttext\n1\t2\tAda said no.\n");
    site.write("c.csv", "id,text,,\n3,Ada said no.,x,y\n");
    let fields = ["text", "text"].map(|name| Field::new(name, DataType::Utf8, true));
    let column: arrow_array::ArrayRef = std::sync::Arc::new(arrow_array::StringArray::from(vec!["Ada said no."]));
    let schema = std::sync::Arc::new(Schema::new(fields.to_vec()));
    let twice = arrow_array::RecordBatch::try_new(schema, vec![column.clone(), column]).unwrap();
    write_parquet(&site.path().join("d.parquet"), &twice);
    let run = site.batch(&["a.csv", "b.tsv", "c.csv", "d.parquet"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert_eq!(ids(&site), ["3"]);
    let codes: Vec<(String, String)> = told(&site).into_iter().map(|(file, _, _, code)| (file, code)).collect();
    let expected = ["a.csv", "b.tsv", "d.parquet"];
    assert_eq!(codes, expected.map(|file| (file.to_owned(), "ambiguous_column".to_owned())));
    assert!(errors(&site.out())[1]["error"]["message"].as_str().unwrap().contains("several columns \"id\""));
}

#[test]
fn a_column_of_ids_may_be_null_or_of_decimals() {
    let site = Site::new();
    let schema = |id: DataType| Schema::new(vec![Field::new("id", id, true), Field::new("text", DataType::Utf8, true)]);
    let texts = [json!({"text": "Ada said no."}), json!({"text": "Bo said yes."})];
    write_parquet(&site.path().join("a.parquet"), &batch_of(&schema(DataType::Null), &texts));
    let id = "18446744073709551617";
    let large = json!({"id": id, "text": "Ada said no."});
    write_parquet(&site.path().join("b.parquet"), &batch_of(&schema(DataType::Decimal128(38, 0)), &[large]));
    let run = site.batch(&["a.parquet", "b.parquet"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(ids(&site), ["a.parquet:1", "a.parquet:2", id]);
}

#[test]
fn what_runs_have_written_into_a_folder_is_no_input_of_the_next() {
    let site = Site::new();
    site.write("news/a.txt", "Ada said no.");
    site.write("news/others/manifest.json", "{\"parts\": []}");
    site.write("news/others/b.txt", "Bo said yes.");
    let expected = [json!("news/a.txt"), json!("news/others/b.txt")];
    for output in ["news/found", "news/others/found", "news/again"] {
        for format in [&[][..], &["--input-format", "text"]] {
            let out = site.path().join(output);
            let arguments = [&["batch", "news", "--output", output], format].concat();
            let run = Run::of(&mut site.onrecord(&arguments));
            let inputs =
                [&expected[..], &[json!("news/others/manifest.json")][..usize::from(!format.is_empty())]].concat();
            let found: Vec<Value> = rows(&out).iter().map(|row| row["id"].clone()).collect();
            assert_eq!((run.code, found), (0, inputs), "{}", run.stderr);
            let resumed = Run::of(site.onrecord(&arguments).arg("--resume"));
            assert!(resumed.code == 0 && resumed.stderr.contains("hold the output of a run"), "{}", resumed.stderr);
            if format.is_empty() {
                std::fs::remove_dir_all(out).unwrap();
            }
        }
    }
    // What is named is read.
    let run = site.batch(&["news/found/*.parquet", "--text-column", "id"]);
    assert_eq!((run.code, ids(&site).len()), (0, 3), "{}", run.stderr);
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_not_waited_for() {
    let site = Site::new();
    site.write("news/a.txt", "Ada said no.");
    let pipe = site.path().join("news/b.txt");
    assert!(std::process::Command::new("mkfifo").arg(pipe).status().unwrap().success());
    let _socket = std::os::unix::net::UnixListener::bind(site.path().join("news/c.txt")).unwrap();
    for arguments in [&["news"][..], &["news/*"], &["news", "--input-format", "text"]] {
        let run = site.batch(arguments);
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert!(run.stderr.contains("2 files were passed over: pipes"), "{}", run.stderr);
        assert_eq!(ids(&site), ["news/a.txt"]);
        std::fs::remove_dir_all(site.out()).unwrap();
    }
    let run = site.batch(&["news/b.txt", "/dev/null"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    let told = told(&site);
    assert!(told.iter().all(|(.., code)| code == "unreadable") && told.len() == 2, "{told:?}");
}

#[test]
fn damaged_files_give_what_can_be_read() {
    use std::io::Write;
    let site = Site::new();
    site.write_feed("feed.jsonl", 200);
    let feed = std::fs::read(site.path().join("feed.jsonl")).unwrap();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(&feed).unwrap();
    let packed = encoder.finish().unwrap();
    site.write("a.jsonl.gz", &packed[..packed.len() / 2]);
    let packed = zstd::encode_all(feed.as_slice(), 1).unwrap();
    site.write("b.jsonl.zst", &packed[..packed.len() - 10]);
    site.write("c.jsonl.gz", "not packed at all");
    site.write("d.jsonl", r#"{"id": "last", "text": "Ada said no."}"#);
    site.write("e.parquet.gz", "no matter");
    let run = site.batch(&["a.jsonl.gz", "b.jsonl.zst", "c.jsonl.gz", "d.jsonl", "e.parquet.gz"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    let ids = ids(&site);
    assert_eq!(ids.last().unwrap(), "last");
    assert_eq!(ids[0], document(0)["id"]);
    let told = told(&site);
    assert!(told.iter().all(|(.., code)| code == "unreadable"), "{told:?}");
    let files: Vec<&str> = told.iter().map(|(file, ..)| file.as_str()).collect();
    assert_eq!(files, ["a.jsonl.gz", "b.jsonl.zst", "c.jsonl.gz", "e.parquet.gz"]);
    // All lines before the damage have their rows, and the error stands at the next.
    let read = told[0].1.as_u64().unwrap() - 1;
    assert!((20..200).contains(&read), "{read}");
    let expected: Vec<Value> = (0..read).map(|number| json!(format!("d{number}"))).collect();
    assert_eq!(ids[..expected.len()], expected);
}

#[test]
fn one_unreadable_file_among_a_thousand_costs_itself() {
    let site = Site::new();
    for number in 0..999 {
        site.write(&format!("news/{number:03}.txt"), format!("Ada said {number}."));
    }
    // Nobody can read it, not even root.
    std::os::unix::fs::symlink("nowhere", site.path().join("news/500-gone.txt")).unwrap();
    let run = site.batch(&["news", "--rows-per-part", "300"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert_eq!(rows(&site.out()).len(), 999);
    let told = told(&site);
    assert_eq!((told.len(), told[0].0.as_str(), told[0].3.as_str()), (1, "news/500-gone.txt", "unreadable"));
    let manifest = super::json_file(&site.out().join("manifest.json"));
    assert_eq!(manifest["parts"].as_array().unwrap().len(), 4);
    assert_eq!(manifest["parts"][1]["errors"], 1);
}

#[test]
fn what_does_not_exist_is_an_error_and_there_is_a_part_to_open() {
    let site = Site::new();
    let run = site.batch(&["missing.jsonl", "none/*.csv"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert_eq!(rows(&site.out()), Vec::<Value>::new());
    assert!(site.out().join("part-00000.parquet").is_file());
    let files: Vec<String> = told(&site).into_iter().map(|(file, ..)| file).collect();
    assert_eq!(files, ["missing.jsonl", "none/*.csv"]);
}

#[test]
fn too_many_errors_end_the_run() {
    let site = Site::new();
    site.write("feed.jsonl", "{}\n".repeat(5) + r#"{"text": "Ada said no."}"#);
    let run = site.batch(&["feed.jsonl", "--max-errors", "4"]);
    assert_eq!(run.code, 3, "{}", run.stderr);
    assert!(run.stderr.contains("5 documents failed, more than --max-errors 4"), "{}", run.stderr);
    let run = site.batch(&["feed.jsonl", "--max-errors", "5", "--resume"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert_eq!((rows(&site.out()).len(), errors(&site.out()).len()), (1, 5));
}
