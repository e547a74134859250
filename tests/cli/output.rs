//! The forms of the output, and outputs that cannot be written to.

use serde_json::{Value, json};

use super::{Run, Site, check, check_schema};
use crate::support::{fixture, onrecord};

#[test]
fn every_line_for_real_articles_follows_the_schema() {
    let mut files: Vec<_> = std::fs::read_dir(fixture("articles"))
        .expect("there are articles")
        .map(|entry| entry.expect("it can be listed").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    files.sort();
    // The embedded model, for once.
    let run = Run::of(onrecord().arg("extract").args(&files));
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    let lines = run.lines();
    assert_eq!(lines.len(), files.len());
    for (path, line) in files.iter().zip(&lines) {
        assert_eq!(line["id"], path.to_string_lossy().as_ref());
        assert_eq!((&line["offset_unit"], &line["warnings"]), (&json!("codepoint"), &json!([])));
        assert_eq!(line["model"], lines[0]["model"]);
        check(line, &std::fs::read_to_string(path).expect("the article can be read"));
    }
}

#[test]
fn json_is_one_array() {
    let site = Site::new();
    site.write("a.txt", "Ada Byron said hello.");
    site.write("none.jsonl", "\n\n");
    let lines = site.extract(&["a.txt", "missing.txt", "a.txt"]);
    let array = site.extract(&["a.txt", "missing.txt", "a.txt", "--output-format", "json"]);
    assert_eq!((array.code, lines.code), (1, 1));
    let items: Value = serde_json::from_str(&array.stdout).expect("the whole output is JSON");
    assert_eq!(items, Value::Array(lines.lines()));
    items.as_array().expect("it is an array").iter().for_each(check_schema);

    let none = site.extract(&["none.jsonl", "--output-format", "json"]);
    assert_eq!((none.code, none.stdout.as_str()), (0, "[]\n"));
    let none = site.extract(&["none.jsonl", "--output-format", "jsonl"]);
    assert_eq!((none.code, none.stdout.as_str()), (0, ""));
    let all_bad = site.extract(&["missing.txt", "--output-format", "json"]);
    let items: Value = serde_json::from_str(&all_bad.stdout).expect("the whole output is JSON");
    assert_eq!((all_bad.code, &items[0]["error"]["code"]), (1, &json!("unreadable")));
}

#[test]
fn pretty_output_shows_the_text_and_leaves_errors_to_standard_error() {
    let site = Site::new();
    site.write("a.txt", "Ada Byron said hello.\nShe left.");
    let run = site.extract(&["a.txt", "missing.txt", "a.txt", "--output-format", "pretty"]);
    assert_eq!(run.code, 1);
    assert_eq!(run.stdout.matches("Ada Byron said hello.\nShe left.\n").count(), 2, "{}", run.stdout);
    assert!(run.stdout.contains("\n\na.txt\n\n"), "a line stands between two documents: {}", run.stdout);
    assert!(run.stdout.contains("warning: the id \"a.txt\" occurs more than once"), "{}", run.stdout);
    assert!(!run.stdout.contains("missing.txt"), "{}", run.stdout);
    assert!(run.stderr.contains("onrecord: missing.txt: "), "{}", run.stderr);
}

#[test]
fn control_characters_never_reach_a_terminal() {
    let site = Site::new();
    let hostile =
        "Ada\u{1b}[2J Byron\u{1b}[31m said \u{1b}]0;owned\u{7} hello\u{8}\u{8}, \u{9b}5A and\r left\u{85}\u{7f}. ";
    let document = json!({"id": "\u{1b}[31mid", "text": hostile.repeat(8)}).to_string();
    site.write("a.jsonl", format!("{document}\n{document}\n{{\"\u{1b}[31m\n"));
    let run = |color: &str| site.extract(&["a.jsonl", "\u{1b}[31m.txt", "--output-format", "pretty", "--color", color]);
    let allowed = |c: char| c == '\n' || c == '\t' || !c.is_control();

    let plain = run("never");
    assert_eq!(plain.code, 1);
    assert!(plain.stdout.contains("Byron"), "{:?}", plain.stdout);
    assert!(plain.stdout.chars().all(allowed), "{:?}", plain.stdout);
    assert!(plain.stderr.chars().all(allowed), "{:?}", plain.stderr);

    // What is left of coloured output without our own sequences, ESC [ numbers m, is just as clean.
    let colored = run("always");
    let mut pieces = colored.stdout.split("\u{1b}[");
    let mut rest = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (numbers, text) = piece.split_once('m').expect("the sequence ends");
        assert!(numbers.chars().all(|c| c.is_ascii_digit() || c == ';') && numbers != "31", "{piece:?}");
        rest.push_str(text);
    }
    assert!(colored.stdout.contains('\u{1b}') && rest.chars().all(allowed), "{:?}", colored.stdout);
}

