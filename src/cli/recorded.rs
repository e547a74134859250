//! Results that were made before: the lines of `onrecord extract`, found by their ids.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::complaints::Problem;
use super::ending::Failure;
use super::input::Record;
use super::results::Outcome;
use crate::engine::{Extraction, SCHEMA};
use crate::json::reason;

/// A file of results. Only the places of its lines are kept, so that an archive fits.
pub(super) struct Recorded {
    path: String,
    file: BufReader<File>,
    lines: HashMap<String, Line>,
}

#[derive(Debug, Clone, Copy)]
struct Line {
    /// From 1.
    number: usize,
    start: u64,
    bytes: usize,
    used: bool,
}

/// What is read of every line, to find it again.
#[derive(Deserialize)]
struct Head {
    id: Option<String>,
}

/// What a line can say of a document that has no result.
#[derive(Deserialize)]
struct Failed {
    error: Value,
}

impl Recorded {
    /// Reads where the results are.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let name = path.display().to_string();
        let unusable = |reason: String| Failure::Unusable(format!("--annotations {name}: {reason}"));
        let file = File::open(path).map_err(|error| unusable(error.to_string()))?;
        let mut file = BufReader::new(file);
        let mut lines = HashMap::new();
        let (mut text, mut number, mut start) = (String::new(), 0, 0);
        loop {
            text.clear();
            let bytes = file.read_line(&mut text).map_err(|error| unusable(error.to_string()))?;
            if bytes == 0 {
                break;
            }
            number += 1;
            if !text.trim().is_empty() {
                let head: Head = serde_json::from_str(text.trim())
                    .map_err(|error| unusable(format!("line {number} is no result: {}", reason(&error))))?;
                let line = Line { number, start, bytes, used: false };
                // A document that failed before its id was known has nothing to be found by.
                if let Some(id) = head.id
                    && let Some(before) = lines.insert(id.clone(), line)
                {
                    let reason = format!("lines {} and {number} are both results of {id:?}", before.number);
                    return Err(unusable(reason));
                }
            }
            start += bytes as u64;
        }
        Ok(Self { path: name, file, lines })
    }

    /// The results of a document.
    pub fn outcome(&mut self, record: Record) -> Result<Outcome, Failure> {
        let Record { path, line, id, document } = record;
        let result = match document {
            Ok(document) => match self.find(&document.id)? {
                Ok(extraction) => Ok((document, extraction)),
                Err(message) => Err(Problem::new(&path, line, Some(document.id), "mismatch", message)),
            },
            Err(error) => Err(Problem::new(&path, line, id, error.code(), error.to_string())),
        };
        Ok(Outcome { path, line, result })
    }

    /// Results that no article was there for.
    pub fn left_over(&self) -> Vec<Problem> {
        let mut lines: Vec<(&String, &Line)> = self.lines.iter().filter(|(_, line)| !line.used).collect();
        lines.sort_by_key(|(_, line)| line.number);
        let problem = |(id, line): (&String, &Line)| {
            let message = format!("these are results of {id:?}, which is not among the articles");
            Problem::new(&self.path, Some(line.number), Some(id.clone()), "mismatch", message)
        };
        lines.into_iter().map(problem).collect()
    }

    fn find(&mut self, id: &str) -> Result<Result<Extraction, String>, Failure> {
        let Some(line) = self.lines.get_mut(id) else {
            return Ok(Err(format!("{} has no results of {id:?}", self.path)));
        };
        if line.used {
            return Ok(Err(format!(
                "{id:?} is the id of several articles, so that nobody knows whose results these are"
            )));
        }
        line.used = true;
        let line = *line;
        let unusable = |error: std::io::Error| Failure::Unusable(format!("--annotations {}: {error}", self.path));
        let mut text = vec![0; line.bytes];
        self.file.seek(SeekFrom::Start(line.start)).and_then(|_| self.file.read_exact(&mut text)).map_err(unusable)?;
        let place = format!("{}:{}", self.path, line.number);
        if let Ok(Failed { error }) = serde_json::from_slice(&text) {
            let message = error.get("message").and_then(Value::as_str).unwrap_or("no reason is given");
            return Ok(Err(format!("{place}: there is no result: {message}")));
        }
        Ok(match serde_json::from_slice::<Extraction>(&text) {
            Ok(extraction) if extraction.schema == SCHEMA => Ok(extraction),
            Ok(extraction) => Err(format!("{place}: schema {} is not known here, but {SCHEMA}", extraction.schema)),
            Err(error) => Err(format!("{place}: this is no result: {}", reason(&error))),
        })
    }
}
