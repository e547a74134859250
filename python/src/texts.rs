//! Texts in, dictionaries out.

use onrecord::batch::columns::RowError;
use onrecord::batch::in_memory::{self, Found, free_beside};
use onrecord::engine::Engine;
use pyo3::exceptions::{PyTypeError, PyUnicodeEncodeError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use pyo3::types::{PyList, PyString};
use pythonize::pythonize;
use serde::Serialize;

use crate::attended::attended;

/// A text that is held where Python has it, or what is wrong with it; `None` is a text that is not there.
type Held = Result<Option<PyBackedStr>, RowError>;

/// A document that failed, in the place of its result.
#[derive(Serialize)]
struct Failure<'a> {
    id: &'a str,
    error: &'a RowError,
}

/// Extracts from a text, or from several.
pub(crate) fn extract<'py>(
    engine: &Engine,
    max_bytes: usize,
    texts: &Bound<'py, PyAny>,
    ids: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = texts.py();
    if texts.is_instance_of::<PyString>() {
        let id = ids.map_or_else(|| Ok("0".to_owned()), |id| id.extract::<String>())?;
        let found = run(py, engine, max_bytes, &[id], &[held(texts, 0)?])?;
        return match found.into_iter().next() {
            Some(Ok(extraction)) => Ok(pythonize(py, &extraction)?),
            Some(Err(error)) => Err(PyValueError::new_err(error.message)),
            None => Err(PyValueError::new_err("there is no result; please report it")),
        };
    }
    // What is many is looked at one by one, and at signals in between.
    let texts = texts.try_iter()?.enumerate().map(|(place, text)| {
        py.check_signals()?;
        held(&text?, place)
    });
    let texts: Vec<Held> = texts.collect::<PyResult<_>>()?;
    let ids: Vec<String> = match ids {
        Some(ids) if ids.is_instance_of::<PyString>() => {
            return Err(PyTypeError::new_err("ids must be a sequence of str, as texts is a sequence"));
        }
        Some(ids) => {
            let ids = ids.try_iter()?.map(|id| {
                py.check_signals()?;
                id?.extract()
            });
            ids.collect::<PyResult<_>>()?
        }
        None => (0..texts.len()).map(|place| place.to_string()).collect(),
    };
    if ids.len() != texts.len() {
        let message = format!("there are {} ids for {} texts", ids.len(), texts.len());
        return Err(PyValueError::new_err(message));
    }
    let found = run(py, engine, max_bytes, &ids, &texts)?;
    let answers = ids.iter().zip(&found).map(|(id, found)| {
        py.check_signals()?;
        Ok(match found {
            Ok(extraction) => pythonize(py, extraction)?,
            Err(error) => pythonize(py, &Failure { id, error })?,
        })
    });
    let answers = answers.collect::<PyResult<Vec<_>>>();
    if answers.is_err() {
        free_beside(found);
    }
    Ok(PyList::new(py, answers?)?.into_any())
}

/// Takes hold of a text, without copying it.
fn held(text: &Bound<'_, PyAny>, place: usize) -> PyResult<Held> {
    if text.is_none() {
        return Ok(Ok(None));
    }
    let Ok(string) = text.cast::<PyString>() else {
        let message = format!("texts[{place}] must be str, and not {}", text.get_type().fully_qualified_name()?);
        return Err(PyTypeError::new_err(message));
    };
    match PyBackedStr::try_from(string.clone()) {
        Ok(text) => Ok(Ok(Some(text))),
        // Python can hold halves of surrogate pairs, which are no characters.
        Err(error) if error.is_instance_of::<PyUnicodeEncodeError>(text.py()) => {
            let message = format!("the text is no valid Unicode: {error}");
            Ok(Err(RowError { code: "invalid_utf8", message }))
        }
        Err(error) => Err(error),
    }
}

fn run(py: Python<'_>, engine: &Engine, max_bytes: usize, ids: &[String], texts: &[Held]) -> PyResult<Vec<Found>> {
    let both = ids.iter().zip(texts);
    let documents = both.map(|(id, text)| match text {
        Ok(text) => in_memory::document(id, text.as_deref(), max_bytes),
        Err(error) => Err(error.clone()),
    });
    let documents: Vec<_> = documents.collect();
    attended(py, |stop| in_memory::extract(engine, &documents, stop))
}
