//! What the command tells while it works, and at its end.

use std::fs::OpenOptions;
use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::json_lines;
use crate::support::site::Site;

#[test]
fn json_lines_tell_how_far_it_is() {
    let site = Site::new();
    // Long enough for a line in between, even on a fast machine.
    site.write_feed("feed.jsonl", 6_000);
    site.write("news/article.html", "<p>");
    let run = site.batch(&["feed.jsonl", "news", "--progress", "json", "--threads", "1", "--rows-per-part", "5000"]);
    assert_eq!((run.code, run.stdout.as_str()), (0, ""));
    let lines = json_lines(&run.stderr);
    let (summary, progress) = lines.split_last().unwrap();
    assert_eq!(summary["event"], "summary");
    assert_eq!(
        (&summary["documents"], &summary["rows"], &summary["errors"]),
        (&6_000.into(), &6_000.into(), &0.into())
    );
    assert_eq!((&summary["parts"], &summary["files_passed_over"]), (&2.into(), &1.into()));
    assert!(summary["tokens"].as_u64().unwrap() > 30_000);
    assert!(!progress.is_empty(), "{}", run.stderr);
    let size = std::fs::metadata(site.path().join("feed.jsonl")).unwrap().len();
    let number = |line: &Value, name: &str| line[name].as_u64().unwrap();
    for (line, next) in progress.iter().zip(&progress[1..]) {
        assert!(number(line, "documents") <= number(next, "documents"));
    }
    for line in progress {
        assert_eq!((&line["event"], number(line, "bytes_total")), (&Value::from("progress"), size));
        assert!(number(line, "bytes") <= size);
    }
}

#[test]
fn without_a_terminal_there_is_a_summary_or_nothing() {
    let site = Site::new();
    site.write_feed("feed.jsonl", 20);
    let run = site.batch(&["feed.jsonl"]);
    let lines: Vec<&str> = run.stderr.lines().collect();
    assert_eq!(lines[0], "onrecord: 20 documents, 20 rows in 1 parts");
    assert!(lines[1].starts_with("onrecord: 20 of them now, in ") && lines[1].ends_with(" tokens a second"));
    assert_eq!(lines.len(), 2);
    std::fs::remove_dir_all(site.out()).unwrap();
    assert_eq!(site.batch(&["feed.jsonl", "--progress", "none"]).stderr, "");
}

/// Runs the command on a terminal of 100 columns, which `script` pretends to be; what it shows.
fn on_a_terminal(site: &Site, arguments: &[&str]) -> String {
    let command = site.onrecord(&[]);
    let line = format!(
        "stty cols 100 rows 24; exec {} batch feed.jsonl --output out {}",
        command.get_program().display(),
        arguments.join(" ")
    );
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--flush", "--command", &line, "/dev/null"]).current_dir(site.path());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => script.env(name, value),
            None => script.env_remove(name),
        };
    }
    let output = script.env("TERM", "xterm").stdin(Stdio::null()).output().expect("script starts");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    std::fs::remove_dir_all(site.out()).unwrap();
    String::from_utf8(output.stdout).expect("the output is UTF-8")
}

#[test]
fn on_a_terminal_a_bar_moves_and_goes() {
    let site = Site::new();
    // Long enough for several looks at the bar, even on a fast machine; and one document that fails.
    site.write_feed("feed.jsonl", 6_000);
    let mut feed = OpenOptions::new().append(true).open(site.path().join("feed.jsonl")).unwrap();
    feed.write_all(b"{}\n").unwrap();

    let shown = on_a_terminal(&site, &["--threads", "1", "--rows-per-part", "2500"]);
    // Drawn over itself, never wider than the terminal, and wiped in the end; below it stands the summary.
    let (bars, summary) = shown.rsplit_once("\u{1b}[2K").expect("the bar was wiped");
    let bars: Vec<&str> = bars.split(['\r', '\n']).filter(|bar| bar.contains("documents")).collect();
    let percent = |bar: &str| -> u64 {
        let (before, _) = bar.split_once('%').unwrap();
        before.rsplit(' ').next().unwrap().parse().unwrap()
    };
    let percents: Vec<u64> = bars.iter().map(|bar| percent(bar)).collect();
    assert!(percents.is_sorted() && percents.iter().any(|percent| (1..100).contains(percent)), "{shown}");
    for bar in bars {
        assert!(bar.trim_start_matches("\u{1b}[2K").chars().count() <= 100, "{bar}");
        assert!(bar.contains(" tokens/s, ") && bar.contains(" errors, ") && bar.ends_with(" left"), "{bar}");
    }
    let lines: Vec<&str> = summary.trim_matches('\r').lines().collect();
    assert_eq!(lines[0].trim(), "onrecord: 6,000 documents, 6,000 rows in 3 parts");
    assert!(lines[1].starts_with("onrecord: 6,000 of them now, in "), "{summary}");
    assert!(lines[2].starts_with("onrecord: 1 documents failed: out/errors.jsonl says why"), "{summary}");

    site.write("feed.jsonl", "{\"text\": \"Ada said no.\"}\n{}\n");
    assert_eq!(on_a_terminal(&site, &["--progress", "none"]), "");
    let lines = json_lines(&on_a_terminal(&site, &["--progress", "json"]));
    assert_eq!(lines.last().unwrap()["event"], "summary");
}
