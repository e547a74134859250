//! Mentions: the places where a document speaks of somebody, by a name, a pronoun or a description.
//!
//! Names are entities. Pronouns are found by a list of words. Descriptions ("the mayor") are known only where they are
//! the source of a statement. What is found here is what [`super::resolve`] chooses from.

use std::collections::HashSet;
use std::ops::Range;

use super::names::{can_speak, is_of_speaking_kind};
use crate::decode::lexicon::lexicon;
use crate::decode::spans::{Entity, is_open};
use crate::decode::statements::{Statement, sources_of};
use crate::text::{ByteRange, Tokens, touched_tokens};

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
        Some(match lexicon().speakers.pronouns.class_of(&word.to_lowercase())? {
            "he" => Self::He,
            "she" => Self::She,
            "they" => Self::They,
            "it" => Self::It,
            "who" => Self::Who,
            "each" => Self::Each,
            "i" => Self::I,
            "we" => Self::We,
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

/// The mentions of a document, in text order and without vectors: entities that can speak, pronouns, and what else is a
/// source. Decoding and training find them by this function alone, once labels are settled.
pub fn find_mentions(text: &str, tokens: &Tokens, entities: &[Entity], statements: &[Statement]) -> Vec<Mention> {
    let in_tokens = |bytes: &ByteRange| touched_tokens(&tokens.spans, bytes);
    let mention = |range: &Range<usize>, form, entity| Mention {
        bytes: tokens.bytes(range.clone()),
        tokens: range.clone(),
        form,
        entity,
        vector: Vec::new(),
    };
    let mut mentions: Vec<Mention> = Vec::new();
    for (index, entity) in entities.iter().enumerate() {
        let range = in_tokens(&entity.bytes);
        if !range.is_empty() && can_speak(&entity.label, &text[tokens.bytes(range.clone())]) {
            mentions.push(mention(&range, Form::Name, Some(index)));
        }
    }
    let mut sources: Vec<Range<usize>> = sources_of(statements).map(in_tokens).collect();
    sources.retain(|source| !source.is_empty());
    sources.sort_by_key(place);
    sources.dedup();
    let named: HashSet<(usize, usize)> = mentions.iter().map(|mention| place(&mention.tokens)).collect();
    let is_source = |range: &Range<usize>| sources.binary_search_by_key(&place(range), place).is_ok();
    for token in tokens.paragraphs.iter().flat_map(Clone::clone) {
        let range = token..token + 1;
        if let Some(pronoun) = pronoun_at(text, tokens, token)
            && (pronoun.is_personal() || is_source(&range))
            && !named.contains(&place(&range))
        {
            mentions.push(mention(&range, Form::Pronoun(pronoun), None));
        }
    }
    for source in sources.iter().filter(|source| !named.contains(&place(source))) {
        match pronoun_at(text, tokens, source.start) {
            Some(_) if source.len() == 1 => {}
            _ => mentions.push(mention(source, Form::Nominal, None)),
        }
    }
    mentions.sort_by_key(|mention| place(&mention.tokens));
    mentions
}

/// Where mentions of a paragraph may turn out to be, in text order, while labels and links are still open: those of
/// [`find_mentions`] are among them. `entities` are the paragraph's, `sources` the tokens of what may be a source.
pub(in crate::decode) fn possible_mentions(
    text: &str,
    tokens: &Tokens,
    paragraph: Range<usize>,
    entities: &[Entity],
    sources: &[Range<usize>],
) -> Vec<Range<usize>> {
    let may_speak = entities.iter().filter(|entity| is_open(entity) || is_of_speaking_kind(&entity.label));
    let may_speak = may_speak.map(|entity| touched_tokens(&tokens.spans, &entity.bytes));
    let pronouns = paragraph.filter(|&token| pronoun_at(text, tokens, token).is_some_and(Pronoun::is_personal));
    let pronouns = pronouns.map(|token| token..token + 1);
    let mut possible: Vec<Range<usize>> = may_speak.chain(pronouns).chain(sources.iter().cloned()).collect();
    possible.retain(|range| !range.is_empty());
    possible.sort_by_key(place);
    possible.dedup();
    possible
}

/// What ranges are ordered and found by.
pub(in crate::decode) fn place(range: &Range<usize>) -> (usize, usize) {
    (range.start, range.end)
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

#[cfg(all(test, feature = "embedded-model"))]
mod tests {
    use super::*;
    use crate::decode::spans::settle_labels;
    use crate::model::{Arithmetic, Model};

    #[test]
    fn what_becomes_a_person_was_a_possible_mention() {
        let model = Model::embedded(Arithmetic::new(None).expect("kernels")).expect("the embedded model loads");
        let text = "Ada Holt spoke. Holt left, and the Holt prize was hers.";
        let tokens = model.tokenizer().tokenise(text).expect("it has tokens");
        let entity = |label: &str, at: usize, name: &str, score: f32| {
            assert_eq!(&text[at..at + name.len()], name);
            Entity { label: label.to_owned(), bytes: at..at + name.len(), score }
        };
        let mut entities = [
            entity("PER", 0, "Ada Holt", 0.99),
            entity("EVENT", 16, "Holt", 0.6),
            entity("EVENT", 35, "Holt prize", 0.99),
        ];
        let possible = possible_mentions(text, &tokens, tokens.paragraphs[0].clone(), &entities, &[]);
        settle_labels(text, &mut entities);
        let mentions = find_mentions(text, &tokens, &entities, &[]);
        let named = |mention: &Mention| mention.entity.map(|entity| entities[entity].label.as_str());
        assert_eq!(
            mentions.iter().map(named).collect::<Vec<_>>(),
            [Some("PER"), Some("PER"), None],
            "two names and a pronoun"
        );
        assert_eq!(possible, mentions.into_iter().map(|mention| mention.tokens).collect::<Vec<_>>());
    }
}
