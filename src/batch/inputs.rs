//! Which files a run reads: named ones, those in folders, and those that a pattern fits, each with what it holds.

use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::earlier::holds_output;
use super::error::BatchError;

/// How a file holds documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum InputFormat {
    /// One file is one document; its id is its path ("-" for standard input)
    Text,
    /// One line is one document: {"id": ..., "text": ...}
    Jsonl,
    /// Comma-separated values, with a header
    Csv,
    /// Tab-separated values, with a header
    Tsv,
    /// Apache Parquet
    Parquet,
    /// Apache Arrow IPC: a file (Feather) or a stream
    Arrow,
}

impl InputFormat {
    fn by_extension(extension: &str) -> Option<Self> {
        Some(match extension.to_ascii_lowercase().as_str() {
            "txt" | "text" => Self::Text,
            "jsonl" | "ndjson" => Self::Jsonl,
            "csv" => Self::Csv,
            "tsv" => Self::Tsv,
            "parquet" | "pq" => Self::Parquet,
            "arrow" | "arrows" | "feather" | "ipc" => Self::Arrow,
            _ => return None,
        })
    }
}

/// How a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    Gzip,
    Zstd,
}

/// A file to read.
#[derive(Debug)]
pub(super) struct Input {
    /// As it was named, or as it was found in what was named; "-" for standard input.
    pub path: PathBuf,
    pub format: InputFormat,
    pub compression: Compression,
    /// In bytes, as it is stored; 0 where nobody can tell.
    pub bytes: u64,
    /// Nanoseconds since 1970.
    modified: Option<u64>,
    /// Why it cannot be read, where that is known beforehand.
    pub problem: Option<String>,
}

impl Input {
    /// For people, and as the start of ids.
    pub fn name(&self) -> String {
        self.path.display().to_string()
    }

    pub fn is_standard(&self) -> bool {
        self.path == Path::new("-")
    }
}

/// What tells one list of inputs from another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// How many files.
    pub files: usize,
    /// Their bytes together.
    pub bytes: u64,
    /// The SHA-256 of `inputs.jsonl`, in hexadecimal.
    pub sha256: String,
}

/// All files that a run reads, in order.
#[derive(Debug)]
pub struct Inputs {
    pub(super) files: Vec<Input>,
    /// Files in folders whose names do not say that they hold documents, and what is no file there.
    pub passed_over: usize,
    /// Folders in folders that hold the output of a run.
    pub outputs: usize,
}

impl Inputs {
    /// Looks the arguments up. Folders are searched through and through, in the order of names, without what is
    /// hidden, and without outputs of runs; where no format is given, only files whose extension tells theirs count. What does not exist stays in
    /// the list, to fail when its turn comes.
    ///
    /// # Errors
    /// [`BatchError::Usage`] for standard input beside other inputs, or in a format that must be read from a file.
    pub fn find(arguments: &[PathBuf], format: Option<InputFormat>) -> Result<Self, BatchError> {
        let mut found = Self { files: Vec::new(), passed_over: 0, outputs: 0 };
        for argument in arguments {
            match argument.to_str() {
                _ if argument.is_dir() => found.folder(argument, format),
                Some(pattern) if is_pattern(pattern) && !argument.exists() => found.pattern(pattern, format),
                _ => found.file(argument.clone(), format),
            }
        }
        let standard = found.files.iter().filter(|input| input.is_standard()).count();
        if standard > 0 && found.files.len() > 1 {
            return Err(BatchError::Usage("standard input (\"-\") cannot be read beside other inputs".to_owned()));
        }
        if standard > 0 && format == Some(InputFormat::Parquet) {
            return Err(BatchError::Usage("Parquet cannot be read from standard input: name a file".to_owned()));
        }
        Ok(found)
    }

    /// Whether standard input is read.
    pub fn has_standard(&self) -> bool {
        self.files.iter().any(Input::is_standard)
    }

    /// How many bytes there are to read; `None` where nobody can tell.
    pub fn bytes(&self) -> Option<u64> {
        (!self.has_standard()).then(|| self.files.iter().map(|input| input.bytes).sum())
    }

    fn folder(&mut self, folder: &Path, format: Option<InputFormat>) {
        let is_visible =
            |entry: &walkdir::DirEntry| entry.depth() == 0 || !entry.file_name().as_encoded_bytes().starts_with(b".");
        let entries = walkdir::WalkDir::new(folder).follow_links(true).sort_by_file_name().into_iter();
        let mut entries = entries.filter_entry(is_visible);
        while let Some(entry) = entries.next() {
            match entry {
                // What a run has written into the folder that it read is no input of the next.
                Ok(entry) if entry.depth() > 0 && is_output(&entry) => {
                    entries.skip_current_dir();
                    self.outputs += 1;
                }
                Ok(entry) if entry.file_type().is_dir() => {}
                Ok(entry) if (format.is_some() || told_by_name(entry.path()).0.is_some()) && may_end(entry.path()) => {
                    self.file(entry.into_path(), format);
                }
                Ok(_) => self.passed_over += 1,
                Err(error) => {
                    let path = error.path().unwrap_or(folder).to_owned();
                    self.unreadable(path, error.to_string());
                }
            }
        }
    }

    fn pattern(&mut self, pattern: &str, format: Option<InputFormat>) {
        let paths = match glob::glob(pattern) {
            Ok(paths) => paths,
            Err(error) => return self.unreadable(pattern.into(), error.to_string()),
        };
        let before = self.files.len() + self.passed_over + self.outputs;
        for path in paths {
            match path {
                Ok(path) if path.is_dir() && holds_output(&path) => self.outputs += 1,
                Ok(path) if path.is_dir() => self.folder(&path, format),
                Ok(path) if !may_end(&path) => self.passed_over += 1,
                Ok(path) => self.file(path, format),
                Err(error) => self.unreadable(error.path().to_owned(), error.to_string()),
            }
        }
        if self.files.len() + self.passed_over + self.outputs == before {
            self.unreadable(pattern.into(), "no file fits this pattern".to_owned());
        }
    }

