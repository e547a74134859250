//! Bytes in, code points or UTF-16 units out: the one place where offsets change their unit.

use std::str::FromStr;

/// The unit of the offsets that a caller sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum OffsetUnit {
    /// Unicode code points, as Python's `str` counts.
    #[default]
    Codepoint,
    /// Bytes of the UTF-8 text, as Rust and Go count.
    Byte,
    /// UTF-16 code units, as JavaScript and Java count.
    Utf16,
}

impl OffsetUnit {
    /// The name used on the command line and in the output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Codepoint => "codepoint",
            Self::Byte => "byte",
            Self::Utf16 => "utf16",
        }
    }

    /// Width of one character in this unit.
    fn width(self, character: char) -> usize {
        match self {
            Self::Codepoint => 1,
            Self::Byte => character.len_utf8(),
            Self::Utf16 => character.len_utf16(),
        }
    }
}

impl FromStr for OffsetUnit {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        [Self::Codepoint, Self::Byte, Self::Utf16]
            .into_iter()
            .find(|unit| unit.name() == name)
            .ok_or_else(|| format!("unknown offset unit {name:?}: use codepoint, byte or utf16"))
    }
}

/// Distance between two checkpoints, in bytes: a lookup counts at most this much text.
const STRIDE: usize = 128;

/// Converts byte positions of one text into another unit.
///
/// Built in one pass, then each lookup costs at most a stride (128 bytes) of counting, so a document with many
/// spans stays linear.
#[derive(Debug)]
pub struct Offsets<'text> {
    text: &'text str,
    unit: OffsetUnit,
    /// `checkpoints[k]` = units before the first character that starts at or after byte `k * STRIDE`,
    /// with that byte. Empty when bytes and units are the same thing.
    checkpoints: Vec<(usize, usize)>,
}

impl<'text> Offsets<'text> {
    /// Prepares the conversion for `text`.
    pub fn new(text: &'text str, unit: OffsetUnit) -> Self {
        let mut checkpoints = Vec::new();
        if unit != OffsetUnit::Byte && !text.is_ascii() {
            checkpoints.reserve(text.len() / STRIDE + 1);
            let mut units = 0;
            for (byte, character) in text.char_indices() {
                if byte >= checkpoints.len() * STRIDE {
                    checkpoints.push((byte, units));
                }
                units += unit.width(character);
            }
        }
        Self { text, unit, checkpoints }
    }

    /// The position of a byte in the chosen unit.
    ///
    /// A byte inside a character counts as that character's start; one past the end, as the end.
    pub fn at(&self, byte: usize) -> usize {
        let byte = self.text.floor_char_boundary(byte);
        if self.checkpoints.is_empty() {
            return byte;
        }
        let index = (byte / STRIDE).min(self.checkpoints.len() - 1);
        // A checkpoint can lie a few bytes behind its multiple of STRIDE, so the one before may be the right one.
        let (from, units) = match self.checkpoints[index] {
            (from, _) if from > byte => self.checkpoints[index - 1],
            checkpoint => checkpoint,
        };
        let between = self.text[from..byte].chars();
        units + between.map(|character| self.unit.width(character)).sum::<usize>()
    }

    /// The byte at a position in the chosen unit: the way back. `None` inside a character and behind the end.
    pub fn byte(&self, position: usize) -> Option<usize> {
        if self.checkpoints.is_empty() {
            return self.text.is_char_boundary(position).then_some(position);
        }
        let index = self.checkpoints.partition_point(|&(_, units)| units <= position).checked_sub(1)?;
        let (mut byte, mut units) = self.checkpoints[index];
        for character in self.text[byte..].chars() {
            if units >= position {
                break;
            }
            units += self.unit.width(character);
            byte += character.len_utf8();
        }
        (units == position).then_some(byte)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn units_differ_where_characters_are_wide() {
        let text = "a\u{301}é🦀ש\r\n";
        let end = |unit| Offsets::new(text, unit).at(text.len());
        assert_eq!(end(OffsetUnit::Codepoint), 7);
        assert_eq!(end(OffsetUnit::Byte), text.len());
        assert_eq!(end(OffsetUnit::Utf16), 8);
    }

    #[test]
    fn no_byte_is_found_inside_a_character_or_behind_the_end() {
        let text = "é🦀.";
        let byte = |unit, position| Offsets::new(text, unit).byte(position);
        assert_eq!(
            [0, 1, 2, 3, 4].map(|at| byte(OffsetUnit::Codepoint, at)),
            [Some(0), Some(2), Some(6), Some(7), None]
        );
        assert_eq!([1, 2, 3, 4, 5].map(|at| byte(OffsetUnit::Utf16, at)), [Some(2), None, Some(6), Some(7), None]);
        assert_eq!([1, 2, 7, 8].map(|at| byte(OffsetUnit::Byte, at)), [None, Some(2), Some(7), None]);
        assert_eq!(Offsets::new("abc", OffsetUnit::Utf16).byte(4), None);
    }

    proptest! {
        #[test]
        fn agrees_with_counting(text in "(\\PC|[\\r\\n\u{301}🦀]){0,600}") {
            for unit in [OffsetUnit::Codepoint, OffsetUnit::Byte, OffsetUnit::Utf16] {
                let offsets = Offsets::new(&text, unit);
                for (byte, _) in text.char_indices().chain([(text.len(), ' ')]) {
                    let before = &text[..byte];
                    let counted = match unit {
                        OffsetUnit::Codepoint => before.chars().count(),
                        OffsetUnit::Byte => byte,
                        OffsetUnit::Utf16 => before.encode_utf16().count(),
                    };
                    prop_assert_eq!(offsets.at(byte), counted);
                    prop_assert_eq!(offsets.byte(counted), Some(byte));
                }
            }
        }
    }
}
