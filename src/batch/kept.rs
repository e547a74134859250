//! Columns that are passed through: what a row brings with it, and how the rows of a chunk become columns again.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, StringArray, new_null_array};
use arrow_cast::cast;
use arrow_schema::{ArrowError, Field, FieldRef, Schema};
use arrow_select::interleave::interleave;

/// What a row brings with it.
#[derive(Debug, Clone)]
pub(super) enum Kept {
    /// Nothing: all its columns are null.
    Nothing,
    /// Texts, in the order of the columns.
    Texts(Vec<Option<String>>),
    /// A row of columns that many rows share.
    Row(Arc<[ArrayRef]>, usize),
}

/// The columns of results, and then those that are passed through; or why they do not go together.
pub(super) fn with_kept(results: &Schema, kept: &[Field]) -> Result<Vec<FieldRef>, String> {
    for (index, column) in kept.iter().enumerate() {
        let name = column.name();
        if results.field_with_name(name).is_ok() {
            return Err(format!("{name}: the output has a column of that name already; rename it first"));
        }
        if kept[..index].iter().any(|earlier| earlier.name() == name) {
            return Err(format!("names {name} twice"));
        }
    }
    Ok(results.fields().iter().cloned().chain(kept.iter().cloned().map(Arc::new)).collect())
}

/// The columns of these rows.
pub(super) fn columns(fields: &[Field], rows: &[&Kept]) -> Result<Vec<ArrayRef>, ArrowError> {
    fields.iter().enumerate().map(|(index, field)| column(index, field, rows)).collect()
}

fn column(index: usize, field: &Field, rows: &[&Kept]) -> Result<ArrayRef, ArrowError> {
    // First a source with the texts, one after another, and a null at its end; then each array that rows share.
    let texts: StringArray = rows
        .iter()
        .filter_map(|row| match row {
            Kept::Texts(texts) => Some(texts.get(index).and_then(Option::as_deref)),
            _ => None,
        })
        .chain([None])
        .collect();
    let nothing = texts.len() - 1;
    let texts = if nothing == 0 { new_null_array(field.data_type(), 1) } else { cast(&texts, field.data_type())? };
    let mut sources: Vec<&dyn Array> = vec![texts.as_ref()];
    let mut last: Option<&Arc<[ArrayRef]>> = None;
    let mut text = 0;
    let mut places = Vec::with_capacity(rows.len());
    for row in rows {
        places.push(match row {
            Kept::Nothing => (0, nothing),
            Kept::Texts(_) => {
                text += 1;
                (0, text - 1)
            }
            Kept::Row(arrays, row) => {
                if last.is_none_or(|last| !Arc::ptr_eq(last, arrays)) {
                    let array = arrays.get(index);
                    sources.push(array.ok_or_else(|| ArrowError::ComputeError("a column is missing".to_owned()))?);
                    last = Some(arrays);
                }
                (sources.len() - 1, *row)
            }
        });
    }
    interleave(&sources, &places)
}

#[cfg(test)]
mod tests {
    use arrow_array::Int64Array;
    use arrow_schema::DataType;

    use super::*;

    #[test]
    fn rows_of_all_kinds_make_a_column() {
        let shared = |values: [&str; 2]| -> Arc<[ArrayRef]> {
            let column: ArrayRef = Arc::new(StringArray::from(values.to_vec()));
            Arc::from(vec![column])
        };
        let (one, two) = (shared(["a", "b"]), shared(["c", "d"]));
        let text = |text: Option<&str>| Kept::Texts(vec![text.map(str::to_owned)]);
        let rows = [
            Kept::Row(Arc::clone(&one), 1),
            text(Some("t")),
            Kept::Nothing,
            Kept::Row(two, 0),
            text(None),
            Kept::Row(one, 0),
            text(Some("u")),
        ];
        let field = Field::new("k", DataType::Utf8, true);
        let column = columns(&[field], &rows.iter().collect::<Vec<_>>()).unwrap().remove(0);
        let expected = [Some("b"), Some("t"), None, Some("c"), None, Some("a"), Some("u")];
        assert_eq!(column.as_ref(), &StringArray::from(expected.to_vec()) as &dyn Array);
    }

    #[test]
    fn types_stay() {
        let column: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
        let shared: Arc<[ArrayRef]> = Arc::from(vec![column]);
        let (one, nothing) = (Kept::Row(shared, 1), Kept::Nothing);
        let field = Field::new("k", DataType::Int64, true);
        let column = columns(std::slice::from_ref(&field), &[&one, &nothing]).unwrap().remove(0);
        assert_eq!(column.as_ref(), &Int64Array::from(vec![Some(2), None]) as &dyn Array);
        assert_eq!(columns(&[field], &[]).unwrap()[0].len(), 0);
    }
}
