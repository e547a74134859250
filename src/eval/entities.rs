//! Scores entities against gold files that mark tokens, on running text.
//!
//! Gold entity files hold tokenised sentences. [`documents`] gives the running texts to extract from; [`score`] maps
//! every predicted entity to the tokens that it touches and counts it where token span and label are those of a gold
//! entity.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::ops::Range;

use serde::{Serialize, Serializer};

use super::gold::PredictedDocument;
use super::running_text::EntityDocument;
use super::{Scores, Tally};
use crate::text::touched_tokens;

/// A text to extract from; serialises to a line of the input that `onrecord extract` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct RunningText<'a> {
    /// Identifier that the prediction must carry.
    pub id: &'a str,
    /// The text that the prediction's offsets must count in.
    pub text: &'a str,
}

/// How the labels of the gold become those of the predictions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LabelMapping {
    /// The gold uses the predictions' labels.
    #[default]
    Identity,
    /// The gold uses the long names of the English Worldwide Newswire set.
    Worldwide,
}

impl LabelMapping {
    /// The label that a prediction must carry to match `gold`; labels without a mapping stay as they are.
    pub fn apply(self, gold: &str) -> &str {
        match (self, gold) {
            (Self::Worldwide, "Person") => "PER",
            (Self::Worldwide, "Organization") => "ORG",
            (Self::Worldwide, "Location") => "LOC",
            (Self::Worldwide, "Facility") => "FAC",
            (Self::Worldwide, "Product") => "PRODUCT",
            (Self::Worldwide, "Date") => "DATE",
            (Self::Worldwide, "Money") => "MONEY",
            (Self::Worldwide, "Misc") => "MISC",
            _ => gold,
        }
    }
}

/// How well entities were found.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct EntityScores {
    /// Micro average over all documents, in percent.
    pub entity: Scores,
    /// Gold documents without a prediction; their entities count as not found.
    pub missing_documents: usize,
}

/// The running texts of a gold file, in its order.
pub fn documents(gold: &[EntityDocument]) -> impl Iterator<Item = RunningText<'_>> {
    gold.iter().map(|document| RunningText { id: &document.id, text: &document.text })
}

/// Compares predictions with gold entities.
///
/// `mapping` renames the gold's labels first. Predictions whose label is not in `only` are dropped, unless `only` is
/// empty. Where several predictions carry one id, the last of them counts.
pub fn score<L: AsRef<str>>(
    gold: &[EntityDocument],
    predicted: &[PredictedDocument],
    mapping: LabelMapping,
    only: &[L],
) -> EntityScores {
    let by_id: HashMap<&str, &PredictedDocument> =
        predicted.iter().map(|document| (document.id.as_str(), document)).collect();
    let wanted = |label: &str| only.is_empty() || only.iter().any(|one| one.as_ref() == label);
    let mut tally = Tally::default();
    let mut missing_documents = 0;
    for document in gold {
        let expected: HashSet<(&str, Range<usize>)> =
            document.entities.iter().map(|entity| (mapping.apply(&entity.label), entity.tokens.clone())).collect();
        let Some(prediction) = by_id.get(document.id.as_str()) else {
            missing_documents += 1;
            tally.add(0, 0, expected.len());
            continue;
        };
        let found: HashSet<(&str, Range<usize>)> = prediction
            .entities
            .iter()
            .filter(|entity| wanted(&entity.label))
            .map(|entity| {
                let tokens = touched_tokens(&document.tokens, &(entity.start..entity.end));
                (entity.label.as_str(), tokens)
            })
            .filter(|(_, tokens)| !tokens.is_empty())
            .collect();
        tally.add(found.intersection(&expected).count(), found.len(), expected.len());
    }
    EntityScores { entity: tally.scores(), missing_documents }
}

impl Serialize for EntityScores {
    /// Writes the reference scorer's nesting: `{"entity": .., "documents": {"missing from predictions": ..}}`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Documents {
            #[serde(rename = "missing from predictions")]
            missing: usize,
        }
        #[derive(Serialize)]
        struct Nested {
            entity: Scores,
            documents: Documents,
        }
        let documents = Documents { missing: self.missing_documents };
        Nested { entity: self.entity, documents }.serialize(serializer)
    }
}

impl fmt::Display for EntityScores {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        Scores::write_header(formatter)?;
        self.entity.write_row(formatter, "entity")?;
        writeln!(formatter, "documents missing from predictions: {}", self.missing_documents)
    }
}

#[cfg(test)]
#[allow(clippy::single_range_in_vec_init)]
mod tests {
    use super::super::gold::PredictedEntity;
    use super::super::running_text::document;
    use super::*;

    fn predicted(entities: &[(&str, usize, usize)]) -> Vec<PredictedDocument> {
        let entity =
            |&(label, start, end): &(&str, usize, usize)| PredictedEntity { label: label.to_owned(), start, end };
        let entities = entities.iter().map(entity).collect();
        vec![PredictedDocument { id: "d".to_owned(), entities, statements: Vec::new() }]
    }

    #[test]
    fn entities_are_compared_by_the_tokens_they_touch() {
        let gold = [document()];
        // Part of each name, once twice; the third touches no token.
        let found = predicted(&[("PER", 1, 5), ("PER", 0, 7), ("LOC", 14, 15), ("LOC", 400, 500)]);
        let scores = score(&gold, &found, LabelMapping::Worldwide, &[] as &[&str]);
        assert_eq!(scores.entity, Scores { precision: 100.0, recall: 100.0, f1: 100.0 });
        let scores = score(&gold, &found, LabelMapping::Worldwide, &["LOC"]);
        assert_eq!(scores.entity, Scores { precision: 100.0, recall: 50.0, f1: 66.67 });
        let scores = score(&gold, &found, LabelMapping::Identity, &["LOC"]);
        assert_eq!(scores.entity, Scores::default());
    }

    #[test]
    fn a_document_without_prediction_is_missing() {
        let scores = score(&[document()], &[], LabelMapping::Identity, &["PER"]);
        assert_eq!(scores, EntityScores { entity: Scores::default(), missing_documents: 1 });
    }
}
