//! `config.json` of a token classifier as `transformers` writes it.

use serde_json::{Map, Value};

use super::architecture::{Activation, Architecture, Disentangled, Rotary};
use super::config::{EncoderConfig, ModelConfig, TOKEN_HEAD};

/// Architectures that are read, by the names of their classes, for messages and docs.
const SUPPORTED: [&str; 8] = [
    "BertForTokenClassification",
    "DistilBertForTokenClassification",
    "ElectraForTokenClassification",
    "RobertaForTokenClassification",
    "XLMRobertaForTokenClassification",
    "MPNetForTokenClassification",
    "DebertaV2ForTokenClassification",
    "ModernBertForTokenClassification",
];

/// Windows are not longer than this unless they are asked to be: what token classifiers are trained on is not, and
/// the work grows with it.
const WINDOW: usize = 512;

/// More labels than this are no labels.
const MOST_LABELS: usize = 4096;

/// The fields of a configuration.
struct Fields<'a>(&'a Map<String, Value>);

impl Fields<'_> {
    /// A whole number that must be there.
    fn number(&self, name: &str) -> Result<usize, String> {
        let value = self.0.get(name).ok_or_else(|| format!("{name} is missing"))?;
        whole(name, value)
    }

    /// A whole number, or what it is by default.
    fn number_or(&self, name: &str, default: usize) -> Result<usize, String> {
        self.given(name).map_or(Ok(default), |value| whole(name, value))
    }

    fn real_or(&self, name: &str, default: f64) -> Result<f64, String> {
        let not_a_number = |value| format!("{name} is {value}, not a number");
        self.given(name).map_or(Ok(default), |value| value.as_f64().ok_or_else(|| not_a_number(value)))
    }

    fn flag_or(&self, name: &str, default: bool) -> Result<bool, String> {
        let no_flag = |value| format!("{name} is {value}, not true or false");
        self.given(name).map_or(Ok(default), |value| value.as_bool().ok_or_else(|| no_flag(value)))
    }

    fn text_or<'s>(&'s self, name: &str, default: &'s str) -> Result<&'s str, String> {
        let no_text = |value| format!("{name} is {value}, not a string");
        self.given(name).map_or(Ok(default), |value| value.as_str().ok_or_else(|| no_text(value)))
    }

    /// A field that is there and not null.
    fn given(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    fn activation(&self, name: &str) -> Result<Activation, String> {
        let function = self.text_or(name, "gelu")?;
        Activation::named(function).ok_or_else(|| {
            format!("{name} is {function:?}: gelu, gelu_new, gelu_pytorch_tanh, relu and silu are computed here")
        })
    }
}

fn whole(name: &str, value: &Value) -> Result<usize, String> {
    let number = value.as_u64().and_then(|number| usize::try_from(number).ok());
    number.ok_or_else(|| format!("{name} is {value}, not a whole number"))
}

/// Reads the configuration; an error says what is wrong with which field.
pub(super) fn config(fields: &Map<String, Value>, name: &str) -> Result<ModelConfig, String> {
    let class = class(fields)?;
    let fields = Fields(fields);
    let encoder = encoder(&fields, class)?;
    let tags = tags(&fields)?;
    Ok(ModelConfig {
        model_type: fields.text_or("model_type", "")?.to_owned(),
        name: name.to_owned(),
        format: 1,
        max_window: encoder.window_limit().min(WINDOW),
        encoder,
        shapes: Vec::new(),
        gaps: Vec::new(),
        heads: [(TOKEN_HEAD.to_owned(), tags)].into(),
        links: None,
        coreference: None,
        speaker_scores: None,
        scores: None,
        weights_sha256: None,
        training_data: Vec::new(),
    })
}

/// The class that the weights are for.
fn class(fields: &Map<String, Value>) -> Result<&str, String> {
    let classes: Vec<&str> =
        fields.get("architectures").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let known = classes.iter().find(|class| SUPPORTED.contains(class));
    known.copied().ok_or_else(|| {
        let model_type = fields.get("model_type").and_then(Value::as_str).unwrap_or_default();
        let found = if classes.is_empty() { "nothing".to_owned() } else { classes.join(", ") };
        format!(
            "architectures names {found}, and model_type is {model_type:?}: a model for onrecord has \"onrecord\" there, \
             a token classifier one of the architectures {}",
            SUPPORTED.join(", ")
        )
    })
}

