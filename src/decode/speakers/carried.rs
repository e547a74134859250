//! Statements whose speaker is that of another one.

use crate::decode::statements::Statement;

/// Statements before one that are looked at.
const LOOK_BACK: usize = 8;

/// Bytes over which "they" may go back to people who spoke together.
const REACH: usize = 400;

/// The statement whose speaker goes on in the participle that is the cue of the statement `number`, which has no source:
/// "Holt said so, adding that".
pub(super) fn continued(text: &str, statements: &[Statement], number: usize) -> Option<usize> {
    let statement = &statements[number];
    let [cue] = &statement.cue[..] else { return None };
    let start = cue.bytes.start;
    let is_participle = |word: Option<&str>| word.is_some_and(|word| word.ends_with("ing"));
    let mut words = text[cue.bytes.clone()].split_whitespace();
    let goes_on = text[..start].trim_end().ends_with([',', '-', '–', '—']);
    if !statement.source.is_empty() || !goes_on || !(is_participle(words.next()) || is_participle(words.next_back())) {
        return None;
    }
    let first = number.saturating_sub(LOOK_BACK);
    let before = |other: &Statement| {
        !other.source.is_empty() && other.cue.first().is_some_and(|other| other.bytes.start < start)
    };
    let other = first + statements[first..number].iter().rposition(before)?;
    let between = text.get(statements[other].source.first()?.bytes.start..start)?;
    let is_one_sentence = !["\n", ". ", ".” ", ".\" "].iter().any(|end| between.contains(end));
    is_one_sentence.then_some(other)
}

/// The last statement with a source that stands before that of the statement `number`, and near it.
pub(super) fn spoke_last(text: &str, statements: &[Statement], number: usize) -> Option<usize> {
    let start = statements[number].source.first()?.bytes.start;
    let first = number.saturating_sub(LOOK_BACK);
    let end = |other: &Statement| other.source.last().map(|source| source.bytes.end);
    let other =
        first + statements[first..number].iter().rposition(|other| end(other).is_some_and(|end| end <= start))?;
    let between = text.get(end(&statements[other])?..start)?;
    (between.len() < REACH).then_some(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::spans::Segment;
    use crate::decode::statements::{Act, Kind, Polarity};

    /// A statement a pair of a source, which may be empty, and a cue.
    fn statements(text: &str, pairs: &[(&str, &str)]) -> Vec<Statement> {
        let place = |part: &str| {
            let start = text.find(part).unwrap();
            vec![Segment { bytes: start..start + part.len(), score: 1.0 }]
        };
        let statement = |(source, cue): &(&str, &str)| Statement {
            source: if source.is_empty() { Vec::new() } else { place(source) },
            cue: place(cue),
            content: Vec::new(),
            kind: Kind::Indirect,
            act: Act::Speech,
            polarity: Polarity::Positive,
            floating: false,
            score: 1.0,
        };
        pairs.iter().map(statement).collect()
    }

    #[test]
    fn a_participle_has_the_speaker_of_its_sentence() {
        let text = "Holt said no, adding that it rained.";
        assert_eq!(continued(text, &statements(text, &[("Holt", "said"), ("", "adding")]), 1), Some(0));
        let text = "Holt said no. It rained, adding to the grief.";
        assert_eq!(continued(text, &statements(text, &[("Holt", "said"), ("", "adding")]), 1), None);
        let text = "Holt said no, asked for more.";
        assert_eq!(continued(text, &statements(text, &[("Holt", "said"), ("", "asked")]), 1), None);
    }

    #[test]
    fn the_last_speaker_is_near() {
        let text = "Holt and Ruiz said no. They waited and told so.";
        let statements = statements(text, &[("Holt and Ruiz", "said"), ("They", "told")]);
        assert_eq!((spoke_last(text, &statements, 1), spoke_last(text, &statements, 0)), (Some(0), None));
    }
}
