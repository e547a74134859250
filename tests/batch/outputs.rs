//! Directories that cannot be written to, and runs that cannot be gone on with: refused, with a reason.

use std::io::Write;

use serde_json::Value;

use super::{document, errors, files, rows};
use crate::support::site::{Run, Site};

#[track_caller]
fn refused(run: &Run, code: i32, message: &str) {
    assert_eq!(run.code, code, "{}", run.stderr);
    assert!(run.stderr.contains(message), "{message} is not in {}", run.stderr);
}

#[test]
fn a_directory_with_other_content_is_refused() {
    let site = Site::new();
    site.write_feed("feed.jsonl", 3);
    site.write("out/thesis.doc", "years of work");
    for resume in [&["feed.jsonl"][..], &["feed.jsonl", "--resume"]] {
        refused(&site.batch(resume), 3, "out is not empty, and no output of a run (there is \"thesis.doc\")");
    }
    assert_eq!(std::fs::read(site.out().join("thesis.doc")).unwrap(), b"years of work");
    site.write("file", "");
    let run = Run::of(&mut site.onrecord(&["batch", "feed.jsonl", "--output", "file"]));
    refused(&run, 3, "cannot make file");
    site.write("strange/manifest.json", "{}");
    let run = Run::of(&mut site.onrecord(&["batch", "feed.jsonl", "--resume", "--output", "strange"]));
    refused(&run, 3, "is not a manifest");
}