#[test]
fn colour_is_for_terminals_and_for_those_who_ask() {
    let site = Site::new();
    site.write("a.txt", "Ada Byron said hello.");
    let colored = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = site.onrecord(&["extract", "a.txt", "--output-format", "pretty"]);
        let run = Run::of(command.args(arguments).envs(variables.iter().copied()));
        assert_eq!(run.code, 0, "{}", run.stderr);
        run.stdout.contains('\u{1b}')
    };
    assert!(!colored(&[], &[]));
    assert!(!colored(&["--color", "auto"], &[]));
    assert!(!colored(&[], &[("NO_COLOR", "1")]));
    assert!(colored(&["--color", "always"], &[]));
    assert!(colored(&["--color", "always"], &[("NO_COLOR", "1"), ("ONRECORD_COLOR", "never")]));
    assert!(colored(&[], &[("ONRECORD_COLOR", "always")]));
    assert!(!colored(&["--color", "never"], &[("ONRECORD_COLOR", "always")]));
}

#[cfg(target_os = "linux")]
mod streams {
    //! Standard streams that are closed or full.

    use std::fs::OpenOptions;
    use std::process::{Command, Output, Stdio};

    use super::Site;

    fn onrecord(site: &Site, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_onrecord"));
        command.env_clear().env("ONRECORD_MODEL", "model").current_dir(site.path()).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn full() -> Stdio {
        OpenOptions::new().write(true).open("/dev/full").expect("Linux has it").into()
    }

    fn messages(output: &Output) -> String {
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    #[test]
    fn a_closed_output_ends_the_run_quietly() {
        let site = Site::new();
        site.write("a.txt", "Ada Byron said hello.\n\n".repeat(2000));
        for arguments in [
            &["extract", "a.txt", "a.txt"][..],
            &["extract", "a.txt", "--output-format", "json"],
            &["extract", "a.txt", "--output-format", "pretty"],
            &["model", "info"],
        ] {
            let mut child = onrecord(&site, arguments).spawn().expect("the command starts");
            drop(child.stdout.take());
            let output = child.wait_with_output().expect("the command ends");
            assert_eq!((output.status.code(), messages(&output).as_str()), (Some(0), ""), "{arguments:?}");
        }
    }

    #[test]
    fn a_full_output_is_an_error() {
        let site = Site::new();
        site.write("a.txt", "Ada Byron said hello.");
        site.write("none.jsonl", "");
        for arguments in [
            &["extract", "a.txt"][..],
            &["extract", "a.txt", "--output-format", "pretty"],
            &["extract", "none.jsonl", "--output-format", "json"],
            &["extract", "missing.txt"],
            &["model", "info"],
        ] {
            let output = onrecord(&site, arguments).stdout(full()).output().expect("the command starts");
            let messages = messages(&output);
            assert_eq!(output.status.code(), Some(3), "{arguments:?}: {messages}");
            assert!(messages.contains("onrecord: cannot write the output: No space left"), "{messages}");
        }
    }

    #[test]
    fn messages_that_cannot_be_written_change_nothing() {
        let site = Site::new();
        site.write("a.txt", "Ada Byron said hello.");
        let mut command = onrecord(&site, &["extract", "missing.txt", "a.txt", "a.txt"]);
        let output = command.stderr(full()).output().expect("the command starts");
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(output.stdout.iter().filter(|&&byte| byte == b'\n').count(), 3);
        let output = onrecord(&site, &["extract", "--max-window", "2"]).stderr(full()).output();
        assert_eq!(output.expect("the command starts").status.code(), Some(2));
    }
}
