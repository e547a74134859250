//! Every form of input gives the same rows, and every form of output holds them.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use arrow_array::RecordBatch;
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{IpcWriteOptions, StreamWriter};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::{BrotliLevel, Compression, GzipLevel, ZstdLevel};
use parquet::file::properties::WriterProperties;
use serde_json::{Value, json};

use super::{batch_of, batches, document, rows, write_parquet};
use crate::support::results::check;
use crate::support::site::{Run, Site};

const COUNT: usize = 150;

fn documents() -> Vec<Value> {
    (0..COUNT).map(document).collect()
}

fn table() -> RecordBatch {
    let fields = [("id", DataType::Utf8View), ("text", DataType::LargeUtf8), ("outlet", DataType::Utf8)];
    let mut fields: Vec<Field> = fields.map(|(name, of)| Field::new(name, of, true)).to_vec();
    fields.push(Field::new("year", DataType::Int32, true));
    batch_of(&Schema::new(fields), &documents())
}

fn separated(delimiter: char) -> String {
    let mut lines = vec![["id", "text", "outlet", "year"].map(str::to_owned)];
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    lines.extend(documents().iter().map(|document| {
        let quoted = format!("\"{}\"", text(&document["text"]).replace('"', "\"\""));
        [text(&document["id"]), quoted, text(&document["outlet"]), document["year"].to_string()]
    }));
    lines.iter().map(|line| line.join(&delimiter.to_string()) + "\r\n").collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn write_ipc(path: &Path, stream: bool) {
    let (batch, file) = (table(), File::create(path).unwrap());
    let parts = [batch.slice(0, 70), batch.slice(70, COUNT - 70)];
    if stream {
        let mut writer = StreamWriter::try_new(file, &batch.schema()).unwrap();
        parts.iter().for_each(|part| writer.write(part).unwrap());
        writer.finish().unwrap();
    } else {
        let mut writer = arrow_ipc::writer::FileWriter::try_new(file, &batch.schema()).unwrap();
        parts.iter().for_each(|part| writer.write(part).unwrap());
        writer.finish().unwrap();
    }
}

/// What `onrecord extract` says of the same documents.
fn expected(site: &Site) -> Vec<Value> {
    let run = site.extract(&["feed.jsonl"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let lines = run.lines();
    assert_eq!(lines.len(), COUNT);
    for (line, document) in lines.iter().zip(documents()) {
        check(line, document["text"].as_str().unwrap());
    }
    lines
}

#[test]
fn every_form_of_input_gives_the_rows_of_extract() {
    let site = Site::new();
    site.write_feed("feed.jsonl", COUNT);
    let expected = expected(&site);
    let feed = std::fs::read(site.path().join("feed.jsonl")).unwrap();
    let halves = feed.split_at(feed.len() / 2);
    site.write("two.ndjson.gz", [gzip(halves.0), gzip(halves.1)].concat());
    site.write("feed.jsonl.zst", zstd::encode_all(feed.as_slice(), 1).unwrap());
    site.write("bom.jsonl", [b"\xef\xbb\xbf", feed.as_slice()].concat());
    site.write("feed.csv", separated(','));
    site.write("bom.csv.gz", gzip(format!("\u{feff}{}", separated(',')).as_bytes()));
    site.write("feed.tsv", separated('\t'));
    write_parquet(&site.path().join("feed.parquet"), &table());
    for (name, compression) in [
        ("brotli", Compression::BROTLI(BrotliLevel::default())),
        ("gzip", Compression::GZIP(GzipLevel::default())),
        ("snappy", Compression::SNAPPY),
        ("lz4", Compression::LZ4_RAW),
        ("zstd", Compression::ZSTD(ZstdLevel::default())),
    ] {
        let properties = WriterProperties::builder().set_compression(compression).build();
        let file = File::create(site.path().join(format!("{name}.parquet"))).unwrap();
        let mut writer = ArrowWriter::try_new(file, table().schema(), Some(properties)).unwrap();
        writer.write(&table()).unwrap();
        writer.close().unwrap();
    }
    write_ipc(&site.path().join("feed.feather"), false);
    write_ipc(&site.path().join("feed.arrows"), true);
    let files = [
        "feed.jsonl",
        "two.ndjson.gz",
        "feed.jsonl.zst",
        "bom.jsonl",
        "feed.csv",
        "bom.csv.gz",
        "feed.tsv",
        "feed.parquet",
        "brotli.parquet",
        "gzip.parquet",
        "snappy.parquet",
        "lz4.parquet",
        "zstd.parquet",
        "feed.feather",
        "feed.arrows",
    ];
    for file in files {
        assert!(site.rows(&[file]) == expected, "{file} gives other rows");
    }
}

#[test]
fn texts_are_documents_and_their_paths_are_ids() {
    let site = Site::new();
    for number in 0..3 {
        site.write(&format!("news/{number}.txt"), document(number)["text"].as_str().unwrap());
    }
    site.write("news/3.txt.gz", gzip(document(3)["text"].as_str().unwrap().as_bytes()));
    let rows = site.rows(&["news"]);
    let ids: Vec<&Value> = rows.iter().map(|row| &row["id"]).collect();
    assert_eq!(ids, ["news/0.txt", "news/1.txt", "news/2.txt", "news/3.txt.gz"]);
    let extracted = site.extract(&["news/0.txt", "news/1.txt", "news/2.txt"]).lines();
    assert_eq!(rows[..3], extracted);
    check(&rows[3], document(3)["text"].as_str().unwrap());
}

#[test]
fn every_form_of_output_holds_the_same_rows() {
    let site = Site::new();
    site.write_feed("feed.jsonl", COUNT);
    let keep = ["feed.jsonl", "--rows-per-part", "40", "--keep", "outlet,year"];
    let of = |more: &[&str]| site.rows(&[&keep[..], more].concat());
    for flat in [&[][..], &["--flat", "statements"], &["--flat", "entities"]] {
        let parquet = of(flat);
        assert!(parquet.len() >= COUNT || flat.is_empty());
        assert!(parquet == of(&[flat, &["--output-format", "jsonl"]].concat()), "{flat:?}");
        assert!(parquet == of(&[flat, &["--output-format", "jsonl.zst"]].concat()), "{flat:?}");
    }
}

#[test]
fn columns_pass_through_with_their_types() {
    let site = Site::new();
    write_parquet(&site.path().join("feed.parquet"), &table());
    write_ipc(&site.path().join("feed.arrow"), false);
    for file in ["feed.parquet", "feed.arrow"] {
        let run = site.batch(&[file, "--keep", "year,outlet,text"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        let batch = batches(&site.out().join("part-00000.parquet")).remove(0);
        let schema = batch.schema();
        let of = |name: &str| schema.field_with_name(name).unwrap().data_type().clone();
        assert_eq!((of("year"), of("outlet"), of("text")), (DataType::Int32, DataType::Utf8, DataType::Utf8));
        let expected: Vec<Value> = documents();
        for (row, document) in rows(&site.out()).iter().zip(&expected) {
            for name in ["id", "year", "outlet", "text"] {
                assert_eq!(row[name], document[name]);
            }
        }
        std::fs::remove_dir_all(site.out()).unwrap();
    }
    // Where there are no types, values are texts: as they are, or as JSON.
    site.write("a.jsonl", r#"{"text": "Ada said no.", "year": 1990, "tags": ["a", 1], "outlet": null}"#);
    let rows = site.rows(&["a.jsonl", "--keep", "year,tags,outlet,missing"]);
    assert_eq!(rows[0]["year"], "1990");
    assert_eq!(rows[0]["tags"], "[\"a\",1]");
    assert_eq!((&rows[0]["outlet"], &rows[0]["missing"]), (&Value::Null, &Value::Null));
    assert_eq!(rows[0]["id"], "a.jsonl:1");
    site.write("a.csv", "text,year\nAda said no.,\n");
    assert_eq!(site.rows(&["a.csv", "--keep", "year"])[0]["year"], "");
}

#[test]
fn other_names_of_columns_are_found() {
    let site = Site::new();
    let columns = ["--text-column", "body", "--id-column", "url"];
    site.write("a.jsonl", r#"{"text": 1, "id": [], "body": "Ada said no.", "url": 17}"#);
    site.write("a.csv", "url,body\n17,Ada said no.\n");
    let fields = [("url", DataType::Int64), ("body", DataType::Utf8), ("unused", DataType::Float64)];
    let schema = Schema::new(fields.map(|(name, of)| Field::new(name, of, true)).to_vec());
    write_parquet(&site.path().join("a.parquet"), &batch_of(&schema, &[json!({"url": 17, "body": "Ada said no."})]));
    for file in ["a.jsonl", "a.csv", "a.parquet"] {
        let rows = site.rows(&[&[file][..], &columns].concat());
        assert_eq!(rows[0]["id"], "17", "{file}");
        assert_eq!(rows.len(), 1);
    }
}

#[test]
fn standard_input_is_read() {
    let site = Site::new();
    let feed: String = documents().iter().map(|document| format!("{document}\n")).collect();
    let mut command = site.onrecord(&["batch", "-", "--input-format", "jsonl", "--output", "out"]);
    let run = Run::of(command.write_stdin(feed));
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(rows(&site.out()).len(), COUNT);
    std::fs::remove_dir_all(site.out()).unwrap();

    write_ipc(&site.path().join("feed.arrows"), true);
    let stream = std::fs::read(site.path().join("feed.arrows")).unwrap();
    let arrow = ["batch", "-", "--input-format", "arrow", "--output", "out"];
    let run = Run::of(site.onrecord(&arrow).write_stdin(stream.clone()));
    assert_eq!((run.code, rows(&site.out()).len()), (0, COUNT), "{}", run.stderr);
    // Its types would have to be known before it is read.
    let run = Run::of(site.onrecord(&arrow).args(["--keep", "year"]).write_stdin(stream));
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(run.stderr.contains("--keep cannot be used with Arrow from standard input"), "{}", run.stderr);
}

#[test]
fn a_stream_that_claims_petabytes_is_refused() {
    let site = Site::new();
    let text = "Ada Weaver said no. ".repeat(500);
    let batch = batch_of(&Schema::new(vec![Field::new("text", DataType::Utf8, true)]), &[json!({"text": text})]);
    let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME)).unwrap();
    let mut writer = StreamWriter::try_new_with_options(Vec::new(), &batch.schema(), options).unwrap();
    writer.write(&batch).unwrap();
    let mut stream = writer.into_inner().unwrap();
    let claim = (text.len() as i64).to_le_bytes();
    let place = stream.windows(8).rposition(|bytes| *bytes == claim).expect("its length stands before what is packed");
    stream[place..place + 8].copy_from_slice(&(1_i64 << 50).to_le_bytes());
    let arrow = ["batch", "-", "--input-format", "arrow", "--output", "out"];
    let run = Run::of(site.onrecord(&arrow).write_stdin(stream));
    assert_eq!(run.code, 1, "{}", run.stderr);
    let told = std::fs::read_to_string(site.out().join("errors.jsonl")).unwrap();
    assert!(told.contains("unreadable") && told.contains("it claims to hold more than it does"), "{told}");
}

#[test]
fn flat_rows_say_what_nested_ones_say() {
    let site = Site::new();
    site.write_feed("feed.jsonl", COUNT);
    let nested = site.rows(&["feed.jsonl"]);
    let statements = site.rows(&["feed.jsonl", "--flat", "statements", "--keep", "year"]);
    let entities = site.rows(&["feed.jsonl", "--flat", "entities", "--keep", "year"]);
    let (mut statement, mut entity) = (statements.iter(), entities.iter());
    let joined = |segments: &Value| -> Value {
        let texts: Vec<&str> = segments.as_array().unwrap().iter().map(|one| one["text"].as_str().unwrap()).collect();
        if texts.is_empty() { Value::Null } else { json!(texts.join(" … ")) }
    };
    for (document, extraction) in documents().iter().zip(&nested) {
        let year = document["year"].to_string();
        for one in extraction["statements"].as_array().unwrap() {
            let row = statement.next().unwrap();
            assert_eq!((&row["document"], &row["statement"]), (&extraction["id"], &one["id"]));
            for name in ["kind", "act", "score"] {
                assert_eq!(row[name], one[name]);
            }
            for name in ["source", "cue", "content"] {
                assert_eq!(row[name], joined(&one[name]));
            }
            let speaker = |name: &str| one["speaker"].get(name).cloned().unwrap_or_default();
            assert_eq!((&row["speaker"], &row["speaker_via"]), (&speaker("name"), &speaker("via")));
            assert_eq!((&row["speaker_entity"], &row["speaker_score"]), (&speaker("entity"), &speaker("score")));
            assert_eq!(row["start"], one["content"][0]["start"]);
            assert_eq!(row["year"], year);
        }
        for one in extraction["entities"].as_array().unwrap() {
            let row = entity.next().unwrap();
            assert_eq!((&row["document"], &row["entity"]), (&extraction["id"], &one["id"]));
            for name in ["label", "text", "start", "end", "score"] {
                assert_eq!(row[name], one[name]);
            }
            assert_eq!(row["year"], year);
        }
    }
    assert!(statement.next().is_none() && entity.next().is_none());
    assert!(statements.iter().any(|row| row["speaker"] != Value::Null));
}
