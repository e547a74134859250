//! The commands: what each can be told, and what it does.

#[cfg(feature = "batch")]
pub(super) mod batch;
pub(super) mod evaluate;
pub(super) mod export;
pub(super) mod extract;
pub(super) mod info;
#[cfg(feature = "server")]
pub(super) mod serve;
