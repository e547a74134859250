//! The command line, black box: one test per flag and per bad input.
//!
//! Nearly all of them run the tiny model, which loads at once and marks spans all over a text. What it marks makes no
//! sense, but sense is not tested here: only the form of the output is.

mod flags;
mod input;
mod model;
mod output;

use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::results::{check, check_ids, check_schema, list};
use crate::support::{onrecord, tiny};

/// A working directory with the tiny model in `model`.
struct Site(TempDir);

impl Site {
    fn new() -> Self {
        let site = Self(tempfile::tempdir().expect("there is room for a directory"));
        let files = tiny::files();
        site.write("model/config.json", &files.config);
        site.write("model/tokenizer.json", &files.tokenizer);
        site.write("model/model.safetensors", &files.weights);
        site
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().expect("it has a directory")).expect("the directory can be made");
        std::fs::write(path, contents).expect("the file can be written");
    }

    /// `onrecord` in this directory, with the tiny model.
    fn onrecord(&self, arguments: &[&str]) -> assert_cmd::Command {
        let mut command = onrecord();
        command.current_dir(self.path()).env("ONRECORD_MODEL", "model").args(arguments);
        command
    }

    /// Runs `onrecord extract` in this directory, with the tiny model.
    fn extract(&self, arguments: &[&str]) -> Run {
        Run::of(self.onrecord(&["extract"]).args(arguments))
    }
}

/// What a run left behind.
struct Run {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Run {
    fn of(command: &mut assert_cmd::Command) -> Self {
        let output = command.output().expect("the command starts");
        let run = Self {
            code: output.status.code().expect("no signal ended it"),
            stdout: String::from_utf8(output.stdout).expect("the output is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("the messages are UTF-8"),
        };
        assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
        run
    }

    /// The output, one JSON value a line.
    fn lines(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
    }
}
