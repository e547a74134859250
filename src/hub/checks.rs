//! Whether a file is the one that the hub means. The hub names files by their hashes: large ones by SHA-256, others as
//! git does.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use sha1::Sha1;
use sha2::{Digest, Sha256};

/// Whether all of a text is lower-case hexadecimal.
pub(super) fn is_hexadecimal(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Whether a revision is a commit, which never changes.
pub(super) fn is_commit(revision: &str) -> bool {
    revision.len() == 40 && is_hexadecimal(revision)
}

/// What a file's name in the cache says of its contents.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// They are what was meant.
    Right,
    /// They are not, as this says.
    Wrong(String),
    /// Nothing: the name is no hash.
    Unknown,
}

/// Compares a file with the hash that is its name.
pub(super) fn compare(path: &Path, hash: &str) -> std::io::Result<Finding> {
    let found = match hash.len() {
        64 if is_hexadecimal(hash) => hexadecimal(hashed(path, Sha256::new())?),
        40 if is_hexadecimal(hash) => {
            let mut hasher = Sha1::new();
            hasher.update(format!("blob {}\0", path.metadata()?.len()));
            hexadecimal(hashed(path, hasher)?)
        }
        _ => return Ok(Finding::Unknown),
    };
    let wrong = || Finding::Wrong(format!("its hash is {found}, but the hub says {hash}"));
    Ok(if found == hash { Finding::Right } else { wrong() })
}

fn hashed<D: Digest>(path: &Path, mut hasher: D) -> std::io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finalize().to_vec()),
            length => hasher.update(&buffer[..length]),
        }
    }
}

fn hexadecimal(bytes: Vec<u8>) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_of_both_kinds() {
        let folder = tempfile::tempdir().expect("there is room");
        let path = folder.path().join("file");
        std::fs::write(&path, "hello\n").expect("it can be written");
        // As `git hash-object` and `sha256sum` say.
        let git = "ce013625030ba8dba906f756967f9e9ca394464a";
        let sha256 = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";
        let found = |hash| compare(&path, hash).expect("it can be read");
        assert_eq!([git, sha256, "no-hash"].map(found), [Finding::Right, Finding::Right, Finding::Unknown]);
        std::fs::write(&path, "hallo\n").expect("it can be written");
        for hash in [git, sha256] {
            assert!(matches!(found(hash), Finding::Wrong(text) if text.contains(hash)));
        }
    }
}
