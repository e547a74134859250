//! `onrecord eval` on annotations as the page downloads them (docs/annotations.md).

use serde_json::{Value, json};

use super::{Run, Site};

const TEXT: &str = "🚢 “The pier is shut,” Ilka Dorn said. She hopes for May.";

/// The annotation of [`TEXT`], with this name behind the pronoun.
fn annotation(she: &Value) -> String {
    let names = she.as_str().map_or(json!([]), |name| json!([name]));
    let line = json!({"id": "pier.txt", "text": TEXT, "attributions": [
        {"source": [[22, 31]], "cue": [[32, 36]], "content": [[2, 21]], "kind": "Attribution",
         "speaker": "Ilka Dorn", "others": [], "aliases": ["Ilka Dorn", "Dorn"], "form": "name"},
        {"source": [[38, 41]], "cue": [[42, 47]], "content": [[48, 55]], "kind": "Attribution",
         "speaker": she, "others": [], "aliases": names, "form": "pronoun"},
    ]});
    line.to_string() + "\n"
}

fn scores(site: &Site, arguments: &[&str]) -> Value {
    let run = Run::of(site.onrecord(&["eval", "statements", "gold.jsonl", "--json"]).args(arguments));
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    serde_json::from_str(&run.stdout).expect("the scores are JSON")
}

#[test]
fn the_documented_annotation_is_one() {
    let (_, rest) = include_str!("../../docs/annotations.md").split_once("```json\n").expect("it has an example");
    let (example, _) = rest.split_once("```").expect("the example ends");
    let document: Value = serde_json::from_str(example).expect("the example is JSON");
    let words = |span: &Value| -> String {
        let offset = |place: usize| usize::try_from(span[place].as_u64().expect("an offset")).expect("it fits");
        let characters = document["text"].as_str().expect("it has a text").chars();
        characters.skip(offset(0)).take(offset(1) - offset(0)).collect()
    };
    let second = &document["attributions"][1];
    assert_eq!(["source", "cue", "content"].map(|role| words(&second[role][0])), ["She", "hopes", "for May"]);
    let site = Site::new();
    site.write("gold.jsonl", document.to_string());
    let same = scores(&site, &["--predictions", "gold.jsonl"]);
    assert_eq!((&same["statement strict"]["f1"], &same["speaker all"]["n"]), (&json!(100.0), &json!(2)));
}

#[test]
fn an_annotation_is_gold_and_prediction_speakers_included() {
    let site = Site::new();
    site.write("gold.jsonl", annotation(&json!("Ilka Dorn")));
    site.write("wrong.jsonl", annotation(&json!("Per Voss")));
    let same = scores(&site, &["--predictions", "gold.jsonl"]);
    assert_eq!(same["statement strict"], json!({"precision": 100.0, "recall": 100.0, "f1": 100.0}));
    assert_eq!((&same["speaker all"]["n"], &same["speaker all"]["end to end"]), (&json!(2), &json!(100.0)));
    let wrong = scores(&site, &["--predictions", "wrong.jsonl"]);
    let by_form = ["pronoun", "name"].map(|form| wrong[format!("speaker {form}")]["end to end"].clone());
    assert_eq!(by_form, [json!(0.0), json!(100.0)]);

    // A file of speakers has the last word.
    let line =
        json!({"doc": "pier.txt", "index": 1, "speaker": "Per Voss", "aliases": ["Per Voss"], "form": "pronoun"});
    site.write("speakers.jsonl", line.to_string());
    let overruled = scores(&site, &["--predictions", "wrong.jsonl", "--speakers", "speakers.jsonl"]);
    assert_eq!(overruled["speaker all"]["end to end"], json!(100.0));

    // Where nobody is named, nobody is right.
    site.write("gold.jsonl", annotation(&Value::Null));
    let unnamed = scores(&site, &["--predictions", "wrong.jsonl"]);
    assert_eq!(unnamed["speaker unnamed"]["end to end"], json!(0.0));
    // And the model itself can be scored on it.
    assert_eq!(scores(&site, &[])["documents"]["gold"], json!(1));
}
