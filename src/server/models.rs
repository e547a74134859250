//! The names under which clients that must name a model know this one.

use super::errors::{ApiError, Problem};
use crate::engine::EntityScheme;
use serde_json::json;

/// All of them.
pub(super) const NAMES: [&str; 2] = ["onrecord-small", "onrecord-small-conll4"];

/// The entity head behind a name.
pub(super) fn scheme(name: &str) -> Result<EntityScheme, ApiError> {
    match NAMES.iter().position(|known| *known == name) {
        Some(0) => Ok(EntityScheme::News9),
        Some(_) => Ok(EntityScheme::Conll4),
        None => {
            let message = format!("there is no model {name:?} here: use {}", NAMES.join(" or "));
            Err(Problem::new("unknown_model", message).with(json!({"models": NAMES})).into())
        }
    }
}