#[test]
fn a_finished_run_is_left_alone() {
    let site = Site::new();
    site.write_feed("feed.jsonl", 20);
    assert_eq!(site.batch(&["feed.jsonl"]).code, 0);
    let before = files(&site.out());
    refused(&site.batch(&["feed.jsonl"]), 3, "out holds the output of a run: go on with it with --resume");
    let run = site.batch(&["feed.jsonl", "--resume"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stderr.contains("20 documents, 20 rows in 1 parts"), "{}", run.stderr);
    assert!(files(&site.out()) == before);
}

#[test]
fn other_options_inputs_and_models_cannot_go_on() {
    let site = Site::new();
    site.write_feed("feed.jsonl", 30);
    site.write_feed("other.jsonl", 30);
    let run = site.batch(&["feed.jsonl", "--rows-per-part", "10"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let before = files(&site.out());
    let resume = |more: &[&str]| site.batch(&[&["feed.jsonl", "--rows-per-part", "10", "--resume"], more].concat());
    for (option, name) in [
        (&["--output-format", "jsonl"][..], "--output-format is \"jsonl\", and was \"parquet\""),
        (&["--min-score", "0.5"], "--min-score is 0.5, and was 0.0"),
        (&["--flat", "entities"], "--flat is \"entities\", and was null"),
        (&["--keep", "year"], "--keep is [\"year\"], and was []"),
        (&["--shard", "1/2"], "--shard is \"1/2\", and was null"),
        (&["--offset-unit", "byte"], "--offset-unit is \"byte\", and was \"codepoint\""),
        (&["--precision", "f32"], "precision is \"f32\", and was \"int8\""),
        (&["other.jsonl"], "the inputs have changed, other.jsonl is new"),
    ] {
        let run = resume(option);
        if option.contains(&"f32") && run.code == 0 {
            // A machine that computes so anyway.
            continue;
        }
        refused(&run, 3, name);
    }
    assert!(files(&site.out()) == before);
    // Threads decide nothing.
    assert_eq!(resume(&["--threads", "1", "--max-errors", "1"]).code, 0);

    let config = std::fs::read_to_string(site.path().join("model/config.json")).unwrap();
    site.write("model/config.json", config.replace("\"tiny\"", "\"other\""));
    refused(&resume(&[]), 3, "model is \"other@");
    // Calibrations and tokens decide the rows, too.
    site.write("model/config.json", config.replacen('{', "{ ", 1));
    refused(&resume(&[]), 3, "model is \"tiny@");
    site.write("model/config.json", config);
    let tokenizer = std::fs::read_to_string(site.path().join("model/tokenizer.json")).unwrap();
    site.write("model/tokenizer.json", tokenizer.replacen('{', "{ ", 1));
    refused(&resume(&[]), 3, "model is \"tiny@");
    site.write("model/tokenizer.json", tokenizer);
    assert_eq!(resume(&[]).code, 0);
    site.write_feed("feed.jsonl", 31);
    refused(&resume(&[]), 3, "the inputs have changed, feed.jsonl is the first");
}

#[test]
fn parts_that_are_not_what_was_written_cannot_go_on() {
    let site = Site::new();
    site.write_feed("feed.jsonl", 30);
    let arguments = ["feed.jsonl", "--rows-per-part", "10", "--resume"];
    assert_eq!(site.batch(&arguments).code, 0);
    let part = site.out().join("part-00002.parquet");
    let written = std::fs::read(&part).unwrap();
    let mut damaged = written.clone();
    damaged[written.len() / 2] ^= 1;
    std::fs::write(&part, damaged).unwrap();
    refused(&site.batch(&arguments), 3, "part-00002.parquet has been changed since it was written");
    std::fs::write(&part, written).unwrap();
    assert_eq!(site.batch(&arguments).code, 0);
    let errors = site.out().join("errors.jsonl");
    std::fs::write(&errors, "{}\n").unwrap();
    assert_eq!(site.batch(&arguments).code, 0, "what no part tells of is cut off");
    assert_eq!(std::fs::metadata(&errors).unwrap().len(), 0);
    std::fs::remove_file(site.out().join("part-00001.parquet")).unwrap();
    refused(&site.batch(&arguments), 3, "part-00001.parquet is not the");
}

#[test]
fn flags_that_do_not_fit_together_are_refused_before_anything_is_written() {
    let site = Site::new();
    site.write_feed("feed.jsonl", 3);
    for (arguments, message) in [
        (&["-", "--resume"][..], "--resume cannot be used with standard input"),
        (&["-", "feed.jsonl"], "cannot be read beside other inputs"),
        (&["-", "--input-format", "parquet"], "Parquet cannot be read from standard input"),
        (&["feed.jsonl", "--keep", "id"], "--keep id: the output has a column of that name already"),
        (&["feed.jsonl", "--keep", "year,year"], "--keep names year twice"),
        (&["feed.jsonl", "--shard", "3/2"], "is not a shard"),
        (&["feed.jsonl", "--rows-per-part", "0"], "--rows-per-part"),
        (&["feed.jsonl", "--max-window", "1"], "--max-window"),
        (&["feed.jsonl", "--output-format", "xml"], "xml"),
        (&[], "INPUT"),
    ] {
        refused(&site.batch(arguments), 2, message);
        assert!(!site.out().exists(), "{arguments:?}");
    }
    let run = site.batch(&["feed.jsonl", "--model", "nowhere"]);
    assert_eq!((run.code, site.out().exists()), (3, false), "{}", run.stderr);
}

#[test]
fn flags_have_twins_in_the_environment() {
    let site = Site::new();
    site.write("feed.jsonl", r#"{"name": "a", "body": "Ada said no.", "year": 1990}"#);
    let mut command = site.onrecord(&["batch", "feed.jsonl"]);
    for (name, value) in [
        ("OUTPUT", "out"),
        ("BATCH_OUTPUT_FORMAT", "jsonl"),
        ("TEXT_COLUMN", "body"),
        ("ID_COLUMN", "name"),
        ("KEEP", "year"),
        ("FLAT", "entities"),
        ("ROWS_PER_PART", "7"),
        ("SHARD", "1/1"),
        ("PROGRESS", "none"),
        ("MAX_DOCUMENT_BYTES", "100"),
    ] {
        command.env(format!("ONRECORD_{name}"), value);
    }
    let run = Run::of(&mut command);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    let manifest = super::json_file(&site.out().join("manifest.json"));
    let options = &manifest["options"];
    assert_eq!((&options["flat"], &options["rows_per_part"]), (&Value::from("entities"), &Value::from(7)));
    assert_eq!((&options["shard"], &options["max_document_bytes"]), (&Value::from("1/1"), &Value::from(100)));
    assert!(rows(&site.out()).iter().all(|row| row["document"] == "a" && row["year"] == "1990"));
}

#[test]
fn two_processes_do_not_write_to_one_output() {
    let site = Site::new();
    site.write("a.txt", document(0)["text"].as_str().unwrap());
    // It waits for its standard input, and meanwhile the output is its own.
    let arguments = ["batch", "-", "--input-format", "jsonl", "--output", "out", "--progress", "none"];
    let mut first = site.spawn(&arguments);
    crate::support::wait_until("the output is there", || site.out().join("manifest.json").exists());
    refused(&site.batch(&["a.txt", "--resume"]), 3, "another process is writing to out");
    writeln!(first.stdin.take().unwrap(), "{}", document(1)).unwrap();
    assert!(first.wait().unwrap().success());
    assert_eq!(rows(&site.out())[0]["id"], "d1");
}

/// A file system with little room, as long as this lives.
struct SmallDisk<'a>(&'a std::path::Path);

impl<'a> SmallDisk<'a> {
    fn mount(path: &'a std::path::Path) -> Option<Self> {
        std::fs::create_dir_all(path).unwrap();
        let mut command = std::process::Command::new("mount");
        command.args(["-t", "tmpfs", "-o", "size=256k", "tmpfs"]).arg(path).stderr(std::process::Stdio::null());
        let is_mounted = command.status().is_ok_and(|status| status.success());
        if !is_mounted {
            eprintln!("skipped: only root can mount a small disk");
        }
        is_mounted.then(|| Self(path))
    }

    fn remount(&self, options: &str) {
        let options = format!("remount,{options}");
        assert!(std::process::Command::new("mount").args(["-o", &options]).arg(self.0).status().unwrap().success());
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg(self.0).status();
    }
}

#[test]
fn a_full_disk_ends_the_run_and_room_lets_it_go_on() {
    let site = Site::new();
    site.write_feed("feed.jsonl", 600);
    let disk = site.path().join("disk");
    let Some(mounted) = SmallDisk::mount(&disk) else { return };
    let arguments = ["batch", "feed.jsonl", "--rows-per-part", "50", "--output-format", "jsonl", "--output"];
    let run = |output: &str, more: &[&str]| Run::of(site.onrecord(&arguments).arg(output).args(more));
    refused(&run("disk/out", &[]), 3, "No space left on device");
    let out = disk.join("out");
    let written = files(&out).len();
    assert!(!files(&out).iter().any(|(name, _)| name.ends_with(".partial")), "what is unfinished takes no room");
    refused(&run("disk/out", &["--resume"]), 3, "No space left on device");
    assert_eq!(files(&out).len(), written);
    mounted.remount("size=64m");
    let resumed = run("disk/out", &["--resume"]);
    assert_eq!(resumed.code, 0, "{}", resumed.stderr);
    let whole = run("out", &[]);
    assert_eq!(whole.code, 0, "{}", whole.stderr);
    assert!(files(&out) == files(&site.out()));
    assert_eq!(errors(&out), Vec::<Value>::new());
}

#[test]
fn a_disk_that_can_only_be_read_is_named_and_harmed_by_nothing() {
    let site = Site::new();
    site.write_feed("feed.jsonl", 60);
    let disk = site.path().join("disk");
    let Some(mounted) = SmallDisk::mount(&disk) else { return };
    let run = |more: &[&str]| {
        let arguments = ["batch", "feed.jsonl", "--rows-per-part", "20", "--output-format", "jsonl", "--output"];
        Run::of(site.onrecord(&arguments).arg("disk/out").args(more))
    };
    mounted.remount("ro");
    refused(&run(&[]), 3, "Read-only file system");
    let exported = Run::of(site.onrecord(&["export"]).args(["feed.jsonl", "--to", "brat", "--output", "disk/brat"]));
    refused(&exported, 3, "Read-only file system");
    mounted.remount("rw,size=64m");
    let written = run(&[]);
    assert_eq!(written.code, 0, "{}", written.stderr);
    // As after a run that was killed in its last part.
    let out = disk.join("out");
    let mut manifest = super::json_file(&out.join("manifest.json"));
    manifest["parts"].as_array_mut().unwrap().truncate(2);
    manifest["complete"] = false.into();
    std::fs::write(out.join("manifest.json"), manifest.to_string()).unwrap();
    let before = files(&out);
    mounted.remount("ro");
    refused(&run(&["--resume"]), 3, "Read-only file system");
    assert!(files(&out) == before);
    mounted.remount("rw");
    assert_eq!(run(&["--resume"]).code, 0);
    assert_eq!(rows(&out).len() + errors(&out).len(), 60);
}
