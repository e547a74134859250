//! Other lexicons in place of the program's own, to measure what a list is worth. Only with the feature `benchmarks`.

use std::sync::{PoisonError, RwLock};

use super::Lexicon;

static OTHER: RwLock<Option<&'static Lexicon>> = RwLock::new(None);

pub(super) fn in_use() -> Option<&'static Lexicon> {
    *OTHER.read().unwrap_or_else(PoisonError::into_inner)
}

/// Has everything decoded with another lexicon from here on, given as TOML. It is never freed.
///
/// # Errors
/// What is wrong with it.
pub fn use_lexicon(toml: &str) -> Result<(), String> {
    let lexicon: Lexicon = basic_toml::from_str(toml).map_err(|error| error.to_string())?;
    *OTHER.write().unwrap_or_else(PoisonError::into_inner) = Some(Box::leak(Box::new(lexicon)));
    Ok(())
}
