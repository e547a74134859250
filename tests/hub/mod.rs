//! Models by name, from a hub on loopback: downloaded once, checked, found again without a network; and a hub that
//! lies, breaks off or is silent.

mod fake;

use std::path::Path;

use fake::{COMMIT, FakeHub, Files, Lie};
use serde_json::Value;

use crate::support::site::{Run, Site};
use crate::support::{fixture, onrecord};

/// The files of a fixture.
fn files(name: &str) -> Files {
    let entries = std::fs::read_dir(fixture("token_classifiers").join(name)).expect("the fixture is there");
    let file = |entry: std::fs::DirEntry| {
        let name = entry.file_name().into_string().expect("its name is plain");
        (name, std::fs::read(entry.path()).expect("it can be read"))
    };
    entries.map(|entry| file(entry.expect("it can be read"))).collect()
}

/// A place to run in, with a cache of its own.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("there is room"))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn command(&self, hub: &FakeHub, arguments: &[&str]) -> assert_cmd::Command {
        let mut command = onrecord();
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().to_ascii_uppercase();
            if name.starts_with("HF_") || name.ends_with("_PROXY") {
                command.env_remove(&name).env_remove(name.to_ascii_lowercase());
            }
        }
        command.current_dir(self.path()).env("HF_HOME", self.path().join("home")).env("HF_ENDPOINT", hub.endpoint());
        command.args(arguments);
        command
    }

    fn info(&self, hub: &FakeHub, model: &str) -> Run {
        Run::of(&mut self.command(hub, &["model", "info", "--model", model]))
    }

    /// Every file below, links not followed.
    fn files(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut folders = vec![self.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("it can be read") {
                let entry = entry.expect("it can be read");
                match entry.file_type().expect("it has a type") {
                    kind if kind.is_dir() => folders.push(entry.path()),
                    _ => found.push(entry.path().display().to_string()),
                }
            }
        }
        found
    }
}

fn honest() -> FakeHub {
    let pickled = Files::from([
        ("config.json".to_owned(), b"{}".to_vec()),
        ("tokenizer.json".to_owned(), b"{}".to_vec()),
        ("pytorch_model.bin".to_owned(), b"PK".to_vec()),
    ]);
    let slow = Files::from([("config.json".to_owned(), b"{}".to_vec()), ("vocab.txt".to_owned(), b"a".to_vec())]);
    let models = [("acme/ner", files("bert")), ("acme/parts", files("electra")), ("acme/pickled", pickled)];
    FakeHub::start(models.into_iter().chain([("acme/slow", slow), ("acme/empty", Files::new())]), Lie::None)
}

fn lying(lie: Lie) -> FakeHub {
    FakeHub::start([("acme/ner", files("bert"))], lie)
}

#[test]
fn a_model_is_downloaded_once_and_found_again_without_a_network() {
    let (hub, place) = (honest(), Place::new());
    for (model, count) in [("acme/ner", 3), ("acme/parts", 6)] {
        let run = place.info(&hub, model);
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert!(run.stdout.starts_with(&format!("model       {model}@")), "{}", run.stdout);
        assert!(run.stdout.contains("statements  none"), "{}", run.stdout);
        assert_eq!(run.stderr.matches(&format!("of {model} (")).count(), count, "{}", run.stderr);
        let downloads = hub.downloads().len();
        let again = place.info(&hub, model);
        assert_eq!((again.code, again.stderr.as_str(), again.stdout), (0, "", run.stdout));
        assert_eq!(hub.downloads().len(), downloads, "nothing is downloaded again");
        // Neither offline nor at a commit that is there is anybody asked.
        let asked = hub.asked().len();
        let offline = Run::of(place.command(&hub, &["model", "info", "--model", model]).env("HF_HUB_OFFLINE", "1"));
        let pinned = place.info(&hub, &format!("{model}@{COMMIT}"));
        assert_eq!((offline.code, pinned.code), (0, 0), "{}{}", offline.stderr, pinned.stderr);
        assert_eq!(hub.asked().len(), asked);
    }
}

#[test]
fn offline_opens_no_socket() {
    let (hub, place) = (honest(), Place::new());
    for model in ["acme/ner", &format!("acme/ner@{COMMIT}")] {
        let run = Run::of(place.command(&hub, &["extract", "--model", model]).env("HF_HUB_OFFLINE", "true"));
        assert_eq!((run.code, run.stdout.as_str()), (3, ""));
        for said in ["acme/ner", "HF_HUB_OFFLINE", "home/hub", "config.json"] {
            assert!(run.stderr.contains(said), "{said}: {}", run.stderr);
        }
    }
    assert!(hub.asked().is_empty());
    assert!(place.files().is_empty(), "{:?}", place.files());
}

