//! Every error code of the server, with its HTTP status.

use actix_web::http::StatusCode;
use serde::Serialize;

macro_rules! codes {
    ($($code:ident = $name:literal, $status:ident;)*) => {
        /// A stable name for what went wrong, for programs to match on.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
        pub enum ErrorCode {
            $(
                #[doc = concat!("`", $name, "`, ", stringify!($status))]
                #[serde(rename = $name)]
                $code,
            )*
        }

        impl ErrorCode {
            /// All of them: the list in docs/serving.md, which a test compares.
            pub const ALL: &[Self] = &[$(Self::$code),*];

            /// As it is in answers.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$code => $name,)*
                }
            }

            /// The status of an answer that is nothing but this error.
            pub fn status(self) -> StatusCode {
                match self {
                    $(Self::$code => StatusCode::$status,)*
                }
            }
        }
    };
}

codes! {
    InvalidJson = "invalid_json", BAD_REQUEST;
    InvalidUtf8 = "invalid_utf8", BAD_REQUEST;
    InvalidHeader = "invalid_header", BAD_REQUEST;
    IncompleteBody = "incomplete_body", BAD_REQUEST;
    Unauthorized = "unauthorized", UNAUTHORIZED;
    Forbidden = "forbidden", FORBIDDEN;
    ForeignOrigin = "foreign_origin", FORBIDDEN;
    NotFound = "not_found", NOT_FOUND;
    UnknownModel = "unknown_model", NOT_FOUND;
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED;
    BodyTimeout = "body_timeout", REQUEST_TIMEOUT;
    StreamIdle = "stream_idle", REQUEST_TIMEOUT;
    Reloading = "reloading", CONFLICT;
    BodyTooLarge = "body_too_large", PAYLOAD_TOO_LARGE;
    TooManyDocuments = "too_many_documents", PAYLOAD_TOO_LARGE;
    DocumentTooLarge = "document_too_large", PAYLOAD_TOO_LARGE;
    TooManyTokens = "too_many_tokens", PAYLOAD_TOO_LARGE;
    UnsupportedMediaType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE;
    UnsupportedEncoding = "unsupported_encoding", UNSUPPORTED_MEDIA_TYPE;
    InvalidRequest = "invalid_request", UNPROCESSABLE_ENTITY;
    EmptyDocument = "empty_document", UNPROCESSABLE_ENTITY;
    Overloaded = "overloaded", TOO_MANY_REQUESTS;
    QuotaExceeded = "quota_exceeded", TOO_MANY_REQUESTS;
    InferenceFailed = "inference_failed", INTERNAL_SERVER_ERROR;
    ReloadFailed = "reload_failed", INTERNAL_SERVER_ERROR;
    Starting = "starting", SERVICE_UNAVAILABLE;
    Draining = "draining", SERVICE_UNAVAILABLE;
    DeadlineExceeded = "deadline_exceeded", SERVICE_UNAVAILABLE;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manual_lists_every_code_with_its_status() {
        let manual = include_str!("../../docs/serving.md");
        let rows = manual.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
        let rows = rows.filter_map(|(code, rest)| Some((code, rest.get(..3)?.parse::<u16>().ok()?)));
        let mut listed: Vec<(&str, u16)> = rows.collect();
        let mut known: Vec<_> = ErrorCode::ALL.iter().map(|code| (code.name(), code.status().as_u16())).collect();
        listed.sort_unstable();
        known.sort_unstable();
        assert_eq!(listed, known);
    }
}
