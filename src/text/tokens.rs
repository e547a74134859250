//! Tokens: word pieces with their places in the text.

use super::features::{Gap, Shape, is_line_end};
use super::{ByteRange, windows::sentence_ends};

/// Text longer than this (bytes) is tokenised in pieces, cut at white space: the library's bookkeeping takes
/// a hundred bytes for each byte of its input.
const LONGEST_PIECE: usize = 16 * 1024;

/// A paragraph of more tokens than this counts as several, so that memory stays bounded on a line of megabytes.
const LONGEST_PARAGRAPH: usize = 4096;

/// Why a tokenizer file cannot be used, or a text not be tokenised.
#[derive(Debug, thiserror::Error)]
pub enum TokenizerError {
    /// The file is not a tokenizer of the `tokenizers` library.
    #[error("cannot read the tokenizer: {0}")]
    Load(String),
    /// The tokenizer lacks a token that the model needs.
    #[error("the tokenizer has no {0} token")]
    MissingToken(&'static str),
    /// The library refused a text.
    #[error("cannot tokenise the text: {0}")]
    Encode(String),
}

/// A word-piece tokenizer that never truncates and never pads, whatever its file says.
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    classifier: u32,
    separator: u32,
}

/// The tokens of a document, without special tokens.
#[derive(Debug, Default)]
pub struct Tokens {
    /// Vocabulary ids.
    pub ids: Vec<u32>,
    /// Where each token stands, in bytes.
    pub spans: Vec<ByteRange>,
    /// [`Shape`] classes.
    pub shapes: Vec<u8>,
    /// [`Gap`] classes.
    pub gaps: Vec<u8>,
    /// Token ranges of the paragraphs, in order, covering all tokens.
    pub paragraphs: Vec<std::ops::Range<usize>>,
}

impl Tokens {
    /// Number of tokens.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// True when the text held no token (control characters only, say).
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The bytes from the first to the last token of a range; empty for an empty range.
    pub fn bytes(&self, tokens: std::ops::Range<usize>) -> ByteRange {
        match (self.spans.get(tokens.start), tokens.end.checked_sub(1).and_then(|last| self.spans.get(last))) {
            (Some(first), Some(last)) => first.start..last.end,
            _ => 0..0,
        }
    }

    /// First tokens of all sentences, in text order; every paragraph starts one.
    pub(crate) fn sentence_starts(&self, text: &str) -> Vec<usize> {
        let mut starts = Vec::new();
        for paragraph in &self.paragraphs {
            starts.push(paragraph.start);
            starts.extend(sentence_ends(self, text, paragraph.start..paragraph.end.saturating_sub(1)));
        }
        starts
    }
}

impl Tokenizer {
    /// Reads a `tokenizer.json`. Truncation and padding are switched off, and text that spells a special token
    /// is tokenised as the characters it is.
    ///
    /// # Errors
    /// [`TokenizerError::Load`], [`TokenizerError::MissingToken`].
    pub fn from_bytes(json: &[u8]) -> Result<Self, TokenizerError> {
        let load = |error: tokenizers::Error| TokenizerError::Load(error.to_string());
        let mut inner = tokenizers::Tokenizer::from_bytes(json).map_err(load)?;
        inner.with_truncation(None).map_err(load)?;
        inner.with_padding(None);
        inner.set_encode_special_tokens(true);
        let token = |name| inner.token_to_id(name).ok_or(TokenizerError::MissingToken(name));
        let (classifier, separator) = (token("[CLS]")?, token("[SEP]")?);
        Ok(Self { inner, classifier, separator })
    }

    /// Ids of the tokens that open and close every window.
    pub fn special_tokens(&self) -> (u32, u32) {
        (self.classifier, self.separator)
    }

    /// Number of ids, added tokens included.
    pub fn vocabulary_size(&self) -> usize {
        self.inner.get_vocab_size(true)
    }

    /// Tokenises a whole text, of any length.
    ///
    /// # Errors
    /// [`TokenizerError::Encode`] when the library refuses the text.
    pub fn tokenise(&self, text: &str) -> Result<Tokens, TokenizerError> {
        let mut tokenisation = Tokenisation::default();
        while !self.advance(&mut tokenisation, text, text.len())? {}
        Ok(tokenisation.finish(text))
    }

