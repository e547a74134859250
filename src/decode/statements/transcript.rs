//! Transcripts: paragraphs that begin with the name of whoever speaks ("HOLT: We waited a week.").

use std::collections::{HashMap, HashSet};

use super::quotation::Kind;
use super::statement::Statement;
use crate::decode::spans::Segment;
use crate::text::{ByteRange, trimmed};

/// So many paragraphs with labels, of at least two speakers, make a transcript; fewer may be "UPDATE:" or "WASHINGTON:".
const FEWEST_TURNS: usize = 3;

/// A turn of fewer words is an exclamation.
const FEWEST_WORDS: usize = 4;

/// The longest label, in bytes.
const LONGEST_LABEL: usize = 40;

/// How sure the borders of a turn are.
const CERTAINTY: f32 = 0.5;

/// A turn: whose, and what is said in it.
#[derive(Debug, PartialEq)]
struct Turn {
    label: ByteRange,
    content: ByteRange,
}

/// The turn that a paragraph is. Labels are in capitals, perhaps behind an opening quotation mark.
fn turn(text: &str, paragraph: &ByteRange) -> Option<Turn> {
    let whole = &text[paragraph.clone()];
    let start = paragraph.start + (whole.len() - whole.trim_start_matches(['"', '“', ' ', '\t']).len());
    let colon = start + text[start..paragraph.end].find(':')?;
    let label = start..colon;
    let name = &text[label.clone()];
    let is_label = label.len() <= LONGEST_LABEL
        && name.chars().filter(|character| character.is_uppercase()).count() > 1
        && !name.chars().any(char::is_lowercase)
        && name.chars().all(|character| character.is_alphabetic() || " .'’-".contains(character));
    let content = trimmed(text, colon + 1..paragraph.end);
    let is_apart = text[colon + 1..].starts_with(char::is_whitespace);
    let is_long = text[content.clone()].split_whitespace().count() >= FEWEST_WORDS;
    (is_label && is_apart && is_long).then_some(Turn { label, content })
}

/// The turns of a transcript as statements. Where the label is the source of a statement already, attributed by nothing but the
/// colon, that one gets all that is said in the turn. Statements without a source that are nothing but such a paragraph make room,
/// and a label is no source beside another ("HOLT: The union says ..." is the union's within Holt's).
pub(super) fn add_turns(text: &str, paragraphs: &[ByteRange], statements: &mut Vec<Statement>) {
    let turns: Vec<Turn> = paragraphs.iter().filter_map(|paragraph| turn(text, paragraph)).collect();
    let speakers: HashSet<&str> = turns.iter().map(|turn| &text[turn.label.clone()]).collect();
    if turns.len() < FEWEST_TURNS || speakers.len() < 2 {
        return;
    }
    let contents: HashSet<usize> = turns.iter().map(|turn| turn.content.end).collect();
    statements.retain(|statement| !(statement.floating && contents.contains(&end_of_words(text, statement))));
    let labels: HashSet<usize> = turns.iter().map(|turn| turn.label.start).collect();
    let mut by_label: HashMap<usize, Vec<usize>> = HashMap::new();
    for (index, statement) in statements.iter_mut().enumerate() {
        let is_label = |source: &Segment| labels.contains(&source.bytes.start);
        if statement.source.iter().all(is_label) {
            statement.source.iter().for_each(|label| by_label.entry(label.bytes.start).or_default().push(index));
        } else {
            statement.source.retain(|source| !is_label(source));
        }
    }
    for Turn { label, content } in turns {
        let Some(known) = by_label.get(&label.start) else {
            let source = vec![Segment { bytes: label, score: 1.0 }];
            statements.push(Statement::floating(source, content, CERTAINTY));
            continue;
        };
        let is_inside = |part: &Segment| content.start <= part.bytes.start && part.bytes.end <= content.end;
        let is_by_colon = |statement: &Statement| {
            statement.cue.iter().all(|cue| &text[cue.bytes.clone()] == ":") && statement.content.iter().all(is_inside)
        };
        let Some(&known) = known.iter().find(|&&index| is_by_colon(&statements[index])) else { continue };
        let statement = &mut statements[known];
        let score = statement.content.first().map_or(CERTAINTY, |first| first.score);
        statement.content = vec![Segment { bytes: content, score }];
        statement.kind = Kind::Direct;
    }
}

