//! What a client may choose: in the body of a request, and in the query string.

use actix_web::web;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::parsing::without_texts;
use crate::engine::service::Want;
use crate::engine::{EntityScheme, Extraction, Options};
use crate::export::Format;
use crate::model::Model;
use crate::server::codes::ErrorCode;
use crate::server::errors::ApiError;
use crate::text::OffsetUnit;

/// What a client may choose about the results.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RequestOptions {
    /// Which entity labels: `news9` (PER ORG LOC NORP FAC PRODUCT DATE MONEY MISC), which is the default, or `conll4`
    /// (PER ORG LOC MISC). To be left out where the model has labels of its own.
    pub entity_scheme: Option<EntityScheme>,
    /// Unit of all offsets: `codepoint` (Python), `byte` (Rust, Go) or `utf16` (JavaScript, Java).
    pub offset_unit: OffsetUnit,
    /// Entities and statements that score below this are left out.
    #[schema(minimum = 0, maximum = 1)]
    pub min_score: f32,
    /// Whether floating statements are wanted: quotations without source or cue after an attributed one, and turns of
    /// transcripts.
    pub floating: bool,
    /// Parts of the result that are wanted; all of them by default.
    pub include: Option<Vec<Part>>,
}

impl Default for RequestOptions {
    fn default() -> Self {
        let Options { entity_scheme, offset_unit, min_score, floating } = Options::default();
        Self { entity_scheme, offset_unit, min_score, floating, include: None }
    }
}

/// A part of the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Named entities.
    Entities,
    /// Who said what.
    Statements,
    /// Everybody who speaks.
    Speakers,
}

impl RequestOptions {
    /// What the engine is to be asked for; an error where the model cannot give it.
    pub fn want(&self, model: &Model) -> Result<Want, ApiError> {
        let invalid = |message: String| ApiError::new(ErrorCode::InvalidRequest, message);
        let head = model.entity_head(self.entity_scheme.map(EntityScheme::name));
        head.map_err(|error| invalid(format!("entity_scheme: {error}")))?;
        let others = |parts: &Vec<Part>| parts.iter().any(|part| *part != Part::Entities);
        if !model.finds_statements() && self.include.as_ref().is_some_and(others) {
            let name = &model.config().name;
            return Err(invalid(format!("include: the model {name} finds entities only, no statements or speakers")));
        }
        if !(0.0..=1.0).contains(&self.min_score) {
            let message = format!("min_score is {}: it must be between 0 and 1", self.min_score);
            return Err(invalid(message));
        }
        Ok(Want::Extraction(Options {
            entity_scheme: self.entity_scheme,
            offset_unit: self.offset_unit,
            min_score: self.min_score,
            floating: self.floating,
        }))
    }

    /// Whether a part is wanted.
    pub fn wants(&self, part: Part) -> bool {
        self.include.as_ref().is_none_or(|parts| parts.contains(&part))
    }

    /// A result of which the parts that are not wanted are empty.
    pub fn reduced(&self, mut extraction: Extraction) -> Extraction {
        if !self.wants(Part::Entities) {
            extraction.entities.clear();
        }
        if !self.wants(Part::Statements) {
            extraction.statements.clear();
        }
        if !self.wants(Part::Speakers) {
            extraction.speakers.clear();
        }
        extraction
    }
}

/// What is wanted of the documents, in the query string: for streams, and wherever a body says nothing of it.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::server) struct QueryOptions {
    /// Which entity labels, `news9` or `conll4`.
    #[param(nullable = false)]
    entity_scheme: Option<EntityScheme>,
    /// Unit of all offsets, `codepoint`, `byte` or `utf16`.
    #[param(nullable = false)]
    offset_unit: Option<OffsetUnit>,
    /// Entities and statements that score below this are left out.
    #[param(minimum = 0, maximum = 1, nullable = false)]
    min_score: Option<f32>,
    /// Whether floating statements are wanted: quotations without source or cue after an attributed one, and turns of
    /// transcripts.
    #[param(nullable = false)]
    floating: Option<bool>,
    /// Parts of the result that are wanted, with commas between them.
    #[param(nullable = false, pattern = "^(entities|statements|speakers)(,(entities|statements|speakers))*$")]
    include: Option<String>,
    /// Another form for the result of a single document: `brat`, `conll`, `displacy`, `webannotation`, `citron`, `html`,
    /// `csv` or `schemaorg` (docs/exports.md).
    #[param(nullable = false)]
    format: Option<Format>,
}

impl QueryOptions {
    /// What is wanted, and in which form if not in ours.
    pub fn parse(query: &str) -> Result<(RequestOptions, Option<Format>), ApiError> {
        let invalid =
            |message: String| ApiError::new(ErrorCode::InvalidRequest, format!("the query string: {message}"));
        let options =
            web::Query::<Self>::from_query(query).map_err(|error| invalid(without_texts(&error)))?.into_inner();
        let part = |name: &str| {
            let part = serde_json::from_value::<Part>(Value::from(name));
            part.map_err(|error| invalid(format!("include: {}", without_texts(&error))))
        };
        let include = options.include.as_deref().map(|names| names.split(',').map(part).collect());
        let defaults = RequestOptions::default();
        let format = options.format;
        let options = RequestOptions {
            entity_scheme: options.entity_scheme,
            offset_unit: options.offset_unit.unwrap_or_default(),
            min_score: options.min_score.unwrap_or_default(),
            floating: options.floating.unwrap_or(defaults.floating),
            include: include.transpose()?,
        };
        Ok((options, format))
    }
}
