//! What went wrong, for people: on standard error.

use std::io::{self, Write};

use serde::Serialize;

use super::pretty;

/// A document that failed, in the form of an output line.
#[derive(Debug, Serialize)]
pub(super) struct Problem {
    id: Option<String>,
    line: Option<usize>,
    error: ProblemError,
    #[serde(skip)]
    path: String,
}

#[derive(Debug, Serialize)]
struct ProblemError {
    code: &'static str,
    message: String,
}

impl Problem {
    /// A problem with the document at `path` (and `line`, from 1, where lines are documents).
    pub fn new(path: &str, line: Option<usize>, id: Option<String>, code: &'static str, message: String) -> Self {
        Self { id, line, error: ProblemError { code, message }, path: path.to_owned() }
    }

    /// For people: "file:line: what was wrong".
    pub fn report(&self) {
        complain_at(&self.path, self.line, &self.error.message);
    }
}

/// Tells people something on standard error. If that is closed or full, there is nobody left to tell.
pub(super) fn complain(message: &str) {
    let _ = writeln!(io::stderr(), "onrecord: {}", pretty::printable(message));
}

/// Tells people something about one document.
pub(super) fn complain_at(path: &str, line: Option<usize>, message: &str) {
    match line {
        Some(line) => complain(&format!("{path}:{line}: {message}")),
        None => complain(&format!("{path}: {message}")),
    }
}
