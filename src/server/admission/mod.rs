//! Who may come in, and how often.

pub(super) mod access;
pub(super) mod allowed_origin;
pub(super) mod keys;
pub(super) mod origins;
pub(super) mod quotas;
