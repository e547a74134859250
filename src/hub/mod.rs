//! The hub: models by name from Hugging Face's hub, kept in the cache that its other clients use.
//!
//! A model is a handful of files of one commit. They are downloaded once, checked against the hashes that the hub has
//! for them, and from then on read from the cache. What the environment says (`HF_HOME`, `HF_TOKEN`, `HF_ENDPOINT`,
//! `HF_HUB_OFFLINE`) is read here and handed to the client library. What comes out is a directory: of models this room
//! knows their files' names only.

mod checks;
mod fetch;
mod id;

use std::path::PathBuf;
use std::time::Duration;

use hf_hub::Cache;

pub use id::ModelId;

/// Why a model of the hub cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// What was given is no name of a model, or no revision.
    #[error("{0}")]
    Name(String),
    /// A variable of the environment cannot be used.
    #[error("{0}")]
    Environment(String),
    /// The hub does not have it, or not for everybody.
    #[error(
        "{endpoint} has no model {id} (a directory of that name is not here, either); if it is private, or its terms \
         must be accepted, set HF_TOKEN ({status})"
    )]
    NoModel {
        /// The hub.
        endpoint: String,
        /// The model, with its revision.
        id: String,
        /// What the hub answered.
        status: String,
    },
    /// A model without a file that is needed.
    #[error("{id} on {endpoint}: {reason}")]
    Files {
        /// The hub.
        endpoint: String,
        /// The model, with its revision.
        id: String,
        /// What is missing, and what to do.
        reason: String,
    },
    /// Only the cache may be looked at, and the model is not in it.
    #[error(
        "{id} is not in the cache {cache} ({missing} is missing), and HF_HUB_OFFLINE forbids to download it; a directory \
         of that name is not here, either"
    )]
    Offline {
        /// The model, with its revision.
        id: String,
        /// The cache.
        cache: String,
        /// What is missing.
        missing: String,
    },
    /// The network, or the hub at its other end, failed.
    #[error("cannot get {what} of {id} from {endpoint}: {reason}")]
    Network {
        /// The file, or the list of files.
        what: String,
        /// The model, with its revision.
        id: String,
        /// The hub.
        endpoint: String,
        /// What went wrong.
        reason: String,
    },
    /// A file is not what the hub says it is.
    #[error("{path}: {reason}; it has been deleted: run the command again to download it anew")]
    Spoilt {
        /// The file in the cache.
        path: String,
        /// How it differs.
        reason: String,
    },
    /// The cache cannot be read or written.
    #[error("the cache of models, {path}: {reason}")]
    Cache {
        /// The place in it.
        path: String,
        /// What the system said.
        reason: String,
    },
}

/// Where models are got from.
pub struct Hub {
    /// Without a slash at its end.
    endpoint: String,
    cache: Cache,
    token: Option<String>,
    /// Only the cache is looked at.
    is_offline: bool,
    /// The hub may be silent for so long.
    patience: Duration,
}

/// The hub unless `HF_ENDPOINT` names another.
const ENDPOINT: &str = "https://huggingface.co";

/// How long the hub may be silent unless `HF_HUB_DOWNLOAD_TIMEOUT` says otherwise.
const PATIENCE: Duration = Duration::from_secs(30);

