//! The HTTP service.

pub mod inference_protocol;
