//! The process around the service: what it is told at its start, where it listens, what it logs, how it ends.

pub(super) mod configuration;
pub(super) mod connection;
pub(super) mod ending;
pub(super) mod loader;
pub(super) mod logs;
pub(super) mod signals;
#[cfg(unix)]
pub(super) mod socket;
pub(super) mod startup;
pub(super) mod tls;
#[cfg(feature = "otlp")]
pub(super) mod traces;
