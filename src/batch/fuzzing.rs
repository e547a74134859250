//! Archives that anybody made.

use std::io::Write;
use std::sync::{Arc, LazyLock};

use super::read::{Position, Reading, Records, kept_fields};
use super::{InputFormat, Inputs, OutputFormat, Settings};
use crate::fuzzing::Choices;
use crate::text::OffsetUnit;

/// Larger documents are refused here.
const MOST: usize = 4096;

/// Files that are edited, with their names.
fn originals() -> &'static [(&'static str, Vec<u8>)] {
    static FILES: LazyLock<Vec<(&'static str, Vec<u8>)>> = LazyLock::new(|| {
        let lines =
            "{\"id\": \"a\", \"text\": \"Ada said no.\", \"year\": 1990}\n\n{\"text\": \"b\"}\nno json\n".repeat(3);
        let table = "id,text,year\n1,\"Ada said \"\"no\"\".\",1990\n2,b,\n".repeat(2);
        let mut files = vec![("a.jsonl", lines.clone().into_bytes()), ("a.csv", table.into_bytes())];
        files.push(("a.tsv", b"id\ttext\n1\tAda said no.\n".to_vec()));
        files.push(("a.txt", "Ada said “no”.\r\n".repeat(9).into_bytes()));
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        let bomb = [lines.as_bytes(), &[b'a'; 1 << 16]].concat();
        if packed.write_all(&bomb).is_ok() {
            files.extend(packed.finish().ok().map(|packed| ("a.jsonl.gz", packed)));
        }
        files.extend(zstd::encode_all(lines.as_bytes(), 1).ok().map(|packed| ("b.jsonl.zst", packed)));
        files.extend(columns());
        files
    });
    &FILES
}

/// The same rows as Parquet and as Arrow.
fn columns() -> Vec<(&'static str, Vec<u8>)> {
    use arrow_array::{Int64Array, RecordBatch, StringArray};
    let texts = StringArray::from(vec![Some("Ada said no."), None, Some("b")]);
    let years = Int64Array::from(vec![Some(1990), Some(7), None]);
    let rows = [("text", Arc::new(texts) as _), ("year", Arc::new(years) as _)];
    let Ok(rows) = RecordBatch::try_from_iter_with_nullable(rows.map(|(name, column)| (name, column, true))) else {
        return Vec::new();
    };
    let parquet = || {
        let mut file = Vec::new();
        let mut writer = parquet::arrow::ArrowWriter::try_new(&mut file, rows.schema(), None).ok()?;
        writer.write(&rows).ok()?;
        writer.close().ok()?;
        Some(("a.parquet", file))
    };
    let arrow = || {
        let mut file = Vec::new();
        let mut writer = arrow_ipc::writer::FileWriter::try_new(&mut file, &rows.schema()).ok()?;
        writer.write(&rows).ok()?;
        writer.finish().ok()?;
        drop(writer);
        Some(("a.arrow", file))
    };
    let stream = || {
        let mut file = Vec::new();
        let mut writer = arrow_ipc::writer::StreamWriter::try_new(&mut file, &rows.schema()).ok()?;
        writer.write(&rows).ok()?;
        writer.finish().ok()?;
        drop(writer);
        Some(("a.arrows", file))
    };
    [parquet(), arrow(), stream()].into_iter().flatten().collect()
}

/// Any bytes as a file of any format: rows and errors come out, and then an end.
pub fn archives(data: &[u8]) {
    let mut choices = Choices::new(data);
    let Some((name, original)) = originals().get(choices.below(originals().len())) else { return };
    let keep = choices.byte() & 1 == 1;
    let bytes = if choices.byte() & 1 == 1 { choices.rest().to_vec() } else { choices.edited(original) };
    let Ok(folder) = tempfile::tempdir() else { return };
    let path = folder.path().join(name);
    if std::fs::write(&path, &bytes).is_err() {
        return;
    }
    let settings = Settings {
        input_format: None::<InputFormat>,
        text_column: "text".to_owned(),
        id_column: None,
        keep: if keep { vec!["year".to_owned()] } else { Vec::new() },
        output_format: OutputFormat::Parquet,
        flat: None,
        rows_per_part: 10,
        shard: None,
        max_document_bytes: MOST,
        entity_scheme: None,
        offset_unit: OffsetUnit::Codepoint,
        min_score: 0.0,
        floating: true,
        max_window: None,
    };
    let Ok(inputs) = Inputs::find(&[path], None) else { return };
    let kept = kept_fields(&inputs, &settings);
    let reading = Arc::new(Reading { settings, kept, counters: Arc::default() });
    let records = Records::new(Arc::new(inputs), reading, Position::default());
    for (number, record) in records.enumerate() {
        assert!(number < 100_000, "there is no end of rows in {} bytes of {name}", bytes.len());
        assert!(record.document.map_or(0, |document| document.text.len()) <= MOST, "row {number} of {name}");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fuzzing::bytes;

    #[test]
    fn what_fuzzing_found_is_read_to_an_end() {
        let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/archives");
        for found in std::fs::read_dir(corpus).unwrap() {
            archives(&std::fs::read(found.unwrap().path()).unwrap());
        }
    }

    proptest! {
        #[test]
        fn files_of_any_bytes_are_read_to_an_end(data in bytes(200)) {
            archives(&data);
        }
    }
}
