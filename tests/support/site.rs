//! A directory to run the command in, and what a run leaves behind.

use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use super::{onrecord, tiny};

/// A working directory with the tiny model in `model`.
pub struct Site(TempDir);

impl Site {
    pub fn new() -> Self {
        let site = Self(tempfile::tempdir().expect("there is room for a directory"));
        let files = tiny::files();
        site.write("model/config.json", &files.config);
        site.write("model/tokenizer.json", &files.tokenizer);
        site.write("model/model.safetensors", &files.weights[0]);
        site
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().expect("it has a directory")).expect("the directory can be made");
        std::fs::write(path, contents).expect("the file can be written");
    }

    /// `onrecord` in this directory, with the tiny model.
    pub fn onrecord(&self, arguments: &[&str]) -> assert_cmd::Command {
        let mut command = onrecord();
        command.current_dir(self.path()).env("ONRECORD_MODEL", "model").args(arguments);
        command
    }

    /// Runs `onrecord extract` in this directory, with the tiny model.
    pub fn extract(&self, arguments: &[&str]) -> Run {
        Run::of(self.onrecord(&["extract"]).args(arguments))
    }
}

/// What a run left behind.
pub struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    pub fn of(command: &mut assert_cmd::Command) -> Self {
        let run = Self::whatever(command);
        assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
        run
    }

    /// A run in which the program may fail.
    pub fn whatever(command: &mut assert_cmd::Command) -> Self {
        let output = command.output().expect("the command starts");
        Self {
            code: output.status.code().expect("no signal ended it"),
            stdout: String::from_utf8(output.stdout).expect("the output is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("the messages are UTF-8"),
        }
    }

    /// The output, one JSON value a line.
    pub fn lines(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
    }
}
