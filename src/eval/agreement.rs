//! Holds the scores to those of the reference scorers, and the readers to their promises.
//!
//! `scripts/eval/make_agreement.py` makes the fixtures and records the expected numbers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::entities::{self, EntityScores, LabelMapping};
use super::gold::{GoldDocument, GoldSpeaker, JsonLines, PredictedDocument};
use super::statements::{self, StatementScores};
use super::{EvalError, Scores};

/// Rows by the name of the run, each with its numbers by name.
type Expected = BTreeMap<String, Vec<(String, BTreeMap<String, f64>)>>;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/eval").join(name)
}

fn expected<T: DeserializeOwned>(name: &str) -> T {
    let text = std::fs::read_to_string(fixture(name)).expect(name);
    serde_json::from_str(&text).expect(name)
}

fn row(name: &str, numbers: &[(&str, f64)]) -> (String, BTreeMap<String, f64>) {
    (name.to_owned(), numbers.iter().map(|(key, value)| ((*key).to_owned(), *value)).collect())
}

fn scores_row(name: &str, scores: Scores) -> (String, BTreeMap<String, f64>) {
    row(name, &[("p", scores.precision), ("r", scores.recall), ("f1", scores.f1)])
}

fn statement_rows(scores: &StatementScores) -> Vec<(String, BTreeMap<String, f64>)> {
    let mut rows: Vec<_> = scores.rows().iter().map(|(name, scores)| scores_row(name, *scores)).collect();
    rows.extend(scores.speakers.iter().map(|speaker| {
        let numbers = [
            ("accuracy of matched", speaker.accuracy_of_matched),
            ("end to end", speaker.end_to_end),
            ("n", speaker.count as f64),
        ];
        row(&format!("speaker {}", speaker.form), &numbers)
    }));
    let documents =
        [("gold", scores.gold_documents as f64), ("missing from predictions", scores.missing_documents as f64)];
    rows.push(row("documents", &documents));
    rows
}

fn entity_rows(scores: &EntityScores) -> Vec<(String, BTreeMap<String, f64>)> {
    let missing = scores.missing_documents as f64;
    vec![scores_row("entity", scores.entity), row("documents", &[("missing from predictions", missing)])]
}

fn statement_files() -> (Vec<GoldDocument>, Vec<PredictedDocument>, Vec<GoldSpeaker>) {
    let open = |name: &str| JsonLines::open(fixture(name)).expect(name);
    (
        open("gold.jsonl").gold_documents().expect("gold"),
        open("pred.jsonl").predicted_documents().expect("predictions"),
        open("speakers.jsonl").gold_speakers().expect("speakers"),
    )
}

#[test]
fn statements_score_as_the_reference_does() {
    let (gold, predicted, speakers) = statement_files();
    assert!(gold.len() >= 12);
    assert!(gold.iter().map(|document| document.statements.len()).sum::<usize>() >= 150);
    let gold_again = JsonLines::open(fixture("gold.jsonl")).expect("gold").predicted_documents().expect("gold form");
    let runs = [
        ("with speakers", statements::score(&gold, &predicted, &speakers)),
        ("without speakers", statements::score(&gold, &predicted, &[])),
        ("gold as prediction", statements::score(&gold, &gold_again, &speakers)),
        ("nothing predicted", statements::score(&gold, &[], &speakers)),
    ];
    let expected: Expected = expected("expected_statements.json");
    assert_eq!(expected.len(), runs.len());
    for (name, scores) in &runs {
        assert_eq!(statement_rows(scores), expected[*name], "{name}");
    }
}

#[test]
fn entities_score_as_the_reference_does() {
    let gold = JsonLines::open(fixture("ner_gold.jsonl")).expect("gold").entity_documents().expect("gold");
    let predicted =
        JsonLines::open(fixture("ner_pred.jsonl")).expect("predictions").predicted_documents().expect("predictions");
    let score = |mapping, only: &[&str]| entities::score(&gold, &predicted, mapping, only);
    let only = ["PER", "ORG", "LOC"];
    let runs = [
        ("plain", score(LabelMapping::Identity, &[])),
        ("worldwide", score(LabelMapping::Worldwide, &[])),
        ("only", score(LabelMapping::Identity, &only)),
        ("worldwide only", score(LabelMapping::Worldwide, &only)),
    ];
    let expected: Expected = expected("expected_entities.json");
    assert_eq!(expected.len(), runs.len());
    for (name, scores) in &runs {
        assert_eq!(entity_rows(scores), expected[*name], "{name}");
    }
}

