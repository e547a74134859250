//! Groups: documents handed to the engine together. While one group ends, its workers have work of another.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::chunks::{BYTES_PER_WORKER, RECORDS_PER_WORKER};
use super::columns::RowError;
use crate::engine::{Engine, EngineError, Extraction};
use crate::text::BorrowedDocument;

/// Groups that are with the engine at a time: while the last windows of one run, or its documents are decoded, there
/// is work of the other for every core.
pub(super) const GROUPS_TOGETHER: usize = 2;

/// What became of a document.
pub type Found = Result<Extraction, RowError>;

/// Extracts from documents that lie in memory, and hands each group of results, with the place of its first document, to
/// `form`. What is an error already stays one. Returns what `form` made, in order; `None` when told to stop.
pub(super) fn in_groups<T: Send + 'static>(
    engine: &Engine,
    documents: &[Result<BorrowedDocument<'_>, RowError>],
    stop: &AtomicBool,
    form: impl Fn(usize, Vec<Found>) -> T + Sync,
) -> Option<Vec<T>> {
    let groups = groups(documents, engine.threads());
    let queue = Mutex::new(groups.into_iter().enumerate());
    let work = || {
        let mut formed = Vec::new();
        loop {
            let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((number, group)) = next.filter(|_| !stop.load(Ordering::Relaxed)) else { return formed };
            let found = extract_some(engine, &documents[group.clone()], stop);
            if !stop.load(Ordering::Relaxed) {
                formed.push((number, form(group.start, found)));
            }
        }
    };
    let mut formed = thread::scope(|scope| {
        let others: Vec<_> = (1..GROUPS_TOGETHER).map(|_| scope.spawn(work)).collect();
        let mut formed = work();
        for other in others {
            match other.join() {
                Ok(more) => formed.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        formed
    });
    if stop.load(Ordering::Relaxed) {
        free_beside(formed);
        return None;
    }
    formed.sort_unstable_by_key(|(number, _)| *number);
    Some(formed.into_iter().map(|(_, formed)| formed).collect())
}

/// Frees results on a thread of their own: of millions this takes seconds, for which nobody needs to wait.
pub fn free_beside<T: Send + 'static>(results: T) {
    // Where there is no other thread to be had, this one does it.
    let _ = thread::Builder::new().spawn(move || drop(results));
}

/// Cuts documents into groups as large as the chunks of an archive.
fn groups(documents: &[Result<BorrowedDocument<'_>, RowError>], workers: usize) -> Vec<Range<usize>> {
    let (max_bytes, max_documents) = (BYTES_PER_WORKER * workers, RECORDS_PER_WORKER * workers);
    let mut groups = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (index, document) in documents.iter().enumerate() {
        bytes += document.as_ref().map_or(0, |document| document.text.len());
        if bytes >= max_bytes || index + 1 - start == max_documents || index + 1 == documents.len() {
            groups.push(start..index + 1);
            (start, bytes) = (index + 1, 0);
        }
    }
    groups
}

/// Extracts from what are documents.
fn extract_some(
    engine: &Engine,
    documents: &[Result<BorrowedDocument<'_>, RowError>],
    stop: &AtomicBool,
) -> Vec<Found> {
    let good: Vec<BorrowedDocument<'_>> =
        documents.iter().filter_map(|document| document.as_ref().ok().copied()).collect();
    let mut found = engine.extract_until(stop, &good).into_iter();
    let next = |document: &Result<BorrowedDocument<'_>, RowError>| match document {
        Ok(_) => Ok(found.next().unwrap_or(Err(EngineError::Panic))?),
        Err(error) => Err(error.clone()),
    };
    documents.iter().map(next).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_cover_all_documents_and_none_is_empty() {
        let long = "a".repeat(BYTES_PER_WORKER);
        let document = |text| Ok(BorrowedDocument { id: "", text });
        let failed = || Err(RowError { code: "empty_document", message: String::new() });
        assert!(groups(&[], 1).is_empty());
        let documents = [document("a"), document(&long), failed(), document(&long), document(&long), document("a")];
        assert_eq!(groups(&documents, 1), [0..2, 2..4, 4..5, 5..6]);
        assert_eq!(groups(&documents, 2), [0..4, 4..6]);
        let many: Vec<_> = (0..2 * RECORDS_PER_WORKER + 1).map(|_| failed()).collect();
        let lengths: Vec<usize> = groups(&many, 1).iter().map(Range::len).collect();
        assert_eq!(lengths, [RECORDS_PER_WORKER, RECORDS_PER_WORKER, 1]);
    }
}
