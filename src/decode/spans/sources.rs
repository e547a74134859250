//! Sources that the tags nearly name, and sources that say more than who speaks.

use std::ops::Range;

use super::tags::{TagSpan, decode_favouring};
use crate::decode::lexicon::lexicon;
use crate::model::{LinkRole, TagScheme};
use crate::text::Tokens;

/// The statement head's labels in the scheme's order.
pub(in crate::decode) const ROLE_OF_LABEL: [LinkRole; 3] = [LinkRole::Source, LinkRole::Cue, LinkRole::Content];

/// The label of sources.
const SOURCE: usize = 0;

/// By how much sources are favoured when spare ones are looked for, one after another. More would let them swallow
/// what stands around them.
const FAVOURS: [f32; 2] = [0.5, 1.0];

/// Sources that the tags nearly name, beside the spans that they do name: for cues that are left without one.
pub(in crate::decode) fn spare_sources(scheme: &TagScheme, scores: &[f32], spans: &[TagSpan]) -> Vec<TagSpan> {
    let mut spare: Vec<TagSpan> = Vec::new();
    let mut taken = vec![false; scores.len() / scheme.tags()];
    spans.iter().for_each(|span| taken[span.tokens.clone()].fill(true));
    if spans.iter().any(|span| ROLE_OF_LABEL[span.label] == LinkRole::Cue) {
        for favour in FAVOURS {
            for span in decode_favouring(scheme, scores, SOURCE, favour) {
                if span.label == SOURCE && !taken[span.tokens.clone()].contains(&true) {
                    taken[span.tokens.clone()].fill(true);
                    spare.push(span);
                }
            }
        }
    }
    spare
}

/// True of a source that is a pronoun and what it says of it: "he came early and".
pub(in crate::decode) fn begins_with_subject(text: &str, tokens: &Tokens, source: &Range<usize>) -> bool {
    let word = |token: usize| Some(&text[tokens.spans[source.clone()].get(token)?.clone()]);
    let lists = &lexicon().spans;
    let is_subject = word(0).is_some_and(|word| lists.subjects.has(&word.to_lowercase()));
    // "We Democrats" is no subject with its predicate.
    let is_predicate = |word: &str| word.starts_with(char::is_lowercase) && !lists.no_predicates.has(word);
    is_subject && !tokens.continues_word(text, source.start + 1) && word(1).is_some_and(is_predicate)
}
