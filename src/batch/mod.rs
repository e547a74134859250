//! The batch room: archives in, results out, in files that programs for data read.
//!
//! Knows file formats, and nothing of tensors, terminals or HTTP.

pub mod columns;
