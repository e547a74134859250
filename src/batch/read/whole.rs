//! Text: a file is a document.

use std::io::Read;
use std::sync::Arc;

use super::compression;
use super::record::{Reading, Record, Rows, Single, unreadable};
use crate::batch::columns::RowError;
use crate::batch::inputs::Input;
use crate::batch::kept::Kept;
use crate::text::{Document, DocumentError};

/// Reads a file, but never more than a byte beyond the limit.
pub(super) fn open(input: &Input, reading: &Arc<Reading>) -> Result<Box<dyn Rows>, RowError> {
    let (name, limit) = (input.name(), reading.settings.max_document_bytes);
    let mut bytes = Vec::new();
    let reader = compression::open(input, &reading.counters)?;
    reader.take((limit as u64).saturating_add(1)).read_to_end(&mut bytes).map_err(unreadable)?;
    let document = if bytes.len() > limit {
        Err(DocumentError::TooLarge { limit })
    } else {
        Document::from_bytes(name.as_str(), bytes)
    };
    let document = document.map_err(RowError::from);
    let path = name.as_str().into();
    Ok(Box::new(Single(Some(Record { path, row: None, id: Some(name), document, kept: Kept::Nothing }))))
}