#[test]
fn scores_serialise_and_print_under_the_names_of_the_reference() {
    let (gold, predicted, speakers) = statement_files();
    let scores = statements::score(&gold, &predicted, &speakers);
    let json = serde_json::to_value(&scores).expect("serialisable");
    let table = scores.to_string();
    let expected: Expected = expected("expected_statements.json");
    for (name, numbers) in &expected["with speakers"] {
        let member = json.get(name).expect(name);
        assert!(table.contains(name.as_str()), "{name} in\n{table}");
        if let Some(f1) = numbers.get("f1") {
            assert_eq!(member["f1"].as_f64(), Some(*f1));
            assert!(table.contains(&format!("{f1:.2}\n")));
        } else if let Some(share) = numbers.get("end to end") {
            assert_eq!(member["end to end"].as_f64(), Some(*share));
        }
    }
    let entities = entities::score(&[], &[], LabelMapping::Identity, &[] as &[&str]);
    let json = serde_json::to_string(&entities).expect("serialisable");
    assert!(json.ends_with(r#""documents":{"missing from predictions":0}}"#), "{json}");
}

fn predictions(lines: &str) -> Result<Vec<PredictedDocument>, EvalError> {
    JsonLines::new(lines.as_bytes(), "some.jsonl").predicted_documents()
}

#[test]
fn both_forms_of_prediction_are_read() {
    let lines = r#"
        {"id": "a", "statements": [{"source": null, "cue": [{"start": 1, "end": 2, "text": "x"}], "content": [],
          "speaker": {"id": "p0", "name": "Ana"}, "co_speakers": ["p2", "p9"]}],
          "speakers": [{"id": "p1", "name": "Bo"}, {"id": "p2", "name": "Cy", "kind": 3}]}
        {"id": "b", "attributions": [{"source": [[4, 9]], "content": [[12, 10]], "speaker": null, "others": ["Di"]}]}
    "#;
    let lines = lines.replace(",\n", ", ");
    let documents = predictions(&lines).expect("both forms");
    let [one, two] = documents.as_slice() else { panic!("{documents:?}") };
    let (one, two) = (&one.statements[0], &two.statements[0]);
    assert_eq!((one.speaker.as_deref(), one.other_speakers.as_slice()), (Some("Ana"), &["Cy".to_owned()][..]));
    assert_eq!((one.spans.source.len(), one.spans.cue.as_slice()), (0, &[1..2][..]));
    assert_eq!((two.speaker.as_deref(), two.other_speakers.as_slice()), (None, &["Di".to_owned()][..]));
    assert_eq!((two.spans.source.as_slice(), two.spans.content[0].end), (&[4..9][..], 10));
}

#[test]
fn gold_may_say_who_its_sources_are() {
    let lines = br#"
        {"id": "a", "text": "Ana and Bo said no. They left.", "attributions": [
          {"source": [[0, 10]], "content": [[16, 18]], "speaker": "Ana", "others": ["Bo"], "form": "name"},
          {"source": [], "content": [[20, 29]], "speaker": "Ana", "aliases": ["Ana", "Ana Ek"], "form": "none"},
          {"source": [[20, 24]], "cue": [], "content": [[25, 29]], "speaker": null, "form": "pronoun"},
          {"source": [[20, 24]], "cue": [], "content": [[25, 29]]}]}
    "#;
    let one_line = String::from_utf8_lossy(lines).replace(",\n", ", ").replace("[\n", "[ ");
    let gold = JsonLines::new(one_line.as_bytes(), "some.jsonl").gold_documents().expect("gold");
    let speaker = |index, speaker: Option<&str>, aliases: &[&str], form: &str| GoldSpeaker {
        document: "a".to_owned(),
        index,
        speaker: speaker.map(str::to_owned),
        aliases: aliases.iter().map(|&alias| alias.to_owned()).collect(),
        kind: None,
        form: form.to_owned(),
    };
    let expected = [
        speaker(0, Some("Ana"), &["Ana", "Bo"], "name"),
        speaker(1, Some("Ana"), &["Ana", "Ana Ek"], "none"),
        speaker(2, None, &[], "pronoun"),
    ];
    assert_eq!((gold.len(), gold[0].statements.len(), gold[0].speakers.as_slice()), (1, 4, &expected[..]));
}

#[test]
fn failed_documents_count_as_missing() {
    let lines =
        "{\"id\": \"a\", \"error\": {\"reason\": \"not text\"}}\n{\"error\": {}}\n\n{\"id\": \"b\", \"error\": null}";
    let documents = predictions(lines).expect("errors are no result");
    assert_eq!(documents.iter().map(|document| document.id.as_str()).collect::<Vec<_>>(), ["b"]);
    let text = "x".to_owned();
    let gold = [GoldDocument { id: "a".to_owned(), text, statements: Vec::new(), speakers: Vec::new() }];
    assert_eq!(statements::score(&gold, &documents, &[]).missing_documents, 1);
}

#[test]
fn errors_name_file_line_and_reason() {
    let cases = [
        ("{\"id\": \"a\"}\n\n{\"id\": 3}", "some.jsonl, line 3: invalid type: integer `3`, expected a string"),
        ("{\"statements\": []}", "some.jsonl, line 1: missing field `id`"),
        ("{\"id\": \"a\", \"attributions\": [{\"cue\": [[1]]}]}", "line 1: invalid length 1, expected a segment"),
        ("{\"id\": \"a\", \"entities\": [{\"label\": \"PER\", \"start\": -1, \"end\": 2}]}", "line 1: invalid value"),
        ("{\"id\": ", "line 1: EOF while parsing"),
        ("[]", "line 1: "),
    ];
    for (lines, message) in cases {
        let error = predictions(lines).expect_err(lines).to_string();
        assert!(error.contains(message), "{error}");
    }
    let error = JsonLines::new(&b"{\"id\": \"\xff\"}"[..], "x").gold_documents().expect_err("not UTF-8");
    assert!(error.to_string().starts_with("x, line 1: "), "{error}");
    let error = JsonLines::new(&b"{\"tokens\": [], \"ner\": []}"[..], "x").entity_documents().expect_err("no id");
    assert_eq!(error.to_string(), "x, line 1: neither `doc` nor `id`");
    assert!(matches!(JsonLines::open("no/such/file"), Err(EvalError::Open { .. })));
}
