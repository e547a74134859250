//! Documents through the engine, group by group: what came of each, in the order of the input.

use super::complaints::Problem;
use super::input::{Documents, Record};
use crate::engine::{Engine, Extraction};
use crate::text::Document;

/// Documents are processed together until they hold this much text per worker (bytes): enough to keep all workers
/// busy with windows of like length, little enough that memory does not grow with the archive.
const GROUP_BYTES: usize = 128 * 1024;

/// Most documents in a group.
const GROUP_DOCUMENTS: usize = 1024;

/// What came of one document.
pub(super) struct Outcome {
    /// The file that it came from.
    pub path: String,
    /// Its line, where lines are documents, from 1.
    pub line: Option<usize>,
    pub result: Result<(Document, Extraction), Problem>,
}

/// The next group of documents; `None` at the end of the input.
pub(super) fn next_group(documents: &mut Documents, engine: &Engine) -> Option<Vec<Outcome>> {
    let records = group(documents, GROUP_BYTES * engine.threads());
    if records.is_empty() {
        return None;
    }
    let mut taken: Vec<Document> = Vec::with_capacity(records.len());
    let mut places = Vec::with_capacity(records.len());
    for Record { path, line, id, document } in records {
        let error = document.map(|document| taken.push(document)).err();
        places.push((path, line, error.map(|error| (id, error))));
    }
    let found: Vec<_> = engine.extract(&taken).into_iter().collect();
    let mut results = taken.into_iter().zip(found);
    let outcomes = places.into_iter().filter_map(|(path, line, error)| {
        let result = match error {
            Some((id, error)) => Err(Problem::new(&path, line, id, error.code(), error.to_string())),
            None => match results.next()? {
                (document, Ok(extraction)) => Ok((document, extraction)),
                (document, Err(error)) => {
                    Err(Problem::new(&path, line, Some(document.id), "inference_failed", error.to_string()))
                }
            },
        };
        Some(Outcome { path, line, result })
    });
    Some(outcomes.collect())
}

fn group(documents: &mut Documents, limit: usize) -> Vec<Record> {
    let (mut records, mut bytes) = (Vec::new(), 0);
    for record in documents {
        bytes += record.document.as_ref().map_or(0, |document| document.text.len());
        records.push(record);
        if bytes >= limit || records.len() >= GROUP_DOCUMENTS {
            break;
        }
    }
    records
}
