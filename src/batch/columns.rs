//! Results as Arrow columns: one row per document, with nested lists for all that was found in it.
//!
//! The columns are those of `docs/output.md`, name for name. The schema below is all that there is to it: Arrow's own
//! decoder takes the values from the same `Serialize` implementations that write the JSON, and complains of a field
//! that has no column.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use arrow_array::RecordBatch;
use arrow_json::ReaderBuilder;
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use serde::Serialize;

use crate::engine::{EngineError, Extraction, SCHEMA};
use crate::text::{DocumentError, OffsetUnit};

/// Why a document has no result: a stable name for programs to match on, and a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RowError {
    /// The name, as in `docs/output.md`.
    pub code: &'static str,
    /// The sentence.
    pub message: String,
}

impl From<DocumentError> for RowError {
    fn from(error: DocumentError) -> Self {
        Self { code: error.code(), message: error.to_string() }
    }
}

impl From<EngineError> for RowError {
    fn from(error: EngineError) -> Self {
        Self { code: "inference_failed", message: error.to_string() }
    }
}

/// The columns of [`documents`]. All are present in each row; only a speaker and its entity can be null.
///
/// What is inside of something that can be null is declared nullable, though it never is alone: when pyarrow selects rows
/// it writes nulls there, and then refuses to write them into Parquet if they are not declared.
///
/// Offsets and counts are signed, because not every reader of Arrow knows unsigned numbers (Spark does not).
pub fn document_schema() -> SchemaRef {
    static COLUMNS: LazyLock<SchemaRef> = LazyLock::new(|| Arc::new(Schema::new(document_fields())));
    Arc::clone(&COLUMNS)
}

/// The columns of [`results`]: those of [`document_schema`], then `error`, which is null where there is a result.
pub fn result_schema() -> SchemaRef {
    static COLUMNS: LazyLock<SchemaRef> = LazyLock::new(|| {
        let error = optional_structure("error", vec![text("code"), text("message")]);
        Arc::new(Schema::new([document_fields(), vec![error]].concat()))
    });
    Arc::clone(&COLUMNS)
}

fn document_fields() -> Vec<Field> {
    let place = || vec![number("start"), number("end"), text("text")];
    let segments = |name| list(name, structure("item", [place(), vec![score()]].concat()));
    let entity = [vec![text("id"), text("label")], place(), vec![score()]].concat();
    let speaker = vec![text("id"), text("name"), text("label"), text("entity"), text("via"), score()];
    let statement = vec![
        text("id"),
        text("kind"),
        text("act"),
        text("polarity"),
        flag("floating"),
        score(),
        segments("source"),
        segments("cue"),
        segments("content"),
        optional_structure("speaker", speaker),
        list("co_speakers", text("item")),
    ];
    let who = vec![
        text("id"),
        text("name"),
        text("label"),
        list("aliases", text("item")),
        list("mentions", structure("item", place())),
        list("statements", text("item")),
    ];
    vec![
        Field::new("schema", DataType::Int32, false),
        text("model"),
        text("id"),
        list("entities", structure("item", entity)),
        list("statements", structure("item", statement)),
        list("speakers", structure("item", who)),
        text("offset_unit"),
        list("warnings", text("item")),
    ]
}

pub(super) fn text(name: &str) -> Field {
    Field::new(name, DataType::Utf8, false)
}

pub(super) fn flag(name: &str) -> Field {
    Field::new(name, DataType::Boolean, false)
}

pub(super) fn number(name: &str) -> Field {
    Field::new(name, DataType::Int64, false)
}

pub(super) fn score() -> Field {
    Field::new("score", DataType::Float64, false)
}

pub(super) fn list(name: &str, item: Field) -> Field {
    Field::new(name, DataType::List(Arc::new(item)), false)
}

fn structure(name: &str, fields: Vec<Field>) -> Field {
    Field::new(name, DataType::Struct(fields.into()), false)
}

fn optional_structure(name: &str, fields: Vec<Field>) -> Field {
    let fields = fields.into_iter().map(|field| field.with_nullable(true)).collect();
    structure(name, fields).with_nullable(true)
}

/// Results as rows, in their order.
///
/// # Errors
/// When the rows do not fit Arrow's limits: 2 GiB of text in a column.
pub fn documents(extractions: &[Extraction]) -> Result<RecordBatch, ArrowError> {
    rows(document_schema(), extractions)
}

/// Results as rows, in their order, with a row for each document that has failed: its id, empty lists, and its error.
/// `model` and `unit` are what the other rows have too ([`Model::identifier`](crate::model::Model::identifier),
/// [`Options::offset_unit`](crate::engine::Options::offset_unit)).
///
/// # Errors
/// When the rows do not fit Arrow's limits: 2 GiB of text in a column.
pub fn results(
    model: &str,
    unit: OffsetUnit,
    results: &[(String, Result<Extraction, RowError>)],
) -> Result<RecordBatch, ArrowError> {
    #[derive(Serialize)]
    struct Failure<'a> {
        error: Option<&'a RowError>,
    }

    let extractions: Vec<Cow<'_, Extraction>> = results
        .iter()
        .map(|(id, result)| match result {
            Ok(extraction) => Cow::Borrowed(extraction),
            Err(_) => Cow::Owned(nothing_found(model, id, unit)),
        })
        .collect();
    let failures: Vec<Failure<'_>> =
        results.iter().map(|(_, result)| Failure { error: result.as_ref().err() }).collect();
    let schema = result_schema();
    let error = Arc::new(Schema::new(vec![schema.field_with_name("error")?.clone()]));
    let columns = [rows(document_schema(), &extractions)?.columns(), rows(error, &failures)?.columns()].concat();
    RecordBatch::try_new(schema, columns)
}

