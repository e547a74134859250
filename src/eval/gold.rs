//! Readers of gold annotation and of predictions, JSON Lines each.
//!
//! [`JsonLines`] reads one line at a time, ignores fields it does not know and blank lines, and names file and line of
//! whatever it cannot use. What it returns is plain data; the scoring is done in [`statements`](super::statements) and
//! [`entities`](super::entities).

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::EvalError;
use super::running_text::DocumentBuilder;
pub use super::running_text::{EntityDocument, TokenEntity};

/// The three spans of one statement, each a list of segments in code points of the text, as found in the file:
/// segments may be unsorted, overlap, be reversed or lie outside the text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatementSpans {
    /// Who says it; empty where the text names nobody.
    pub source: Vec<Range<usize>>,
    /// The word or words that announce it ("said", "according to").
    pub cue: Vec<Range<usize>>,
    /// What is said.
    pub content: Vec<Range<usize>>,
}

/// One article with its gold statements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoldDocument {
    /// Identifier that predictions refer to.
    pub id: String,
    /// The text that all offsets of the document count in.
    pub text: String,
    /// The gold statements, in the file's order: a [`GoldSpeaker`] refers to them by position.
    pub statements: Vec<StatementSpans>,
    /// Who the sources are, as far as the line itself says so.
    pub speakers: Vec<GoldSpeaker>,
}

/// Who the source of one gold statement is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(expecting = "an object with doc, index, speaker, aliases and form")]
pub struct GoldSpeaker {
    /// Identifier of the [`GoldDocument`].
    #[serde(rename = "doc")]
    pub document: String,
    /// Position of the statement among the document's gold statements, from 0.
    pub index: usize,
    /// Fullest name in the article; `None` or empty where the article never names the source.
    pub speaker: Option<String>,
    /// Every form of the name that counts as right.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// What the speaker is: person, group, organization, ...
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
    /// Form of the gold source span: name, pronoun, nominal or none.
    pub form: String,
}

/// What was extracted from one document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PredictedDocument {
    /// Identifier of the gold document that this belongs to.
    pub id: String,
    /// The predicted entities.
    pub entities: Vec<PredictedEntity>,
    /// The predicted statements.
    pub statements: Vec<PredictedStatement>,
}

/// A predicted entity; `start..end` are code points of the document's text.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(expecting = "an entity with label, start and end")]
pub struct PredictedEntity {
    /// Type of the entity.
    pub label: String,
    /// First code point.
    pub start: usize,
    /// Code point after the last.
    pub end: usize,
}

/// A predicted statement and whom it is credited to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PredictedStatement {
    /// Where it stands in the text.
    pub spans: StatementSpans,
    /// Name of the speaker, if one was found.
    pub speaker: Option<String>,
    /// Names of those who say it together with the speaker.
    pub other_speakers: Vec<String>,
}

/// A JSON Lines file that is being read.
#[derive(Debug)]
pub struct JsonLines<R> {
    reader: R,
    file: PathBuf,
    line: usize,
    buffer: Vec<u8>,
}

impl JsonLines<BufReader<File>> {
    /// Opens a file.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, EvalError> {
        let path = path.as_ref();
        match File::open(path) {
            Ok(file) => Ok(Self::new(BufReader::new(file), path)),
            Err(source) => Err(EvalError::Open { file: path.to_owned(), source }),
        }
    }
}

impl<R: BufRead> JsonLines<R> {
    /// Reads from `reader`; `file` is the name that errors give it.
    pub fn new(reader: R, file: impl Into<PathBuf>) -> Self {
        Self { reader, file: file.into(), line: 0, buffer: Vec::new() }
    }

    /// Reads gold statements: `{"id", "text", "attributions": [{"source": [[start, end], ..], "cue", "content"}]}`
    /// (`docs/annotations.md`). An attribution may say who its source is: `"speaker"`, `"aliases"` and `"form"`.
    pub fn gold_documents(mut self) -> Result<Vec<GoldDocument>, EvalError> {
        let mut documents = Vec::new();
        while let Some(raw) = self.next_line::<RawGold>()? {
            let attributions = raw.attributions.iter().enumerate();
            let speakers = attributions.filter_map(|(index, it)| it.gold_speaker(&raw.id, index)).collect();
            let statements = raw.attributions.into_iter().map(RawStatement::into_spans).collect();
            documents.push(GoldDocument { id: raw.id, text: raw.text, statements, speakers });
        }
        Ok(documents)
    }

