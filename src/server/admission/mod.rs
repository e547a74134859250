//! Who may come in, and how often.

pub(super) mod access;
pub(super) mod keys;
pub(super) mod quotas;
