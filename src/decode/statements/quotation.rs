//! Finds the quotations of a text and says of a statement whether it is quoted
//! directly, indirectly or in part.
//!
//! The rules:
//!
//! * Every line is a paragraph, and pairing starts anew in each, so that a
//!   stray mark misleads one paragraph and never the rest of the document.
//! * The outer quotation counts. Marks nested in it are passed over.
//! * A mark that never closes quotes to the end of its paragraph. That is also
//!   how a quotation of several paragraphs is printed: each of them opens anew
//!   and only the last one closes. A single mark is so often an apostrophe that
//!   an unclosed one must look like an opening mark to count.
//! * A straight mark opens after a space, an opening bracket or a dash and
//!   before something printed, and otherwise closes. Where its surroundings do
//!   not tell (`" We won "`, `said,"We won"`), it opens if nothing is open.
//! * Opening and closing mark need not match (`“We won,"`), but a double mark
//!   never closes a single one, nor an angle mark another.
//! * Marks of inches and feet and apostrophes (`5" pipe`, `’90s`, `workers’`)
//!   are told apart by what stands beside them.

mod marks;

use std::ops::Range;

use crate::decode::lexicon::{lexicon, words};
use crate::text::is_line_end;
use marks::{Context, Mark, look_ahead, marks};

/// How much of a statement stands inside quotation marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Everything said is quoted. The words "that", "and", "but" and "or" may
    /// stand outside, as they join a quotation to its sentence.
    Direct,
    /// Nothing said is quoted.
    Indirect,
    /// A part is quoted, be it a single word.
    Mixed,
}

impl Kind {
    /// The name of the kind in output: "direct", "indirect" or "mixed".
    pub fn name(self) -> &'static str {
        match self {
            Kind::Direct => "direct",
            Kind::Indirect => "indirect",
            Kind::Mixed => "mixed",
        }
    }
}

/// The byte ranges of a text that stand inside quotation marks.
///
/// The marks themselves are outside. The ranges are sorted, do not overlap and
/// are never empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Quotations {
    ranges: Vec<Range<usize>>,
}

impl Quotations {
    /// Finds the quotations of a text, in time linear in its length.
    pub fn find(text: &str) -> Quotations {
        let mut ranges = Vec::new();
        let mut offset = 0;
        for paragraph in text.split_inclusive(is_line_end) {
            find_in_paragraph(paragraph.trim_end(), offset, &mut ranges);
            offset += paragraph.len();
        }
        Quotations { ranges }
    }

    /// The byte ranges inside quotation marks, in the order of the text.
    pub fn ranges(&self) -> &[Range<usize>] {
        &self.ranges
    }

    /// Judges a statement by the words of its content, given as byte ranges of
    /// the same text that the quotations were found in.
    ///
    /// Punctuation and marks do not count, unless the content has no words at
    /// all. A range that does not fit the text is passed over.
    pub fn kind(&self, text: &str, content: &[Range<usize>]) -> Kind {
        let part = |range: Range<usize>| text.get(range).unwrap_or_default();
        let says_more = |range: Range<usize>| words(part(range), "").any(|word| !is_linking(&word));
        let (mut inside, mut outside, mut touched) = (false, false, false);
        for range in content {
            if text.get(range.clone()).is_none() {
                continue;
            }
            let mut at = range.start;
            let first = self.ranges.partition_point(|quoted| quoted.end <= range.start);
            for quoted in self.ranges.iter().skip(first).take_while(|q| q.start < range.end) {
                touched = true;
                let start = quoted.start.max(at);
                let end = quoted.end.min(range.end);
                outside |= says_more(at..start);
                inside |= words(part(start..end), "").next().is_some();
                at = end;
            }
            outside |= says_more(at..range.end);
        }
        match (touched, inside, outside) {
            (true, _, false) => Kind::Direct,
            (_, true, true) => Kind::Mixed,
            _ => Kind::Indirect,
        }
    }
}

fn is_linking(word: &str) -> bool {
    lexicon().statements.linking.has(word)
}

/// Appends the quotations of the paragraph that begins at `offset`.
fn find_in_paragraph(paragraph: &str, offset: usize, ranges: &mut Vec<Range<usize>>) {
    let mut marks = marks(paragraph);
    look_ahead(paragraph, &mut marks);
    let mut open: Option<&Mark> = None;
    let mut nested = false;
    let mut push = |start: usize, end: usize| {
        if start < end {
            ranges.push(offset + start..offset + end);
        }
    };
    for mark in &marks {
        match open {
            None if mark.opens_quotation() => {
                open = Some(mark);
                nested = false;
            }
            // `“They asked when “your team” is late.”`: another mark closes later.
            Some(_) if nested && mark.double && mark.closes => nested = false,
            Some(opening) if mark.closes_quotation(opening) => {
                push(opening.end(), mark.start);
                open = None;
            }
            Some(opening) if opening.double && mark.double => {
                nested = mark.context() == Context::Open && mark.closes;
            }
            _ => {}
        }
    }
    if let Some(opening) = open {
        push(opening.end(), paragraph.len());
    }
}

#[cfg(test)]
mod patterns;
