//! Memory stays where it is, however much there is to read and however large a row is.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::process::Child;
use std::time::Duration;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::json;

use super::{document, errors, rows};
use crate::support::site::Site;

/// Waits for a run that must end with this code; the most memory that it has taken, in KiB.
#[track_caller]
fn peak_of(mut child: Child, code: i32) -> f64 {
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0.0;
    let ended = loop {
        let read = std::fs::read_to_string(&status).unwrap_or_default();
        let line = read.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        // Once it has ended, it has none.
        if let Some(kibibytes) = line.and_then(|line| line.split_whitespace().next()) {
            peak = kibibytes.parse::<f64>().expect("it is a number");
        }
        if let Some(ended) = child.try_wait().expect("it can be waited for") {
            break ended;
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    assert_eq!(ended.code(), Some(code));
    assert!(peak > 0.0);
    peak
}

fn run(site: &Site, input: &str, output: &str, more: &[&str]) -> Child {
    let arguments = ["batch", input, "--output", output, "--progress", "none", "--threads", "2"];
    site.spawn(&[&arguments[..], more].concat())
}

#[test]
#[ignore = "needs a machine at rest: scripts/test-long archives"]
fn memory_does_not_grow_with_the_archive() {
    let site = Site::new();
    let write = |name: &str, count: usize| {
        let mut file = BufWriter::new(File::create(site.path().join(name)).unwrap());
        (0..count).for_each(|number| writeln!(file, "{}", document(number)).unwrap());
    };
    // The small one is long enough to fill all queues: only then does a run take what it takes. One thread and few
    // results keep what lies in the queues small beside that.
    write("small.jsonl", 10_000);
    write("large.jsonl", 100_000);
    let peak = |name: &str, number: usize| {
        let arguments = ["batch", name, "--rows-per-part", "1500", "--threads", "1", "--min-score", "1"];
        let output = format!("{name}-{number}");
        peak_of(site.spawn(&[&arguments[..], &["--progress", "none", "--output", &output]].concat()), 0)
    };
    // Chance decides what lies beside what.
    let small = (0..3).map(|number| peak("small.jsonl", number)).fold(0.0, f64::max);
    let large = peak("large.jsonl", 0);
    eprintln!("{small} KiB, and {large} KiB for ten times as much");
    assert!(large < small * 1.1, "{small} KiB, and {large} KiB for ten times as much");
}

#[test]
fn a_row_of_a_megabyte_works_and_one_of_sixty_is_refused_in_little_memory() {
    let site = Site::new();
    // In paragraphs, as texts of this length are, and with nothing to find: what is read counts here, not what is found.
    let paragraph = "The harbour of Velmouth lies still. ".repeat(10) + "\n";
    let long = |bytes: usize| paragraph.repeat(bytes.div_ceil(paragraph.len()));
    let line = |id: &str, bytes: usize| json!({"id": id, "text": long(bytes)}).to_string();
    let end = json!({"id": "end", "text": "Ada said no."}).to_string();
    let works = [line("1M", 1_000_000), end.clone()].join("\n");
    site.write("works.jsonl", &works);
    site.write("huge.jsonl", [line("1M", 1_000_000), line("60M", 60_000_000), end].join("\n"));
    let table = |rows: &[(&str, usize)]| {
        let rows: String = rows.iter().map(|(id, bytes)| format!("{id},\"{}\"\n", long(*bytes))).collect();
        format!("id,text\n{rows}")
    };
    site.write("works.csv", table(&[("1M", 1_000_000), ("end", 13)]));
    site.write("huge.csv", table(&[("1M", 1_000_000), ("60M", 60_000_000), ("end", 13)]));
    // Half a gigabyte that hardly takes room on the disk.
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    bomb.write_all(works.as_bytes()).unwrap();
    bomb.write_all(b"\n{\"id\": \"bomb\", \"text\": \"").unwrap();
    (0..512).for_each(|_| bomb.write_all(&[b'a'; 1 << 20]).unwrap());
    site.write("bomb.jsonl.gz", bomb.finish().unwrap());

    let ids = |output: &str| -> Vec<String> {
        // Only the ids: the rows are long.
        let file = File::open(site.path().join(output).join("part-00000.parquet")).unwrap();
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
        let mask = ProjectionMask::columns(builder.parquet_schema(), ["id"]);
        let batches = builder.with_projection(mask).build().unwrap();
        let texts =
            |batch: RecordBatch| batch.column(0).as_string::<i32>().iter().flatten().map(str::to_owned).collect();
        batches.flat_map(|batch| -> Vec<String> { texts(batch.unwrap()) }).collect()
    };
    for (works, those_with_a_huge_row) in
        [("works.jsonl", &["huge.jsonl", "bomb.jsonl.gz"][..]), ("works.csv", &["huge.csv"])]
    {
        let output = format!("{works}-out");
        let small = peak_of(run(&site, works, &output, &[]), 0);
        assert_eq!(ids(&output), ["1M", "end"]);
        for huge in those_with_a_huge_row {
            let output = format!("{huge}-out");
            let large = peak_of(run(&site, huge, &output, &[]), 1);
            assert_eq!(ids(&output), ["1M", "end"]);
            let errors = errors(&site.path().join(&output));
            assert_eq!((errors.len(), &errors[0]["error"]["code"]), (1, &json!("document_too_large")));
            eprintln!("{works}: {small} KiB, {huge}: {large} KiB");
            // The row was never held whole. What a run takes varies by some 15 MB.
            assert!(large < small + 40_000.0, "{works}: {small} KiB, {huge}: {large} KiB");
        }
    }
}

#[test]
fn the_limit_of_a_document_is_exact() {
    let site = Site::new();
    let text = |bytes: usize| "a".repeat(bytes);
    site.write("10.txt", text(10));
    site.write("11.txt", text(11));
    site.write("a.jsonl", format!("{}\n{}\n", json!({"text": text(10)}), json!({"text": text(11)})));
    site.write("a.csv", format!("text\n{}\n{}\n", text(10), text(11)));
    let run = site.batch(&["10.txt", "11.txt", "a.jsonl", "a.csv", "--max-document-bytes", "10"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    let ids: Vec<String> = rows(&site.out()).iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids, ["10.txt", "a.jsonl:1", "a.csv:1"]);
    assert!(errors(&site.out()).iter().all(|line| line["error"]["code"] == "document_too_large"));
    assert_eq!(errors(&site.out()).len(), 3);
}