#[test]
fn entities_come_out_at_any_revision() {
    let (hub, place) = (honest(), Place::new());
    for arguments in [&["--model", "acme/ner@v2"][..], &["--model", "acme/ner", "--model-revision", "v2"]] {
        let mut command = place.command(&hub, &["extract", "--precision", "f32"]);
        let run = Run::of(command.args(arguments).write_stdin("Ana Duarte met Piet Oram in Porto Novo on 12 March."));
        assert_eq!(run.code, 0, "{}", run.stderr);
        let found: Value = serde_json::from_str(&run.stdout).expect("it is JSON");
        assert!(found["model"].as_str().is_some_and(|model| model.starts_with("acme/ner@")), "{found}");
        assert!(!found["entities"].as_array().expect("it is a list").is_empty(), "{found}");
    }
    assert!(hub.asked().iter().any(|asked| asked.path.ends_with("/revision/v2")));
    for revision in ["v3", "0000000000000000000000000000000000000000"] {
        let run = place.info(&hub, &format!("acme/ner@{revision}"));
        assert_eq!(run.code, 3);
        assert!(run.stderr.contains(revision) && run.stderr.contains(&hub.endpoint()), "{}", run.stderr);
    }
}

#[test]
fn the_token_is_sent_and_not_told() {
    let (hub, place) = (honest(), Place::new());
    let run = Run::of(place.command(&hub, &["model", "info", "--model", "acme/ner"]).env("HF_TOKEN", "hf_secret"));
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(hub.asked().iter().all(|asked| asked.authorization.as_deref() == Some("Bearer hf_secret")));
    // The token that other clients have left in HF_HOME is used as well.
    let (other, place) = (lying(Lie::Refusal), Place::new());
    std::fs::create_dir(place.path().join("home")).expect("there is room");
    std::fs::write(place.path().join("home/token"), "hf_other\n").expect("there is room");
    let refused = place.info(&other, "acme/ner");
    assert_eq!(refused.code, 3);
    assert!(refused.stderr.contains("HF_TOKEN") && refused.stderr.contains("401"), "{}", refused.stderr);
    assert_eq!(other.asked()[0].authorization.as_deref(), Some("Bearer hf_other"));
    assert!(!refused.stderr.contains("hf_other") && !run.stderr.contains("hf_secret"));
}

#[test]
fn models_that_are_of_no_use_say_why() {
    let (hub, place) = (honest(), Place::new());
    for (model, said) in [
        ("acme/other", "has no model acme/other"),
        ("acme/pickled", "pytorch_model.bin"),
        ("acme/slow", "AutoTokenizer.from_pretrained(\"acme/slow\")"),
        ("acme/empty", "no config.json"),
    ] {
        let run = place.info(&hub, model);
        assert_eq!(run.code, 3);
        assert!(run.stderr.contains(said) && run.stderr.contains(&hub.endpoint()), "{}", run.stderr);
    }
    assert!(hub.downloads().is_empty());
}

/// Runs against a hub that lies, checks the message, and then against an honest one, which must find nothing wrong.
fn after(lie: Lie, said: &[&str]) -> (Place, FakeHub) {
    let (hub, place) = (lying(lie), Place::new());
    let run =
        Run::of(place.command(&hub, &["model", "info", "--model", "acme/ner"]).env("HF_HUB_DOWNLOAD_TIMEOUT", "2"));
    assert_eq!((run.code, run.stdout.as_str()), (3, ""), "{lie:?}: {}", run.stderr);
    for said in said {
        assert!(run.stderr.contains(said), "{lie:?}: {said}: {}", run.stderr);
    }
    let honest = lying(Lie::None);
    let run = place.info(&honest, "acme/ner");
    assert_eq!(run.code, 0, "{lie:?}: {}", run.stderr);
    let home = place.path().join("home").display().to_string();
    assert!(place.files().iter().all(|file| file.starts_with(&home)), "{lie:?}: {:?}", place.files());
    (place, honest)
}

#[test]
fn contents_with_another_hash_are_thrown_away() {
    for file in ["model.safetensors", "config.json"] {
        after(Lie::Contents(file), &[file, "its hash is", "run the command again"]);
    }
}

#[test]
fn a_download_that_breaks_off_goes_on_where_it_was() {
    let (_, honest) = after(Lie::Cut("model.safetensors"), &["cannot get model.safetensors of acme/ner"]);
    let weights = honest.asked().into_iter().filter(|asked| asked.path.ends_with("model.safetensors"));
    assert!(weights.map(|asked| asked.from).max() > Some(10_000), "it began anew");
}

#[test]
fn what_makes_no_sense_is_refused() {
    after(Lie::Gone("tokenizer.json"), &["cannot get tokenizer.json", "404"]);
    after(Lie::Tag("config.json"), &["cannot get config.json", "stolen"]);
    after(Lie::Commit("tokenizer.json"), &["cannot get tokenizer.json", "ffff"]);
    after(Lie::List, &["the list of files", "elsewhere"]);
    after(Lie::Size("tokenizer.json"), &["tokenizer.json", "bytes, but the hub says"]);
}

#[test]
fn silence_is_not_waited_out() {
    after(Lie::Silence("model.safetensors"), &["model.safetensors", "nothing came for 2 s"]);
}

