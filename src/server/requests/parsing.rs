//! What clients write, read into types; and what is wrong with it told without a word of theirs.

use std::fmt::Display;

use serde::Deserialize;

use crate::json::is_field_name;
use crate::server::codes::ErrorCode;
use crate::server::errors::ApiError;

/// Reads JSON into a type. What is no JSON is a bad request; what is JSON of another form cannot be processed.
pub(in crate::server) fn json<'body, T: Deserialize<'body>>(body: &'body [u8]) -> Result<T, ApiError> {
    let text = std::str::from_utf8(body).map_err(|error| {
        let at = error.valid_up_to();
        ApiError::new(
            ErrorCode::InvalidUtf8,
            format!("the body is not valid UTF-8 at byte {at}: convert it to UTF-8 first"),
        )
    })?;
    serde_json::from_str(text).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => ApiError::new(
            ErrorCode::InvalidRequest,
            format!("the body has not the expected form: {}", without_texts(&error)),
        ),
        _ => ApiError::new(ErrorCode::InvalidJson, format!("the body is not valid JSON: {error}")),
    })
}

/// What serde says is wrong, without what it found in a place where it expected something else: that may be somebody's text.
/// A name of a field is shown only if it looks like one.
pub(in crate::server) fn without_texts(error: &impl Display) -> String {
    let message = error.to_string();
    // What was found comes first, and may hold anything; what was expected is the program's own.
    let Some((found, expected)) = message.rsplit_once(", expected ") else { return message };
    let found = match found.split_once(['"', '`']) {
        Some((start, _)) if start.ends_with(": string ") => start.replace(": string ", ": a string"),
        Some((start, name)) if start.ends_with("unknown field ") => match name.strip_suffix('`') {
            Some(name) if is_field_name(name) => found.to_owned(),
            _ => start.trim_end().to_owned(),
        },
        Some((start, _)) if start.ends_with("unknown variant ") => start.trim_end().to_owned(),
        _ => found.to_owned(),
    };
    format!("{found}, expected {expected}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        #[expect(dead_code, reason = "it is only read")]
        number: Option<f32>,
        #[expect(dead_code, reason = "it is only read")]
        kind: Option<Kind>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        One,
        Two,
    }

    fn told(body: serde_json::Value) -> String {
        without_texts(&serde_json::from_value::<Body>(body).expect_err("it is of another form"))
    }

    #[test]
    fn what_was_found_is_not_told() {
        for text in [
            "Quillfeather",
            "\"Quillfeather\", expected `Quillfeather`, said",
            "`Quillfeather`",
            "x: string \"Quillfeather",
        ] {
            for body in [json!(text), json!({"number": text}), json!({"kind": text}), json!({(text): 1})] {
                let told = told(body);
                assert!(!told.contains("Quillfeather") && told.contains(", expected "), "{told}");
            }
        }
    }

    #[test]
    fn what_helps_is_told() {
        assert_eq!(told(json!({"number": "much"})), "invalid type: a string, expected f32");
        assert_eq!(told(json!({"number": true})), "invalid type: boolean `true`, expected f32");
        assert_eq!(told(json!({"kind": "three"})), "unknown variant, expected `one` or `two`");
        assert_eq!(told(json!({"numbers": 1})), "unknown field `numbers`, expected `number` or `kind`");
        assert_eq!(told(json!({"My numbers": 1})), "unknown field, expected `number` or `kind`");
        let query = actix_web::web::Query::<Body>::from_query("kind=three").expect_err("there is no such kind");
        assert!(without_texts(&query).ends_with("unknown variant, expected `one` or `two`"), "{query}");
        // What has been told may be told again.
        assert_eq!(
            without_texts(&"unknown variant, expected `one` or `two`"),
            "unknown variant, expected `one` or `two`"
        );
    }

    #[test]
    fn bodies_are_told_apart() {
        let code = |body: &[u8]| json::<Body>(body).expect_err("it cannot be read").problem.code;
        assert_eq!(code(b"{\"kind\": \xff}"), ErrorCode::InvalidUtf8);
        assert_eq!(code(b"{\"kind\""), ErrorCode::InvalidJson);
        assert_eq!(code(b"{\"number\": \"much\"}"), ErrorCode::InvalidRequest);
    }
}
