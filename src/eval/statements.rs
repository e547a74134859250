//! Scores statements (source, cue, content, speaker) against gold ones.
//!
//! Spans are normalised first: segments are sorted, joined where no word character lies between them, and trimmed of
//! surrounding white space, quotation marks and punctuation. `exact` rows compare whole spans, `token` rows the tokens
//! that carry a role. Statements are matched one to one, greedily, by overlap of their content tokens; speakers are
//! judged on the statements so matched.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::ops::Range;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::gold::{GoldDocument, GoldSpeaker, PredictedDocument, PredictedStatement};
use super::names::plain_name;
use super::spans::{CONTENT, CUE, Prepared, SOURCE, ScoredText, Spans, TokenSet};
use super::{Scores, Tally, round_to_hundredths};

/// How well the spans of one role were found.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct RoleScores {
    /// Whole spans; a span that several statements of a document share counts once.
    pub exact: Scores,
    /// Tokens that carry the role in at least one statement.
    pub token: Scores,
}

/// How well the speakers of one form of source were named.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SpeakerScores {
    /// Form of the gold source (name, pronoun, nominal), `all` of these, or `unnamed`: pronouns and nominals whose
    /// source the article never names, right when no speaker is given.
    #[serde(skip)]
    pub form: String,
    /// Share that is right of the statements whose content was found, in percent.
    #[serde(rename = "accuracy of matched")]
    pub accuracy_of_matched: f64,
    /// Share that is right of all the statements, in percent; `unnamed` counts matched statements only.
    #[serde(rename = "end to end")]
    pub end_to_end: f64,
    /// Number of gold statements.
    #[serde(rename = "n")]
    pub count: usize,
}

/// Everything measured on statements.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StatementScores {
    /// The source spans.
    pub source: RoleScores,
    /// The cue spans.
    pub cue: RoleScores,
    /// The content spans.
    pub content: RoleScores,
    /// Statements whose contents overlap, and whose sources overlap or are both empty.
    pub lenient: Scores,
    /// The same with half of the contents' joint tokens shared.
    pub half: Scores,
    /// Statements with identical source, cue and content.
    pub strict: Scores,
    /// How many of the gold statements that share their source with another were found (leniently), and their number.
    pub shared_sources: (usize, usize),
    /// The speakers by form, in the order in which the forms occur; empty without gold speakers.
    pub speakers: Vec<SpeakerScores>,
    /// Number of gold documents.
    pub gold_documents: usize,
    /// Gold documents without a prediction; their statements count as not found.
    pub missing_documents: usize,
}

impl StatementScores {
    /// The span and statement scores under the reference scorer's names, in its order.
    pub fn rows(&self) -> [(&'static str, Scores); 9] {
        [
            ("source exact", self.source.exact),
            ("source token", self.source.token),
            ("cue exact", self.cue.exact),
            ("cue token", self.cue.token),
            ("content exact", self.content.exact),
            ("content token", self.content.token),
            ("statement lenient", self.lenient),
            ("statement half", self.half),
            ("statement strict", self.strict),
        ]
    }
}

impl Serialize for StatementScores {
    /// Writes one map entry a row, as the reference scorer does.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, scores) in self.rows() {
            map.serialize_entry(name, &scores)?;
        }
        for speaker in &self.speakers {
            map.serialize_entry(&format!("speaker {}", speaker.form), speaker)?;
        }
        let documents = [("gold", self.gold_documents), ("missing from predictions", self.missing_documents)];
        map.serialize_entry("documents", &BTreeMap::from(documents))?;
        let (found, count) = self.shared_sources;
        map.serialize_entry("shared sources", &BTreeMap::from([("found", found), ("gold", count)]))?;
        map.end()
    }
}

impl fmt::Display for StatementScores {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        Scores::write_header(formatter)?;
        for (name, scores) in self.rows() {
            scores.write_row(formatter, name)?;
        }
        if !self.speakers.is_empty() {
            writeln!(formatter, "\n{:20}{:>10}{:>12}{:>8}", "percent right", "matched", "end to end", "count")?;
        }
        for SpeakerScores { form, accuracy_of_matched, end_to_end, count } in &self.speakers {
            let name = format!("speaker {form}");
            writeln!(formatter, "{name:20}{accuracy_of_matched:>10.2}{end_to_end:>12.2}{count:>8}")?;
        }
        let Self { gold_documents, missing_documents, shared_sources: (found, count), .. } = self;
        if *count > 0 {
            writeln!(
                formatter,
                "\nstatements that share their source with another: {found} of {count} found leniently"
            )?;
        }
        writeln!(formatter, "\ndocuments: {gold_documents} gold, {missing_documents} missing from predictions")
    }
}

