//! Reading documents: plain text files, JSON Lines, standard input. A bad one costs its own error.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use clap::Args;

use crate::json::{Field, fields};
use crate::text::{Document, DocumentError};

/// What is read, by the commands that read documents one after another.
#[derive(Debug, Args)]
pub(super) struct InputArguments {
    /// Files to read; none or "-" for standard input
    files: Vec<PathBuf>,

    /// How the input holds documents [default: by extension, else text]
    #[arg(long, value_name = "FORMAT", env = "ONRECORD_INPUT_FORMAT")]
    input_format: Option<InputFormat>,

    /// Documents larger than this are refused without being read whole
    #[arg(long, value_name = "BYTES", env = "ONRECORD_MAX_DOCUMENT_BYTES", default_value = "10485760")]
    #[arg(allow_negative_numbers = true)]
    max_document_bytes: usize,
}

impl InputArguments {
    /// The documents, as they come.
    pub fn documents(&self) -> Documents {
        Documents::new(&self.files, self.input_format, self.max_document_bytes)
    }
}

/// How a file holds documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum InputFormat {
    /// One file is one document; its id is its path ("-" for standard input)
    Text,
    /// One line is one document: {"id": ..., "text": ...}
    Jsonl,
}

/// Why a document could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum InputError {
    #[error("{}", told(.0))]
    Document(#[from] DocumentError),
    #[error("not a document: {0}; expected {{\"id\": \"...\", \"text\": \"...\"}}")]
    Json(String),
    #[error("cannot be read: {0}")]
    Unreadable(String),
}

/// What is wrong with a document, with the flag where the library has the setting's name.
fn told(error: &DocumentError) -> String {
    match error {
        DocumentError::TooLarge { limit } => {
            format!("the document is larger than {limit} bytes (see --max-document-bytes)")
        }
        error => error.to_string(),
    }
}

impl InputError {
    /// A stable, documented name for programs to match on.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Document(error) => error.code(),
            Self::Json(_) => "invalid_json",
            Self::Unreadable(_) => "unreadable",
        }
    }
}

/// One document, or what came in its place.
#[derive(Debug)]
pub(super) struct Record {
    /// The file it came from.
    pub path: String,
    /// Its line, where lines are documents, from 1.
    pub line: Option<usize>,
    /// Its id, where one is readable.
    pub id: Option<String>,
    pub document: Result<Document, InputError>,
}

/// The documents of all inputs, one by one, in order.
pub(super) struct Documents {
    inputs: VecDeque<PathBuf>,
    format: Option<InputFormat>,
    max_bytes: usize,
    lines: Option<Lines>,
}

impl Documents {
    /// `format`: `None` goes by the extension (.jsonl and .ndjson are JSON Lines, everything else is text).
    fn new(inputs: &[PathBuf], format: Option<InputFormat>, max_bytes: usize) -> Self {
        let standard = vec![PathBuf::from("-")];
        let inputs = if inputs.is_empty() { standard } else { inputs.to_vec() };
        Self { inputs: inputs.into(), format, max_bytes, lines: None }
    }

    fn format_of(&self, path: &Path) -> InputFormat {
        let extension = path.extension().and_then(|extension| extension.to_str());
        let by_extension = match extension.map(str::to_ascii_lowercase).as_deref() {
            Some("jsonl" | "ndjson") => InputFormat::Jsonl,
            _ => InputFormat::Text,
        };
        self.format.unwrap_or(by_extension)
    }
}

impl Iterator for Documents {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        loop {
            if let Some(lines) = &mut self.lines {
                if let Some(record) = lines.next(self.max_bytes) {
                    return Some(record);
                }
                self.lines = None;
            }
            let path = self.inputs.pop_front()?;
            let name = path.display().to_string();
            let format = self.format_of(&path);
            let document = match (open(&path), format) {
                (Ok(reader), InputFormat::Jsonl) => {
                    self.lines = Some(Lines { reader, path: name, number: 0 });
                    continue;
                }
                (Ok(reader), InputFormat::Text) => read_text(reader, &name, self.max_bytes),
                (Err(error), _) => Err(InputError::Unreadable(error.to_string())),
            };
            return Some(Record { id: Some(name.clone()), path: name, line: None, document });
        }
    }
}

fn open(path: &Path) -> io::Result<Box<dyn BufRead>> {
    if path == Path::new("-") {
        return Ok(Box::new(BufReader::new(io::stdin())));
    }
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::Error::other("it is a directory; name the files in it"));
    }
    Ok(Box::new(BufReader::new(file)))
}

