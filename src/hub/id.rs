//! Names of models on the hub.

use std::fmt;

use super::HubError;

/// The revision of a model unless another is named.
const MAIN: &str = "main";

/// A model on the hub, `owner/model`, at a revision: a branch, a tag or a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelId {
    name: String,
    revision: String,
}

impl ModelId {
    /// Reads `owner/model` or `owner/model@revision`; `None` for what has another form, such as a path.
    ///
    /// # Errors
    /// [`HubError::Name`] for a revision that can be none.
    pub fn parse(text: &str) -> Result<Option<Self>, HubError> {
        let (name, revision) = text.split_once('@').map_or((text, None), |(name, revision)| (name, Some(revision)));
        let id = Self { name: name.to_owned(), revision: MAIN.to_owned() };
        match name.split_once('/') {
            Some((owner, model)) if is_segment(owner) && is_segment(model) => {
                revision.map_or(Ok(id.clone()), |revision| id.at(revision)).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// The same model at another revision.
    ///
    /// # Errors
    /// [`HubError::Name`] for what can be no revision.
    pub fn at(self, revision: &str) -> Result<Self, HubError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/');
        // It becomes a path in the cache.
        let segments = |segment: &str| !segment.is_empty() && !segment.starts_with('.');
        if revision.len() <= 200 && revision.chars().all(plain) && revision.split('/').all(segments) {
            return Ok(Self { revision: revision.to_owned(), ..self });
        }
        Err(HubError::Name(format!("{revision:?} is no revision of {}: name a branch, a tag or a commit", self.name)))
    }

    /// `owner/model`
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A branch, a tag or a commit.
    pub fn revision(&self) -> &str {
        &self.revision
    }
}

impl fmt::Display for ModelId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.revision.as_str() {
            MAIN => formatter.write_str(&self.name),
            revision => write!(formatter, "{}@{revision}", self.name),
        }
    }
}

/// What may stand before or behind the slash.
fn is_segment(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let edge = |c: char| matches!(c, '.' | '-');
    (1..=96).contains(&text.len())
        && text.chars().all(plain)
        && !text.starts_with(edge)
        && !text.ends_with(edge)
        && !text.contains("..")
        && !text.contains("--")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_an_owner() {
        let id = ModelId::parse("acme/news-ner_v2.1").expect("no revision").expect("a name");
        assert_eq!(
            (id.name(), id.revision(), id.to_string().as_str()),
            ("acme/news-ner_v2.1", "main", "acme/news-ner_v2.1")
        );
        let id = ModelId::parse("acme/ner@v1.0").expect("a revision").expect("a name");
        assert_eq!((id.revision(), id.to_string().as_str()), ("v1.0", "acme/ner@v1.0"));
        assert_eq!(id.at("refs/pr/3").expect("a revision").revision(), "refs/pr/3");
        for path in ["ner", "a/b/c", "./a", "../a", "/a/b", "a/", "a/..", "a/b c", "~/a", "", "a--b/c", "@main"] {
            assert_eq!(ModelId::parse(path).expect("no revision"), None, "{path}");
        }
    }

    #[test]
    fn revisions_stay_in_the_cache() {
        for revision in ["", "../../x", "a/../b", "/etc", "a//b", ".git", "a b", "a\n", "%2e%2e"] {
            let message = ModelId::parse(&format!("a/b@{revision}")).unwrap_err().to_string();
            assert!(message.contains("is no revision of a/b"), "{message}");
        }
    }
}
