//! Batches of Arrow in, a batch out. What comes in is checked before it is believed: another library made it.

use std::sync::atomic::{AtomicBool, Ordering};

use arrow_array::ffi_stream::RecordBatchStreamReader;
use arrow_array::{Array, RecordBatch, RecordBatchReader};
use arrow_pyarrow::{FromPyArrow, ToPyArrow};
use onrecord::batch::in_memory::{InMemoryError, Wanted, extract_batch};
use onrecord::engine::Engine;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

use crate::attended::attended;

/// Extracts from whatever can be seen as rows.
pub(crate) fn extract<'py>(engine: &Engine, rows: &Bound<'py, PyAny>, wanted: &Wanted) -> PyResult<Bound<'py, PyAny>> {
    let py = rows.py();
    // Before the work, and not after it: what comes out is pyarrow's.
    py.import("pyarrow")?;
    let batches = if rows.hasattr("__arrow_c_array__")? {
        vec![RecordBatch::from_pyarrow_bound(rows).map_err(|error| unreadable(py, error))?]
    } else if rows.hasattr("__arrow_c_stream__")? {
        let reader = RecordBatchStreamReader::from_pyarrow_bound(rows).map_err(|error| unreadable(py, error))?;
        attended(py, |stop| read(reader, stop))?
    } else {
        let given = rows.get_type().fully_qualified_name()?;
        let message = format!("rows must be a RecordBatch or Table of Arrow, and not {given}");
        return Err(PyTypeError::new_err(message));
    };
    attended(py, |stop| extract_batch(engine, &batches, wanted, stop))?.to_pyarrow(py)
}

/// What is wrong with a value is a ValueError, as everywhere, and not one of pyarrow's own.
fn unreadable(py: Python<'_>, error: PyErr) -> PyErr {
    if error.is_instance_of::<PyTypeError>(py) {
        return error;
    }
    PyValueError::new_err(format!("the rows cannot be read: {}", error.value(py)))
}

/// All batches of a stream, none of which is believed unseen; one without rows where there are none, for its columns.
fn read(reader: RecordBatchStreamReader, stop: &AtomicBool) -> Result<Vec<RecordBatch>, InMemoryError> {
    let schema = reader.schema();
    let mut batches = Vec::new();
    for batch in reader {
        if stop.load(Ordering::Relaxed) {
            return Err(InMemoryError::Stopped);
        }
        let checked = batch.and_then(|batch| {
            batch.columns().iter().try_for_each(|column| column.to_data().validate_full())?;
            Ok(batch)
        });
        batches.push(checked.map_err(|error| InMemoryError::Columns(format!("the rows cannot be read: {error}")))?);
    }
    if batches.is_empty() {
        batches.push(RecordBatch::new_empty(schema));
    }
    Ok(batches)
}
