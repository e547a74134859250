//! Gold entities on running text: documents that are put together from tokenised sentences.

use std::ops::Range;

/// One document of a gold entity file, its sentences put together to running text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityDocument {
    /// The sentences' `doc`, or the sentence's own `id` in files without documents.
    pub id: String,
    /// The sentences, each followed by a newline; their tokens are joined by one space.
    pub text: String,
    /// Offsets of the tokens in `text`, in code points, end exclusive.
    pub tokens: Vec<Range<usize>>,
    /// The gold entities, under the labels of the file.
    pub entities: Vec<TokenEntity>,
}

/// A gold entity as a run of tokens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TokenEntity {
    /// Type of the entity.
    pub label: String,
    /// Indices into [`EntityDocument::tokens`], end exclusive.
    pub tokens: Range<usize>,
}

/// Puts the sentences of one document together.
pub(super) struct DocumentBuilder {
    document: EntityDocument,
    /// Code points in the text so far.
    length: usize,
}

impl DocumentBuilder {
    /// A document without sentences.
    pub(super) fn new(id: String) -> Self {
        let document = EntityDocument { id, text: String::new(), tokens: Vec::new(), entities: Vec::new() };
        Self { document, length: 0 }
    }

    /// Appends a sentence with its BIO tags; the longer of the two lists is cut.
    ///
    /// An `I-` tag that does not continue an entity of its own label is outside.
    pub(super) fn push_sentence(&mut self, tokens: &[String], tags: &[String]) {
        let mut open: Option<(&str, usize)> = None;
        for (position, (token, tag)) in tokens.iter().zip(tags).enumerate() {
            if open.is_some_and(|(label, _)| tag.strip_prefix("I-") != Some(label)) {
                self.close(open.take());
            }
            if let Some(label) = tag.strip_prefix("B-").filter(|label| !label.is_empty()) {
                open = Some((label, self.document.tokens.len()));
            }
            if position > 0 {
                self.push(" ");
            }
            let start = self.length;
            self.push(token);
            self.document.tokens.push(start..self.length);
        }
        self.close(open);
        self.push("\n");
    }

    /// The document with all its sentences.
    pub(super) fn finish(self) -> EntityDocument {
        self.document
    }

    fn push(&mut self, piece: &str) {
        self.document.text.push_str(piece);
        self.length += piece.chars().count();
    }

    /// Ends the entity that `open` started, before the next token.
    fn close(&mut self, open: Option<(&str, usize)>) {
        if let Some((label, start)) = open {
            let tokens = start..self.document.tokens.len();
            self.document.entities.push(TokenEntity { label: label.to_owned(), tokens });
        }
    }
}

/// A document of two sentences whose tags want care.
#[cfg(test)]
pub(super) fn document() -> EntityDocument {
    let mut builder = DocumentBuilder::new("d".to_owned());
    let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    builder
        .push_sentence(&words(&["Zoë", "Ito", "left", "Lima"]), &words(&["B-Person", "I-Person", "O", "B-Location"]));
    builder.push_sentence(&words(&["Lima", "Oslo", "!"]), &words(&["I-Location", "B-"]));
    builder.finish()
}

#[cfg(test)]
#[allow(clippy::single_range_in_vec_init)]
mod tests {
    use super::*;

    #[test]
    fn sentences_become_running_text() {
        let document = document();
        assert_eq!(document.text, "Zoë Ito left Lima\nLima Oslo\n");
        assert_eq!(document.tokens[3..], [13..17, 18..22, 23..27]);
        let spans: Vec<_> =
            document.entities.iter().map(|entity| (entity.label.as_str(), entity.tokens.clone())).collect();
        assert_eq!(spans, [("Person", 0..2), ("Location", 3..4)]);
    }
}
