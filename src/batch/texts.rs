//! A column of texts of any of Arrow's kinds, read where it lies.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, LargeStringArray, StringArray, StringViewArray};
use arrow_cast::cast;
use arrow_schema::{ArrowError, DataType};

/// Texts, one a row.
pub(super) enum Texts {
    Plain(StringArray),
    Large(LargeStringArray),
    View(StringViewArray),
}

/// Whether a column can be one of texts.
pub(super) fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}

impl Texts {
    /// The column as it is, or, if it is a dictionary or of numbers, written out.
    ///
    /// # Errors
    /// When it cannot be written as texts.
    pub fn of(column: &ArrayRef) -> Result<Self, ArrowError> {
        Ok(match column.data_type() {
            DataType::Utf8 => Self::Plain(column.as_string::<i32>().clone()),
            DataType::LargeUtf8 => Self::Large(column.as_string::<i64>().clone()),
            DataType::Utf8View => Self::View(column.as_string_view().clone()),
            _ => Self::Plain(cast(column, &DataType::Utf8)?.as_string::<i32>().clone()),
        })
    }

    /// The text of a row; `None` where it is null.
    pub fn get(&self, row: usize) -> Option<&str> {
        let array: &dyn Array = match self {
            Self::Plain(texts) => texts,
            Self::Large(texts) => texts,
            Self::View(texts) => texts,
        };
        array.is_valid(row).then(|| match self {
            Self::Plain(texts) => texts.value(row),
            Self::Large(texts) => texts.value(row),
            Self::View(texts) => texts.value(row),
        })
    }

    /// The texts of all rows.
    pub fn iter(&self) -> impl Iterator<Item = Option<&str>> {
        (0..self.len()).map(|row| self.get(row))
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Plain(texts) => texts.len(),
            Self::Large(texts) => texts.len(),
            Self::View(texts) => texts.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::Int64Array;

    use super::*;

    const LONG: &str = "longer than what a view holds inside";

    #[test]
    fn all_kinds_give_the_same_texts() {
        let plain: ArrayRef = Arc::new(StringArray::from(vec![Some(LONG), None, Some("é")]));
        let dictionary = DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8));
        for kind in [DataType::Utf8, DataType::LargeUtf8, DataType::Utf8View, dictionary] {
            assert!(is_text(&kind));
            let texts = Texts::of(&cast(&plain, &kind).unwrap()).unwrap();
            assert_eq!(texts.iter().collect::<Vec<_>>(), [Some(LONG), None, Some("é")], "{kind}");
        }
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![7]));
        assert_eq!(Texts::of(&numbers).unwrap().get(0), Some("7"));
    }

    #[test]
    fn no_text_is_copied() {
        let plain = StringArray::from(vec![LONG; 3]);
        let (start, bytes) = (plain.value_data().as_ptr() as usize, plain.value_data().len());
        let column: ArrayRef = Arc::new(plain.slice(1, 2));
        let texts = Texts::of(&column).unwrap();
        let text = texts.get(1).unwrap();
        assert_eq!(text.as_ptr() as usize, start + bytes - text.len());
    }
}