fn end_of_words(text: &str, statement: &Statement) -> usize {
    statement.content.last().map_or(0, |content| trimmed(text, content.bytes.clone()).end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::spans::paragraphs::of_lines;

    fn turns(lines: &[&str]) -> Vec<(String, String)> {
        let (text, paragraphs) = of_lines(lines);
        let mut statements = Vec::new();
        add_turns(&text, &paragraphs, &mut statements);
        let words = |segments: &[Segment]| text[segments[0].bytes.clone()].to_owned();
        statements.iter().map(|statement| (words(&statement.source), words(&statement.content))).collect()
    }

    #[test]
    fn turns_are_whoever_the_label_names() {
        let lines = [
            "A partial transcript:",
            "“HOLT: Why is the pier shut?",
            "O'BRIEN-RUIZ: It is not safe, Ada.",
            "HOLT: No.",
            "DR. HOLT: Who told you so?",
        ];
        let expected = [
            ("HOLT", "Why is the pier shut?"),
            ("O'BRIEN-RUIZ", "It is not safe, Ada."),
            ("DR. HOLT", "Who told you so?"),
        ];
        assert_eq!(turns(&lines), expected.map(|(label, content)| (label.to_owned(), content.to_owned())));
    }

    #[test]
    fn a_turn_is_said_from_its_label_to_its_end() {
        let (text, paragraphs) = of_lines(&[
            "HOLT: We waited. Nobody came.",
            "RUIZ: I told you so, Ada.",
            "HOLT: You did, and you were right.",
        ]);
        let said = |content: &str, cue: &str| {
            let place =
                |words: &str| text.find(words).map(|at| Segment { bytes: at..at + words.len(), score: 0.9 }).unwrap();
            let mut statement = Statement::floating(vec![place("HOLT")], place(content).bytes, 0.9);
            (statement.kind, statement.cue) = (Kind::Indirect, vec![place(cue)]);
            let mut statements = vec![statement];
            add_turns(&text, &paragraphs, &mut statements);
            assert_eq!(statements.len(), 3);
            (text[statements[0].content[0].bytes.clone()].to_owned(), statements[0].kind)
        };
        assert_eq!(said("We waited", ":"), ("We waited. Nobody came.".to_owned(), Kind::Direct));
        assert_eq!(said("We waited", "waited"), ("We waited".to_owned(), Kind::Indirect));
        assert_eq!(said("I told you so", ":"), ("I told you so".to_owned(), Kind::Indirect));
    }

    #[test]
    fn a_label_is_no_source_beside_another() {
        let (text, paragraphs) = of_lines(&[
            "HOLT: The union says it asked for that.",
            "RUIZ: It did: nobody listened.",
            "HOLT: You did, and you were right.",
        ]);
        let place =
            |words: &str| text.find(words).map(|at| Segment { bytes: at..at + words.len(), score: 0.9 }).unwrap();
        let said = |source: &[&str], cue: &str, content: &str| {
            let source = source.iter().map(|words| place(words)).collect();
            let mut statement = Statement::floating(source, place(content).bytes, 0.9);
            statement.cue = vec![place(cue)];
            statement
        };
        let mut statements = vec![
            said(&["HOLT", "The union"], "says", "it asked for that"),
            said(&["RUIZ"], ":", "It did"),
            said(&["RUIZ"], "listened", "nobody"),
        ];
        add_turns(&text, &paragraphs, &mut statements);
        let words = |segments: &[Segment]| segments.iter().map(|part| text[part.bytes.clone()].to_owned()).collect();
        let found: Vec<(Vec<String>, Vec<String>)> =
            statements.iter().map(|statement| (words(&statement.source), words(&statement.content))).collect();
        let expected = [
            ("The union", "it asked for that"),
            ("RUIZ", "It did: nobody listened."),
            ("RUIZ", "nobody"),
            ("HOLT", "The union says it asked for that."),
            ("HOLT", "You did, and you were right."),
        ];
        assert_eq!(found, expected.map(|(source, content)| (vec![source.to_owned()], vec![content.to_owned()])));
    }

    #[test]
    fn other_colons_are_no_transcript() {
        assert_eq!(turns(&["UPDATE: The pier is open again.", "Holt left.", "UPDATE: The pier is shut again."]), []);
        assert_eq!(turns(&["UPDATE: The pier is open.", "UPDATE: The pier is shut.", "UPDATE: The pier is gone."]), []);
        assert_eq!(turns(&["Holt: We waited a week.", "Ruiz: So we did too.", "Holt: Then we left town."]), []);
        assert_eq!(turns(&["A:We waited a week.", "16:30 We waited a week.", "HTTP://pier.example is its site."]), []);
    }
}
