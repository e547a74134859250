//! Documents that lie in memory, as texts or in a batch of Arrow's: extracted as archives are, read where they lie.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow_array::{Array, ArrayRef, RecordBatch, new_empty_array};
use arrow_cast::cast;
use arrow_schema::{ArrowError, Field, Schema, SchemaRef};
use arrow_select::concat::concat;

use super::columns::{RowError, document_schema, result_schema, results};
use super::groups::in_groups;
pub use super::groups::{Found, free_beside};
use super::kept::with_kept;
use super::read::columnar::{Columns, find_columns, passed_through};
use super::texts::Texts;
use crate::engine::Engine;
use crate::text::{BorrowedDocument, DocumentError};

/// Which columns hold what, and what is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The column of texts.
    pub text_column: String,
    /// The column of ids; `None`: `id` where there is one.
    pub id_column: Option<String>,
    /// Columns that are passed through.
    pub keep: Vec<String>,
    /// Larger documents are refused, bytes.
    pub max_document_bytes: usize,
}

/// Why there is no answer at all.
#[derive(Debug, thiserror::Error)]
pub enum InMemoryError {
    /// The columns are not those that were asked for.
    #[error("{0}")]
    Columns(String),
    /// The results are too much for one batch, 2 GiB of text in a column at most.
    #[error("the results do not fit one batch, hand over fewer rows at a time: {0}")]
    Form(#[from] ArrowError),
    /// The caller said to stop.
    #[error("stopped")]
    Stopped,
}

/// A document from a text that is there or not, and within the limit or not.
///
/// # Errors
/// What would be the error of the same row in an archive.
pub fn document<'a>(id: &'a str, text: Option<&'a str>, max_bytes: usize) -> Result<BorrowedDocument<'a>, RowError> {
    let text = text.ok_or(DocumentError::Empty)?;
    if text.len() > max_bytes {
        return Err(DocumentError::TooLarge { limit: max_bytes }.into());
    }
    Ok(BorrowedDocument::new(id, text)?)
}

/// Extracts from documents; results stand in their order. What is an error already stays one. `stop` ends it early.
///
/// # Errors
/// [`InMemoryError::Stopped`].
pub fn extract(
    engine: &Engine,
    documents: &[Result<BorrowedDocument<'_>, RowError>],
    stop: &AtomicBool,
) -> Result<Vec<Found>, InMemoryError> {
    let groups = in_groups(engine, documents, stop, |_, found| found).ok_or(InMemoryError::Stopped)?;
    Ok(groups.into_iter().flatten().collect())
}

/// Extracts from the rows of batches with the same columns, without copying a text. There is a row for each row, in the
/// same order: the columns of [`document_schema`], those that are passed through, and `error`, which is null where there
/// is a result. A row without an id gets its number, from 0. `stop` ends it early.
///
/// # Errors
/// [`InMemoryError`]. A bad row costs its own error only.
pub fn extract_batch(
    engine: &Engine,
    rows: &[RecordBatch],
    wanted: &Wanted,
    stop: &AtomicBool,
) -> Result<RecordBatch, InMemoryError> {
    let input = rows.first().map_or_else(|| Arc::new(Schema::empty()), RecordBatch::schema);
    let (columns, kept) = find(&input, wanted)?;
    let schema = output_schema(&kept)?;
    let column = |place: usize| rows.iter().map(move |batch| batch.column(place));
    let texts = column(columns.text).map(Texts::of).collect::<Result<Vec<_>, _>>()?;
    let ids = columns.id.map(|id| column(id).map(Texts::of).collect::<Result<Vec<_>, _>>()).transpose()?;
    let ids = match &ids {
        Some(ids) => ids.iter().flat_map(Texts::iter).collect(),
        None => vec![None; texts.iter().map(Texts::len).sum()],
    };
    let id = |(row, id): (usize, &Option<&str>)| {
        go_on(stop)?;
        Ok(id.map_or_else(|| row.to_string(), str::to_owned))
    };
    let ids: Vec<String> = ids.iter().enumerate().map(id).collect::<Result<_, InMemoryError>>()?;
    let both = ids.iter().zip(texts.iter().flat_map(Texts::iter));
    let checked = both.map(|(id, text)| {
        go_on(stop)?;
        Ok(document(id, text, wanted.max_document_bytes))
    });
    let documents: Vec<_> = checked.collect::<Result<_, InMemoryError>>()?;
    let (model, unit) = (engine.model().identifier(), engine.options().offset_unit);
    let form = |start: usize, found: Vec<Found>| {
        let named: Vec<_> = ids[start..].iter().cloned().zip(found).collect();
        results(&model, unit, &named)
    };
    let found = in_groups(engine, &documents, stop, form).ok_or(InMemoryError::Stopped)?;
    let found = found.into_iter().collect::<Result<Vec<RecordBatch>, _>>()?;
    let mut output = Vec::with_capacity(schema.fields().len());
    for (place, field) in result_schema().fields().iter().enumerate() {
        let pieces: Vec<&dyn Array> = found.iter().map(|group| group.column(place).as_ref()).collect();
        go_on(stop)?;
        output.push(if pieces.is_empty() { new_empty_array(field.data_type()) } else { concat(&pieces)? });
    }
    let errors = output.pop();
    for (&place, field) in columns.kept.iter().zip(&kept) {
        let cast = |piece: &ArrayRef| {
            go_on(stop)?;
            Ok(cast(piece, field.data_type())?)
        };
        let pieces = column(place).map(cast).collect::<Result<Vec<_>, InMemoryError>>()?;
        output.push(concat(&pieces.iter().map(AsRef::as_ref).collect::<Vec<_>>())?);
    }
    output.extend(errors);
    Ok(RecordBatch::try_new(schema, output)?)
}

/// Nothing more is done for a caller who said to stop.
fn go_on(stop: &AtomicBool) -> Result<(), InMemoryError> {
    if stop.load(Ordering::Relaxed) { Err(InMemoryError::Stopped) } else { Ok(()) }
}

/// Where the columns are, and those that are passed through as they come out.
fn find(schema: &Schema, wanted: &Wanted) -> Result<(Columns, Vec<Field>), InMemoryError> {
    let unfit = |error: RowError| InMemoryError::Columns(format!("the rows cannot be read: {}", error.message));
    let id_column = wanted.id_column.as_deref().map_or(("id", false), |name| (name, true));
    // First those that are there, to be told of one that is not by its name.
    let kept = wanted.keep.iter().map(|name| match schema.field_with_name(name) {
        Ok(field) => passed_through(field),
        Err(_) => Field::new(name, arrow_schema::DataType::Utf8, true),
    });
    let kept: Vec<Field> = kept.collect();
    Ok((find_columns(schema, &wanted.text_column, id_column, &kept).map_err(unfit)?, kept))
}

fn output_schema(kept: &[Field]) -> Result<SchemaRef, InMemoryError> {
    let results = result_schema();
    let clash = |reason| InMemoryError::Columns(format!("keep {reason}"));
    with_kept(&results, kept).map_err(clash)?;
    let mut fields = with_kept(&document_schema(), kept).map_err(clash)?;
    fields.extend(results.fields().last().cloned());
    Ok(Arc::new(Schema::new(fields)))
}
