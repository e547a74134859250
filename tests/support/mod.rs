//! What several tests need: the command, the embedded engine, fixtures, and a tiny model made on the spot.

pub mod tiny;

use std::path::PathBuf;
use std::sync::LazyLock;

use onrecord::engine::{Engine, Options};
use onrecord::model::Model;

/// The `onrecord` command with an environment free of its own variables.
pub fn onrecord() -> assert_cmd::Command {
    let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_onrecord"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("ONRECORD_") || name == "NO_COLOR" {
            command.env_remove(name);
        }
    }
    command
}

/// A file under `tests/fixtures`.
pub fn fixture(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(path)
}

/// The embedded model with default options, loaded once for all tests.
pub fn engine() -> &'static Engine {
    static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
        let model = Model::embedded().expect("the embedded model loads");
        Engine::new(model, Options::default(), 2).expect("the engine starts")
    });
    &ENGINE
}