/// Reads one document, but never more than a byte beyond the limit.
fn read_text(reader: Box<dyn BufRead>, id: &str, max_bytes: usize) -> Result<Document, InputError> {
    let mut bytes = Vec::new();
    let limit = (max_bytes as u64).saturating_add(1);
    let read = reader.take(limit).read_to_end(&mut bytes);
    read.map_err(|error| InputError::Unreadable(error.to_string()))?;
    if bytes.len() > max_bytes {
        return Err(DocumentError::TooLarge { limit: max_bytes }.into());
    }
    Ok(Document::from_bytes(id, bytes)?)
}

/// A JSON Lines input.
struct Lines {
    reader: Box<dyn BufRead>,
    path: String,
    number: usize,
}

/// What a line must hold; anything else in it is ignored. The values are checked one by one, so that a wrong one can
/// be named, and the id be told even if the text is wrong. An error says what is wrong with the line.
fn id_and_text(line: &str) -> Result<(Option<Field>, Option<Field>), String> {
    if !line.starts_with('{') {
        return Err("it is not a JSON object".to_owned());
    }
    let mut found = fields(line, &["id", "text"])?.into_iter();
    Ok((found.next().flatten(), found.next().flatten()))
}

impl Lines {
    fn next(&mut self, max_bytes: usize) -> Option<Record> {
        loop {
            self.number += 1;
            let (id, document) = match self.line(max_bytes) {
                Ok(None) => return None,
                Ok(Some(bytes)) if bytes.trim_ascii().is_empty() => continue,
                Ok(Some(bytes)) => self.parse(&bytes, max_bytes),
                Err(error) => (None, Err(error)),
            };
            let broken = matches!(document, Err(InputError::Unreadable(_)));
            if broken {
                // Nothing more can be expected of this input.
                self.reader = Box::new(io::empty());
            }
            return Some(Record { path: self.path.clone(), line: Some(self.number), id, document });
        }
    }

    /// The next line without its end; `None` at the end of the input. Of a line that is too long, even allowing for
    /// JSON's escapes, the rest is passed over without being kept.
    fn line(&mut self, max_bytes: usize) -> Result<Option<Vec<u8>>, InputError> {
        let unreadable = |error: io::Error| InputError::Unreadable(error.to_string());
        let limit = max_bytes.saturating_mul(6).saturating_add(64 * 1024);
        let mut line = Vec::new();
        let read = self.reader.by_ref().take(limit as u64).read_until(b'\n', &mut line);
        if read.map_err(unreadable)? == 0 {
            return Ok(None);
        }
        if line.len() == limit && line.last() != Some(&b'\n') {
            drop(line);
            self.reader.skip_until(b'\n').map_err(unreadable)?;
            return Err(DocumentError::TooLarge { limit: max_bytes }.into());
        }
        Ok(Some(line))
    }

    /// The id of a line, if it can be told, and its document.
    fn parse(&self, bytes: &[u8], max_bytes: usize) -> (Option<String>, Result<Document, InputError>) {
        let line = match std::str::from_utf8(bytes) {
            Ok(line) => line.trim_start_matches('\u{feff}').trim_ascii(),
            Err(error) => {
                let at = error.valid_up_to();
                return (None, Err(DocumentError::InvalidUtf8 { at }.into()));
            }
        };
        let (id, text) = match id_and_text(line) {
            Ok(found) => found,
            Err(reason) => return (None, Err(InputError::Json(reason))),
        };
        let id = match id {
            None | Some(Field::Null) => None,
            Some(Field::Text(id) | Field::Number(id)) => Some(id),
            Some(other) => {
                let reason = format!("its \"id\" is {}, not a string or a number", other.kind());
                return (None, Err(InputError::Json(reason)));
            }
        };
        let document = match text {
            None | Some(Field::Null) => Err(InputError::Json("it has no \"text\"".to_owned())),
            Some(Field::Text(text)) if text.len() > max_bytes => {
                Err(DocumentError::TooLarge { limit: max_bytes }.into())
            }
            Some(Field::Text(text)) => {
                let name = id.clone().unwrap_or_else(|| format!("{}:{}", self.path, self.number));
                Document::new(name, text).map_err(InputError::from)
            }
            Some(other) => Err(InputError::Json(format!("its \"text\" is {}, not a string", other.kind()))),
        };
        (id, document)
    }
}
