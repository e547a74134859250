//! Directories that cannot be used: a clear error each, never a panic.

use std::path::Path;

use onrecord::model::Model;
use serde_json::{Value, json};

use super::{directory, exact};

/// A copy of a model's directory, to be spoilt.
struct Copy(tempfile::TempDir);

impl Copy {
    fn of(name: &str) -> Self {
        let copy = Self(tempfile::tempdir().expect("there is room"));
        for entry in std::fs::read_dir(directory(name)).expect("the fixture is there") {
            let path = entry.expect("it can be read").path();
            let name = path.file_name().expect("it has a name").to_owned();
            std::fs::copy(&path, copy.path().join(name)).expect("it can be copied");
        }
        copy
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, file: &str, contents: impl AsRef<[u8]>) {
        std::fs::write(self.path().join(file), contents).expect("it can be written");
    }

    fn remove(&self, file: &str) {
        std::fs::remove_file(self.path().join(file)).expect("it is there");
    }

    fn configure(&self, change: impl FnOnce(&mut serde_json::Map<String, Value>)) {
        let config = std::fs::read(self.path().join("config.json")).expect("it is there");
        let mut config: Value = serde_json::from_slice(&config).expect("it is JSON");
        change(config.as_object_mut().expect("it is an object"));
        self.write("config.json", config.to_string());
    }

    fn message(&self) -> String {
        match Model::load(self.path(), exact()) {
            Ok(_) => panic!("the broken model loaded"),
            Err(error) => error.to_string(),
        }
    }
}

/// The message after a change to one field of `config.json`; null takes it out.
fn configured(name: &str, field: &str, value: &Value) -> String {
    let copy = Copy::of(name);
    copy.configure(|config| {
        if value.is_null() {
            config.remove(field);
        } else {
            config.insert(field.to_owned(), value.clone());
        }
    });
    copy.message()
}

#[test]
fn other_architectures_are_told_what_is_read() {
    for architectures in [json!(["T5ForTokenClassification"]), json!(["BertForMaskedLM"]), json!([]), json!(null)] {
        let message = configured("bert", "architectures", &architectures);
        for said in ["architectures names", "BertForTokenClassification", "ModernBertForTokenClassification"] {
            assert!(message.contains(said), "{message}");
        }
    }
}

#[test]
fn fields_that_cannot_be_are_named() {
    let labels =
        |ids: &[&str]| json!(ids.iter().map(|id| ((*id).to_owned(), json!("X"))).collect::<serde_json::Map<_, _>>());
    for (model, field, value, said) in [
        ("bert", "id2label", json!(null), "id2label is missing"),
        ("bert", "id2label", labels(&["0", "1", "3"]), "none for 2"),
        ("bert", "id2label", labels(&["1", "2"]), "none for 0"),
        ("bert", "id2label", labels(&[]), "0 labels"),
        ("bert", "id2label", json!({"0": 7}), "label 0 is 7"),
        ("bert", "id2label", labels(&["0", "1"]), "classifier.weight has shape"),
        ("bert", "hidden_size", json!(null), "hidden_size is missing"),
        ("bert", "hidden_size", json!("wide"), "hidden_size is \"wide\""),
        ("bert", "hidden_size", json!(0), "hidden_size is 0"),
        ("bert", "hidden_size", json!(64), "has shape"),
        ("bert", "num_attention_heads", json!(5), "not a multiple"),
        ("bert", "num_hidden_layers", json!(3), "bert.encoder.layer.2"),
        ("bert", "num_hidden_layers", json!(1_000_000_000), "num_hidden_layers"),
        ("bert", "vocab_size", json!(7), "tokenizer.json has"),
        ("bert", "max_position_embeddings", json!(1), "max_position_embeddings"),
        ("bert", "hidden_act", json!("quick_gelu"), "quick_gelu"),
        ("bert", "position_embedding_type", json!("relative_key"), "relative_key"),
        ("bert", "embedding_size", json!(16), "only ELECTRA"),
        ("roberta", "pad_token_id", json!(u64::MAX), "max_position_embeddings"),
        ("roberta", "pad_token_id", json!(511), "max_position_embeddings"),
        ("electra", "embedding_size", json!(21), "has shape"),
        ("mpnet", "relative_attention_num_buckets", json!(0), "buckets"),
        ("distilbert", "dim", json!(null), "dim is missing"),
        ("deberta-v2", "relative_attention", json!(false), "relative_attention"),
        ("deberta-v2", "conv_kernel_size", json!(3), "conv_kernel_size"),
        ("deberta-v2", "position_buckets", json!(1_000_000), "position_buckets"),
        ("deberta-v2", "position_buckets", json!(16), "rel_embeddings"),
        ("modernbert", "layer_types", json!(["full_attention"]), "layer_types"),
        ("modernbert", "rope_scaling", json!({"factor": 2}), "rope_scaling"),
        ("modernbert", "num_attention_heads", json!(32), "even number"),
        ("modernbert", "num_attention_heads", json!(0), "num_attention_heads"),
    ] {
        let message = configured(model, field, &value);
        assert!(message.contains(said), "{model} {field} {value}: {message}");
    }
}

