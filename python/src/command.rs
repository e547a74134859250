//! The command line, as the program `onrecord` has it.

use std::ffi::OsString;
use std::panic::catch_unwind;

use pyo3::prelude::*;

/// What a program of Rust ends with where a fault in it was not caught.
const FAULT: u8 = 101;

/// Runs the command line; arguments are those behind the program's name. Returns the exit code.
///
/// Signals must be left to the command before: onrecord/__main__.py does that.
#[pyfunction]
pub(crate) fn run_command(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    let arguments = std::iter::once(OsString::from("onrecord")).chain(arguments);
    py.detach(|| catch_unwind(|| onrecord::cli::run(arguments)).unwrap_or(FAULT))
}