/// The names of the tags, in the order of their numbers.
fn tags(fields: &Fields<'_>) -> Result<Vec<String>, String> {
    let Some(Value::Object(map)) = fields.given("id2label") else {
        return Err("id2label is missing: it must name the labels, from \"0\" on".to_owned());
    };
    if !(1..=MOST_LABELS).contains(&map.len()) {
        return Err(format!("id2label names {} labels, not 1 to {MOST_LABELS}", map.len()));
    }
    let tag = |id: usize| match map.get(&id.to_string()) {
        Some(Value::String(label)) if !label.is_empty() => Ok(label.clone()),
        Some(other) => Err(format!("id2label: label {id} is {other}, not a name")),
        None => Err(format!("id2label names {} labels, but none for {id}: they must be numbered from 0 on", map.len())),
    };
    (0..map.len()).map(tag).collect()
}

fn encoder(fields: &Fields<'_>, class: &str) -> Result<EncoderConfig, String> {
    let positions = fields.text_or("position_embedding_type", "absolute")?;
    if positions != "absolute" {
        return Err(format!("position_embedding_type is {positions:?}: only absolute positions are read"));
    }
    let architecture = match class {
        "BertForTokenClassification" => Architecture::Bert,
        "DistilBertForTokenClassification" => return distilbert(fields),
        "ElectraForTokenClassification" => Architecture::Electra,
        "MPNetForTokenClassification" => {
            Architecture::MpNet { relative_buckets: fields.number_or("relative_attention_num_buckets", 32)? }
        }
        "DebertaV2ForTokenClassification" => Architecture::DebertaV2(disentangled(fields)?),
        "ModernBertForTokenClassification" => return modern_bert(fields),
        _ => Architecture::Roberta { padding: fields.number_or("pad_token_id", 1)? },
    };
    let hidden_size = fields.number("hidden_size")?;
    let default_epsilon = match architecture {
        Architecture::DebertaV2(_) => 1e-7,
        _ => 1e-12,
    };
    let type_vocab_size = match architecture {
        Architecture::MpNet { .. } => 0,
        Architecture::DebertaV2(_) => fields.number_or("type_vocab_size", 0)?,
        _ => fields.number_or("type_vocab_size", 2)?,
    };
    let embedding_size = fields.number_or("embedding_size", hidden_size)?;
    if embedding_size != hidden_size && architecture != Architecture::Electra {
        return Err(format!(
            "embedding_size is {embedding_size} and hidden_size {hidden_size}: only ELECTRA may have different ones"
        ));
    }
    Ok(EncoderConfig {
        vocab_size: fields.number("vocab_size")?,
        hidden_size,
        num_hidden_layers: fields.number("num_hidden_layers")?,
        num_attention_heads: fields.number("num_attention_heads")?,
        intermediate_size: fields.number("intermediate_size")?,
        max_position_embeddings: fields.number_or("max_position_embeddings", 512)?,
        type_vocab_size,
        layer_norm_eps: fields.real_or("layer_norm_eps", default_epsilon)?,
        activation: fields.activation("hidden_act")?,
        embedding_size: (embedding_size != hidden_size).then_some(embedding_size),
        architecture,
    })
}

fn distilbert(fields: &Fields<'_>) -> Result<EncoderConfig, String> {
    Ok(EncoderConfig {
        architecture: Architecture::DistilBert,
        vocab_size: fields.number("vocab_size")?,
        hidden_size: fields.number("dim")?,
        num_hidden_layers: fields.number("n_layers")?,
        num_attention_heads: fields.number("n_heads")?,
        intermediate_size: fields.number("hidden_dim")?,
        max_position_embeddings: fields.number_or("max_position_embeddings", 512)?,
        type_vocab_size: 0,
        layer_norm_eps: 1e-12,
        activation: fields.activation("activation")?,
        embedding_size: None,
    })
}

