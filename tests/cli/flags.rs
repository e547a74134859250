//! Flags and their environment twins: good values, wrong values, and who wins.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Run, Site, check, check_ids, list};

/// A text with enough in it for the tiny model to mark.
const TEXT: &str = "🚂 “The bridge is safe,” Ilka Dorn said on Friday. She hopes trains will cross it by May.\n\n\
                    Bernard Osei, the town clerk of Pellworth, told reporters that it cost $1.8 million. Lena Farrow \
                    of the Harbour Trust doubted it, according to a report. “We will see,” he said, “and so will you.”";

/// Every flag of `onrecord extract` that takes a value.
const FLAGS: [&str; 10] = [
    "--input-format",
    "--output-format",
    "--offset-unit",
    "--entity-scheme",
    "--min-score",
    "--max-document-bytes",
    "--model",
    "--threads",
    "--max-window",
    "--color",
];

/// The environment twin of a flag.
fn twin(flag: &str) -> String {
    format!("ONRECORD_{}", flag.trim_start_matches('-').replace('-', "_").to_uppercase())
}

#[test]
fn help_lists_every_flag_and_its_twin() {
    let site = Site::new();
    let help = site.extract(&["--help"]);
    assert_eq!(help.code, 0);
    let words: Vec<&str> = help.stdout.split_whitespace().collect();
    let text = words.join(" ");
    for flag in FLAGS {
        assert!(
            text.contains(&format!("{flag} <")) && text.contains(&format!("[env: {}", twin(flag))),
            "{flag}: {text}"
        );
    }
    let top = Run::of(&mut site.onrecord(&["--help"]));
    assert!(["extract", "model", "Exit codes"].iter().all(|word| top.stdout.contains(word)), "{}", top.stdout);
    let version = Run::of(&mut site.onrecord(&["--version"]));
    assert_eq!((version.code, version.stdout.trim()), (0, concat!("onrecord ", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn a_wrong_value_is_wrong_usage() {
    let site = Site::new();
    for (flag, value) in [
        ("--input-format", "csv"),
        ("--output-format", "xml"),
        ("--offset-unit", "words"),
        ("--entity-scheme", "news10"),
        ("--min-score", "1.01"),
        ("--min-score", "-0.5"),
        ("--min-score", "NaN"),
        ("--min-score", "high"),
        ("--max-document-bytes", "-1"),
        ("--max-document-bytes", "10MB"),
        ("--threads", "0"),
        ("--threads", "-2"),
        ("--threads", "many"),
        ("--max-window", "-3"),
        ("--max-window", "wide"),
        ("--max-window", "2"),
        ("--max-window", "100000"),
        ("--color", "sometimes"),
    ] {
        let by_flag = site.extract(&[flag, value]);
        let by_variable = Run::of(site.onrecord(&["extract"]).env(twin(flag), value));
        for run in [by_flag, by_variable] {
            assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{flag} {value}: {}", run.stderr);
            assert!(run.stderr.contains(flag) && run.stderr.contains(value), "{flag} {value}: {}", run.stderr);
        }
    }
    for arguments in [&[][..], &["extrakt"], &["extract", "--offsets", "byte"], &["extract", "--model"], &["model"]] {
        let run = Run::of(&mut site.onrecord(arguments));
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{arguments:?}: {}", run.stderr);
        assert!(
            run.stderr.contains("--help") || run.stderr.contains("Usage: onrecord"),
            "{arguments:?}: {}",
            run.stderr
        );
    }
}

#[test]
fn environment_twins_work_and_flags_win_over_them() {
    let site = Site::new();
    let line = json!({"id": "x", "text": TEXT}).to_string();
    let long = json!({"id": "long", "text": TEXT.repeat(4)}).to_string();
    site.write("news", format!("{line}\n{long}\n"));
    let config = std::fs::read_to_string(site.path().join("model/config.json")).expect("the model is there");
    site.write("other/config.json", config.replace("\"tiny\"", "\"other\""));
    for file in ["tokenizer.json", "model.safetensors"] {
        let bytes = std::fs::read(site.path().join("model").join(file)).expect("the model is there");
        site.write(&format!("other/{file}"), bytes);
    }
    let settings = [
        ("--input-format", "jsonl", "text"),
        ("--output-format", "json", "jsonl"),
        ("--offset-unit", "utf16", "byte"),
        ("--entity-scheme", "conll4", "news9"),
        ("--min-score", "0.3", "0"),
        ("--max-document-bytes", "1000", "100000"),
        ("--model", "other", "model"),
        ("--threads", "1", "2"),
        ("--max-window", "40", "60"),
        ("--color", "never", "auto"),
    ];
    assert_eq!(settings.map(|(flag, _, _)| flag), FLAGS);
    let command = || {
        let mut command = site.onrecord(&["extract", "news"]);
        command.envs(settings.map(|(flag, value, _)| (twin(flag), value)));
        command
    };
    let labels = |result: &Value| -> BTreeSet<String> {
        list(result, "entities").iter().map(|entity| entity["label"].as_str().expect("a label").to_owned()).collect()
    };
    let four = BTreeSet::from(["PER", "ORG", "LOC", "MISC"].map(str::to_owned));

    let by_variables = Run::of(&mut command());
    assert_eq!(by_variables.code, 1);
    let results: Value = serde_json::from_str(&by_variables.stdout).expect("it is one array");
    assert_eq!((&results[0]["id"], &results[0]["offset_unit"]), (&json!("x"), &json!("utf16")));
    assert!(results[0]["model"].as_str().is_some_and(|model| model.starts_with("other@")));
    assert!(check(&results[0], TEXT) > 0 && labels(&results[0]).is_subset(&four));
    assert!(lowest_score(&results[0]) >= 0.3);
    assert_eq!(results[1]["error"]["code"], "document_too_large");

    let by_flags = Run::of(command().args(settings.iter().flat_map(|(flag, _, value)| [flag, value])));
    assert_eq!((by_flags.code, by_flags.stderr.as_str()), (0, ""));
    let results = by_flags.lines();
    assert_eq!((results.len(), &results[0]["id"], &results[0]["offset_unit"]), (1, &json!("news"), &json!("byte")));
    assert!(results[0]["model"].as_str().is_some_and(|model| model.starts_with("tiny@")));
    assert!(check(&results[0], &format!("{line}\n{long}\n")) > 0 && !labels(&results[0]).is_subset(&four));
    assert!(lowest_score(&results[0]) < 0.3);
}

/// The lowest score of an entity or a statement.
fn lowest_score(result: &Value) -> f64 {
    let items = list(result, "entities").iter().chain(list(result, "statements"));
    items.filter_map(|item| item["score"].as_f64()).fold(1.0, f64::min)
}

#[test]
fn min_score_leaves_out_what_is_below_and_no_id_dangles() {
    let site = Site::new();
    site.write("a.txt", TEXT);
    let at = |score: &str| {
        let run = site.extract(&["a.txt", "--min-score", score]);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""));
        let result = run.lines().remove(0);
        check(&result, TEXT);
        result
    };
    let all = at("0");
    let kept = |result: &Value, name: &str| list(result, name).len();
    assert!(["entities", "statements", "speakers"].iter().all(|name| kept(&all, name) > 0), "too little: {all}");
    let mut some_left_out = 0;
    for score in ["0.1", "0.2", "0.3", "0.4", "0.5", "0.7", "0.9"] {
        let result = at(score);
        let limit: f64 = score.parse().expect("it is a number");
        assert!(lowest_score(&result) >= limit - 1e-4, "{score}: {result}");
        let above = |name: &str| {
            let scores = list(&all, name).iter().filter_map(|item| item["score"].as_f64());
            scores.filter(|&score| score > limit + 1e-4).count()
        };
        assert!(kept(&result, "entities") >= above("entities"), "{score}: {result}");
        assert!(kept(&result, "statements") >= above("statements"), "{score}: {result}");
        some_left_out += usize::from((1..kept(&all, "entities")).contains(&kept(&result, "entities")));
    }
    assert!(some_left_out > 0, "no score was between two others");
    let none = at("1");
    assert_eq!(["entities", "statements", "speakers"].map(|name| kept(&none, name)), [0, 0, 0], "{none}");
    check_ids(&none);
}

#[test]
fn entity_schemes_have_their_own_labels() {
    let site = Site::new();
    site.write("a.txt", TEXT);
    let all = ["PER", "ORG", "LOC", "MISC", "NORP", "FAC", "PRODUCT", "DATE", "MONEY"];
    for (scheme, labels) in [("news9", &all[..]), ("conll4", &all[..4])] {
        let run = site.extract(&["a.txt", "--entity-scheme", scheme]);
        let result = &run.lines()[0];
        assert!(check(result, TEXT) > 0 && !list(result, "entities").is_empty());
        for entity in list(result, "entities") {
            assert!(labels.contains(&entity["label"].as_str().expect("a label")), "{scheme}: {entity}");
        }
    }
}

#[test]
fn threads_change_nothing_and_small_windows_work() {
    let site = Site::new();
    let names: Vec<String> = (0..20).map(|number| format!("{number}.txt")).collect();
    names.iter().enumerate().for_each(|(number, name)| site.write(name, TEXT.repeat(1 + 7 * number % 5)));
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let with = |threads: &str| site.extract(&[&names[..], &["--threads", threads]].concat());
    let (one, four) = (with("1"), with("4"));
    assert_eq!((one.code, four.code), (0, 0));
    assert!(one.stdout == four.stdout, "results depend on the number of threads");
    let ids: Vec<Value> = one.lines().iter().map(|line| line["id"].clone()).collect();
    assert_eq!(ids, names, "files keep their order");

    let narrow = site.extract(&["0.txt", "--max-window", "3"]);
    assert_eq!(narrow.code, 0, "{}", narrow.stderr);
    check(&narrow.lines()[0], TEXT);
}
