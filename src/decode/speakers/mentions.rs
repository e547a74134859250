//! Mentions: the places where a document speaks of somebody, by a name, a pronoun or a description.
//!
//! Names are entities. Pronouns are found by a list of words. Descriptions ("the mayor") are known only where they are
//! the source of a statement. What is found here is what [`super::resolve`] chooses from.

use std::ops::Range;

use super::names::can_speak;
use crate::text::{ByteRange, Tokens};

/// How a mention refers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// By a name: an entity that can speak.
    Name,
    /// By a pronoun.
    Pronoun(Pronoun),
    /// By a description, "the mayor".
    Nominal,
}

/// Whom a pronoun can mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pronoun {
    /// he, him, his, himself
    He,
    /// she, her, hers, herself
    She,
    /// they, them, their, theirs, themselves
    They,
    /// it, its, itself
    It,
    /// who, whom, whose, which
    Who,
    /// each, both
    Each,
    /// I, me, my, mine, myself
    I,
    /// we, us, our, ours, ourselves
    We,
}

impl Pronoun {
    /// The pronoun that a word is, whatever its case.
    pub fn of(word: &str) -> Option<Self> {
        Some(match word.to_lowercase().as_str() {
            "he" | "him" | "his" | "himself" => Self::He,
            "she" | "her" | "hers" | "herself" => Self::She,
            "they" | "them" | "their" | "theirs" | "themselves" => Self::They,
            "it" | "its" | "itself" => Self::It,
            "who" | "whom" | "whose" | "which" => Self::Who,
            "each" | "both" => Self::Each,
            "i" | "me" | "my" | "mine" | "myself" => Self::I,
            "we" | "us" | "our" | "ours" | "ourselves" => Self::We,
            _ => return None,
        })
    }

    /// True of a pronoun that nearly always means somebody. The others ("it rains") are mentions only where they are
    /// sources.
    pub(super) fn is_personal(self) -> bool {
        matches!(self, Self::He | Self::She | Self::They)
    }
}

/// A place where the document speaks of somebody.
#[derive(Debug, Clone, PartialEq)]
pub struct Mention {
    /// Where it stands.
    pub bytes: ByteRange,
    /// The same in tokens of the document.
    pub tokens: Range<usize>,
    /// How it refers.
    pub form: Form,
    /// For a name, the index of the entity.
    pub entity: Option<usize>,
    /// The mention as the model's coreference head sees it ([`crate::model::Model::mention_vectors`]); empty where the
    /// model has none.
    pub vector: Vec<f32>,
}

/// The mentions of one paragraph, in text order: its entities (index and tokens), the pronouns among its tokens, and
/// what else the statement head takes for a source.
pub(in crate::decode) fn mentions_of(
    text: &str,
    tokens: &Tokens,
    paragraph: Range<usize>,
    entities: &[(usize, &str, Range<usize>)],
    sources: &[Range<usize>],
) -> Vec<Mention> {
    let mention = |range: &Range<usize>, form, entity| Mention {
        bytes: tokens.bytes(range.clone()),
        tokens: range.clone(),
        form,
        entity,
        vector: Vec::new(),
    };
    let is_name = |range: &Range<usize>, label: &str| can_speak(label, &text[tokens.bytes(range.clone())]);
    let speaking = entities.iter().filter(|(_, label, range)| is_name(range, label));
    let mut mentions: Vec<Mention> =
        speaking.map(|(index, _, range)| mention(range, Form::Name, Some(*index))).collect();
    let place = |range: &Range<usize>| (range.start, range.end);
    let named: Vec<(usize, usize)> = mentions.iter().map(|mention| place(&mention.tokens)).collect();
    // Both are in text order.
    let taken = |range: &Range<usize>| named.binary_search(&place(range)).is_ok();
    let is_source = |range: &Range<usize>| sources.binary_search_by_key(&place(range), place).is_ok();
    for token in paragraph {
        let range = token..token + 1;
        if let Some(pronoun) = pronoun_at(text, tokens, token)
            && (pronoun.is_personal() || is_source(&range))
            && !taken(&range)
        {
            mentions.push(mention(&range, Form::Pronoun(pronoun), None));
        }
    }
    for source in sources {
        if source.is_empty() || taken(source) {
            continue;
        }
        match pronoun_at(text, tokens, source.start) {
            Some(_) if source.len() == 1 => {}
            Some(pronoun) if is_alone(text, tokens, source) => {
                mentions.push(mention(source, Form::Pronoun(pronoun), None));
            }
            _ => mentions.push(mention(source, Form::Nominal, None)),
        }
    }
    mentions.sort_by_key(|mention| (mention.tokens.start, mention.tokens.end));
    mentions
}

/// The pronoun that a token is, if it is a whole word.
fn pronoun_at(text: &str, tokens: &Tokens, token: usize) -> Option<Pronoun> {
    let ByteRange { start, end } = tokens.spans.get(token)?.clone();
    // "US" is no pronoun: capitals throughout, and more than one of them.
    let word = &text[start..end];
    let pronoun = Pronoun::of(word)?;
    let is_abbreviation = word.len() > 1 && word.chars().all(char::is_uppercase);
    let before = text[..start].chars().next_back().is_some_and(char::is_alphanumeric);
    let after = text[end..].chars().next().is_some_and(char::is_alphanumeric);
    (!is_abbreviation && !before && !after).then_some(pronoun)
}

/// Words that leave a pronoun before them what it is: "he himself", "which together".
const COMPANIONS: [&str; 10] =
    ["all", "alone", "also", "both", "each", "herself", "himself", "themselves", "together", "too"];

/// True of a pronoun with nothing behind it but such words.
fn is_alone(text: &str, tokens: &Tokens, source: &Range<usize>) -> bool {
    let rest = &text[tokens.spans[source.start].end..tokens.bytes(source.clone()).end];
    rest.split_whitespace().all(|word| COMPANIONS.contains(&word.trim_matches(',')))
}
