//! onrecord reads news text and returns its named entities and who said what: every direct, indirect and mixed
//! quotation with its source, cue and content, and the person or organisation behind it.
//!
//! Data flows one way through the rooms of this crate, and a room knows only the rooms before it:
//!
//! ```text
//! text (document, offsets, windows) -> model (weights, encoder, heads) -> decode (entities, statements, speakers)
//!   -> engine (queue, batches, workers) -> cli | server | batch    beside them: eval, export, hub
//! ```
//!
//! The short way in:
//!
//! ```no_run
//! use onrecord::{engine::{Engine, Options}, model::{Arithmetic, Model}, text::Document};
//!
//! let model = Model::embedded(Arithmetic::new(None)?)?;
//! let engine = Engine::new(model, Options::default(), 0)?;
//! let document = Document::new("doc-1", "“The pier is beyond repair,” said Claire Moreau.")?;
//! for extraction in engine.extract(&[document]) {
//!     for statement in extraction?.statements {
//!         println!("{:?}: {}", statement.speaker, statement.content[0].text);
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

// For the tiny model, which tests from outside use too.
#[cfg(any(test, feature = "fuzzing"))]
extern crate self as onrecord;

#[cfg(feature = "batch")]
pub mod batch;
pub mod cli;
pub mod decode;
pub mod engine;
pub mod eval;
pub mod export;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
#[cfg(feature = "hub")]
pub mod hub;
mod json;
pub mod model;
#[cfg(feature = "server")]
pub mod server;
pub mod text;
