//! The routes: each turns its clients' form into documents, and answers back.

pub(super) mod documentation;
pub(super) mod export;
pub(super) mod extract;
pub(super) mod kserve;
pub(super) mod refusals;
pub(super) mod reload;
pub(super) mod status;
pub(super) mod stream;
pub(super) mod token_classification;