    /// Tokenises at least `bytes` more of the text; true when there is no more.
    ///
    /// # Errors
    /// As for [`Tokenizer::tokenise`].
    pub fn advance(&self, tokenisation: &mut Tokenisation, text: &str, bytes: usize) -> Result<bool, TokenizerError> {
        let Tokenisation { tokens, start, end } = tokenisation;
        let until = start.saturating_add(bytes.max(1));
        while *start < until {
            let Some(piece) = piece(text, *start) else { return Ok(true) };
            let encoding = self
                .inner
                .encode(&text[piece.clone()], false)
                .map_err(|error| TokenizerError::Encode(error.to_string()))?;
            for (&id, &(from, to)) in encoding.get_ids().iter().zip(encoding.get_offsets()) {
                let span = piece.start + from..piece.start + to;
                let gap =
                    if tokens.is_empty() { Gap::Line } else { Gap::of(text.get(*end..span.start).unwrap_or_default()) };
                if gap == Gap::Line {
                    let at = tokens.len();
                    tokens.paragraphs.push(at..at);
                }
                *end = span.end;
                tokens.ids.push(id);
                tokens.shapes.push(Shape::of(&text[span.clone()]) as u8);
                tokens.gaps.push(gap as u8);
                tokens.spans.push(span);
                if let Some(paragraph) = tokens.paragraphs.last_mut() {
                    paragraph.end = tokens.ids.len();
                }
            }
            *start = piece.end;
        }
        Ok(*start == text.len())
    }

    /// The token of an id as the vocabulary spells it, "##" included.
    pub fn piece(&self, id: u32) -> Option<String> {
        self.inner.id_to_token(id)
    }

    /// True for the token of what the vocabulary does not know.
    pub fn is_unknown(&self, id: u32) -> bool {
        self.inner.token_to_id("[UNK]") == Some(id)
    }

    /// Puts pieces together to words, as the tokenizer's own decoder does (lower-cased, where the vocabulary is).
    ///
    /// # Errors
    /// [`TokenizerError::Encode`] when the library refuses them.
    pub fn join(&self, pieces: Vec<String>) -> Result<String, TokenizerError> {
        use tokenizers::Decoder;
        match self.inner.get_decoder() {
            Some(decoder) => decoder.decode(pieces).map_err(|error| TokenizerError::Encode(error.to_string())),
            None => Ok(pieces.join(" ")),
        }
    }
}

/// A text that is being tokenised, a stretch at a time: for a worker that has others to serve in between.
#[derive(Debug, Default)]
pub struct Tokenisation {
    tokens: Tokens,
    /// Text before this byte is done.
    start: usize,
    /// Where the last token ended.
    end: usize,
}

impl Tokenisation {
    /// Text before this byte is done.
    pub fn position(&self) -> usize {
        self.start
    }

    /// The tokens, when [`Tokenizer::advance`] has said that there is no more.
    pub fn finish(mut self, text: &str) -> Tokens {
        split_long_paragraphs(&mut self.tokens, text);
        self.tokens
    }
}

/// The piece that starts at a byte: to the line's end, or, of a long line, to white space, so that the tokenizer can
/// take pieces one by one without a difference to the result. `None` at the end of the text.
fn piece(text: &str, start: usize) -> Option<ByteRange> {
    let rest = text.get(start..).filter(|rest| !rest.is_empty())?;
    let look = &rest[..rest.floor_char_boundary(LONGEST_PIECE)];
    let length = if let Some((at, end)) = look.char_indices().find(|&(_, c)| is_line_end(c)) {
        at + end.len_utf8()
    } else if look.len() == rest.len() {
        look.len()
    } else {
        look.char_indices().rfind(|&(_, c)| c.is_whitespace()).map_or(look.len(), |(at, space)| at + space.len_utf8())
    };
    Some(start..start + length)
}

fn split_long_paragraphs(tokens: &mut Tokens, text: &str) {
    if tokens.paragraphs.iter().all(|p| p.len() <= LONGEST_PARAGRAPH) {
        return;
    }
    let mut paragraphs = Vec::new();
    for mut paragraph in std::mem::take(&mut tokens.paragraphs) {
        while paragraph.len() > LONGEST_PARAGRAPH {
            let limit = paragraph.start + LONGEST_PARAGRAPH;
            let ends = sentence_ends(tokens, text, limit - LONGEST_PARAGRAPH / 2..limit);
            let cut = ends.last().copied().unwrap_or(limit);
            paragraphs.push(paragraph.start..cut);
            paragraph.start = cut;
        }
        paragraphs.push(paragraph);
    }
    tokens.paragraphs = paragraphs;
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn pieces_cover_the_text(text in "(\\PC|[\\r\\n ]){0,200}", times in 1usize..400) {
            let text = text.repeat(times);
            let mut end = 0;
            while let Some(piece) = piece(&text, end) {
                prop_assert_eq!(piece.start, end);
                prop_assert!(!piece.is_empty() && piece.len() <= LONGEST_PIECE);
                end = piece.end;
            }
            prop_assert_eq!(end, text.len());
        }
    }
}
