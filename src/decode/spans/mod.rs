//! Spans: from the scores of windows to labelled stretches of the text.
//!
//! Scores are stitched where windows overlap, tags are decoded paragraph by paragraph, and borders and labels are settled. This
//! room knows neither statements nor speakers.

mod consistency;
pub(super) mod paragraphs;
mod sentence_tails;
mod sources;
mod span;
mod stitch;
mod tags;

pub(super) use consistency::{is_open, settle_labels};
pub(super) use sentence_tails::end_before_tail;
pub(super) use sources::{ROLE_OF_LABEL, begins_with_subject, spare_sources};
pub use span::{Entity, Segment, TaggedToken};
pub(super) use stitch::{Arrivals, best_window, stitch};
pub(super) use tags::{TagSpan, decode_tags, softmax, tag_tokens};
