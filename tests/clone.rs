//! What everybody downloads who clones this repository: weights, most of all, and they must not grow beyond measure.

use std::path::Path;
use std::process::Command;

/// Bytes that all weights together may have.
const WEIGHTS: u64 = 170_000_000;
/// Bytes that a file may have: hosts of repositories refuse larger ones.
const FILE: u64 = 100_000_000;

/// What is too large among files with these names and sizes in bytes.
fn excess(files: &[(String, u64)]) -> Option<String> {
    if let Some((name, bytes)) = files.iter().find(|(_, bytes)| *bytes > FILE) {
        return Some(format!("{name} has {bytes} bytes, and {FILE} is the limit of a file"));
    }
    let weights: u64 = files.iter().filter(|(name, _)| name.ends_with(".safetensors")).map(|(_, bytes)| bytes).sum();
    (weights > WEIGHTS).then(|| format!("all weights have {weights} bytes, and {WEIGHTS} is the limit"))
}

#[test]
fn a_clone_stays_small() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(root).output().expect("git can be run");
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    let names = String::from_utf8(listed.stdout).expect("names are UTF-8");
    let size = |name: &str| Some((name.to_owned(), root.join(name).symlink_metadata().ok()?.len()));
    // A file that is gone, and not yet from the index, weighs nothing.
    let files: Vec<_> = names.split_terminator('\0').filter_map(size).collect();
    assert!(files.iter().any(|(name, _)| name == "models/onrecord-small/model.safetensors"));
    assert_eq!(excess(&files), None);
}

#[test]
fn what_is_too_large_is_noticed() {
    let file = |name: &str, bytes| (name.to_owned(), bytes);
    assert_eq!(excess(&[file("a.safetensors", FILE), file("b.safetensors", WEIGHTS - FILE), file("c", FILE)]), None);
    let found = excess(&[file("a.safetensors", FILE), file("b.safetensors", WEIGHTS - FILE + 1)]);
    assert_eq!(found.as_deref(), Some("all weights have 170000001 bytes, and 170000000 is the limit"));
    let found = excess(&[file("a", 1), file("b", FILE + 1)]);
    assert_eq!(found.as_deref(), Some("b has 100000001 bytes, and 100000000 is the limit of a file"));
}
