//! A fault on demand: `ONRECORD_FAULT=STAGE:WORD` makes a worker panic at a stage (`prepare`, `run` or `decode`) of every
//! document that has the word, so that tests see what becomes of the others. Builds for release know nothing of it.

#[cfg(debug_assertions)]
pub(super) fn at(stage: &str, text: &str) {
    use std::sync::LazyLock;

    static FAULT: LazyLock<Option<(String, String)>> = LazyLock::new(|| {
        let fault = std::env::var("ONRECORD_FAULT").ok()?;
        fault.split_once(':').map(|(stage, word)| (stage.to_owned(), word.to_owned()))
    });
    if let Some((asked, word)) = &*FAULT {
        assert!(stage != asked || !text.contains(word.as_str()), "a fault was asked for");
    }
}

#[cfg(not(debug_assertions))]
#[inline]
pub(super) fn at(_stage: &str, _text: &str) {}