#[test]
fn a_redirection_to_nowhere_is_an_error() {
    let (hub, place) = (lying(Lie::Nowhere("model.safetensors")), Place::new());
    // The client's library gives up with a message of its own beside ours.
    let output = place.command(&hub, &["model", "info", "--model", "acme/ner"]).output().expect("the command starts");
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{message}");
    assert!(message.contains("cannot get model.safetensors"), "{message}");
}

#[test]
fn no_hub_is_an_error_that_names_it() {
    let place = Place::new();
    let hub = honest();
    assert_eq!(place.info(&hub, "acme/ner").code, 0);
    let mut command = place.command(&hub, &["model", "info", "--model", "acme/ner"]);
    // Nobody listens at the port of a hub that has gone.
    let gone = honest().endpoint();
    let run = Run::of(command.env("HF_ENDPOINT", &gone));
    assert_eq!(run.code, 3);
    assert!(run.stderr.contains(&gone) && run.stderr.contains("HF_HUB_OFFLINE=1"), "{}", run.stderr);
}

#[test]
fn files_that_were_spoilt_in_the_cache_are_found() {
    let (hub, place) = (honest(), Place::new());
    assert_eq!(place.info(&hub, "acme/ner").code, 0);
    let blobs = place.path().join("home/hub/models--acme--ner/blobs");
    let largest = std::fs::read_dir(&blobs).expect("it is there").map(|blob| blob.expect("it can be read").path());
    let largest = largest.max_by_key(|path| path.metadata().expect("it is there").len()).expect("there are some");
    let bytes = std::fs::read(&largest).expect("it can be read");
    std::fs::write(&largest, &bytes[..bytes.len() / 2]).expect("it can be written");
    let run = Run::of(place.command(&hub, &["model", "info", "--model", "acme/ner"]).env("HF_HUB_OFFLINE", "1"));
    assert_eq!(run.code, 3);
    assert!(run.stderr.contains("its hash is"), "{}", run.stderr);
    let again = place.info(&hub, "acme/ner");
    assert_eq!(again.code, 0, "{}", again.stderr);
}

#[test]
fn a_directory_wins_and_own_names_are_reserved() {
    let (hub, place) = (honest(), Place::new());
    let site = Site::new();
    for (name, bytes) in files("distilbert") {
        site.write(&format!("acme/ner/{name}"), bytes);
        site.write(&format!("base/{name}"), std::fs::read(site.path().join("acme/ner").join(&name)).expect("it is"));
    }
    let info = |arguments: &[&str]| {
        let mut command = place.command(&hub, &["model", "info"]);
        Run::of(command.current_dir(site.path()).args(arguments))
    };
    let own = info(&["--model", "acme/ner"]);
    assert!(own.stdout.contains("DistilBERT"), "{}{}", own.stdout, own.stderr);
    let directory = info(&["--model", "base"]);
    assert!(directory.stdout.contains("DistilBERT"), "{}{}", directory.stdout, directory.stderr);
    assert!(info(&["--model", "small"]).stdout.starts_with("model       onrecord-small@"));
    for (arguments, code, said) in [
        (&["--model", "./base2"][..], 3, "base2/config.json"),
        (&["--model", "a/b/c"], 3, "a/b/c/config.json"),
        (&["--model", "acme/ner", "--model-revision", "v2"], 2, "--model-revision v2"),
        (&["--model-revision", "v2"], 2, "--model-revision v2"),
        (&["--model", "acme/news@../../x"], 2, "is no revision"),
        (&["--model", "acme/news", "--model-revision", ".."], 2, "is no revision"),
        (&["--model", "acme/news@v1", "--model-revision", "v2"], 2, "names v1 already"),
    ] {
        let run = info(arguments);
        assert_eq!((run.code, run.stdout.as_str()), (code, ""), "{arguments:?}: {}", run.stderr);
        assert!(run.stderr.contains(said), "{arguments:?}: {}", run.stderr);
    }
    assert!(hub.asked().is_empty());
}

#[test]
fn base_is_looked_for_in_the_models_directory_and_beside_the_program() {
    let (hub, place) = (honest(), Place::new());
    let site = Site::new();
    let info = |models: Option<&str>| {
        let mut command = place.command(&hub, &["model", "info", "--model", "base"]);
        command.current_dir(site.path()).envs(models.map(|models| ("ONRECORD_MODELS", models)));
        Run::of(&mut command)
    };
    let missing = info(Some("kept"));
    assert_eq!((missing.code, missing.stdout.as_str()), (2, ""));
    for said in ["--model base: not found", "looked for it at kept/onrecord-base, /", ", models/onrecord-base. "] {
        assert!(missing.stderr.contains(said), "{}", missing.stderr);
    }
    for (directory, models) in [("kept/onrecord-base", Some("kept")), ("models/onrecord-base", None)] {
        for (name, bytes) in files("distilbert") {
            site.write(&format!("{directory}/{name}"), bytes);
        }
        let found = info(models);
        assert!(found.stdout.contains("DistilBERT"), "{directory}: {}{}", found.stdout, found.stderr);
    }
    assert!(hub.asked().is_empty());
}
