//! What is asked of the service, and what it answers.

use std::time::Duration;

use crate::decode::TaggedToken;
use crate::engine::{EngineError, EntityScheme, Extraction, Options};

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Want {
    /// Entities, statements and speakers.
    Extraction(Options),
    /// What an entity head says of each token; `None`: the model's first choice.
    Tags(Option<EntityScheme>),
}

/// What was found in one document.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// For [`Want::Extraction`].
    Extraction(Box<Extraction>),
    /// For [`Want::Tags`]: all tokens, in text order.
    Tags(Vec<TaggedToken>),
}

/// The answer for one document.
#[derive(Debug)]
pub struct Answer {
    /// The document's place in its request, from 0.
    pub place: usize,
    /// What was found, or why nothing was.
    pub found: Result<Found, EngineError>,
    /// How much work it was.
    pub usage: Usage,
    /// How long it took.
    pub timings: Timings,
}

/// How much work a document was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Windows run.
    pub windows: usize,
    /// Tokens in them; those in two windows count twice, special ones do not.
    pub tokens: usize,
}

/// How long a document took, by stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Timings {
    /// From the request to the first work on the document.
    pub queue: Duration,
    /// Tokenising, and cutting into windows.
    pub tokenise: Duration,
    /// Its share of the time that its batches took.
    pub inference: Duration,
    /// From scores to the finished result.
    pub decode: Duration,
}
