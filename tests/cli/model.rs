//! Models that cannot be used, and `onrecord model info`.

use serde_json::Value;

use super::{Run, Site, list};
use crate::support::{fixture, onrecord};

/// What is changed about a copy of the tiny model, and what the message must name.
struct Broken {
    file: &'static str,
    /// `None`: the file is not there.
    contents: Option<Vec<u8>>,
    named: &'static str,
}

fn broken_models(site: &Site) -> Vec<Broken> {
    let read = |name: &str| std::fs::read(site.path().join("model").join(name)).expect("the model is there");
    let weights = read("model.safetensors");
    let resized = String::from_utf8(read("config.json")).expect("it is UTF-8").replace("\"width\":4", "\"width\":5");
    let bert = br#"{"model_type": "bert", "architectures": ["BertModel"], "hidden_size": 384}"#.to_vec();
    let broken = |file, contents, named| Broken { file, contents, named };
    vec![
        broken("config.json", None, "broken/config.json"),
        broken("tokenizer.json", None, "broken/tokenizer.json"),
        broken("model.safetensors", None, "broken/model.safetensors"),
        broken("model.safetensors", Some(weights[..weights.len() / 2].to_vec()), "broken: model.safetensors"),
        broken("model.safetensors", Some(Vec::new()), "broken: model.safetensors"),
        broken(
            "model.safetensors",
            Some(b"version https://git-lfs.github.com/spec/v1\n".to_vec()),
            "model.safetensors",
        ),
        broken("config.json", Some(b"<html>404</html>".to_vec()), "broken: config.json"),
        broken("config.json", Some(b"[]".to_vec()), "broken: config.json"),
        broken("config.json", Some(bert), "broken: config.json"),
        broken("config.json", Some(resized.into_bytes()), "broken: model.safetensors"),
        broken("tokenizer.json", Some(b"{}".to_vec()), "broken: tokenizer.json"),
    ]
}

#[test]
fn a_broken_model_is_an_error_that_names_the_file() {
    let site = Site::new();
    let folder = site.path().join("broken");
    for (index, model) in broken_models(&site).into_iter().enumerate() {
        for file in ["config.json", "tokenizer.json", "model.safetensors"] {
            let bytes = std::fs::read(site.path().join("model").join(file)).expect("the model is there");
            site.write(&format!("broken/{file}"), bytes);
        }
        match model.contents {
            Some(contents) => site.write(&format!("broken/{}", model.file), contents),
            None => std::fs::remove_file(folder.join(model.file)).expect("the file was there"),
        }
        for command in [&["extract"][..], &["model", "info"]] {
            let run = Run::of(site.onrecord(command).args(["--model", "broken"]));
            assert_eq!((run.code, run.stdout.as_str()), (3, ""), "number {index}: {}", run.stderr);
            assert!(run.stderr.starts_with("onrecord: ") && run.stderr.contains(model.named), "{}", run.stderr);
        }
    }
    site.write("a.txt", "This is no directory.");
    for place in ["nowhere", "a.txt", "."] {
        let run = site.extract(&["--model", place]);
        assert_eq!((run.code, run.stdout.as_str()), (3, ""), "{}", run.stderr);
        assert!(run.stderr.contains(&format!("{place}/config.json")), "{}", run.stderr);
        let by_variable = Run::of(site.onrecord(&["extract"]).env("ONRECORD_MODEL", place));
        assert_eq!((by_variable.code, by_variable.stderr), (3, run.stderr));
    }
}

