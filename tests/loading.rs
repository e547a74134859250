//! Model files that are broken in every way that files break: a clear error each, never a panic.

use std::borrow::Cow;
use std::process::Command;

use onrecord::engine::{Engine, Extraction, Options};
use onrecord::model::{Architecture, Model, ModelFiles};
use onrecord::text::Document;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde_json::{Value, json};

use crate::support::{arithmetic, fixture, tiny};

/// The message that loading the tiny model gives after a change to its files.
fn message(change: impl FnOnce(&mut ModelFiles)) -> String {
    let mut files = tiny::files();
    change(&mut files);
    match Model::from_files(&files, arithmetic()) {
        Ok(_) => panic!("the broken model loaded"),
        Err(error) => error.to_string(),
    }
}

/// The message after a change to one field of config.json.
fn config_message(path: &str, value: Value) -> String {
    message(|files| {
        let mut config: Value = serde_json::from_slice(&files.config).expect("it is JSON");
        *config.pointer_mut(path).expect("the field exists") = value;
        files.config = Cow::Owned(config.to_string().into_bytes());
    })
}

#[test]
fn broken_weights_are_named() {
    let truncated = message(|files| {
        let half = files.weights[0].len() / 2;
        files.weights[0].to_mut().truncate(half);
    });
    assert!(truncated.contains("model.safetensors") && truncated.contains("cut short"), "{truncated}");
    let empty = message(|files| files.weights = vec![Cow::Borrowed(b"")]);
    assert!(empty.contains("model.safetensors"), "{empty}");
    let noise = message(|files| files.weights = vec![Cow::Borrowed(&[0xff; 64])]);
    assert!(noise.contains("model.safetensors"), "{noise}");
}

#[test]
fn weights_that_the_configuration_does_not_name_are_refused() {
    let load = |sum: String| {
        let mut files = tiny::files();
        let mut config: Value = serde_json::from_slice(&files.config).expect("it is JSON");
        config["weights_sha256"] = json!(sum);
        files.config = Cow::Owned(config.to_string().into_bytes());
        Model::from_files(&files, arithmetic())
    };
    let refused = load("0".repeat(64)).err().expect("these are other weights").to_string();
    let found = refused.split("SHA-256 ").nth(1).expect("it says what it found")[..64].to_owned();
    assert!(refused.contains(&"0".repeat(64)) && refused.contains("get the model again"), "{refused}");
    load(found.to_uppercase()).expect("these are the weights");
    // What is built in says what it is.
    let embedded = Model::embedded(arithmetic()).expect("it loads");
    assert_eq!(embedded.config().weights_sha256.as_deref(), Some(embedded.weights_hash()));
}

#[test]
fn a_model_with_any_other_file_is_another_model() {
    let load = |files: &ModelFiles| Model::from_files(files, arithmetic()).expect("it loads");
    let original = load(&tiny::files());
    let more = |file: &mut Cow<'static, [u8]>| file.to_mut().push(b' ');
    let mut seen = vec![original.identifier()];
    for is_config in [true, false] {
        let mut files = tiny::files();
        more(if is_config { &mut files.config } else { &mut files.tokenizer });
        let changed = load(&files);
        assert_eq!(changed.weights_hash(), original.weights_hash());
        seen.push(changed.identifier());
    }
    let mut files = tiny::files();
    *files.weights[0].to_mut().last_mut().expect("there are weights") ^= 1;
    seen.push(load(&files).identifier());
    // What is at the end of one file may not count as the beginning of the next.
    let mut files = tiny::files();
    more(&mut files.config);
    more(&mut files.tokenizer);
    seen.push(load(&files).identifier());
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 5, "{seen:?}");
    assert!(seen.iter().all(|model| model.len() == "tiny@".len() + 12), "{seen:?}");
}

/// The recipe of docs/models.md.
#[cfg(target_os = "linux")]
#[test]
fn anybody_can_calculate_the_id_of_a_model() {
    let recipe = "(sha256sum < config.json; sha256sum < tokenizer.json; cat *.safetensors | sha256sum) | sha256sum";
    for name in ["bert", "electra"] {
        let directory = fixture("token_classifiers").join(name);
        let calculated = Command::new("sh").args(["-c", recipe]).current_dir(&directory).output().expect("sh starts");
        let model = Model::load(&directory, arithmetic()).expect("it loads");
        assert!(calculated.stdout.starts_with(model.hash().as_bytes()), "{name}: {}", model.hash());
    }
}

#[test]
fn weights_of_another_shape_are_named() {
    let wrong = config_message("/links/width", json!(5));
    assert!(wrong.contains("links.content") && wrong.contains("config.json asks for"), "{wrong}");
    let missing = config_message("/encoder/num_hidden_layers", json!(1));
    assert!(missing.contains("bert.encoder.layer.0") && missing.contains("missing"), "{missing}");
}

