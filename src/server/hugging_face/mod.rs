//! Hugging Face's form of token classification, so that `huggingface_hub.InferenceClient` and whatever else speaks to
//! the Inference API finds here what it expects: [`Request`] in, lists of [`Item`] out.
//!
//! What comes out is what the token-classification pipeline of `transformers` makes of the same tokens, with three
//! differences, all of them to the better: tags come from the random field and not from each token alone, scores are
//! its marginal probabilities, and a long text is read to its end instead of being cut off in silence.

mod aggregate;
mod request;

use serde::Serialize;
use utoipa::ToSchema;

pub use aggregate::token_classification;
pub use request::{AggregationStrategy, Inputs, Parameters, Request};

/// A token (with the strategy `none`) or an entity (with any other).
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = TokenClassificationOutputElement)]
pub struct Item {
    /// With the strategy `none`: the token's tag, such as `B-PER`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub entity: Option<String>,
    /// With any other strategy: the entity's label, such as `PER`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub entity_group: Option<String>,
    /// Probability of the tag; of an entity, the mean over its tokens or words.
    pub score: f32,
    /// With the strategy `none`: the token's number, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub index: Option<usize>,
    /// The tokens as the vocabulary spells them, put together to words. This is not the text's own spelling: for that,
    /// take the characters from `start` to `end`.
    pub word: String,
    /// Where it begins, in Unicode code points.
    pub start: usize,
    /// Where it ends (exclusive), in Unicode code points.
    pub end: usize,
}

/// One list for one text, a list of lists for a list of texts.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Response {
    /// For one text.
    One(Vec<Item>),
    /// For a list of texts, in its order.
    Many(Vec<Vec<Item>>),
}

/// A member of the list that is the answer.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = TokenClassificationOutputMember)]
pub enum Member {
    /// Where the input was one text.
    Item(Item),
    /// Where it was a list: what is in one of them.
    List(Vec<Item>),
}