fn disentangled(fields: &Fields<'_>) -> Result<Disentangled, String> {
    if !fields.flag_or("relative_attention", false)? {
        return Err("relative_attention is off: DeBERTa is read with it only".to_owned());
    }
    if fields.number_or("conv_kernel_size", 0)? > 0 {
        return Err("conv_kernel_size is set: DeBERTa with a convolution is not read".to_owned());
    }
    // "c2p|p2c", or a list of both.
    let kinds = fields.given("pos_att_type").map(Value::to_string).unwrap_or_default();
    // What is not positive stands for the default.
    let positive = |name: &str| fields.given(name).and_then(Value::as_u64).filter(|&number| number > 0);
    let count = |number: u64| usize::try_from(number).map_err(|error| error.to_string());
    let max_distance = match positive("max_relative_positions") {
        Some(number) => count(number)?,
        None => fields.number_or("max_position_embeddings", 512)?,
    };
    let disentangled = Disentangled {
        buckets: positive("position_buckets").map_or(Ok(0), count)?,
        max_distance,
        content_to_position: kinds.contains("c2p"),
        position_to_content: kinds.contains("p2c"),
        shares_projections: fields.flag_or("share_att_key", false)?,
        normalises: fields.text_or("norm_rel_ebd", "none")?.to_lowercase().contains("layer_norm"),
        adds_positions: fields.flag_or("position_biased_input", true)?,
    };
    let (buckets, distance) = (disentangled.buckets, disentangled.max_distance);
    if buckets > 1 << 16 || distance > 1 << 16 || (buckets > 0 && distance < buckets) {
        return Err(format!("position_buckets is {buckets} and max_relative_positions {distance}"));
    }
    Ok(disentangled)
}

fn modern_bert(fields: &Fields<'_>) -> Result<EncoderConfig, String> {
    let layers = fields.number("num_hidden_layers")?;
    let every = fields.number_or("global_attn_every_n_layers", 3)?.max(1);
    let local = match fields.given("layer_types").and_then(Value::as_array) {
        Some(types) if types.len() == layers => types.iter().map(|kind| kind == "sliding_attention").collect(),
        Some(types) => return Err(format!("layer_types has {} entries for {layers} layers", types.len())),
        None if layers <= 1024 => (0..layers).map(|index| index % every != 0).collect(),
        None => return Err(format!("num_hidden_layers is {layers}")),
    };
    let angles = fields.given("rope_parameters");
    if fields.given("rope_scaling").is_some() {
        return Err("rope_scaling is set: ModernBERT is read without it only".to_owned());
    }
    let base = |kind: &str, older: &str, default: f64| -> Result<f64, String> {
        let own = angles.and_then(|angles| angles.get(kind)).and_then(Value::as_object);
        let rope_type = own.and_then(|own| own.get("rope_type")).and_then(Value::as_str).unwrap_or("default");
        if rope_type != "default" {
            return Err(format!("rope_parameters.{kind}.rope_type is {rope_type:?}: only \"default\" is read"));
        }
        match own.and_then(|own| own.get("rope_theta")) {
            Some(base) => base.as_f64().ok_or_else(|| format!("rope_parameters.{kind}.rope_theta is {base}")),
            None => fields.real_or(older, default),
        }
    };
    let hidden_size = fields.number("hidden_size")?;
    let heads = fields.number("num_attention_heads")?;
    let size = hidden_size.checked_div(heads).unwrap_or_default();
    if !size.is_multiple_of(2) || size > 1024 {
        return Err(format!("a head is {size} wide: rotary positions need an even number, at most 1024"));
    }
    Ok(EncoderConfig {
        architecture: Architecture::ModernBert(Rotary {
            local,
            reach: fields.number_or("local_attention", 128)? / 2,
            bases: (
                base("full_attention", "global_rope_theta", 160_000.0)?,
                base("sliding_attention", "local_rope_theta", 10_000.0)?,
            ),
            head_activation: fields.activation("classifier_activation")?,
        }),
        vocab_size: fields.number("vocab_size")?,
        hidden_size,
        num_hidden_layers: layers,
        num_attention_heads: heads,
        intermediate_size: fields.number("intermediate_size")?,
        max_position_embeddings: fields.number_or("max_position_embeddings", 8192)?,
        type_vocab_size: 0,
        layer_norm_eps: fields.real_or("norm_eps", 1e-5)?,
        activation: fields.activation("hidden_activation")?,
        embedding_size: None,
    })
}
