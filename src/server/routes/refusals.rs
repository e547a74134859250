//! How routes may refuse whose clients expect a plain text for an error: for the description of the interface.

use utoipa::IntoResponses;

use crate::server::inference_protocol::ProtocolError;

/// How every route of the Hugging Face and KServe clients may refuse.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "for the description")]
pub(in crate::server) enum PlainRefusal {
    /// No valid API key
    #[response(status = 401)]
    Unauthorized(ProtocolError),
    /// Starting, shutting down, or out of time
    #[response(status = 503)]
    Unavailable(ProtocolError),
}

/// How those may refuse that read a body.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "for the description")]
pub(in crate::server) enum PlainBodyRefusal {
    /// A page of another origin
    #[response(status = 403)]
    Foreign(ProtocolError),
    /// The body took too long to come
    #[response(status = 408)]
    TooSlow(ProtocolError),
    /// Too large
    #[response(status = 413)]
    TooLarge(ProtocolError),
    /// A media type or an encoding that is not read here
    #[response(status = 415)]
    UnsupportedMedia(ProtocolError),
    /// Too much is waiting: see Retry-After
    #[response(status = 429)]
    Overloaded(ProtocolError),
}
