//! A tiny model made on the spot: no encoder layers and no positions, so that what it says of a token depends on
//! that token alone. With it windows must make no difference whatever.

use std::borrow::Cow;
use std::collections::BTreeMap;

use onrecord::model::ModelFiles;
use onrecord::text::{GAPS, SHAPES};
use safetensors::tensor::{Dtype, TensorView};
use serde_json::json;

const HIDDEN: usize = 8;
const POSITIONS: usize = 4096;
const WIDTH: usize = 4;
const BUCKETS: usize = 64;

/// Numbers that look random and never change.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 40) as f32 / (1u64 << 24) as f32 - 0.5) * 2.0
    }
}

fn tags(labels: &[&str]) -> Vec<String> {
    let pairs = labels.iter().flat_map(|label| [format!("B-{label}"), format!("I-{label}")]);
    ["O".to_owned()].into_iter().chain(pairs).collect()
}

/// Heads of the tiny model with their tags.
fn heads() -> BTreeMap<String, Vec<String>> {
    let news = ["PER", "ORG", "LOC", "NORP", "FAC", "PRODUCT", "DATE", "MONEY", "MISC"];
    [("statement", &["source", "cue", "content"][..]), ("news9", &news), ("conll4", &["PER", "ORG", "LOC", "MISC"])]
        .into_iter()
        .map(|(name, labels)| (name.to_owned(), tags(labels)))
        .collect()
}

fn vocabulary() -> Vec<String> {
    let special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"].map(str::to_owned);
    let letters = ('a'..='z').chain('0'..='9').flat_map(|c| [c.to_string(), format!("##{c}")]);
    let marks = "\"'.,:;?!“”‘’«»()-".chars().map(String::from);
    special.into_iter().chain(letters).chain(marks).collect()
}

/// The three files of the tiny model.
pub fn files() -> ModelFiles {
    let vocabulary = vocabulary();
    let config = json!({
        "model_type": "onrecord", "name": "tiny", "format": 1,
        "encoder": {
            "vocab_size": vocabulary.len(), "hidden_size": HIDDEN, "num_hidden_layers": 0, "num_attention_heads": 2,
            "intermediate_size": 8, "max_position_embeddings": POSITIONS, "type_vocab_size": 1, "layer_norm_eps": 1e-12
        },
        "shapes": SHAPES, "gaps": GAPS, "max_window": POSITIONS, "heads": heads(),
        "links": {"width": WIDTH, "distance_buckets": BUCKETS}
    });
    let ids: BTreeMap<&str, usize> = vocabulary.iter().enumerate().map(|(id, token)| (token.as_str(), id)).collect();
    let tokenizer = json!({
        "version": "1.0", "added_tokens": [],
        // On purpose: the loader must switch both off.
        "truncation": {"direction": "Right", "max_length": 5, "strategy": "LongestFirst", "stride": 0},
        "padding": {"strategy": {"Fixed": 9}, "direction": "Right", "pad_to_multiple_of": null, "pad_id": 0,
                    "pad_type_id": 0, "pad_token": "[PAD]"},
        "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
                       "strip_accents": null, "lowercase": true},
        "pre_tokenizer": {"type": "BertPreTokenizer"}, "post_processor": null, "decoder": null,
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                  "max_input_chars_per_word": 100, "vocab": ids}
    });
    ModelFiles {
        origin: "tiny model".to_owned(),
        name: "tiny".to_owned(),
        config: Cow::Owned(config.to_string().into_bytes()),
        tokenizer: Cow::Owned(tokenizer.to_string().into_bytes()),
        weights: vec![Cow::Owned(weights(vocabulary.len()))],
    }
}

/// Every tensor that the configuration asks for.
fn weights(vocabulary: usize) -> Vec<u8> {
    let mut numbers = Numbers(2026);
    let mut tensors: Vec<(String, Vec<usize>, f32)> = Vec::new();
    let mut add = |name: String, shape: &[usize], size: f32| tensors.push((name, shape.to_vec(), size));
    let embedding = |name: &str| format!("bert.embeddings.{name}.weight");
    add(embedding("word_embeddings"), &[vocabulary, HIDDEN], 1.0);
    add(embedding("position_embeddings"), &[POSITIONS, HIDDEN], 0.0);
    add(embedding("token_type_embeddings"), &[1, HIDDEN], 0.0);
    add(embedding("shape_embeddings"), &[SHAPES.len(), HIDDEN], 0.3);
    add(embedding("gap_embeddings"), &[GAPS.len(), HIDDEN], 0.3);
    add(embedding("LayerNorm"), &[HIDDEN], 1.0);
    add("bert.embeddings.LayerNorm.bias".to_owned(), &[HIDDEN], 0.1);
    for (head, tags) in heads() {
        let count = tags.len();
        add(format!("heads.{head}.classifier.weight"), &[count, HIDDEN], 2.0);
        add(format!("heads.{head}.classifier.bias"), &[count], 0.5);
        add(format!("heads.{head}.transitions"), &[count, count], 1.0);
        add(format!("heads.{head}.start"), &[count], 1.0);
    }
    for link in ["content", "source"] {
        for part in ["span", "cue"] {
            add(format!("links.{link}.{part}.weight"), &[WIDTH, 2 * HIDDEN], 0.5);
            add(format!("links.{link}.{part}.bias"), &[WIDTH], 0.5);
        }
        add(format!("links.{link}.weight"), &[WIDTH, WIDTH], 2.0);
        add(format!("links.{link}.distance"), &[BUCKETS], 2.0);
    }
    add("links.content.none.weight".to_owned(), &[1, WIDTH], 1.0);
    add("links.content.none.bias".to_owned(), &[1], 1.0);
    let stored: Vec<(String, Vec<usize>, Vec<u8>)> = tensors
        .into_iter()
        .map(|(name, shape, size)| {
            let count = shape.iter().product();
            let bytes = (0..count).flat_map(|_| (numbers.next() * size).to_le_bytes()).collect();
            (name, shape, bytes)
        })
        .collect();
    let views = stored.iter().map(|(name, shape, bytes)| {
        (name.as_str(), TensorView::new(Dtype::F32, shape.clone(), bytes).expect("the shape fits the bytes"))
    });
    safetensors::serialize(views, None).expect("the tensors serialise")
}