    /// Reads gold speakers: `{"doc", "index", "speaker", "aliases", "type", "form"}`.
    pub fn gold_speakers(mut self) -> Result<Vec<GoldSpeaker>, EvalError> {
        let mut speakers = Vec::new();
        while let Some(speaker) = self.next_line()? {
            speakers.push(speaker);
        }
        Ok(speakers)
    }

    /// Reads gold entities: one sentence a line, `{"id", "doc"?, "tokens": [..], "ner": [..]}` with BIO tags.
    ///
    /// Documents come in the order of their first sentence. Where `tokens` and `ner` differ in length, the longer is
    /// cut.
    pub fn entity_documents(mut self) -> Result<Vec<EntityDocument>, EvalError> {
        let mut documents: Vec<DocumentBuilder> = Vec::new();
        let mut positions: HashMap<String, usize> = HashMap::new();
        while let Some(raw) = self.next_line::<RawSentence>()? {
            let Some(id) = raw.doc.filter(|doc| !doc.is_empty()).or(raw.id) else {
                return Err(self.bad_line("neither `doc` nor `id`"));
            };
            let position = *positions.entry(id).or_insert_with_key(|id| {
                documents.push(DocumentBuilder::new(id.clone()));
                documents.len() - 1
            });
            if let Some(document) = documents.get_mut(position) {
                document.push_sentence(&raw.tokens, &raw.ner);
            }
        }
        Ok(documents.into_iter().map(|builder| builder.finish()).collect())
    }

    /// Reads predictions: what `onrecord extract` writes, or statements in the form of the gold, line by line.
    ///
    /// A line that reports an `error` in place of a result is left out, so that its document counts as missing.
    pub fn predicted_documents(mut self) -> Result<Vec<PredictedDocument>, EvalError> {
        let mut documents = Vec::new();
        while let Some(raw) = self.next_line::<RawPrediction>()? {
            if raw.is_failure() {
                continue;
            }
            match raw.into_document() {
                Ok(document) => documents.push(document),
                Err(reason) => return Err(self.bad_line(reason)),
            }
        }
        Ok(documents)
    }

    /// The next line that is not blank; `None` at the end of the file.
    fn next_line<T: DeserializeOwned>(&mut self) -> Result<Option<T>, EvalError> {
        loop {
            self.buffer.clear();
            self.line += 1;
            match self.reader.read_until(b'\n', &mut self.buffer) {
                Ok(0) => return Ok(None),
                Ok(_) if self.buffer.trim_ascii().is_empty() => {}
                Ok(_) => break,
                Err(source) => {
                    return Err(EvalError::Read { file: self.file.clone(), line: self.line, source });
                }
            }
        }
        match serde_json::from_slice(&self.buffer) {
            Ok(value) => Ok(Some(value)),
            Err(error) => {
                let reason = error.to_string();
                // serde_json ends with its own "at line 1 column N", which would contradict the file's line.
                let (reason, _) = reason.rsplit_once(" at line ").unwrap_or((&reason, ""));
                Err(self.bad_line(&format!("{reason} (byte {} of the line)", error.column())))
            }
        }
    }

    fn bad_line(&self, reason: &str) -> EvalError {
        EvalError::Line { file: self.file.clone(), line: self.line, reason: reason.to_owned() }
    }
}

