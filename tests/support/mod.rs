//! What several tests need: the command, the embedded engine, fixtures, and a tiny model made on the spot.

pub mod results;
pub mod site;
pub mod tiny;

use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use onrecord::engine::{Engine, Options};
use onrecord::model::{Arithmetic, KernelPath, Model, Precision};

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

/// How the command computes on this machine when nothing is asked for.
pub fn arithmetic() -> Arithmetic {
    Arithmetic::new(None).expect("the environment names kernels of this machine, or none")
}

/// The embedded model with default options, computing in every way that this machine can; loaded once for all tests.
pub fn engines() -> &'static [Engine] {
    static ENGINES: LazyLock<Vec<Engine>> = LazyLock::new(|| {
        let paths = KernelPath::available();
        let ways = paths.flat_map(|kernels| Precision::ALL.map(|precision| Arithmetic { precision, kernels }));
        let start = |way| {
            let model = Model::embedded(way).expect("the embedded model loads");
            Engine::new(model, Options::default(), 2).expect("the engine starts")
        };
        ways.map(start).collect()
    });
    &ENGINES
}

/// The one of them that computes as the command does by default.
pub fn engine() -> &'static Engine {
    engines().iter().find(|engine| engine.model().arithmetic() == arithmetic()).expect("the default is one of all")
}

/// Longer than anything takes that works, even on a busy machine.
pub const LONG: Duration = Duration::from_secs(120);

/// A text whose lines a mail program wrapped; blank lines between its paragraphs stay.
pub fn wrapped(text: &str, width: usize) -> String {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split(' ') {
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
                lines.push(std::mem::take(&mut line));
            }
            line = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
        }
        lines.push(line);
    }
    lines.join("\n")
}

/// Waits for something that is to become true.
pub fn wait_until(what: &str, mut is_true: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_true() {
        assert!(started.elapsed() < LONG, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
