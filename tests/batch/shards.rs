//! Shards: together all, each document once, and merging notices when that is not so.

use std::path::Path;

use serde_json::Value;

use super::{errors, files, json_file, rows};
use crate::support::site::{Run, Site};

const COUNT: usize = 400;

fn site() -> Site {
    let site = Site::new();
    site.write_feed("feed.jsonl", COUNT);
    let mut feed = std::fs::read_to_string(site.path().join("feed.jsonl")).unwrap();
    // Without ids, bad or missing they are shared out all the same.
    feed += "{bad\n{\"id\": \"x\"}\n{\"text\": \"Ada said no.\"}\n";
    site.write("feed.jsonl", feed);
    site
}

fn shard(site: &Site, shard: &str, output: &str, more: &[&str]) {
    let arguments =
        ["batch", "feed.jsonl", "missing.csv", "--rows-per-part", "50", "--shard", shard, "--output", output];
    let run = Run::of(site.onrecord(&arguments).args(more));
    assert!(run.code <= 1, "{}", run.stderr);
}

fn merge(site: &Site, arguments: &[&str]) -> Run {
    Run::of(site.onrecord(&["merge"]).args(arguments))
}

fn sorted(mut values: Vec<Value>) -> Vec<String> {
    values.iter_mut().for_each(Value::sort_all_objects);
    let mut texts: Vec<String> = values.iter().map(Value::to_string).collect();
    texts.sort();
    texts
}

#[test]
fn shards_are_complete_and_disjoint_and_merge_to_the_whole() {
    let site = site();
    for more in [&["--keep", "year"][..], &["--flat", "statements", "--output-format", "jsonl.zst"]] {
        let run = site.batch(&[&["feed.jsonl", "missing.csv"], more].concat());
        assert_eq!(run.code, 1, "{}", run.stderr);
        for index in 1..=3 {
            shard(&site, &format!("{index}/3"), &format!("s{index}"), more);
            assert!(!rows(&site.path().join(format!("s{index}"))).is_empty());
        }
        let run = merge(&site, &["s3", "s1", "s2"]);
        assert_eq!(run.code, 1, "{}", run.stderr);
        assert!(run.stderr.contains("3 shards are complete and disjoint: 401 documents, 3 errors"), "{}", run.stderr);
        let run = merge(&site, &["s3", "s1", "s2", "--output", "merged"]);
        assert_eq!(run.code, 1, "{}", run.stderr);
        let merged = site.path().join("merged");
        assert_eq!(sorted(rows(&merged)), sorted(rows(&site.out())));
        assert_eq!(sorted(errors(&merged)), sorted(errors(&site.out())));
        let manifest = json_file(&merged.join("manifest.json"));
        assert_eq!(manifest["merged"], serde_json::json!(["1/3", "2/3", "3/3"]));
        for output in ["s1", "s2", "s3", "merged", "out"] {
            std::fs::remove_dir_all(site.path().join(output)).unwrap();
        }
    }
}

#[track_caller]
fn refused(run: &Run, message: &str) {
    assert_eq!(run.code, 3, "{}", run.stderr);
    assert!(run.stderr.contains(message), "{message} is not in {}", run.stderr);
}

/// Changes a file of JSON.
fn change(path: &Path, change: impl FnOnce(&mut Value)) {
    let mut value = json_file(path);
    change(&mut value);
    std::fs::write(path, value.to_string()).unwrap();
}

#[test]
fn what_does_not_fit_together_is_not_merged() {
    let site = site();
    shard(&site, "1/2", "s1", &[]);
    shard(&site, "2/2", "s2", &[]);
    shard(&site, "2/3", "third", &[]);
    shard(&site, "2/2", "other", &["--min-score", "0.5"]);
    site.batch(&["feed.jsonl"]);
    refused(&merge(&site, &["s1"]), "shard 2/2 is missing");
    refused(&merge(&site, &["s2", "s1", "s2"]), "shard 2/2 is there twice");
    refused(&merge(&site, &["s1", "third"]), "are not of one division");
    refused(&merge(&site, &["s1", "other"]), "s1 and other are of different jobs: --min-score is 0.0 and 0.5");
    let tokenizer = std::fs::read_to_string(site.path().join("model/tokenizer.json")).unwrap();
    site.write("model/tokenizer.json", tokenizer.replacen('{', "{ ", 1));
    shard(&site, "2/2", "retokenised", &[]);
    site.write("model/tokenizer.json", tokenizer);
    refused(&merge(&site, &["s1", "retokenised"]), "s1 and retokenised are of different jobs: model is \"tiny@");
    refused(&merge(&site, &["s1", "out"]), "out was written without --shard");
    refused(&merge(&site, &["s1", "model"]), "model is no output of onrecord batch");
    refused(&merge(&site, &["s1", "s2", "--output", "out"]), "out is not empty");
    assert_eq!(merge(&site, &[]).code, 2);

    let manifest = site.path().join("s2/manifest.json");
    let good = std::fs::read(&manifest).unwrap();
    change(&manifest, |value| value["complete"] = false.into());
    refused(&merge(&site, &["s1", "s2"]), "s2 is not complete: go on with it with --resume");
    std::fs::write(&manifest, &good).unwrap();

    let part = site.path().join("s2/part-00001.parquet");
    let bytes = std::fs::read(&part).unwrap();
    let mut changed = bytes.clone();
    changed[100] ^= 1;
    std::fs::write(&part, changed).unwrap();
    refused(&merge(&site, &["s1", "s2"]), "s2/part-00001.parquet has been changed since it was written");
    std::fs::write(&part, bytes).unwrap();

    let errors = site.path().join("s2/errors.jsonl");
    let written = std::fs::read(&errors).unwrap();
    std::fs::write(&errors, [&written[..], b"{}\n"].concat()).unwrap();
    refused(&merge(&site, &["s1", "s2"]), "s2/errors.jsonl has");
    let other = String::from_utf8(written.clone()).unwrap().replacen("error", "horse", 1);
    std::fs::write(&errors, other).unwrap();
    refused(&merge(&site, &["s1", "s2"]), "s2/errors.jsonl has been changed since it was written");
    std::fs::write(&errors, written).unwrap();

    // A part that another shard has written, with a manifest that vouches for it.
    let (theirs, ours) = (site.path().join("s1/part-00000.parquet"), site.path().join("s2/part-00000.parquet"));
    let bytes = std::fs::read(&ours).unwrap();
    std::fs::copy(theirs, &ours).unwrap();
    let foreign = json_file(&site.path().join("s1/manifest.json"))["parts"][0].clone();
    change(&manifest, |value| value["parts"][0] = foreign);
    refused(&merge(&site, &["s1", "s2"]), "which is not of shard 2/2");
    std::fs::write(&manifest, &good).unwrap();
    std::fs::write(&ours, bytes).unwrap();

    change(&manifest, |value| value["parts"].as_array_mut().unwrap().truncate(1));
    refused(&merge(&site, &["s1", "s2"]), "in the inputs");
    assert!(!site.path().join("merged").exists());
}

#[test]
fn a_shard_goes_on_like_any_run() {
    let site = site();
    shard(&site, "1/2", "whole", &[]);
    shard(&site, "1/2", "out", &[]);
    let (out, whole) = (site.out(), site.path().join("whole"));
    change(&out.join("manifest.json"), |value| {
        value["complete"] = false.into();
        value["parts"].as_array_mut().unwrap().truncate(2);
        value["rows_read"] = value["parts"][1]["rows_read"].clone();
    });
    shard(&site, "1/2", "out", &["--resume"]);
    assert!(files(&out) == files(&whole));
}