fn nothing_found(model: &str, id: &str, offset_unit: OffsetUnit) -> Extraction {
    Extraction {
        schema: SCHEMA,
        model: model.to_owned(),
        id: id.to_owned(),
        entities: Vec::new(),
        statements: Vec::new(),
        speakers: Vec::new(),
        offset_unit,
        warnings: Vec::new(),
    }
}

/// Values as rows; a value with a field that has no column is an error.
pub(super) fn rows(schema: SchemaRef, values: &[impl Serialize]) -> Result<RecordBatch, ArrowError> {
    let mut decoder = ReaderBuilder::new(Arc::clone(&schema)).with_strict_mode(true).build_decoder()?;
    decoder.serialize(values)?;
    Ok(decoder.flush()?.unwrap_or_else(|| RecordBatch::new_empty(schema)))
}

#[cfg(test)]
mod tests {
    use arrow_json::LineDelimitedWriter;
    use arrow_json::WriterBuilder;
    use arrow_json::writer::LineDelimited;
    use serde_json::{Value, json};

    use super::*;

    /// With every field that there is, and each optional one with and without a value.
    fn full() -> Extraction {
        let segment = |text: &str| json!([{"start": 3, "end": 9, "text": text, "score": 0.5}]);
        let statement = |id: &str, speaker: Value| {
            json!({"id": id, "kind": "direct", "act": "speech", "polarity": "positive", "floating": false, "score": 1.0, "source": segment("Ada"), "cue": [],
                   "content": segment("“no”\n\u{1f682}"), "speaker": speaker, "co_speakers": ["p1"]})
        };
        let speaker = |entity: Value| json!({"id": "p0", "name": "Ada", "label": "PER", "entity": entity, "via": "name", "score": 0.9});
        let value = json!({
            "schema": 1, "model": "tiny@0", "id": "ä",
            "entities": [{"id": "e0", "label": "PER", "start": 0, "end": 3_000_000_000_u32, "text": "Ada", "score": 0.1234}],
            "statements": [statement("s0", speaker(json!("e0"))), statement("s1", speaker(Value::Null)),
                           statement("s2", Value::Null)],
            "speakers": [{"id": "p0", "name": "Ada", "label": "PER", "aliases": ["A."],
                          "mentions": [{"start": 0, "end": 3, "text": "Ada"}], "statements": ["s0", "s1"]}],
            "offset_unit": "utf16", "warnings": ["one"],
        });
        serde_json::from_value(value).unwrap()
    }

    fn json_of(batch: &RecordBatch) -> Vec<Value> {
        let mut writer: LineDelimitedWriter<_> =
            WriterBuilder::new().with_explicit_nulls(true).build::<_, LineDelimited>(Vec::new());
        writer.write(batch).unwrap();
        let lines = String::from_utf8(writer.into_inner()).unwrap();
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn columns_hold_what_the_json_holds() {
        let empty = nothing_found("tiny@0", "", OffsetUnit::Byte);
        let extractions = [full(), empty, full()];
        let batch = documents(&extractions).unwrap();
        assert_eq!(batch.schema(), document_schema());
        let expected: Vec<Value> =
            extractions.iter().map(|extraction| serde_json::to_value(extraction).unwrap()).collect();
        assert_eq!(json_of(&batch), expected);
    }

    #[test]
    fn a_failed_document_keeps_its_row() {
        let error = RowError::from(DocumentError::Empty);
        let rows = [("ä".to_owned(), Ok(full())), ("bad".to_owned(), Err(error.clone()))];
        let batch = results("tiny@0", OffsetUnit::Utf16, &rows).unwrap();
        assert_eq!(batch.schema(), result_schema());
        let lines = json_of(&batch);
        assert_eq!((&lines[0]["error"], &lines[0]["statements"][0]["id"]), (&Value::Null, &json!("s0")));
        assert_eq!(lines[1]["error"], json!({"code": "empty_document", "message": error.message}));
        assert_eq!(lines[1]["id"], "bad");
        assert_eq!((&lines[1]["model"], &lines[1]["entities"]), (&json!("tiny@0"), &json!([])));
    }

    #[test]
    fn no_documents_are_no_rows() {
        let batch = documents(&[]).unwrap();
        assert_eq!((batch.num_rows(), batch.schema()), (0, document_schema()));
        assert_eq!(results("m", OffsetUnit::Byte, &[]).unwrap().num_rows(), 0);
    }

    #[test]
    fn a_field_without_a_column_is_an_error() {
        let schema = Arc::new(Schema::new(vec![text("id")]));
        assert!(rows(schema, &[full()]).is_err());
    }
}