/// Compares predictions with gold statements, and with gold speakers where there are any.
///
/// Where several predictions carry one id, or several speakers belong to one statement, the last of them counts.
pub fn score(gold: &[GoldDocument], predicted: &[PredictedDocument], speakers: &[GoldSpeaker]) -> StatementScores {
    let by_id: HashMap<&str, &PredictedDocument> =
        predicted.iter().map(|document| (document.id.as_str(), document)).collect();
    let speaker_of: HashMap<(&str, usize), &GoldSpeaker> =
        speakers.iter().map(|speaker| ((speaker.document.as_str(), speaker.index), speaker)).collect();
    let mut tallies = Tallies::default();
    let mut missing_documents = 0;
    for document in gold {
        let text = ScoredText::new(&document.text);
        let expected: Vec<Prepared> = document.statements.iter().map(|spans| text.prepare(spans)).collect();
        let statements = match by_id.get(document.id.as_str()) {
            Some(prediction) => prediction.statements.as_slice(),
            None => {
                missing_documents += 1;
                &[]
            }
        };
        let found: Vec<Prepared> = statements.iter().map(|statement| text.prepare(&statement.spans)).collect();
        tallies.add_spans(&expected, &found);
        let matches = match_by_content(&expected, &found);
        tallies.add_statements(&expected, &found, &matches);
        for (index, matched) in matches.iter().enumerate() {
            if let Some(speaker) = speaker_of.get(&(document.id.as_str(), index)) {
                let statement = matched.and_then(|(position, _)| statements.get(position));
                tallies.add_speaker(speaker, statement);
            }
        }
    }
    tallies.finish(gold.len(), missing_documents)
}

/// The counts of all rows.
#[derive(Default)]
struct Tallies {
    /// Exact and token counts of source, cue and content.
    roles: [(Tally, Tally); 3],
    lenient: Tally,
    half: Tally,
    strict: Tally,
    shared_sources: (usize, usize),
    speakers: Vec<SpeakerTally>,
}

struct SpeakerTally {
    form: String,
    right: usize,
    matched: usize,
    count: usize,
}

impl Tallies {
    fn add_spans(&mut self, expected: &[Prepared], found: &[Prepared]) {
        for (role, (exact, token)) in self.roles.iter_mut().enumerate() {
            let (gold, predicted) = (distinct_spans(expected, role), distinct_spans(found, role));
            exact.add(gold.intersection(&predicted).count(), predicted.len(), gold.len());
            let tokens =
                |statements: &[Prepared]| TokenSet::union(statements.iter().map(|statement| &statement.tokens[role]));
            let (gold, predicted) = (tokens(expected), tokens(found));
            token.add(gold.shared_with(&predicted), predicted.len(), gold.len());
        }
    }

    fn add_statements(&mut self, expected: &[Prepared], found: &[Prepared], matches: &[Option<(usize, f64)>]) {
        let (mut lenient, mut half) = (0, 0);
        let mut uses: HashMap<&[Range<usize>], usize> = HashMap::new();
        for gold in expected.iter().filter(|gold| !gold.spans[SOURCE].is_empty()) {
            *uses.entry(&gold.spans[SOURCE]).or_default() += 1;
        }
        for (gold, matched) in expected.iter().zip(matches) {
            let right = matched.filter(|(position, _)| found.get(*position).is_some_and(|it| gold.has_source_of(it)));
            if uses.get(gold.spans[SOURCE].as_slice()).is_some_and(|&uses| uses > 1) {
                self.shared_sources.0 += usize::from(right.is_some());
                self.shared_sources.1 += 1;
            }
            if let Some((_, share)) = right {
                lenient += 1;
                half += usize::from(share >= 0.5);
            }
        }
        self.lenient.add(lenient, found.len(), expected.len());
        self.half.add(half, found.len(), expected.len());
        let of_gold: HashSet<&Spans> = expected.iter().map(|gold| &gold.spans).collect();
        let of_found: HashSet<&Spans> = found.iter().map(|predicted| &predicted.spans).collect();
        self.strict.add_unequal(
            found.iter().filter(|predicted| of_gold.contains(&predicted.spans)).count(),
            found.len(),
            expected.iter().filter(|gold| of_found.contains(&gold.spans)).count(),
            expected.len(),
        );
    }

