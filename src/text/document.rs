//! A document: an identifier and a text. What cannot be a document is refused here, with a reason.

/// One article, post or transcript.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The caller's name for it; echoed in the output, never interpreted.
    pub id: String,
    /// The text, exactly as it came. All offsets refer to it.
    pub text: String,
}

/// A document whose id and text lie elsewhere, such as in a column of Arrow, and are read where they lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BorrowedDocument<'a> {
    /// The caller's name for it.
    pub id: &'a str,
    /// The text. All offsets refer to it.
    pub text: &'a str,
}

/// Why a document cannot be processed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// There is no text, or nothing but white space.
    #[error("the document has no text (it is empty or only white space)")]
    Empty,
    /// The bytes are not UTF-8.
    #[error("not valid UTF-8 at byte {at}: convert the text to UTF-8 first")]
    InvalidUtf8 {
        /// First offending byte, counted from the start of the document.
        at: usize,
    },
    /// The document is larger than the limit in force.
    #[error("the document is larger than {limit} bytes (see max_document_bytes)")]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
}

impl DocumentError {
    /// A stable, documented name for programs to match on.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty_document",
            Self::InvalidUtf8 { .. } => "invalid_utf8",
            Self::TooLarge { .. } => "document_too_large",
        }
    }
}

impl Document {
    /// A document from text that is already known to be UTF-8.
    ///
    /// # Errors
    /// [`DocumentError::Empty`] when there is nothing but white space.
    pub fn new(id: impl Into<String>, text: impl Into<String>) -> Result<Self, DocumentError> {
        let text = text.into();
        must_have_text(&text)?;
        Ok(Self { id: id.into(), text })
    }

    /// A document from raw bytes.
    ///
    /// # Errors
    /// [`DocumentError::InvalidUtf8`] or [`DocumentError::Empty`].
    pub fn from_bytes(id: impl Into<String>, bytes: Vec<u8>) -> Result<Self, DocumentError> {
        let text = String::from_utf8(bytes)
            .map_err(|error| DocumentError::InvalidUtf8 { at: error.utf8_error().valid_up_to() })?;
        Self::new(id, text)
    }

    /// The same document, without owning it.
    pub fn borrowed(&self) -> BorrowedDocument<'_> {
        BorrowedDocument { id: &self.id, text: &self.text }
    }
}

impl<'a> BorrowedDocument<'a> {
    /// A document from text that lies elsewhere.
    ///
    /// # Errors
    /// [`DocumentError::Empty`] when there is nothing but white space.
    pub fn new(id: &'a str, text: &'a str) -> Result<Self, DocumentError> {
        must_have_text(text)?;
        Ok(Self { id, text })
    }
}

fn must_have_text(text: &str) -> Result<(), DocumentError> {
    if text.trim().is_empty() { Err(DocumentError::Empty) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_documents_are_refused() {
        for text in ["", " ", "\r\n\t \u{2028}"] {
            assert_eq!(Document::new("d", text), Err(DocumentError::Empty));
            assert_eq!(BorrowedDocument::new("d", text), Err(DocumentError::Empty));
        }
    }

    #[test]
    fn the_first_bad_byte_is_named() {
        let error = Document::from_bytes("d", b"caf\xe9".to_vec()).unwrap_err();
        assert_eq!(error, DocumentError::InvalidUtf8 { at: 3 });
        assert_eq!(error.code(), "invalid_utf8");
    }
}
