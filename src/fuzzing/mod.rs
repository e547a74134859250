//! What fuzzing throws at the rooms: a function for each, which must neither panic nor hang, whatever the bytes.
//!
//! `fuzz/` runs them for hours; the tests here, in bounded numbers, with bytes from proptest.

mod choices;
mod documents;
mod models;
#[path = "../../tests/support/tiny.rs"]
#[expect(clippy::expect_used, reason = "made for tests")]
mod tiny;

#[cfg(feature = "batch")]
pub use crate::batch::fuzzing::archives;
#[cfg(feature = "server")]
pub use crate::server::fuzzing::requests;
pub(crate) use choices::Choices;
pub use documents::{scores, windows};
pub use models::models;

/// Bytes of up to so many, for a property.
#[cfg(test)]
pub(crate) fn bytes(most: usize) -> impl proptest::strategy::Strategy<Value = Vec<u8>> {
    proptest::collection::vec(proptest::prelude::any::<u8>(), 0..most)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn documents_of_any_bytes_are_cut_and_stitched(data in bytes(600)) {
            windows(&data);
        }

        #[test]
        fn scores_of_any_kind_are_decoded(data in bytes(600)) {
            scores(&data);
        }

        #[test]
        fn model_files_of_any_kind_are_refused_or_run(data in bytes(200)) {
            models(&data);
        }
    }
}
