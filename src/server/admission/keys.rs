//! API keys: who may ask. Keys are kept as digests, compared in constant time, and never logged.

use std::fs;
use std::path::PathBuf;
use std::sync::{PoisonError, RwLock};

use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

/// The keys in force.
pub(in crate::server) struct Keys {
    given: Vec<String>,
    file: Option<PathBuf>,
    digests: RwLock<Vec<[u8; 32]>>,
}

impl Keys {
    /// The given keys and those of the file. An error names the file and what is wrong with it.
    pub fn new(given: &[String], file: Option<PathBuf>) -> Result<Self, String> {
        let keys = Self { given: given.to_vec(), file, digests: RwLock::default() };
        keys.reload()?;
        Ok(keys)
    }

    /// Reads the file again. After an error the keys are what they were.
    pub fn reload(&self) -> Result<usize, String> {
        let mut keys = self.given.clone();
        if let Some(path) = &self.file {
            let text = fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
            // Editors put a mark before the first line that nobody sees.
            let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
            let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
            let before = keys.len();
            keys.extend(lines.map(str::to_owned));
            if keys.len() == before {
                return Err(format!("{} holds no key: nobody could use the server", path.display()));
            }
        }
        if keys.iter().any(|key| key.trim().is_empty()) {
            return Err("an API key is empty".to_owned());
        }
        let digests: Vec<[u8; 32]> = keys.iter().map(|key| Sha256::digest(key.as_bytes()).into()).collect();
        let number = digests.len();
        *self.digests.write().unwrap_or_else(PoisonError::into_inner) = digests;
        Ok(number)
    }

    /// True when clients must send a key.
    pub fn are_required(&self) -> bool {
        !self.digests.read().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// The digest of the key in an `Authorization` header, if it opens the door; zeros where no key is needed. Takes the
    /// same time for every wrong key.
    pub fn admit(&self, authorization: Option<&str>) -> Option<[u8; 32]> {
        let digests = self.digests.read().unwrap_or_else(PoisonError::into_inner);
        if digests.is_empty() {
            return Some([0; 32]);
        }
        let sent = authorization.and_then(|value| value.split_once(' '));
        let (_, key) = sent.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))?;
        let digest: [u8; 32] = Sha256::digest(key.trim().as_bytes()).into();
        let known = digests.iter().fold(Choice::from(0), |known, other| known | digest.ct_eq(other));
        bool::from(known).then_some(digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_compared_whole() {
        let keys = Keys::new(&["first".to_owned(), "second".to_owned()], None).unwrap();
        for (header, admitted) in [
            (Some("Bearer first"), true),
            (Some("bearer second"), true),
            (Some("Bearer firs"), false),
            (Some("Bearer first2"), false),
            (Some("Basic first"), false),
            (Some("first"), false),
            (Some("Bearer "), false),
            (None, false),
        ] {
            assert_eq!(keys.admit(header).is_some(), admitted, "{header:?}");
        }
        assert!(Keys::new(&[], None).unwrap().admit(None).is_some());
    }

    #[test]
    fn a_broken_file_changes_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keys");
        fs::write(&path, "one\n\n two \n").unwrap();
        let keys = Keys::new(&[], Some(path.clone())).unwrap();
        let admits = |key: &str| keys.admit(Some(&format!("Bearer {key}"))).is_some();
        assert!(admits("one") && admits("two"));
        // A mark of the editor and remarks are no part of a key.
        fs::write(&path, "\u{feff}one\n# the newsroom's\n#two\n").unwrap();
        assert_eq!(keys.reload(), Ok(1));
        assert!(admits("one") && !admits("# the newsroom's") && !admits("#two"));
        fs::write(&path, "\u{feff}# nobody yet\r\n").unwrap();
        assert!(keys.reload().unwrap_err().contains("holds no key"));
        fs::write(&path, "three").unwrap();
        assert_eq!(keys.reload(), Ok(1));
        assert!(admits("three") && !admits("one"));
        fs::write(&path, "\n").unwrap();
        assert!(keys.reload().unwrap_err().contains("holds no key"));
        assert!(admits("three"));
    }
}
