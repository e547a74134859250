//! Work without the interpreter's lock, which Ctrl-C can end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use onrecord::batch::in_memory::InMemoryError;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;

/// How often signals are looked for.
const LOOK: Duration = Duration::from_millis(50);

/// Does work on a thread of its own, and tells it to stop when a signal asks for that.
pub(crate) fn attended<T: Send>(
    py: Python<'_>,
    work: impl FnOnce(&AtomicBool) -> Result<T, InMemoryError> + Send,
) -> PyResult<T> {
    let stop = AtomicBool::new(false);
    py.detach(|| {
        thread::scope(|scope| {
            let (working, ended) = channel::<()>();
            let worker = scope.spawn(|| {
                let _working = working;
                work(&stop)
            });
            let mut signals = Ok(());
            while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(LOOK) {
                if signals.is_ok() {
                    signals = Python::attach(|py| py.check_signals());
                    stop.store(signals.is_err(), Ordering::Relaxed);
                }
            }
            let done = worker.join();
            signals?;
            match done {
                Ok(result) => result.map_err(|error| PyValueError::new_err(error.to_string())),
                Err(_) => Err(failed()),
            }
        })
    })
}

/// Does what cannot be told to stop on a thread of its own, and leaves it to itself when a signal comes.
pub(crate) fn left_to_itself<T: Send + 'static>(
    py: Python<'_>,
    work: impl FnOnce() -> PyResult<T> + Send + 'static,
) -> PyResult<T> {
    py.detach(|| {
        let (answers, answer) = channel();
        thread::spawn(move || {
            // Nobody may be left who wants it.
            let _ = answers.send(work());
        });
        loop {
            match answer.recv_timeout(LOOK) {
                Ok(result) => return result,
                Err(RecvTimeoutError::Timeout) => Python::attach(|py| py.check_signals())?,
                Err(RecvTimeoutError::Disconnected) => return Err(failed()),
            }
        }
    })
}

fn failed() -> PyErr {
    PyRuntimeError::new_err("the program failed; please report it")
}
