//! The server room: the HTTP service.

pub mod hugging_face;
