//! The output contract, schema 1: one object per document (`docs/output.md`, `docs/output.schema.json`).

use serde::{Deserialize, Serialize};

use super::options::Options;
use crate::decode::{Annotations, Attribution, Reading, Segment, Speaker, Statement};
use crate::text::{BorrowedDocument, ByteRange, OffsetUnit, Offsets, language_warning};

/// Version of the output's form.
pub const SCHEMA: u32 = 1;

/// Everything found in one document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Extraction {
    /// Version of this form: 1.
    pub schema: u32,
    /// Which model produced it, `name@hash`.
    pub model: String,
    /// The document's identifier, as it was given.
    pub id: String,
    /// Named entities, in text order.
    pub entities: Vec<ExtractedEntity>,
    /// Statements, in text order.
    pub statements: Vec<ExtractedStatement>,
    /// Who speaks, in the order of first speaking.
    pub speakers: Vec<ExtractedSpeaker>,
    /// Unit of every `start` and `end`.
    pub offset_unit: OffsetUnit,
    /// What a reader should know about this result.
    pub warnings: Vec<String>,
}

/// A named entity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[expect(missing_docs, reason = "documented in docs/output.schema.json")]
pub struct ExtractedEntity {
    pub id: String,
    pub label: String,
    pub start: usize,
    pub end: usize,
    pub text: String,
    pub score: f64,
}

/// A segment of a statement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[expect(missing_docs, reason = "documented in docs/output.schema.json")]
pub struct ExtractedSegment {
    pub start: usize,
    pub end: usize,
    pub text: String,
    pub score: f64,
}

/// A place in the text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[expect(missing_docs, reason = "documented in docs/output.schema.json")]
pub struct TextSpan {
    pub start: usize,
    pub end: usize,
    pub text: String,
}

/// Who said what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[expect(missing_docs, reason = "documented in docs/output.schema.json")]
pub struct ExtractedStatement {
    pub id: String,
    pub kind: String,
    pub act: String,
    pub polarity: String,
    pub floating: bool,
    pub score: f64,
    pub source: Vec<ExtractedSegment>,
    pub cue: Vec<ExtractedSegment>,
    pub content: Vec<ExtractedSegment>,
    pub speaker: Option<SpeakerLink>,
    pub co_speakers: Vec<String>,
}

/// What stands between the segments of a source, cue or content where they are shown as one text.
pub(crate) const GAP: &str = " … ";

/// Segments as one text, with a mark for what was left out between them.
pub(crate) fn joined(segments: &[ExtractedSegment]) -> String {
    let texts: Vec<&str> = segments.iter().map(|segment| segment.text.as_str()).collect();
    texts.join(GAP)
}

impl ExtractedStatement {
    /// Names of those who speak together, the first one first. `speakers` are those of the document.
    pub(crate) fn speaker_names<'a>(&'a self, speakers: &'a [ExtractedSpeaker]) -> Vec<&'a str> {
        let first = self.speaker.iter().map(|speaker| speaker.name.as_str());
        first.chain(self.co_speaker_names(speakers)).collect()
    }

    /// Names of those who speak together with the first one.
    pub(crate) fn co_speaker_names<'a>(&'a self, speakers: &'a [ExtractedSpeaker]) -> impl Iterator<Item = &'a str> {
        let name_of =
            |id: &String| speakers.iter().find(|speaker| speaker.id == *id).map(|speaker| speaker.name.as_str());
        self.co_speakers.iter().filter_map(name_of)
    }
}

/// The person or organisation behind a statement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[expect(missing_docs, reason = "documented in docs/output.schema.json")]
pub struct SpeakerLink {
    pub id: String,
    pub name: String,
    pub label: String,
    pub entity: Option<String>,
    pub via: String,
    pub score: f64,
}

/// Somebody who speaks in the document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[expect(missing_docs, reason = "documented in docs/output.schema.json")]
pub struct ExtractedSpeaker {
    pub id: String,
    pub name: String,
    pub label: String,
    pub aliases: Vec<String>,
    pub mentions: Vec<TextSpan>,
    pub statements: Vec<String>,
}

