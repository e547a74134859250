//! All black-box tests in one binary: each test binary embeds the model, so one is enough.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

mod arithmetic;
#[cfg(feature = "batch")]
mod batch;
mod cli;
mod clone;
mod determinism;
mod giving_up;
mod goldens;
mod house;
#[cfg(all(feature = "embedded-model", feature = "hub"))]
mod hub;
#[cfg(feature = "server")]
mod hugging_face;
mod loading;
mod parity;
// With all features that the references describe, and no others.
#[cfg(all(feature = "batch", feature = "hub", feature = "server", not(feature = "otlp")))]
mod reference;
#[cfg(feature = "server")]
mod server;
mod service;
mod speakers;
mod support;
mod token_classifiers;
mod windows;
