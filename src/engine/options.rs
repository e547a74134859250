//! What a caller may choose about an extraction.

use std::str::FromStr;

use crate::model::{Model, ModelError};
use crate::text::OffsetUnit;

/// Which entity head answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum EntityScheme {
    /// PER, ORG, LOC, NORP, FAC, PRODUCT, DATE, MONEY, MISC.
    #[default]
    News9,
    /// PER, ORG, LOC, MISC, as in CoNLL-2003.
    Conll4,
}

impl EntityScheme {
    /// The name of the head, on the command line and in the model.
    pub fn name(self) -> &'static str {
        match self {
            Self::News9 => "news9",
            Self::Conll4 => "conll4",
        }
    }
}

impl FromStr for EntityScheme {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        [Self::News9, Self::Conll4]
            .into_iter()
            .find(|scheme| scheme.name() == name)
            .ok_or_else(|| format!("unknown entity scheme {name:?}: use news9 or conll4"))
    }
}

/// What a caller may choose about an extraction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// Which entity head answers; `None`: the model's first choice, `news9`, or the only one of a token classifier.
    pub entity_scheme: Option<EntityScheme>,
    /// The unit of all offsets in the output.
    pub offset_unit: OffsetUnit,
    /// Entities and statements with a lower score are left out, 0 to 1.
    pub min_score: f32,
    /// Whether floating statements are wanted: quotations without source or cue after an attributed one, and turns of
    /// transcripts.
    pub floating: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { entity_scheme: None, offset_unit: OffsetUnit::default(), min_score: 0.0, floating: true }
    }
}

/// The head for an entity scheme.
pub(super) fn entity_head(model: &Model, scheme: Option<EntityScheme>) -> Result<&str, ModelError> {
    model.entity_head(scheme.map(EntityScheme::name))
}