#[derive(Deserialize)]
#[serde(expecting = "an object with id, text and attributions")]
struct RawGold {
    id: String,
    text: String,
    attributions: Vec<RawStatement<Pair, String>>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object with tokens, ner and id or doc")]
struct RawSentence {
    id: Option<String>,
    doc: Option<String>,
    tokens: Vec<String>,
    ner: Vec<String>,
}

/// A segment as the gold writes it.
#[derive(Deserialize)]
#[serde(expecting = "a segment [start, end]")]
struct Pair(usize, usize);

/// A segment as `onrecord extract` writes it.
#[derive(Deserialize)]
#[serde(expecting = "a segment with start and end")]
struct Segment {
    start: usize,
    end: usize,
}

impl From<Pair> for Range<usize> {
    fn from(Pair(start, end): Pair) -> Self {
        start..end
    }
}

impl From<Segment> for Range<usize> {
    fn from(segment: Segment) -> Self {
        segment.start..segment.end
    }
}

/// A statement whose segments are `S` and whose speaker, if any, is `N`.
#[derive(Deserialize)]
#[serde(expecting = "an object with source, cue and content")]
struct RawStatement<S, N> {
    source: Option<Vec<S>>,
    cue: Option<Vec<S>>,
    content: Option<Vec<S>>,
    speaker: Option<N>,
    /// Ids of co-speakers, as `onrecord extract` writes them.
    co_speakers: Option<Vec<String>>,
    /// Names of co-speakers, in the form of the gold.
    others: Option<Vec<String>>,
    /// Names that count as right, in the form of the gold.
    aliases: Option<Vec<String>>,
    /// Form of the source, in the form of the gold. Without it nothing is said of the speaker, with it `null` is nobody.
    form: Option<String>,
}

impl<S: Into<Range<usize>>, N> RawStatement<S, N> {
    fn into_spans(self) -> StatementSpans {
        let ranges = |segments: Option<Vec<S>>| segments.into_iter().flatten().map(Into::into).collect();
        StatementSpans { source: ranges(self.source), cue: ranges(self.cue), content: ranges(self.content) }
    }
}

#[derive(Deserialize)]
#[serde(expecting = "an object with id and statements, entities or attributions")]
struct RawPrediction {
    id: Option<String>,
    entities: Option<Vec<PredictedEntity>>,
    statements: Option<Vec<RawStatement<Segment, RawName>>>,
    speakers: Option<Vec<RawSpeaker>>,
    attributions: Option<Vec<RawStatement<Pair, String>>>,
    error: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(expecting = "a speaker with a name")]
struct RawName {
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(expecting = "a speaker with id and name")]
struct RawSpeaker {
    id: String,
    name: Option<String>,
}

impl RawPrediction {
    fn is_failure(&self) -> bool {
        self.error.is_some() && self.entities.is_none() && self.statements.is_none() && self.attributions.is_none()
    }

    fn into_document(self) -> Result<PredictedDocument, &'static str> {
        let Some(id) = self.id else {
            return Err("missing field `id`");
        };
        let people = self.speakers.unwrap_or_default();
        let statements = match self.attributions {
            Some(attributions) => attributions.into_iter().map(RawStatement::into_statement).collect(),
            None => self.statements.into_iter().flatten().map(|statement| statement.resolve(&people)).collect(),
        };
        Ok(PredictedDocument { id, entities: self.entities.unwrap_or_default(), statements })
    }
}

impl RawStatement<Pair, String> {
    fn gold_speaker(&self, document: &str, index: usize) -> Option<GoldSpeaker> {
        let form = self.form.clone()?;
        let names = self.speaker.iter().chain(self.others.iter().flatten());
        let aliases = self.aliases.clone().unwrap_or_else(|| names.cloned().collect());
        Some(GoldSpeaker {
            document: document.to_owned(),
            index,
            speaker: self.speaker.clone(),
            aliases,
            kind: None,
            form,
        })
    }

    fn into_statement(mut self) -> PredictedStatement {
        PredictedStatement {
            speaker: self.speaker.take(),
            other_speakers: self.others.take().unwrap_or_default(),
            spans: self.into_spans(),
        }
    }
}

impl RawStatement<Segment, RawName> {
    /// Replaces the ids of co-speakers by the names of `people`.
    fn resolve(mut self, people: &[RawSpeaker]) -> PredictedStatement {
        let ids: HashSet<String> = self.co_speakers.take().into_iter().flatten().collect();
        let others = people.iter().filter(|person| ids.contains(&person.id));
        PredictedStatement {
            speaker: self.speaker.take().and_then(|speaker| speaker.name),
            other_speakers: others.filter_map(|person| person.name.clone()).collect(),
            spans: self.into_spans(),
        }
    }
}