impl Extraction {
    /// Puts annotations into the contract's form. What scores below the limit is dropped before speakers are
    /// resolved, so that no id dangles. Offsets and slices are the document's, whose lines may be unwrapped where it is read.
    pub(super) async fn new(
        BorrowedDocument { id, text }: BorrowedDocument<'_>,
        reading: Reading<'_>,
        mut annotations: Annotations,
        options: &Options,
    ) -> Self {
        annotations.keep(options.min_score);
        annotations.statements.retain(|statement| options.floating || !statement.floating);
        let (speakers, attributions) = annotations.speakers(reading).await;
        let Annotations { entities, statements, .. } = annotations;
        let places = Places { text, offsets: Offsets::new(text, options.offset_unit) };
        let entities = entities.iter().enumerate().map(|(index, entity)| ExtractedEntity {
            id: format!("e{index}"),
            label: entity.label.clone(),
            start: places.offsets.at(entity.bytes.start),
            end: places.offsets.at(entity.bytes.end),
            text: text[entity.bytes.clone()].to_owned(),
            score: rounded(entity.score),
        });
        let statements = statements.iter().zip(&attributions).enumerate();
        Self {
            schema: SCHEMA,
            model: reading.model.identifier(),
            id: id.to_owned(),
            entities: entities.collect(),
            statements: statements
                .map(|(index, (statement, who))| places.statement(index, statement, who, &speakers))
                .collect(),
            speakers: speakers.iter().enumerate().map(|(index, speaker)| places.speaker(index, speaker)).collect(),
            offset_unit: options.offset_unit,
            // What language another model is for is not known here.
            warnings: reading.model.finds_statements().then(|| language_warning(text)).flatten().into_iter().collect(),
        }
    }
}

/// What it takes to write places down: the text and its offsets.
struct Places<'text> {
    text: &'text str,
    offsets: Offsets<'text>,
}

impl Places<'_> {
    fn span(&self, bytes: &ByteRange) -> TextSpan {
        TextSpan {
            start: self.offsets.at(bytes.start),
            end: self.offsets.at(bytes.end),
            text: self.text[bytes.clone()].to_owned(),
        }
    }

    fn segments(&self, segments: &[Segment]) -> Vec<ExtractedSegment> {
        let segment = |segment: &Segment| {
            let TextSpan { start, end, text } = self.span(&segment.bytes);
            ExtractedSegment { start, end, text, score: rounded(segment.score) }
        };
        segments.iter().map(segment).collect()
    }

    fn statement(
        &self,
        index: usize,
        statement: &Statement,
        who: &[Attribution],
        speakers: &[Speaker],
    ) -> ExtractedStatement {
        let link = |attribution: &Attribution| {
            let speaker = &speakers[attribution.speaker];
            SpeakerLink {
                id: format!("p{}", attribution.speaker),
                name: speaker.name.clone(),
                label: speaker.label.clone(),
                entity: attribution.entity.map(|entity| format!("e{entity}")),
                via: attribution.via.name().to_owned(),
                score: rounded(attribution.score),
            }
        };
        ExtractedStatement {
            id: format!("s{index}"),
            kind: statement.kind.name().to_owned(),
            act: statement.act.name().to_owned(),
            polarity: statement.polarity.name().to_owned(),
            floating: statement.floating,
            score: rounded(statement.score),
            source: self.segments(&statement.source),
            cue: self.segments(&statement.cue),
            content: self.segments(&statement.content),
            speaker: who.first().map(link),
            co_speakers: who.iter().skip(1).map(|other| format!("p{}", other.speaker)).collect(),
        }
    }

    fn speaker(&self, index: usize, speaker: &Speaker) -> ExtractedSpeaker {
        ExtractedSpeaker {
            id: format!("p{index}"),
            name: speaker.name.clone(),
            label: speaker.label.clone(),
            aliases: speaker.aliases.clone(),
            mentions: speaker.mentions.iter().map(|mention| self.span(mention)).collect(),
            statements: speaker.statements.iter().map(|statement| format!("s{statement}")).collect(),
        }
    }
}

/// Four decimals: what the contract shows.
fn rounded(score: f32) -> f64 {
    (f64::from(score) * 1e4).round() / 1e4
}
