//! What all of the room reads.

use crate::model::Model;
use crate::text::Tokens;

/// What is being decoded: a document's text and tokens, and the model that read them.
#[derive(Clone, Copy)]
#[expect(missing_docs, reason = "said above")]
pub struct Reading<'a> {
    pub model: &'a Model,
    pub text: &'a str,
    pub tokens: &'a Tokens,
}
