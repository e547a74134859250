//! What the command tells while it works, and at its end.

use serde_json::Value;

use super::json_lines;
use crate::support::site::Site;

#[test]
fn json_lines_tell_how_far_it_is() {
    let site = Site::new();
    // Long enough for a line in between, even on a fast machine.
    site.write_feed("feed.jsonl", 20_000);
    site.write("news/article.html", "<p>");
    let run = site.batch(&["feed.jsonl", "news", "--progress", "json"]);
    assert_eq!((run.code, run.stdout.as_str()), (0, ""));
    let lines = json_lines(&run.stderr);
    let (summary, progress) = lines.split_last().unwrap();
    assert_eq!(summary["event"], "summary");
    assert_eq!(
        (&summary["documents"], &summary["rows"], &summary["errors"]),
        (&20_000.into(), &20_000.into(), &0.into())
    );
    assert_eq!((&summary["parts"], &summary["files_passed_over"]), (&2.into(), &1.into()));
    assert!(summary["tokens"].as_u64().unwrap() > 100_000);
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