    fn add_speaker(&mut self, gold: &GoldSpeaker, matched: Option<&PredictedStatement>) {
        let is_matched = usize::from(matched.is_some());
        if gold.speaker.as_deref().unwrap_or_default().is_empty() {
            if let ("pronoun" | "nominal", Some(statement)) = (gold.form.as_str(), matched) {
                let is_null = statement.speaker.as_deref().unwrap_or_default().is_empty();
                self.add_form("unnamed", usize::from(is_null), 1);
            }
        } else if gold.form != "none" {
            let aliases: HashSet<String> = gold.aliases.iter().map(|alias| plain_name(alias)).collect();
            let is_right = matched.is_some_and(|statement| {
                let mut names = statement.speaker.iter().chain(&statement.other_speakers);
                names.any(|name| !name.is_empty() && aliases.contains(&plain_name(name)))
            });
            self.add_form(&gold.form, usize::from(is_right), is_matched);
            self.add_form("all", usize::from(is_right), is_matched);
        }
    }

    fn add_form(&mut self, form: &str, right: usize, matched: usize) {
        match self.speakers.iter_mut().find(|tally| tally.form == form) {
            Some(tally) => {
                tally.right += right;
                tally.matched += matched;
                tally.count += 1;
            }
            None => self.speakers.push(SpeakerTally { form: form.to_owned(), right, matched, count: 1 }),
        }
    }

    fn finish(self, gold_documents: usize, missing_documents: usize) -> StatementScores {
        let [source, cue, content] =
            self.roles.map(|(exact, token)| RoleScores { exact: exact.scores(), token: token.scores() });
        let percent = |right: usize, of: usize| round_to_hundredths((100 * right) as f64 / of.max(1) as f64);
        let speakers = self.speakers.into_iter().map(|tally| SpeakerScores {
            accuracy_of_matched: percent(tally.right, tally.matched),
            end_to_end: percent(tally.right, tally.count),
            count: tally.count,
            form: tally.form,
        });
        StatementScores {
            source,
            cue,
            content,
            lenient: self.lenient.scores(),
            half: self.half.scores(),
            strict: self.strict.scores(),
            shared_sources: self.shared_sources,
            speakers: speakers.collect(),
            gold_documents,
            missing_documents,
        }
    }
}

/// The spans of one role, each once.
fn distinct_spans(statements: &[Prepared], role: usize) -> HashSet<&[Range<usize>]> {
    let spans = statements.iter().map(|statement| statement.spans[role].as_slice());
    spans.filter(|span| !span.is_empty()).collect()
}

/// For every gold statement the position of its match and the share of the contents' joint tokens that both hold.
///
/// The pair that shares the largest part of its contents is matched first; ties go to the larger overlap of sources,
/// then of cues, then to the earlier gold statement and the earlier prediction.
fn match_by_content(expected: &[Prepared], found: &[Prepared]) -> Vec<Option<(usize, f64)>> {
    struct Pair {
        share: f64,
        sources: usize,
        cues: usize,
    }
    let mut pairs = Vec::new();
    for (index, gold) in expected.iter().enumerate() {
        for (position, predicted) in found.iter().enumerate() {
            let shared = |role: usize| gold.tokens[role].shared_with(&predicted.tokens[role]);
            let contents = shared(CONTENT);
            if contents > 0 {
                let joint = gold.tokens[CONTENT].len() + predicted.tokens[CONTENT].len() - contents;
                let share = contents as f64 / joint as f64;
                pairs.push((Pair { share, sources: shared(SOURCE), cues: shared(CUE) }, index, position));
            }
        }
    }
    // A stable sort keeps pairs that tie in the order of their indices.
    pairs.sort_by(|(one, ..), (two, ..)| {
        let by_share = two.share.total_cmp(&one.share);
        by_share.then(two.sources.cmp(&one.sources)).then(two.cues.cmp(&one.cues))
    });
    let mut matches = vec![None; expected.len()];
    let mut used = vec![false; found.len()];
    for (pair, index, position) in pairs {
        if matches[index].is_none() && !used[position] {
            matches[index] = Some((position, pair.share));
            used[position] = true;
        }
    }
    matches
}
