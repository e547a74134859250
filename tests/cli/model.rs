//! Models that cannot be used, and `onrecord model info`.

use serde_json::Value;

use super::{Run, Site};
use crate::support::onrecord;

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
        for said in ["encoder", "window", "PER ORG LOC MISC", "source cue content", "licence", "MODEL_CARD.md"] {
            assert!(run.stdout.contains(said), "{said}: {}", run.stdout);
        }
    }
}
