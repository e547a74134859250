//! The tokenizer: text in, tokens out, whatever its file says and however long the text is.

use std::panic::catch_unwind;

use tokenizers::{Encoding, ModelWrapper, PreTokenizerWrapper};

use super::ByteRange;
use super::features::{Gap, Shape, is_line_end};
use super::tokens::{Tokens, trimmed};

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
    /// The tokenizer encloses a text in other special tokens than one before it and one behind it.
    #[error("the tokenizer puts {before} special tokens before a text and {behind} behind it: one each is read here")]
    SpecialTokens {
        /// Tokens before a text.
        before: usize,
        /// Tokens behind it.
        behind: usize,
    },
    /// The library refused a text.
    #[error("cannot tokenise the text: {0}")]
    Encode(String),
}

/// A tokenizer (WordPiece, BPE or Unigram) that never truncates and never pads, whatever its file says.
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    special: (u32, u32),
    unknown: Option<u32>,
    /// What the vocabulary puts before a piece that continues a word, such as "##", where it marks those.
    continuing: Option<String>,
    /// Where a text may be cut without a difference to its tokens.
    cuts: Cuts,
}

/// Where a text may be cut without a difference to its tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cuts {
    /// Behind any line end, and behind any white space: what is between words is thrown away.
    AnyWhere,
    /// Before white space only, which belongs to the word behind it; and no more often than need be.
    BeforeSpace,
}

impl Tokenizer {
    /// Reads a `tokenizer.json`. Truncation and padding are switched off, and text that spells a special token
    /// is tokenised as the characters it is.
    ///
    /// # Errors
    /// [`TokenizerError::Load`], [`TokenizerError::MissingToken`], [`TokenizerError::SpecialTokens`].
    pub fn from_bytes(json: &[u8]) -> Result<Self, TokenizerError> {
        // The library panics on some files that are none of its own.
        let fails = || TokenizerError::Load("it fails the tokenizers library".to_owned());
        catch_unwind(|| Self::read(json)).unwrap_or_else(|_| Err(fails()))
    }

    fn read(json: &[u8]) -> Result<Self, TokenizerError> {
        let load = |error: tokenizers::Error| TokenizerError::Load(error.to_string());
        let mut inner = tokenizers::Tokenizer::from_bytes(json).map_err(load)?;
        inner.with_truncation(None).map_err(load)?;
        inner.with_padding(None);
        inner.set_encode_special_tokens(true);
        let special = special_tokens(&inner)?;
        let (unknown, continuing) = match inner.get_model() {
            ModelWrapper::WordPiece(model) => {
                (inner.token_to_id(&model.unk_token), Some(model.continuing_subword_prefix.clone()))
            }
            ModelWrapper::BPE(model) => {
                let unknown = model.unk_token.as_ref().and_then(|token| inner.token_to_id(token));
                (unknown, model.continuing_subword_prefix.clone())
            }
            ModelWrapper::WordLevel(model) => (inner.token_to_id(&model.unk_token), None),
            // The library keeps this one's number to itself.
            ModelWrapper::Unigram(_) => (["<unk>", "[UNK]"].iter().find_map(|token| inner.token_to_id(token)), None),
        };
        let cuts = match inner.get_pre_tokenizer() {
            Some(PreTokenizerWrapper::BertPreTokenizer(_)) => Cuts::AnyWhere,
            _ => Cuts::BeforeSpace,
        };
        let continuing = continuing.filter(|prefix| !prefix.is_empty());
        Ok(Self { inner, special, unknown, continuing, cuts })
    }

    /// Ids of the tokens that open and close every window.
    pub fn special_tokens(&self) -> (u32, u32) {
        self.special
    }

    /// What the vocabulary puts before a piece that continues a word, such as "##"; `None` where it marks no such
    /// pieces.
    pub fn continuing_prefix(&self) -> Option<&str> {
        self.continuing.as_deref()
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
        let until = tokenisation.start.saturating_add(bytes.max(1));
        while tokenisation.start < until {
            let Some(piece) = piece(text, tokenisation.start, self.cuts) else { return Ok(true) };
            let encoding = self
                .inner
                .encode(&text[piece.clone()], false)
                .map_err(|error| TokenizerError::Encode(error.to_string()))?;
            for (&id, &(from, to)) in encoding.get_ids().iter().zip(encoding.get_offsets()) {
                // Whatever a tokenizer's file may do to its offsets: they must not cut a character in two.
                let from = text.floor_char_boundary(piece.start + from);
                tokenisation.push(text, id, from..text.ceil_char_boundary(piece.start + to).max(from));
            }
            tokenisation.start = piece.end;
        }
        Ok(tokenisation.start == text.len())
    }

