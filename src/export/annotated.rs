//! An article with its results, checked against each other: every slice is where it is said to be.

use crate::engine::{ExtractedEntity, ExtractedSegment, ExtractedSpeaker, ExtractedStatement, Extraction, TextSpan};
use crate::text::{ByteRange, OffsetUnit, Offsets};

/// An article and what was found in it.
pub struct Annotated<'a> {
    /// The results as they are, with the article's id.
    pub found: &'a Extraction,
    /// The article's text.
    pub text: &'a str,
    /// Entities in text order.
    pub entities: Vec<Entity<'a>>,
    /// Statements in text order.
    pub statements: Vec<Statement<'a>>,
    /// Who speaks.
    pub speakers: Vec<Speaker<'a>>,
    code_points: Offsets<'a>,
}

/// An entity and its place.
pub struct Entity<'a> {
    /// As it was found.
    pub found: &'a ExtractedEntity,
    /// Where it is.
    pub bytes: ByteRange,
}

/// A statement and the places of its segments.
pub struct Statement<'a> {
    /// As it was found.
    pub found: &'a ExtractedStatement,
    /// Segments of the source.
    pub source: Vec<ByteRange>,
    /// Segments of the cue.
    pub cue: Vec<ByteRange>,
    /// Segments of the content.
    pub content: Vec<ByteRange>,
}

/// Somebody who speaks, and the places where the text means them.
pub struct Speaker<'a> {
    /// As they were found.
    pub found: &'a ExtractedSpeaker,
    /// Where they are mentioned.
    pub mentions: Vec<ByteRange>,
}

/// The results are not those of this article.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// They carry another id.
    #[error("the results are those of {found:?}, not of {expected:?}")]
    Id {
        /// The article's id.
        expected: String,
        /// The id in the results.
        found: String,
    },
    /// A slice of the text is not where the results say.
    #[error(
        "{what}: from {start} to {end} ({unit}s) the article does not read {text:?}; were the results made from it?"
    )]
    Slice {
        /// Which part of the results.
        what: String,
        /// Where it should be.
        start: usize,
        /// Where it should end.
        end: usize,
        /// The unit of both.
        unit: &'static str,
        /// What should be there, shortened.
        text: String,
    },
}

impl<'a> Annotated<'a> {
    /// Puts an article and its results together.
    ///
    /// # Errors
    /// [`Mismatch`] where the results are not those of this article.
    pub fn new(id: &str, text: &'a str, found: &'a Extraction) -> Result<Self, Mismatch> {
        if found.id != id {
            return Err(Mismatch::Id { expected: id.to_owned(), found: found.id.clone() });
        }
        let places = Places { text, offsets: Offsets::new(text, found.offset_unit), unit: found.offset_unit };
        let entity = |found: &'a ExtractedEntity| {
            let bytes = places.find(&found.id, found.start, found.end, &found.text)?;
            Ok(Entity { found, bytes })
        };
        let statement = |found: &'a ExtractedStatement| {
            let role = |segments: &[ExtractedSegment]| {
                let find = |part: &ExtractedSegment| places.find(&found.id, part.start, part.end, &part.text);
                segments.iter().map(find).collect::<Result<Vec<_>, _>>()
            };
            let (source, cue, content) = (role(&found.source)?, role(&found.cue)?, role(&found.content)?);
            Ok(Statement { found, source, cue, content })
        };
        let speaker = |found: &'a ExtractedSpeaker| {
            let find = |mention: &TextSpan| places.find(&found.id, mention.start, mention.end, &mention.text);
            let mentions = found.mentions.iter().map(find).collect::<Result<_, _>>()?;
            Ok(Speaker { found, mentions })
        };
        Ok(Self {
            found,
            text,
            entities: found.entities.iter().map(entity).collect::<Result<_, _>>()?,
            statements: found.statements.iter().map(statement).collect::<Result<_, _>>()?,
            speakers: found.speakers.iter().map(speaker).collect::<Result<_, _>>()?,
            code_points: Offsets::new(text, OffsetUnit::Codepoint),
        })
    }

    /// Names of those who make a statement together, the first one first.
    pub fn speakers_of(&self, statement: &Statement<'a>) -> Vec<&'a str> {
        statement.found.speaker_names(&self.found.speakers)
    }

    /// A place in code points.
    pub fn code_points(&self, bytes: &ByteRange) -> (usize, usize) {
        (self.code_points.at(bytes.start), self.code_points.at(bytes.end))
    }
}

impl Statement<'_> {
    /// Its segments, by the names of their roles.
    pub fn roles(&self) -> [(&'static str, &[ByteRange]); 3] {
        [("source", &self.source), ("cue", &self.cue), ("content", &self.content)]
    }
}

struct Places<'a> {
    text: &'a str,
    offsets: Offsets<'a>,
    unit: OffsetUnit,
}

impl Places<'_> {
    fn find(&self, what: &str, start: usize, end: usize, text: &str) -> Result<ByteRange, Mismatch> {
        let bytes = self.offsets.byte(start).zip(self.offsets.byte(end)).map(|(start, end)| start..end);
        let is_there = |bytes: &ByteRange| self.text.get(bytes.clone()) == Some(text);
        bytes.filter(is_there).ok_or_else(|| Mismatch::Slice {
            what: what.to_owned(),
            start,
            end,
            unit: self.unit.name(),
            text: text.chars().take(60).collect(),
        })
    }
}