impl Hub {
    /// The hub that the environment describes, a function from names of variables to values.
    ///
    /// # Errors
    /// [`HubError::Environment`].
    pub fn new(variable: impl Fn(&str) -> Option<String>) -> Result<Self, HubError> {
        let given = |name: &str| variable(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        let endpoint = given("HF_ENDPOINT").unwrap_or_else(|| ENDPOINT.to_owned());
        let endpoint = endpoint.trim_end_matches('/').to_owned();
        let is_web =
            ["http://", "https://"].iter().any(|scheme| endpoint.len() > scheme.len() && endpoint.starts_with(scheme));
        if !is_web || endpoint.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(HubError::Environment(format!("HF_ENDPOINT is {endpoint:?}, not an http or https address")));
        }
        let home = given("HF_HOME").map(PathBuf::from).or_else(|| {
            let cache = given("XDG_CACHE_HOME").map(PathBuf::from);
            let cache = cache.or_else(|| Some(PathBuf::from(given("HOME")?).join(".cache")));
            Some(cache?.join("huggingface"))
        });
        let home = home.ok_or_else(|| {
            HubError::Environment("neither HF_HOME nor HOME is set: there is no place for a cache of models".to_owned())
        })?;
        // The client needs a path that does not depend on where it is used.
        let home = std::path::absolute(&home)
            .map_err(|error| HubError::Cache { path: home.display().to_string(), reason: error.to_string() })?;
        let patience = match given("HF_HUB_DOWNLOAD_TIMEOUT") {
            Some(value) => match value.parse() {
                Ok(seconds @ 1..=3600) => Duration::from_secs(seconds),
                _ => {
                    let message = format!("HF_HUB_DOWNLOAD_TIMEOUT is {value:?}, not 1 to 3600 seconds");
                    return Err(HubError::Environment(message));
                }
            },
            None => PATIENCE,
        };
        let cache = Cache::new(home.join("hub"));
        let token = given("HF_TOKEN").or_else(|| cache.token());
        if token.as_ref().is_some_and(|token| !token.bytes().all(|byte| byte.is_ascii_graphic())) {
            let message = "HF_TOKEN, or the file token in HF_HOME, holds something that is no token".to_owned();
            return Err(HubError::Environment(message));
        }
        let is_offline = given("HF_HUB_OFFLINE").is_some_and(|value| {
            let value = value.to_ascii_lowercase();
            ["1", "true", "yes", "on"].contains(&value.as_str())
        });
        Ok(Self { endpoint, cache, token, is_offline, patience })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hub(variables: &[(&str, &str)]) -> Result<Hub, HubError> {
        let value =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        Hub::new(value)
    }

    #[test]
    fn the_environment_decides() {
        let plain = hub(&[("HOME", "/home/ada")]).expect("that is enough");
        assert_eq!((plain.endpoint.as_str(), plain.is_offline, plain.token), (ENDPOINT, false, None));
        assert_eq!(plain.cache.path(), &PathBuf::from("/home/ada/.cache/huggingface/hub"));
        let all = [
            ("HOME", "/home/ada"),
            ("HF_HOME", "/srv/models"),
            ("HF_ENDPOINT", "http://127.0.0.1:99/hub/"),
            ("HF_TOKEN", " hf_secret\n"),
            ("HF_HUB_OFFLINE", "TRUE"),
            ("HF_HUB_DOWNLOAD_TIMEOUT", "7"),
        ];
        let all = hub(&all).expect("all of that is in order");
        assert_eq!((all.endpoint.as_str(), all.is_offline), ("http://127.0.0.1:99/hub", true));
        assert_eq!((all.token.as_deref(), all.patience.as_secs()), (Some("hf_secret"), 7));
        assert_eq!(all.cache.path(), &PathBuf::from("/srv/models/hub"));
        for off in ["0", "false", "", "no"] {
            assert!(!hub(&[("HOME", "/"), ("HF_HUB_OFFLINE", off)]).expect("in order").is_offline);
        }
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        for (name, value) in [
            ("HF_ENDPOINT", "huggingface.co"),
            ("HF_ENDPOINT", "https://"),
            ("HF_ENDPOINT", "https://a b"),
            ("HF_HUB_DOWNLOAD_TIMEOUT", "soon"),
            ("HF_TOKEN", "two words"),
        ] {
            let message = hub(&[("HOME", "/home/ada"), (name, value)]).err().expect("it is refused").to_string();
            assert!(message.contains(name), "{message}");
            assert!(name != "HF_TOKEN" || !message.contains(value), "{message}");
        }
        assert!(hub(&[]).err().expect("no place").to_string().contains("HF_HOME"));
    }
}