/// Files that seem to be large, and take no room on the disk.
#[test]
fn files_that_are_longer_than_they_can_be_are_not_read() {
    let lengthen = |site: &Site, file: &str| {
        let file = std::fs::OpenOptions::new().write(true).open(site.path().join("model").join(file));
        file.and_then(|file| file.set_len(200 << 30)).expect("it can be lengthened");
    };
    for (file, said) in [
        ("model.safetensors", "it has 214748364800 bytes, and says at its start that it has "),
        ("config.json", "it has 214748364800 bytes, and at most 268435456 are read"),
        ("tokenizer.json", "it has 214748364800 bytes, and at most 268435456 are read"),
    ] {
        let site = Site::new();
        lengthen(&site, file);
        let run = site.extract(&[]);
        assert_eq!((run.code, run.stdout.as_str()), (3, ""), "{}", run.stderr);
        assert!(run.stderr.contains(&format!("cannot read model/{file}: {said}")), "{}", run.stderr);
    }
}

#[test]
fn a_scheme_that_the_model_lacks_is_wrong_usage() {
    let site = Site::new();
    let config = std::fs::read(site.path().join("model/config.json")).expect("the model is there");
    let mut config: Value = serde_json::from_slice(&config).expect("it is JSON");
    config["heads"].as_object_mut().expect("heads are an object").remove("conll4");
    site.write("model/config.json", config.to_string());
    site.write("a.txt", "Ada Byron said hello.");
    assert_eq!(site.extract(&["a.txt"]).code, 0);
    let run = site.extract(&["a.txt", "--entity-scheme", "conll4"]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""));
    assert!(run.stderr.contains("--entity-scheme conll4"), "{}", run.stderr);
}

#[test]
fn model_info_tells_what_the_model_is() {
    let site = Site::new();
    let tiny = Run::of(&mut site.onrecord(&["model", "info"]));
    let embedded = Run::of(onrecord().args(["model", "info"]));
    for (name, run) in [("tiny@", tiny), ("onrecord-small@", embedded)] {
        assert_eq!((run.code, run.stderr.as_str()), (0, ""));
        let first = run.stdout.lines().next().unwrap_or_default();
        assert!(first.starts_with("model") && first.contains(name), "{}", run.stdout);
        for said in [
            "weights     sha256 ",
            "encoder",
            "window",
            "PER ORG LOC MISC",
            "source cue content",
            "licence",
            "MODEL_CARD.md",
        ] {
            assert!(run.stdout.contains(said), "{said}: {}", run.stdout);
        }
    }
}

#[test]
fn a_token_classifier_finds_entities_only_and_says_so() {
    let site = Site::new();
    let directory = fixture("token_classifiers/distilbert");
    let run = |arguments: &[&str]| {
        let mut command = site.onrecord(arguments);
        Run::of(command.env("ONRECORD_MODEL", &directory).write_stdin("Ana Duarte met Piet Oram in Porto Novo."))
    };
    let info = run(&["model", "info"]);
    assert_eq!((info.code, info.stderr.as_str()), (0, ""));
    for said in ["distilbert@", "DistilBERT, 2 layers", "entities    PER LOC ORG", "statements  none", "model card"] {
        assert!(info.stdout.contains(said), "{said}: {}", info.stdout);
    }
    let found = run(&["extract", "--no-floating", "--max-window", "12"]);
    assert_eq!((found.code, found.stderr.as_str()), (0, ""));
    let found = &found.lines()[0];
    assert!(!list(found, "entities").is_empty() && list(found, "statements").is_empty(), "{found}");
    assert_eq!(run(&["extract", "--output-format", "pretty"]).code, 0);
    site.write("gold.jsonl", "");
    for (arguments, said) in [
        (&["extract", "--entity-scheme", "news9"][..], "labels of its own"),
        (&["extract", "--max-window", "513"], "--max-window 513"),
        (&["eval", "statements", "gold.jsonl"], "entities only"),
        #[cfg(feature = "batch")]
        (&["batch", "gold.jsonl", "--output", "out", "--flat", "statements"], "entities only"),
    ] {
        let run = run(arguments);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{arguments:?}: {}", run.stderr);
        assert!(run.stderr.contains(said), "{arguments:?}: {}", run.stderr);
    }
    assert_eq!(run(&["eval", "entities", "gold.jsonl"]).code, 0);
}
