//! The Python skin: texts, lists and batches of Arrow in, dictionaries and batches out, by the same engine as the
//! command; and the command itself. Knows nothing of tensors.
//!
//! The engine runs without the interpreter's lock, on threads of its own; meanwhile this thread listens to Ctrl-C.
//! Nothing here is `unsafe`: `pyo3` keeps the rules of Python's C interface, and `arrow-pyarrow` those of Arrow's.

mod attended;
mod columns;
mod command;
mod texts;

use std::path::PathBuf;
use std::str::FromStr;

use onrecord::batch::in_memory::Wanted;
use onrecord::engine::{Engine, Options};
use onrecord::model::{Arithmetic, Model};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyModule;

use attended::left_to_itself;

/// Documents larger than this are refused, bytes: as in `onrecord batch`.
const MAX_DOCUMENT_BYTES: usize = 4 * 1024 * 1024;

/// Reads news text and tells its named entities and who said what.
///
/// Making one loads the model, which takes some hundredths of a second; it can then be used from any number of threads.
/// It must be made in the process that uses it, not before a fork.
///
/// Args:
///     model: Directory with config.json, tokenizer.json and model.safetensors, instead of the model that is built in.
///     threads: Worker threads; one per core when None.
///     precision: "int8", or "f32", which is exact and slower; None for int8 where the machine has instructions for it.
///     entity_scheme: "news9" (PER ORG LOC NORP FAC PRODUCT DATE MONEY MISC) or "conll4" (PER ORG LOC MISC).
///     offset_unit: "codepoint", which is how Python counts, "byte" or "utf16".
///     min_score: Entities and statements that score below this, from 0 to 1, are left out.
///     floating: Whether floating statements are wanted: quotations without source or cue after an attributed one, and
///         turns of transcripts.
///     max_window: Most tokens in a window; None for what the model was trained with.
///     max_document_bytes: Larger documents are refused, in bytes of UTF-8.
#[pyclass(frozen, module = "onrecord")]
struct Extractor {
    engine: Engine,
    max_document_bytes: usize,
    /// The process that has the worker threads.
    process: u32,
}

#[pymethods]
impl Extractor {
    #[new]
    #[pyo3(signature = (
        model=None, threads=None, *, precision=None, entity_scheme=None, offset_unit="codepoint", min_score=0.0,
        floating=true, max_window=None, max_document_bytes=MAX_DOCUMENT_BYTES
    ))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords")]
    fn new(
        py: Python<'_>,
        model: Option<PathBuf>,
        threads: Option<u16>,
        precision: Option<&str>,
        entity_scheme: Option<&str>,
        offset_unit: &str,
        min_score: f32,
        floating: bool,
        max_window: Option<usize>,
        max_document_bytes: usize,
    ) -> PyResult<Self> {
        if threads == Some(0) {
            return Err(PyValueError::new_err("threads: 0 are too few; None stands for one per core"));
        }
        if !(0.0..=1.0).contains(&min_score) {
            return Err(PyValueError::new_err(format!("min_score: {min_score} is not between 0 and 1")));
        }
        let options = Options {
            entity_scheme: entity_scheme.map(parsed).transpose()?,
            offset_unit: parsed(offset_unit)?,
            min_score,
            floating,
        };
        let precision = precision.map(parsed).transpose()?;
        let threads = threads.map_or(0, usize::from);
        let engine = left_to_itself(py, move || start(model, precision, options, threads, max_window))?;
        Ok(Self { engine, max_document_bytes, process: std::process::id() })
    }

    /// Extracts from a text, or from several at a time.
    ///
    /// A text that cannot be processed raises ValueError if it comes alone, and in a list costs its own error: its place
    /// then holds {"id": ..., "error": {"code": ..., "message": ...}}.
    ///
    /// Args:
    ///     texts: A str, or a sequence of them.
    ///     ids: The name of the text, or a sequence with one for each; their places, from "0", when None.
    ///
    /// Returns:
    ///     A dict as docs/output.md describes it, or a list of them in the order of the texts.
    #[pyo3(signature = (texts, ids=None))]
    fn extract<'py>(&self, texts: &Bound<'py, PyAny>, ids: Option<&Bound<'py, PyAny>>) -> PyResult<Bound<'py, PyAny>> {
        self.check_process()?;
        texts::extract(&self.engine, self.max_document_bytes, texts, ids)
    }

    /// Extracts from the rows of a batch, without copying a text.
    ///
    /// There is a row for each row, in the same order. Its columns are those of `onrecord batch` (docs/batch.md), then
    /// the kept ones, and in the end `error`, a struct of code and message, which is null where there is a result.
    ///
    /// Args:
    ///     rows: A pyarrow RecordBatch or Table, or whatever offers __arrow_c_array__ or __arrow_c_stream__.
    ///     text_column: The column of texts.
    ///     id_column: The column of ids, of text or whole numbers. None: `id` where there is one. A row without an id
    ///         gets its number in the batch, from 0.
    ///     keep: Names of columns that are passed through.
    ///
    /// Returns:
    ///     A pyarrow.RecordBatch.
    #[pyo3(signature = (rows, *, text_column="text", id_column=None, keep=None))]
    fn extract_batch<'py>(
        &self,
        rows: &Bound<'py, PyAny>,
        text_column: &str,
        id_column: Option<String>,
        keep: Option<Vec<String>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.check_process()?;
        let (text_column, keep) = (text_column.to_owned(), keep.unwrap_or_default());
        let wanted = Wanted { text_column, id_column, keep, max_document_bytes: self.max_document_bytes };
        columns::extract(&self.engine, rows, &wanted)
    }

    /// Which model it uses, name@hash.
    #[getter]
    fn model(&self) -> String {
        self.engine.model().identifier()
    }

    /// Number of worker threads.
    #[getter]
    fn threads(&self) -> usize {
        self.engine.threads()
    }

    /// Tokens that have been through the encoder so far, those of overlaps counted twice.
    #[getter]
    fn tokens_run(&self) -> u64 {
        self.engine.tokens_run()
    }

    fn __repr__(&self) -> String {
        format!("<onrecord.Extractor {} with {} threads>", self.model(), self.threads())
    }
}

impl Extractor {
    /// A forked process has no worker threads, and would wait for them for ever.
    fn check_process(&self) -> PyResult<()> {
        if self.process == std::process::id() {
            return Ok(());
        }
        let message = "this Extractor was made before the process was forked: make one in each process";
        Err(PyRuntimeError::new_err(message))
    }
}

fn start(
    model: Option<PathBuf>,
    precision: Option<onrecord::model::Precision>,
    options: Options,
    threads: usize,
    max_window: Option<usize>,
) -> PyResult<Engine> {
    let unusable = |error: &dyn std::error::Error| PyValueError::new_err(error.to_string());
    let arithmetic = Arithmetic::new(precision).map_err(|error| unusable(&error))?;
    let model = match model {
        Some(directory) => Model::load(&directory, arithmetic),
        None => Model::embedded(arithmetic),
    };
    let model = model.map_err(|error| unusable(&error))?;
    let engine = Engine::new(model, options, threads).and_then(|engine| engine.with_max_window(max_window));
    engine.map_err(|error| unusable(&error))
}

fn parsed<T: FromStr<Err = String>>(name: &str) -> PyResult<T> {
    name.parse().map_err(PyValueError::new_err)
}

#[pymodule]
fn _onrecord(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_function(wrap_pyfunction!(command::run_command, module)?)?;
    module.add_class::<Extractor>()
}
