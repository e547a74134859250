//! What a statement is.

use super::act::Act;
use super::polarity::Polarity;
use super::quotation::Kind;
use crate::decode::spans::Segment;
use crate::text::ByteRange;

/// Who said what: one attribution.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// Who it is attributed to; empty where the text does not say.
    pub source: Vec<Segment>,
    /// The words that attribute it.
    pub cue: Vec<Segment>,
    /// What is attributed; never empty.
    pub content: Vec<Segment>,
    /// Whether the content stands in quotation marks.
    pub kind: Kind,
    /// Whether it was uttered or thought.
    pub act: Act,
    /// Whether it was made, or is said not to have been.
    pub polarity: Polarity,
    /// A quotation that stands by itself behind another: it has neither source nor cue, and that one's speaker. Or a turn of a
    /// transcript, whose source is the label before it.
    pub floating: bool,
    /// How probable it is that all its segments are right to the letter, 0 to 1; where the model's scores are not calibrated,
    /// the product of those of its segments and links.
    pub score: f32,
}

impl Statement {
    /// A statement without a cue that is all quotation; so sure are its borders.
    pub(super) fn floating(source: Vec<Segment>, content: ByteRange, score: f32) -> Self {
        Self {
            source,
            cue: Vec::new(),
            content: vec![Segment { bytes: content, score }],
            kind: Kind::Direct,
            act: Act::Speech,
            polarity: Polarity::Positive,
            floating: true,
            score,
        }
    }

    /// The first byte of any of its segments.
    pub fn start(&self) -> usize {
        let segments = self.source.iter().chain(&self.cue).chain(&self.content);
        segments.map(|segment| segment.bytes.start).min().unwrap_or_default()
    }
}

/// Where the sources of all statements stand.
pub(in crate::decode) fn sources_of(statements: &[Statement]) -> impl Iterator<Item = &ByteRange> {
    statements.iter().flat_map(|statement| &statement.source).map(|segment| &segment.bytes)
}
