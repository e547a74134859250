//! Architectures of encoders: what each calls its tensors, and in what it differs from BERT.

use serde::{Deserialize, Serialize};

/// A kind of encoder, with what only it needs to know.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Architecture {
    /// Devlin et al. 2019.
    #[default]
    Bert,
    /// Clark et al. 2020: BERT whose embeddings may be narrower than its states.
    Electra,
    /// Liu et al. 2019, and XLM-RoBERTa (Conneau et al. 2020): BERT whose positions are counted from behind the number
    /// of the padding token.
    Roberta {
        /// That number.
        padding: usize,
    },
    /// Sanh et al. 2019: BERT without kinds of segments.
    DistilBert,
    /// Song et al. 2020: with a bias for how far apart two tokens stand.
    MpNet {
        /// Buckets of distances.
        relative_buckets: usize,
    },
    /// He et al. 2021: attention to contents and positions apart.
    DebertaV2(Disentangled),
    /// Warner et al. 2024: rotary positions, most layers see near tokens only.
    ModernBert(Rotary),
}

/// How DeBERTa looks at positions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Disentangled {
    /// Distances are told apart up to this many; 0: up to `max_distance`.
    pub buckets: usize,
    /// The largest distance that buckets are for.
    pub max_distance: usize,
    /// Contents look at positions.
    pub content_to_position: bool,
    /// Positions look at contents.
    pub position_to_content: bool,
    /// Positions are projected as contents are.
    pub shares_projections: bool,
    /// The table of positions is normalised.
    pub normalises: bool,
    /// Positions are also added to the words.
    pub adds_positions: bool,
}

/// How ModernBERT looks at positions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rotary {
    /// For each layer, whether it sees near tokens only.
    pub local: Vec<bool>,
    /// How far these see, in tokens to either side.
    pub reach: usize,
    /// The base of the angles in layers that see everything, and in the others.
    pub bases: (f64, f64),
    /// The projection of the prediction head.
    pub head_activation: Activation,
}

impl Architecture {
    /// The name by which papers know it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Bert => "BERT",
            Self::Electra => "ELECTRA",
            Self::Roberta { .. } => "RoBERTa",
            Self::DistilBert => "DistilBERT",
            Self::MpNet { .. } => "MPNet",
            Self::DebertaV2(_) => "DeBERTa-v2",
            Self::ModernBert(_) => "ModernBERT",
        }
    }

    /// What the names of all its tensors begin with.
    pub(super) fn prefix(&self) -> &'static str {
        match self {
            Self::Bert => "bert",
            Self::Electra => "electra",
            Self::Roberta { .. } => "roberta",
            Self::DistilBert => "distilbert",
            Self::MpNet { .. } => "mpnet",
            Self::DebertaV2(_) => "deberta",
            Self::ModernBert(_) => "model",
        }
    }

    /// Number of the first position in the table of positions.
    pub(super) fn first_position(&self) -> usize {
        match self {
            Self::Roberta { padding } => padding.saturating_add(1),
            Self::MpNet { .. } => 2,
            _ => 0,
        }
    }

    /// Whether positions are added to the words.
    pub(super) fn adds_positions(&self) -> bool {
        match self {
            Self::DebertaV2(disentangled) => disentangled.adds_positions,
            Self::ModernBert(_) => false,
            _ => true,
        }
    }

    /// Names of the embeddings' tensors, after the prefix: the table of words and the normalisation.
    pub(super) fn embedding_names(&self) -> (String, String) {
        let prefix = self.prefix();
        match self {
            Self::ModernBert(_) => {
                (format!("{prefix}.embeddings.tok_embeddings.weight"), format!("{prefix}.embeddings.norm"))
            }
            _ => (format!("{prefix}.embeddings.word_embeddings.weight"), format!("{prefix}.embeddings.LayerNorm")),
        }
    }

    /// Names of a layer's tensors, for those whose layers are built like BERT's.
    pub(super) fn layer_names(&self, index: usize) -> LayerNames {
        let prefix = self.prefix();
        match self {
            Self::DistilBert => {
                let name = |part: &str| format!("{prefix}.transformer.layer.{index}.{part}");
                LayerNames {
                    query: name("attention.q_lin"),
                    key: name("attention.k_lin"),
                    value: name("attention.v_lin"),
                    attention_output: name("attention.out_lin"),
                    attention_norm: name("sa_layer_norm"),
                    intermediate: name("ffn.lin1"),
                    output: name("ffn.lin2"),
                    output_norm: name("output_layer_norm"),
                }
            }
            _ => {
                let name = |part: &str| format!("{prefix}.encoder.layer.{index}.{part}");
                let (query, key, value, output, norm) = match self {
                    Self::MpNet { .. } => ("attn.q", "attn.k", "attn.v", "attn.o", "LayerNorm"),
                    Self::DebertaV2(_) => {
                        ("self.query_proj", "self.key_proj", "self.value_proj", "output.dense", "output.LayerNorm")
                    }
                    _ => ("self.query", "self.key", "self.value", "output.dense", "output.LayerNorm"),
                };
                let attention = |part: &str| name(&format!("attention.{part}"));
                LayerNames {
                    query: attention(query),
                    key: attention(key),
                    value: attention(value),
                    attention_output: attention(output),
                    attention_norm: attention(norm),
                    intermediate: name("intermediate.dense"),
                    output: name("output.dense"),
                    output_norm: name("output.LayerNorm"),
                }
            }
        }
    }
}

/// Names of a layer's tensors, without ".weight" and ".bias".
pub(super) struct LayerNames {
    pub(super) query: String,
    pub(super) key: String,
    pub(super) value: String,
    pub(super) attention_output: String,
    pub(super) attention_norm: String,
    pub(super) intermediate: String,
    pub(super) output: String,
    pub(super) output_norm: String,
}

/// The function between the two products of a layer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "known by these names")]
pub enum Activation {
    #[default]
    Gelu,
    GeluTanh,
    Relu,
    Silu,
}

impl Activation {
    /// By the name that `transformers` has for it; `None` for one that is not computed here.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "gelu" | "gelu_python" => Some(Self::Gelu),
            "gelu_new" | "gelu_fast" | "gelu_pytorch_tanh" => Some(Self::GeluTanh),
            "relu" => Some(Self::Relu),
            "silu" | "swish" => Some(Self::Silu),
            _ => None,
        }
    }
}