    fn file(&mut self, path: PathBuf, format: Option<InputFormat>) {
        let (told, compression) = told_by_name(&path);
        let format = format.or(told).unwrap_or(InputFormat::Text);
        let seekable = matches!(format, InputFormat::Parquet | InputFormat::Arrow);
        let problem = (seekable && compression != Compression::None)
            .then(|| "it is compressed as a whole, which this format cannot be read from: unpack it first".to_owned());
        let endless = || "it is a pipe, a socket or a device: hand what comes of it over as standard input".to_owned();
        let problem = problem.or_else(|| (!may_end(&path)).then(endless));
        let metadata = std::fs::metadata(&path).ok();
        let bytes = metadata.as_ref().map_or(0, Metadata::len);
        let modified = metadata.and_then(|metadata| {
            let age = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
            u64::try_from(age.as_nanos()).ok()
        });
        self.files.push(Input { path, format, compression, bytes, modified, problem });
    }

    fn unreadable(&mut self, path: PathBuf, problem: String) {
        let (format, compression) = (InputFormat::Text, Compression::None);
        self.files.push(Input { path, format, compression, bytes: 0, modified: None, problem: Some(problem) });
    }

    /// The lines of `inputs.jsonl`.
    pub(super) fn listing(&self) -> impl Iterator<Item = String> {
        self.files.iter().map(|input| {
            let line = serde_json::json!({"path": input.name(), "bytes": input.bytes, "modified": input.modified});
            format!("{line}\n")
        })
    }

    pub(super) fn fingerprint(&self) -> Fingerprint {
        let mut hash = Sha256::new();
        self.listing().for_each(|line| hash.update(line.as_bytes()));
        Fingerprint {
            files: self.files.len(),
            bytes: self.files.iter().map(|input| input.bytes).sum(),
            sha256: hexadecimal(&hash.finalize()),
        }
    }
}

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn is_output(entry: &walkdir::DirEntry) -> bool {
    entry.file_type().is_dir() && holds_output(entry.path())
}

/// Whether reading it ends: not so with a pipe that nobody writes to. Of what is not there, opening it will tell.
fn may_end(path: &Path) -> bool {
    std::fs::metadata(path).map_or(true, |metadata| metadata.is_file() || metadata.is_dir())
}

fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// What the extensions of a file say of it.
fn told_by_name(path: &Path) -> (Option<InputFormat>, Compression) {
    let extension = |path: &Path| path.extension().and_then(|extension| extension.to_str()).map(str::to_owned);
    let outer = extension(path).unwrap_or_default().to_ascii_lowercase();
    let compression = match outer.as_str() {
        "gz" | "gzip" => Compression::Gzip,
        "zst" | "zstd" => Compression::Zstd,
        _ => return (InputFormat::by_extension(&outer), Compression::None),
    };
    let inner = path.file_stem().and_then(|stem| extension(Path::new(stem))).unwrap_or_default();
    (InputFormat::by_extension(&inner), compression)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_tell_the_format_and_the_compression() {
        let told = |name: &str| told_by_name(Path::new(name));
        assert_eq!(told("a.JSONL"), (Some(InputFormat::Jsonl), Compression::None));
        assert_eq!(told("d.x/a.b.csv.gz"), (Some(InputFormat::Csv), Compression::Gzip));
        assert_eq!(told("a.txt.zst"), (Some(InputFormat::Text), Compression::Zstd));
        assert_eq!(told("a.feather"), (Some(InputFormat::Arrow), Compression::None));
        assert_eq!(told("a.gz"), (None, Compression::Gzip));
        assert_eq!(told("README"), (None, Compression::None));
        assert_eq!(told("a.html"), (None, Compression::None));
    }

    #[test]
    fn folders_are_searched_in_order_without_what_is_hidden() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.txt", "a/2.jsonl", "a/10.jsonl", "a/.hidden.txt", ".git/x.txt", "c.html"] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "x").unwrap();
        }
        let names = |inputs: &Inputs| -> Vec<String> {
            let path = |input: &Input| input.path.strip_prefix(folder.path()).unwrap().display().to_string();
            inputs.files.iter().map(path).collect()
        };
        let root = folder.path().to_owned();
        let inputs = Inputs::find(std::slice::from_ref(&root), None).unwrap();
        assert_eq!(
            (names(&inputs), inputs.passed_over),
            (["a/10.jsonl", "a/2.jsonl", "b.txt"].map(str::to_owned).to_vec(), 1)
        );
        assert_eq!(Inputs::find(std::slice::from_ref(&root), Some(InputFormat::Text)).unwrap().files.len(), 4);
        let inputs = Inputs::find(&[root.join("a/*.jsonl"), root.join("none*")], None).unwrap();
        assert_eq!(names(&inputs), ["a/10.jsonl", "a/2.jsonl", "none*"]);
        assert!(inputs.files[2].problem.is_some());
    }

    #[test]
    fn a_changed_file_changes_the_fingerprint() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        let fingerprint = |text: &str| {
            std::fs::write(&path, text).unwrap();
            Inputs::find(&[folder.path().to_owned()], None).unwrap().fingerprint()
        };
        let (one, two) = (fingerprint("one"), fingerprint("three"));
        assert_ne!(one, two);
        assert_eq!((one.files, one.bytes, two.bytes), (1, 3, 5));
    }
}