#[test]
fn broken_configurations_are_named() {
    for (path, value, expected) in [
        ("/model_type", json!("bert"), "model_type"),
        ("/format", json!(2), "format"),
        ("/encoder/hidden_size", json!(0), "hidden_size"),
        ("/encoder/hidden_size", json!(7), "multiple"),
        ("/encoder/num_attention_heads", json!(3), "multiple"),
        ("/encoder/vocab_size", json!(3), "vocab_size"),
        ("/encoder/num_hidden_layers", json!(1_000_000_000), "num_hidden_layers"),
        ("/max_window", json!(2), "max_window"),
        ("/max_window", json!(100_000), "max_window"),
        ("/shapes", json!(["lower"]), "shapes"),
        ("/heads/news9", json!(["O", "B-PER"]), "heads.news9"),
        ("/heads/news9", json!(["O", "B-PER", "I-ORG"]), "heads.news9"),
        ("/heads/statement", json!(["O", "B-cue", "I-cue"]), "heads.statement"),
        ("/links/distance_buckets", json!(3), "distance_buckets"),
        ("/encoder", json!("small"), "config.json"),
    ] {
        let found = config_message(path, value);
        assert!(found.contains("config.json") && found.contains(expected), "{path}: {found}");
    }
    let no_json = message(|files| files.config = Cow::Borrowed(b"{"));
    assert!(no_json.contains("config.json"), "{no_json}");
}

#[test]
fn broken_tokenizers_are_named() {
    let no_json = message(|files| files.tokenizer = Cow::Borrowed(b"[]"));
    assert!(no_json.contains("tokenizer.json"), "{no_json}");
    let other = message(|files| {
        let text = String::from_utf8_lossy(&files.tokenizer).replace("[CLS]", "<x>");
        files.tokenizer = Cow::Owned(text.into_bytes());
    });
    assert!(other.contains("[CLS]"), "{other}");
}

#[test]
fn a_tokenizer_that_the_library_fails_on_is_refused() {
    // Found by fuzzing: the library panics on a decoder that is none, and on a template of tokens that it is not told.
    let template = r#""post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"[BEGIN]","type_id":0}},
        {"Sequence":{"id":"A","type_id":0}}],"pair":[],"special_tokens":{}}"#;
    for part in [r#""decoder":7"#, r#""decoder":{"type" 7}"#, r#""decoder":{"type":"none"}"#, template] {
        let message = message(|files| {
            let nothing = format!("{}:null", &part[..part.find(':').unwrap()]);
            let text = String::from_utf8_lossy(&files.tokenizer).replace(&nothing, part);
            assert!(text.contains(part));
            files.tokenizer = Cow::Owned(text.into_bytes());
        });
        assert!(message.contains("tokenizer.json: cannot read the tokenizer"), "{message}");
    }
}

/// The tiny model with its embeddings under another encoder's names, and a table of relative positions.
fn on_mpnet() -> ModelFiles {
    let mut files = tiny::files();
    let mut config: Value = serde_json::from_slice(&files.config).expect("it is JSON");
    config["encoder"]["architecture"] = json!({"mpnet": {"relative_buckets": 32}});
    config["encoder"]["type_vocab_size"] = json!(0);
    // Two positions are not for tokens.
    config["max_window"] = json!(4094);
    files.config = Cow::Owned(config.to_string().into_bytes());
    let tensors = SafeTensors::deserialize(&files.weights[0]).expect("they are tensors");
    let renamed = tensors.tensors().into_iter().map(|(name, view)| (name.replace("bert.", "mpnet."), view));
    let bias = vec![0; 32 * 2 * 4];
    let bias = TensorView::new(Dtype::F32, vec![32, 2], &bias).expect("the shape fits the bytes");
    let added = ("mpnet.encoder.relative_attention_bias.weight".to_owned(), bias);
    let weights = safetensors::serialize(renamed.chain([added]), None).expect("the tensors serialise");
    files.weights = vec![Cow::Owned(weights)];
    files
}

#[test]
fn our_heads_stand_on_other_encoders() {
    let text = "Aab said “bcd efg”, hij klm. Nop qrs tuv wxy: zab cde, fgh “ijk”. ".repeat(4);
    let found = [tiny::files(), on_mpnet()].map(|files| {
        let model = Model::from_files(&files, arithmetic()).expect("it loads");
        let engine = Engine::new(model, Options::default(), 1).expect("it starts");
        let document = Document::new("d", text.as_str()).expect("there is text");
        Extraction { model: String::new(), ..engine.extract(&[document]).remove(0).expect("it is processed") }
    });
    assert!(!found[0].statements.is_empty());
    assert_eq!(found[0], found[1], "positions are all alike in the tiny model, so the encoders say the same");
    let model = Model::from_files(&on_mpnet(), arithmetic()).expect("it loads");
    assert_eq!(model.config().encoder.architecture, Architecture::MpNet { relative_buckets: 32 });
    assert_eq!(model.config().encoder.window_limit(), 4094);
}
