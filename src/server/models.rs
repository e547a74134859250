//! The names under which clients that must name a model know this one.

use super::codes::ErrorCode;
use super::errors::{ApiError, Problem};
use crate::engine::EntityScheme;
use crate::model::Model;
use serde_json::json;

/// The names of a model with entity schemes.
const NAMES: [(&str, EntityScheme); 2] =
    [("onrecord-small", EntityScheme::News9), ("onrecord-small-conll4", EntityScheme::Conll4)];

/// All names of this model, the first choice first.
pub(super) fn names(model: &Model) -> Vec<String> {
    if model.finds_statements() {
        return NAMES.iter().map(|(name, _)| (*name).to_owned()).collect();
    }
    vec![one_segment(&model.config().name)]
}

/// The entity head behind a name; `None` for the only one of a token classifier.
pub(super) fn scheme(model: &Model, name: &str) -> Result<Option<EntityScheme>, ApiError> {
    let names = names(model);
    if !names.iter().any(|known| known == name) {
        let message = format!("there is no model {name:?} here: use {}", names.join(" or "));
        return Err(Problem::new(ErrorCode::UnknownModel, message).with(json!({"models": names})).into());
    }
    Ok(NAMES.iter().find(|(known, _)| model.finds_statements() && *known == name).map(|(_, scheme)| *scheme))
}

/// A name as a segment of a path: the last one of `owner/model`, with a dash for what would need escapes.
fn one_segment(name: &str) -> String {
    let last = name.rsplit('/').find(|segment| !segment.is_empty()).unwrap_or("model");
    last.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '-' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_segments() {
        for (name, segment) in
            [("acme/news ner.v2", "news-ner.v2"), ("modèle", "mod-le"), ("a/b/", "b"), ("/", "model")]
        {
            assert_eq!(one_segment(name), segment);
        }
    }
}
