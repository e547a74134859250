//! The export room: results in the forms that other tools read (`docs/exports.md`).
//!
//! Stands beside the skins, which say where the bytes go; knows nothing of files or HTTP. Every form counts offsets in
//! Unicode code points, whatever unit the results were in, and no form shows a text that is not a slice of the article.

mod annotated;
mod brat;
mod citron;
mod conll;
mod displacy;
mod page;
mod schema_org;
mod table;
mod web_annotation;
mod words;

use std::io::{self, Write};
use std::str::FromStr;

pub use annotated::{Annotated, Mismatch};
pub use brat::CONFIGURATION as BRAT_CONFIGURATION;

/// A form in which other tools read results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// [brat](https://brat.nlplab.org/standoff.html) standoff: lines that annotate a text file beside them.
    Brat,
    /// CoNLL-2003 columns with IOB2 tags: word, statement, role, entity.
    Conll,
    /// JSON for [displaCy](https://spacy.io/usage/visualizers): `ents`, and `tokens` with `spans`.
    Displacy,
    /// [Web Annotation](https://www.w3.org/TR/annotation-model/) JSON-LD, with position and quote selectors.
    WebAnnotation,
    /// JSON as BBC Citron has it.
    Citron,
    /// A page that stands by itself.
    Html,
    /// A table of statements.
    Csv,
    /// JSON-LD with [schema.org](https://schema.org/Quotation) quotations.
    SchemaOrg,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Brat,
        Self::Conll,
        Self::Displacy,
        Self::WebAnnotation,
        Self::Citron,
        Self::Html,
        Self::Csv,
        Self::SchemaOrg,
    ];

    /// The name on the command line and in queries.
    pub fn name(self) -> &'static str {
        match self {
            Self::Brat => "brat",
            Self::Conll => "conll",
            Self::Displacy => "displacy",
            Self::WebAnnotation => "webannotation",
            Self::Citron => "citron",
            Self::Html => "html",
            Self::Csv => "csv",
            Self::SchemaOrg => "schemaorg",
        }
    }

    /// What a file of it is called behind its stem.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Brat => ".ann",
            Self::Conll => ".conll",
            Self::Displacy => ".displacy.json",
            Self::WebAnnotation => ".annotations.jsonld",
            Self::Citron => ".citron.json",
            Self::Html => ".html",
            Self::Csv => ".csv",
            Self::SchemaOrg => ".schemaorg.jsonld",
        }
    }

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Brat | Self::Conll => "text/plain; charset=utf-8",
            // Not plain JSON: that is the form of our own answers.
            Self::Displacy => "application/vnd.onrecord.displacy+json",
            Self::Citron => "application/vnd.onrecord.citron+json",
            Self::WebAnnotation => "application/ld+json; profile=\"http://www.w3.org/ns/anno.jsonld\"",
            Self::SchemaOrg => "application/ld+json",
            Self::Html => "text/html; charset=utf-8",
            Self::Csv => "text/csv; charset=utf-8; header=present",
        }
    }

    /// How documents of this form make a file together.
    pub fn joins(self) -> Joins {
        match self {
            Self::Conll | Self::Csv => Joins::InOneFile,
            Self::Displacy | Self::WebAnnotation | Self::Citron | Self::SchemaOrg => Joins::AsLines,
            Self::Brat | Self::Html => Joins::Never,
        }
    }

    /// What comes before the first document: the names of the columns of a table, for the others nothing.
    ///
    /// # Errors
    /// Those of the output.
    pub fn write_head(self, output: &mut impl Write) -> io::Result<()> {
        if self == Self::Csv { table::write_head(output) } else { Ok(()) }
    }

    /// Writes one document. JSON ends with its line.
    ///
    /// # Errors
    /// Those of the output.
    pub fn write(self, document: &Annotated<'_>, output: &mut impl Write) -> io::Result<()> {
        let value = match self {
            Self::Brat => return brat::write(document, output),
            Self::Conll => return conll::write(document, output),
            Self::Html => return page::write(document, output),
            Self::Csv => return table::write(document, output),
            Self::Displacy => displacy::value(document),
            Self::WebAnnotation => web_annotation::value(document),
            Self::Citron => citron::value(document),
            Self::SchemaOrg => schema_org::value(document),
        };
        serde_json::to_writer(&mut *output, &value)?;
        output.write_all(b"\n")
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|format| format.name() == name).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("unknown format {name:?}: use one of {names}")
        })
    }
}

/// How several documents of one form make a file together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joins {
    /// One behind the other.
    InOneFile,
    /// As lines of JSON; or each in a file of its own.
    AsLines,
    /// Each is a file of its own.
    Never,
}