    /// The token of an id as the vocabulary spells it, "##" included.
    pub fn piece(&self, id: u32) -> Option<String> {
        self.inner.id_to_token(id)
    }

    /// True for the token of what the vocabulary does not know.
    pub fn is_unknown(&self, id: u32) -> bool {
        self.unknown == Some(id)
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

    /// Takes the next token.
    fn push(&mut self, text: &str, id: u32, span: ByteRange) {
        let Self { tokens, end, .. } = self;
        let written = trimmed(text, span.clone());
        // A token that is white space alone goes with what stands before it: it begins no paragraph.
        let gap = match (tokens.is_empty(), written.is_empty()) {
            (true, _) => Gap::Line,
            (false, true) => Gap::Glued,
            (false, false) => Gap::of(text.get(*end..written.start).unwrap_or_default()),
        };
        if gap == Gap::Line {
            let at = tokens.len();
            tokens.paragraphs.push(at..at);
        }
        if !written.is_empty() {
            *end = written.end.max(*end);
        }
        tokens.ids.push(id);
        tokens.shapes.push(Shape::of(&text[written]) as u8);
        tokens.gaps.push(gap as u8);
        tokens.spans.push(span);
        if let Some(paragraph) = tokens.paragraphs.last_mut() {
            paragraph.end = tokens.ids.len();
        }
    }

    /// The tokens, when [`Tokenizer::advance`] has said that there is no more.
    pub fn finish(mut self, text: &str) -> Tokens {
        split_long_paragraphs(&mut self.tokens, text);
        self.tokens
    }
}

/// The tokens that open and close every window: those that the tokenizer itself encloses a text in, or BERT's (failing
/// those, RoBERTa's) where its file leaves that to its reader.
fn special_tokens(tokenizer: &tokenizers::Tokenizer) -> Result<(u32, u32), TokenizerError> {
    let text = Encoding::from_tokens(vec![tokenizers::Token::new(0, String::new(), (0, 0))], 0);
    let enclosed = tokenizer.post_process(text, None, true).map_err(|error| TokenizerError::Load(error.to_string()))?;
    let mask = enclosed.get_special_tokens_mask();
    let before = mask.iter().take_while(|&&special| special == 1).count();
    let behind = mask.iter().skip(before).filter(|&&special| special == 1).count();
    match (before, behind, enclosed.get_ids()) {
        (0, 0, _) => {
            let token = |name, other| {
                let id = tokenizer.token_to_id(name).or_else(|| tokenizer.token_to_id(other));
                id.ok_or(TokenizerError::MissingToken(name))
            };
            Ok((token("[CLS]", "<s>")?, token("[SEP]", "</s>")?))
        }
        (1, 1, &[first, _, last]) => Ok((first, last)),
        _ => Err(TokenizerError::SpecialTokens { before, behind }),
    }
}

/// The piece that starts at a byte, so that the tokenizer can take pieces one by one without a difference to the
/// result: to the line's end, or, where white space belongs to words, as far as it may go; in any case, of more than
/// [`LONGEST_PIECE`], to white space. `None` at the end of the text.
fn piece(text: &str, start: usize, cuts: Cuts) -> Option<ByteRange> {
    let rest = text.get(start..).filter(|rest| !rest.is_empty())?;
    let look = &rest[..rest.floor_char_boundary(LONGEST_PIECE)];
    let line = |cuts| if cuts == Cuts::AnyWhere { look.char_indices().find(|&(_, c)| is_line_end(c)) } else { None };
    let length = if let Some((at, end)) = line(cuts) {
        at + end.len_utf8()
    } else if look.len() == rest.len() {
        look.len()
    } else {
        let space = look.char_indices().rfind(|&(at, c)| c.is_whitespace() && (at > 0 || cuts == Cuts::AnyWhere));
        match (space, cuts) {
            (Some((at, space)), Cuts::AnyWhere) => at + space.len_utf8(),
            (Some((at, _)), Cuts::BeforeSpace) => at,
            (None, _) => look.len(),
        }
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
            let ends = tokens.sentence_ends(text, limit - LONGEST_PARAGRAPH / 2..limit);
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
            for cuts in [Cuts::AnyWhere, Cuts::BeforeSpace] {
                let mut end = 0;
                while let Some(piece) = piece(&text, end, cuts) {
                    prop_assert_eq!(piece.start, end);
                    prop_assert!(!piece.is_empty() && piece.len() <= LONGEST_PIECE);
                    end = piece.end;
                }
                prop_assert_eq!(end, text.len());
            }
        }
    }
}
