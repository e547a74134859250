//! Whatever ends a run, going on gives what a run without interruption gives, byte for byte.

use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::{errors, files, json_file, rows};
use crate::support::site::{Run, Site};

const COUNT: usize = 900;

const ARGUMENTS: [&str; 8] =
    ["batch", "feed.jsonl.gz", "more.csv", "--rows-per-part", "60", "--keep", "outlet", "--resume"];

/// Documents in two files, some of them bad.
fn site() -> Site {
    use std::io::Write;
    let site = Site::new();
    site.write_feed("feed.jsonl", COUNT);
    let feed = std::fs::read_to_string(site.path().join("feed.jsonl")).unwrap();
    let lines: Vec<&str> = feed.lines().collect();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    for group in lines.chunks(13) {
        writeln!(encoder, "{}\n\n{{bad", group.join("\n")).unwrap();
    }
    site.write("feed.jsonl.gz", encoder.finish().unwrap());
    let rows: String = (0..300).map(|number| format!("c{number},Ada said {number}.,paper\nc,,\n")).collect();
    site.write("more.csv", format!("id,text,outlet\n{rows}"));
    site
}

fn start(site: &Site, output: &str) -> Child {
    site.spawn(&[&ARGUMENTS[..], &["--progress", "none", "--output", output]].concat())
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([format!("-{name}"), child.id().to_string()]).status();
    assert!(sent.expect("there is a kill command").success());
}

/// Numbers that nobody can foresee.
struct Chance(u64);

impl Chance {
    fn new() -> Self {
        let seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
        eprintln!("the seed is {seed}");
        Self(seed)
    }

    /// From 0 to 1.
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f64 / (1u64 << 24) as f64
    }
}

/// All that counts of an output: the manifest, the rows, the errors.
fn outcome(site: &Site, output: &str) -> Vec<(String, Vec<u8>)> {
    files(&site.path().join(output))
}

#[test]
fn a_run_that_is_killed_at_twenty_random_points_goes_on_to_the_same_rows() {
    let site = site();
    let started = Instant::now();
    let status = start(&site, "whole").wait().unwrap();
    let mut whole = started.elapsed();
    assert_eq!(status.code(), Some(1));
    let expected = outcome(&site, "whole");
    let out = site.path().join("whole");
    assert_eq!((rows(&out).len(), errors(&out).len()), (COUNT + 300, COUNT.div_ceil(13) + 300));

    let mut chance = Chance::new();
    let mut kills = 0;
    let mut parts_left = Vec::new();
    while kills < 20 {
        let output = format!("out-{kills}");
        let mut is_new = true;
        loop {
            let started = Instant::now();
            let mut child = start(&site, &output);
            let point = whole.mul_f64(chance.next());
            while (started.elapsed() < point || kills >= 20) && child.try_wait().unwrap().is_none() {
                std::thread::sleep(Duration::from_millis(1));
            }
            let _ = child.kill();
            let status = child.wait().unwrap();
            if status.signal().is_none() {
                assert_eq!(status.code(), Some(1));
                // Points beyond the end are none; what only had to be finished does not tell where that is.
                if is_new {
                    whole = whole.min(started.elapsed());
                }
                break;
            }
            is_new = false;
            kills += 1;
            let manifest = site.path().join(&output).join("manifest.json");
            parts_left.push(if manifest.exists() {
                json_file(&manifest)["parts"].as_array().unwrap().len()
            } else {
                0
            });
        }
        assert!(outcome(&site, &output) == expected, "{output} differs after {kills} kills");
    }
    // Some of them in the midst of it.
    assert!(parts_left.iter().any(|parts| *parts > 0), "{parts_left:?}");
}

#[test]
fn signals_end_a_run_in_good_order() {
    let site = site();
    assert_eq!(start(&site, "whole").wait().unwrap().code(), Some(1));
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        let out = site.path().join(name);
        let mut child = start(&site, name);
        crate::support::wait_until("a part is there", || {
            let manifest = out.join("manifest.json");
            manifest.exists() && !json_file(&manifest)["parts"].as_array().unwrap().is_empty()
        });
        signal(&child, name);
        let status = child.wait().unwrap();
        let mut message = String::new();
        std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut message).unwrap();
        assert_eq!(status.code(), Some(code), "{message}");
        assert!(message.contains("interrupted; --resume goes on"), "{message}");
        let left: Vec<String> = files(&out).into_iter().map(|(name, _)| name).collect();
        assert!(!left.iter().any(|name| name.ends_with(".partial")), "{left:?}");
        assert_eq!(json_file(&out.join("manifest.json"))["complete"], false);
        assert_eq!(start(&site, name).wait().unwrap().code(), Some(1));
        assert!(outcome(&site, name) == outcome(&site, "whole"), "{name}");
    }
}

#[test]
fn changed_errors_cannot_be_gone_on_with() {
    let site = site();
    assert_eq!(start(&site, "out").wait().unwrap().code(), Some(1));
    let errors = site.out().join("errors.jsonl");
    let changed = std::fs::read_to_string(&errors).unwrap().replacen("error", "horse", 1);
    std::fs::write(&errors, changed).unwrap();
    let run = Run::of(&mut site.onrecord(&[&ARGUMENTS[..], &["--output", "out"]].concat()));
    assert_eq!(run.code, 3, "{}", run.stderr);
    assert!(run.stderr.contains("out/errors.jsonl has been changed since it was written"), "{}", run.stderr);
}

#[test]
fn a_signal_ends_a_run_that_waits_for_a_file() {
    let site = Site::new();
    site.write_feed("a.jsonl", 10_000);
    site.write("b.jsonl", "");
    let mut child =
        site.spawn(&["batch", "a.jsonl", "b.jsonl", "--rows-per-part", "500", "--threads", "1", "--output", "out"]);
    let manifest = site.out().join("manifest.json");
    let parts = || if manifest.exists() { json_file(&manifest)["parts"].as_array().unwrap().len() } else { 0 };
    crate::support::wait_until("a part is there", || parts() > 0);
    // Nobody will ever write into what takes the place of the second file.
    let second = site.path().join("b.jsonl");
    std::fs::remove_file(&second).unwrap();
    assert!(Command::new("mkfifo").arg(&second).status().unwrap().success());
    assert!(parts() < 12, "the pipe has come too late: nothing was tested");
    crate::support::wait_until("the first file is done", || parts() == 20);
    signal(&child, "INT");
    let signalled = Instant::now();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(signalled.elapsed() < Duration::from_secs(20), "{:?}", signalled.elapsed());
    assert_eq!((parts(), &json_file(&manifest)["complete"]), (20, &false.into()));
}

#[test]
fn what_no_manifest_tells_of_is_written_again() {
    let site = site();
    assert_eq!(start(&site, "whole").wait().unwrap().code(), Some(1));
    let expected = outcome(&site, "whole");
    // As if the machine had gone down between a part and the manifest, with more errors written than parts.
    let out = site.path().join("whole");
    let mut manifest = json_file(&out.join("manifest.json"));
    manifest["complete"] = false.into();
    manifest["parts"].as_array_mut().unwrap().truncate(7);
    manifest["rows_read"] = manifest["parts"][6]["rows_read"].clone();
    std::fs::write(out.join("manifest.json"), manifest.to_string()).unwrap();
    std::fs::write(out.join("part-00031.parquet.partial"), "half").unwrap();
    std::fs::write(out.join("manifest.json.partial"), "half").unwrap();
    assert_eq!(start(&site, "whole").wait().unwrap().code(), Some(1));
    assert!(outcome(&site, "whole") == expected);
}
