//! Outputs of earlier runs: how a folder that holds one is known.

use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde::de::IgnoredAny;

/// The name of the manifest in an output.
pub(super) const MANIFEST: &str = "manifest.json";

/// What a manifest of ours has, of whatever version; others make manifests, too.
#[derive(Deserialize)]
#[expect(dead_code, reason = "it is only looked whether they are there")]
struct Ours {
    schema: u32,
    program: String,
    model: String,
    complete: bool,
    parts: Vec<IgnoredAny>,
}

/// Whether a folder holds what a run has written.
pub(super) fn holds_output(folder: &Path) -> bool {
    let manifest = fs::read(folder.join(MANIFEST)).ok();
    manifest.is_some_and(|bytes| serde_json::from_slice::<Ours>(&bytes).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifests_of_others_are_no_outputs() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!holds_output(folder.path()));
        let ours =
            r#"{"schema": 9, "program": "onrecord 9", "model": "m", "complete": false, "parts": [{}], "more": 1}"#;
        for (manifest, expected) in [("", false), ("{}", false), (r#"{"schema": 1, "parts": []}"#, false), (ours, true)]
        {
            fs::write(folder.path().join(MANIFEST), manifest).unwrap();
            assert_eq!(holds_output(folder.path()), expected, "{manifest}");
        }
    }
}
