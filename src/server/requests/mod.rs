//! What all routes do with a request: read it within limits, run its documents, put the results into form.

pub(super) mod body;
pub(super) mod budget;
pub(super) mod lines;
pub(super) mod options;
pub(super) mod parsing;
pub(super) mod results;
pub(super) mod run;
pub(super) mod sending;
pub(super) mod unread;