#[test]
fn files_of_another_kind_are_told_what_to_do() {
    let pickled = Copy::of("bert");
    pickled.remove("model.safetensors");
    pickled.write("pytorch_model.bin", "PK");
    let message = pickled.message();
    for said in ["pytorch_model.bin", "model.safetensors", "AutoModelForTokenClassification", "save_pretrained"] {
        assert!(message.contains(said), "{message}");
    }
    let slow = Copy::of("bert");
    slow.remove("tokenizer.json");
    assert!(slow.message().contains("tokenizer.json"), "{}", slow.message());
    slow.write("vocab.txt", "[PAD]");
    let message = slow.message();
    for said in ["vocab.txt", "tokenizer.json", "AutoTokenizer", "save_pretrained"] {
        assert!(message.contains(said), "{message}");
    }
    let nothing = Copy::of("bert");
    nothing.remove("model.safetensors");
    assert!(nothing.message().contains("model.safetensors"), "{}", nothing.message());
}

#[test]
fn weights_that_are_not_whole_are_named() {
    let index = |map: Value| json!({"metadata": {}, "weight_map": map}).to_string();
    for (contents, said) in [
        (index(json!({"classifier.bias": "../../etc/passwd"})), "passwd"),
        (index(json!({"classifier.bias": "/model.safetensors"})), "no safetensors file beside it"),
        (index(json!({})), "names no files"),
        ("[]".to_owned(), "model.safetensors.index.json"),
        (index(json!({"classifier.bias": "model-00001-of-00003.safetensors"})), "is missing"),
        (index(json!({"classifier.bias": "model-00009-of-00003.safetensors"})), "model-00009-of-00003.safetensors"),
    ] {
        let copy = Copy::of("electra");
        copy.write("model.safetensors.index.json", contents);
        let message = copy.message();
        assert!(message.contains(said), "{said}: {message}");
    }
    let short = Copy::of("electra");
    let part = "model-00002-of-00003.safetensors";
    let bytes = std::fs::read(short.path().join(part)).expect("it is there");
    short.write(part, &bytes[..bytes.len() / 2]);
    assert!(short.message().contains("cut short"), "{}", short.message());
}

#[test]
fn tokenizers_that_do_not_fit_are_named() {
    let tokenizer = |change: fn(&mut Value)| {
        let copy = Copy::of("bert");
        let json = std::fs::read(copy.path().join("tokenizer.json")).expect("it is there");
        let mut json: Value = serde_json::from_slice(&json).expect("it is JSON");
        change(&mut json);
        copy.write("tokenizer.json", json.to_string());
        copy.message()
    };
    let none = tokenizer(|json| *json = json!({}));
    assert!(none.contains("tokenizer.json"), "{none}");
    let twice = tokenizer(|json| {
        let single = json["post_processor"]["single"].as_array_mut().expect("it has a template");
        single.insert(0, single[0].clone());
    });
    assert!(twice.contains("2 special tokens before a text"), "{twice}");
    let without = tokenizer(|json| {
        json["post_processor"] = Value::Null;
        let text = json.to_string().replace("[CLS]", "[BEGIN]");
        *json = serde_json::from_str(&text).expect("it is JSON");
    });
    assert!(without.contains("[CLS]"), "{without}");
}
