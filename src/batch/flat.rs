//! Flat rows: one for each statement, or each entity, with nothing nested but lists of names.

use std::sync::{Arc, LazyLock};

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, Schema, SchemaRef};
use serde::Serialize;

use super::columns::{flag, list, number, rows, score, text};
use crate::engine::{ExtractedSegment, ExtractedStatement, Extraction, joined};
use crate::text::OffsetUnit;

/// The columns of [`statements`].
pub(super) fn statement_schema() -> SchemaRef {
    static COLUMNS: LazyLock<SchemaRef> = LazyLock::new(|| {
        let optional = |name| text(name).with_nullable(true);
        Arc::new(Schema::new(vec![
            text("document"),
            text("statement"),
            text("kind"),
            text("act"),
            text("polarity"),
            flag("floating"),
            score(),
            optional("speaker"),
            optional("speaker_id"),
            optional("speaker_label"),
            optional("speaker_entity"),
            optional("speaker_via"),
            score().with_name("speaker_score").with_nullable(true),
            list("co_speakers", text("item")),
            optional("source"),
            optional("cue"),
            text("content"),
            number("start"),
            number("end"),
            text("offset_unit"),
            text("model"),
        ]))
    });
    Arc::clone(&COLUMNS)
}

/// The columns of [`entities`].
pub(super) fn entity_schema() -> SchemaRef {
    static COLUMNS: LazyLock<SchemaRef> = LazyLock::new(|| {
        Arc::new(Schema::new(vec![
            text("document"),
            text("entity"),
            text("label"),
            text("text"),
            number("start"),
            number("end"),
            score(),
            text("offset_unit"),
            text("model"),
        ]))
    });
    Arc::clone(&COLUMNS)
}

/// A statement with its speaker, by name.
#[derive(Serialize)]
struct StatementRow<'a> {
    document: &'a str,
    statement: &'a str,
    kind: &'a str,
    act: &'a str,
    polarity: &'a str,
    floating: bool,
    score: f64,
    speaker: Option<&'a str>,
    speaker_id: Option<&'a str>,
    speaker_label: Option<&'a str>,
    speaker_entity: Option<&'a str>,
    speaker_via: Option<&'a str>,
    speaker_score: Option<f64>,
    /// Names.
    co_speakers: Vec<&'a str>,
    source: Option<String>,
    cue: Option<String>,
    content: String,
    /// Where the content starts.
    start: usize,
    /// Where it ends.
    end: usize,
    offset_unit: OffsetUnit,
    model: &'a str,
}

#[derive(Serialize)]
struct EntityRow<'a> {
    document: &'a str,
    entity: &'a str,
    label: &'a str,
    text: &'a str,
    start: usize,
    end: usize,
    score: f64,
    offset_unit: OffsetUnit,
    model: &'a str,
}

/// One row per statement, and for each the number of its document.
pub(super) fn statements(extractions: &[Extraction]) -> Result<(RecordBatch, Vec<usize>), ArrowError> {
    let found = extractions.iter().enumerate().flat_map(|(place, extraction)| {
        extraction.statements.iter().map(move |statement| (statement_row(extraction, statement), place))
    });
    let (values, places): (Vec<StatementRow<'_>>, Vec<usize>) = found.unzip();
    Ok((rows(statement_schema(), &values)?, places))
}

/// One row per entity, and for each the number of its document.
pub(super) fn entities(extractions: &[Extraction]) -> Result<(RecordBatch, Vec<usize>), ArrowError> {
    let found = extractions.iter().enumerate().flat_map(|(place, extraction)| {
        let row = move |entity| (entity_row(extraction, entity), place);
        extraction.entities.iter().map(row)
    });
    let (values, places): (Vec<EntityRow<'_>>, Vec<usize>) = found.unzip();
    Ok((rows(entity_schema(), &values)?, places))
}

fn statement_row<'a>(extraction: &'a Extraction, statement: &'a ExtractedStatement) -> StatementRow<'a> {
    let speaker = statement.speaker.as_ref();
    let optional = |segments: &[ExtractedSegment]| (!segments.is_empty()).then(|| joined(segments));
    StatementRow {
        document: &extraction.id,
        statement: &statement.id,
        kind: &statement.kind,
        act: &statement.act,
        polarity: &statement.polarity,
        floating: statement.floating,
        score: statement.score,
        speaker: speaker.map(|speaker| speaker.name.as_str()),
        speaker_id: speaker.map(|speaker| speaker.id.as_str()),
        speaker_label: speaker.map(|speaker| speaker.label.as_str()),
        speaker_entity: speaker.and_then(|speaker| speaker.entity.as_deref()),
        speaker_via: speaker.map(|speaker| speaker.via.as_str()),
        speaker_score: speaker.map(|speaker| speaker.score),
        co_speakers: statement.co_speaker_names(&extraction.speakers).collect(),
        source: optional(&statement.source),
        cue: optional(&statement.cue),
        content: joined(&statement.content),
        start: statement.content.iter().map(|segment| segment.start).min().unwrap_or(0),
        end: statement.content.iter().map(|segment| segment.end).max().unwrap_or(0),
        offset_unit: extraction.offset_unit,
        model: &extraction.model,
    }
}

fn entity_row<'a>(extraction: &'a Extraction, entity: &'a crate::engine::ExtractedEntity) -> EntityRow<'a> {
    EntityRow {
        document: &extraction.id,
        entity: &entity.id,
        label: &entity.label,
        text: &entity.text,
        start: entity.start,
        end: entity.end,
        score: entity.score,
        offset_unit: extraction.offset_unit,
        model: &extraction.model,
    }
}
