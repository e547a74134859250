//! Progress of `onrecord batch` on standard error: a bar for people, lines for programs, a summary in the end.

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use indicatif::{HumanCount, HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use super::complaints::complain;
use crate::batch::{Counters, Inputs, Summary};
use crate::engine::Engine;

/// Between two lines, or two looks of the bar at the numbers.
const LINE: Duration = Duration::from_secs(1);
const BAR: Duration = Duration::from_millis(200);

/// What is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Show {
    /// A bar on a terminal, otherwise a summary at the end
    Auto,
    /// JSON, a line a second and one at the end
    Json,
    /// Nothing
    None,
}

pub(super) struct Progress {
    show: Show,
    /// Bytes to read, where that is known.
    bytes: Option<u64>,
    passed_over: usize,
    /// Folders that were passed over, too.
    outputs: usize,
    started: Instant,
}

/// The numbers at a moment.
struct Reached {
    documents: u64,
    errors: u64,
    parts: u64,
    bytes: u64,
    tokens: u64,
    seconds: f64,
}

impl Reached {
    fn tokens_per_second(&self) -> f64 {
        if self.seconds > 0.0 { self.tokens as f64 / self.seconds } else { 0.0 }
    }
}

impl Progress {
    pub fn new(show: Show, inputs: &Inputs) -> Self {
        Self {
            show,
            bytes: inputs.bytes(),
            passed_over: inputs.passed_over,
            outputs: inputs.outputs,
            started: Instant::now(),
        }
    }

    fn reached(&self, engine: &Engine, counters: &Counters) -> Reached {
        Reached {
            documents: counters.documents.load(Ordering::Relaxed),
            errors: counters.errors.load(Ordering::Relaxed),
            parts: counters.parts.load(Ordering::Relaxed),
            bytes: counters.bytes_done.load(Ordering::Relaxed),
            tokens: engine.tokens_run(),
            seconds: self.started.elapsed().as_secs_f64(),
        }
    }

    /// Shows how far some work is while it is done.
    pub fn during<T>(&self, engine: &Engine, counters: &Counters, work: impl FnOnce() -> T) -> T {
        let bar = (self.show == Show::Auto && io::stderr().is_terminal()).then(|| self.bar());
        let (every, is_shown) = (if bar.is_some() { BAR } else { LINE }, bar.is_some() || self.show == Show::Json);
        if !is_shown {
            return work();
        }
        let (done, ended) = channel::<()>();
        thread::scope(|scope| {
            scope.spawn(|| {
                let ended = ended;
                while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(every) {
                    let reached = self.reached(engine, counters);
                    match &bar {
                        Some(bar) => advance(bar, &reached),
                        None => self.line("progress", &reached),
                    }
                }
            });
            let result = work();
            drop(done);
            if let Some(bar) = &bar {
                bar.finish_and_clear();
            }
            result
        })
    }

    fn bar(&self) -> ProgressBar {
        let bar = ProgressBar::with_draw_target(self.bytes, ProgressDrawTarget::stderr());
        let form = match self.bytes {
            Some(_) => "{elapsed} {wide_bar} {percent}% {msg}, {eta} left",
            None => "{elapsed} {spinner} {msg}",
        };
        // The forms are right; if one were not, the plain bar would do.
        match ProgressStyle::with_template(form) {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        }
    }

    fn line(&self, event: &str, reached: &Reached) {
        // By bytes, as far as the number of documents is not known before all are read.
        let left = self.bytes.filter(|_| reached.bytes > 0).map(|bytes| {
            let left = bytes.saturating_sub(reached.bytes) as f64;
            (left * reached.seconds / reached.bytes as f64).round()
        });
        let line = json!({
            "event": event, "seconds": rounded(reached.seconds), "documents": reached.documents,
            "errors": reached.errors, "parts": reached.parts, "tokens": reached.tokens,
            "tokens_per_second": reached.tokens_per_second().round(), "bytes": reached.bytes,
            "bytes_total": self.bytes, "seconds_left": left,
        });
        write(&line.to_string());
    }

    /// What the output holds now that the run has come to its end, and how fast it was.
    pub fn summary(&self, engine: &Engine, counters: &Counters, summary: Summary, errors: &Path) {
        let reached = self.reached(engine, counters);
        match self.show {
            Show::None => {}
            Show::Json => {
                let line = json!({
                    "event": "summary", "seconds": rounded(reached.seconds), "documents": summary.documents,
                    "errors": summary.errors, "rows": summary.rows, "parts": summary.parts, "tokens": reached.tokens,
                    "tokens_per_second": reached.tokens_per_second().round(), "files_passed_over": self.passed_over,
                    "outputs_passed_over": self.outputs,
                });
                write(&line.to_string());
            }
            Show::Auto => self.say(&reached, summary, errors),
        }
    }

    fn say(&self, reached: &Reached, summary: Summary, errors: &Path) {
        let (documents, rows) = (HumanCount(summary.documents), HumanCount(summary.rows));
        complain(&format!("{documents} documents, {rows} rows in {} parts", summary.parts));
        if reached.documents > 0 {
            let spent = HumanDuration(Duration::from_secs_f64(reached.seconds));
            let (documents, speed) = (HumanCount(reached.documents), HumanCount(reached.tokens_per_second() as u64));
            complain(&format!("{documents} of them now, in {spent}, {speed} tokens a second"));
        }
        if summary.errors > 0 {
            complain(&format!("{} documents failed: {} says why", HumanCount(summary.errors), errors.display()));
        }
        if self.passed_over > 0 {
            let files = HumanCount(self.passed_over as u64);
            complain(&format!(
                "{files} files were passed over: pipes, or names that do not say what they hold (see --input-format)"
            ));
        }
        if self.outputs > 0 {
            let folders = HumanCount(self.outputs as u64);
            complain(&format!("{folders} folders were passed over: they hold the output of a run"));
        }
    }
}

fn advance(bar: &ProgressBar, reached: &Reached) {
    let (documents, speed) = (HumanCount(reached.documents), HumanCount(reached.tokens_per_second() as u64));
    bar.set_position(reached.bytes);
    bar.set_message(format!("{documents} documents, {speed} tokens/s, {} errors", HumanCount(reached.errors)));
}

fn rounded(seconds: f64) -> f64 {
    (seconds * 1e3).round() / 1e3
}

fn write(line: &str) {
    // If it is closed or full, there is nobody left to tell.
    let _ = writeln!(io::stderr(), "{line}");
}
