//! What an uncased tokenizer throws away and names need back: the shape of a word, and the gap before it.
//!
//! `scripts/train/corpora/features.py` computes the same classes; the parity test holds the two together.

/// Names of the word shapes, in the order of the model's embedding rows.
pub const SHAPES: [&str; 9] =
    ["none", "lower", "title", "upper", "initial", "mixed", "digits", "alphanumeric", "other"];

/// Names of the shapes that an encoder may have embeddings of: those of pieces, and last that of the words of a window whose
/// capitals tell nothing ([`capitals_tell_nothing`]).
pub const ENCODER_SHAPES: [&str; 10] =
    ["none", "lower", "title", "upper", "initial", "mixed", "digits", "alphanumeric", "other", "caseless"];

/// Class of the last of [`ENCODER_SHAPES`].
const CASELESS: u8 = SHAPES.len() as u8;

/// Names of the gaps, in the order of the model's embedding rows.
pub const GAPS: [&str; 4] = ["none", "glued", "space", "line"];

/// The shape of a word piece's source text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Shape {
    /// Special tokens.
    None,
    /// Lower-case letters.
    Lower,
    /// One capital, at the start, then lower case.
    Title,
    /// Two or more capitals, nothing in lower case.
    Upper,
    /// One capital alone.
    Initial,
    /// Capitals elsewhere.
    Mixed,
    /// Digits without letters.
    Digits,
    /// Digits and letters.
    Alphanumeric,
    /// Punctuation, symbols, scripts without case.
    Other,
}

impl Shape {
    /// Classifies the source text of one piece.
    pub fn of(piece: &str) -> Self {
        let (mut upper, mut lower, mut digits) = (0, 0, 0);
        for character in piece.chars() {
            upper += usize::from(character.is_uppercase());
            lower += usize::from(character.is_lowercase());
            digits += usize::from(character.is_numeric());
        }
        match (upper, lower, digits) {
            (0, 0, 0) => Self::Other,
            (0, 0, _) => Self::Digits,
            (_, _, 1..) => Self::Alphanumeric,
            (0, _, 0) => Self::Lower,
            (1, 0, 0) => Self::Initial,
            (_, 0, 0) => Self::Upper,
            (1, _, 0) if piece.starts_with(char::is_uppercase) => Self::Title,
            _ => Self::Mixed,
        }
    }
}

/// Whether these pieces, given by their [`Shape`] classes, are letters without capitals, or in capitals throughout.
pub fn capitals_tell_nothing(shapes: &[u8]) -> bool {
    let any = |classes: &[Shape]| shapes.iter().any(|&shape| is_one_of(classes, shape));
    let has_small = any(&[Shape::Lower, Shape::Title, Shape::Mixed]);
    let has_capitals = any(&[Shape::Title, Shape::Upper, Shape::Initial, Shape::Mixed]);
    !(has_small && has_capitals)
}

/// The class that stands for a word's [`Shape`] class where capitals tell nothing.
pub fn without_case(shape: u8) -> u8 {
    let has_case = [Shape::Lower, Shape::Title, Shape::Upper, Shape::Initial, Shape::Mixed];
    if is_one_of(&has_case, shape) { CASELESS } else { shape }
}

fn is_one_of(classes: &[Shape], shape: u8) -> bool {
    classes.iter().any(|&class| class as u8 == shape)
}

/// What stands between a piece and the one before it.
///
/// It also tells a straight quotation mark that opens (after a space) from one that closes (glued to a word).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Gap {
    /// Special tokens.
    None,
    /// Nothing.
    Glued,
    /// White space on the same line.
    Space,
    /// A line ended: the piece begins a paragraph.
    Line,
}

impl Gap {
    /// Classifies the text between two pieces.
    pub fn of(between: &str) -> Self {
        if between.is_empty() {
            Self::Glued
        } else if between.contains(is_line_end) {
            Self::Line
        } else {
            Self::Space
        }
    }
}

/// Characters that end a line, and so a paragraph.
pub(crate) fn is_line_end(character: char) -> bool {
    matches!(character, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_of_pieces() {
        for (piece, shape) in [
            ("said", Shape::Lower),
            ("Moreau", Shape::Title),
            ("NATO", Shape::Upper),
            ("J", Shape::Initial),
            ("McIntyre", Shape::Mixed),
            ("iOS", Shape::Mixed),
            ("aB", Shape::Mixed),
            ("2016", Shape::Digits),
            ("½", Shape::Digits),
            ("G20", Shape::Alphanumeric),
            ("”", Shape::Other),
            ("東京", Shape::Other),
            ("Élysée", Shape::Title),
        ] {
            assert_eq!(Shape::of(piece), shape, "{piece}");
        }
    }

    #[test]
    fn capitals_that_tell_nothing() {
        for (text, expected) in [
            ("the minister said 3 things", true),
            ("THE MINISTER SAID 3 THINGS", true),
            ("A 1", true),
            ("«東京»", true),
            ("the Minister", false),
            ("he told NATO", false),
            ("iOS", false),
        ] {
            let shapes: Vec<u8> = text.split(' ').map(|piece| Shape::of(piece) as u8).collect();
            assert_eq!(capitals_tell_nothing(&shapes), expected, "{text}");
        }
        assert_eq!(ENCODER_SHAPES[..SHAPES.len()], SHAPES);
        assert_eq!(ENCODER_SHAPES[usize::from(without_case(Shape::Title as u8))], "caseless");
        assert_eq!(without_case(Shape::Digits as u8), Shape::Digits as u8);
    }

    #[test]
    fn gaps_between_pieces() {
        assert_eq!(Gap::of(""), Gap::Glued);
        assert_eq!(Gap::of(" \u{a0}"), Gap::Space);
        assert_eq!(Gap::of(" \r\n "), Gap::Line);
        assert_eq!(Gap::of("\u{2029}"), Gap::Line);
    }
}
