//! Tag decoding: the best tag sequence of a paragraph (Viterbi), and how sure of it the random field is.

use std::ops::Range;

use crate::model::{SequenceScores, TagScheme};

/// A decoded span: a label of the scheme over a range of the paragraph's tokens.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::decode) struct TagSpan {
    /// Index into the scheme's labels.
    pub label: usize,
    /// Tokens, counted from the paragraph's first.
    pub tokens: Range<usize>,
    /// Mean probability of the tags of its tokens, or of the first tokens of its words.
    pub score: f32,
}

/// Decodes one paragraph. `scores`: `[tokens, tags]`, row by row. `continues` tells which tokens go on with the word
/// before: where tags are chosen token by token, the word has the tag of its first token, since that is what token
/// classifiers are trained on.
pub(in crate::decode) fn decode_tags(
    scheme: &TagScheme,
    scores: &[f32],
    continues: impl Fn(usize) -> bool,
) -> Vec<TagSpan> {
    spans_of(scheme, scores, &best_tags(scheme, scores), continues)
}

/// The spans of a tag sequence.
fn spans_of(scheme: &TagScheme, scores: &[f32], best: &[usize], continues: impl Fn(usize) -> bool) -> Vec<TagSpan> {
    let label_of = |token: usize| scheme.tag(best[token]).and_then(|tag| tag.label);
    if (0..best.len()).all(|token| label_of(token).is_none()) {
        return Vec::new();
    }
    let by_words = scheme.sequence.is_none();
    let words = (0..best.len()).filter(|&token| token == 0 || !by_words || !continues(token));
    let mut spans: Vec<TagSpan> = Vec::new();
    // The first tokens of the words of each span.
    let mut firsts: Vec<Vec<usize>> = Vec::new();
    let mut words = words.peekable();
    while let Some(first) = words.next() {
        let end = words.peek().copied().unwrap_or(best.len());
        let (Some(label), begins) = (label_of(first), scheme.tag(best[first]).is_some_and(|tag| tag.begins)) else {
            continue;
        };
        match (spans.last_mut(), firsts.last_mut()) {
            (Some(span), Some(firsts)) if !begins && span.label == label && span.tokens.end == first => {
                span.tokens.end = end;
                firsts.push(first);
            }
            _ => {
                spans.push(TagSpan { label, tokens: first..end, score: 0.0 });
                firsts.push(vec![first]);
            }
        }
    }
    let certainty = marginals(scheme, scores);
    for (span, firsts) in spans.iter_mut().zip(firsts) {
        let sum: f64 = firsts.iter().map(|&token| certainty[token * scheme.tags() + best[token]]).sum();
        span.score = (sum / firsts.len() as f64).clamp(0.0, 1.0) as f32;
    }
    spans
}

/// Decodes one paragraph once more, with a label that is favoured by `favour` at every token. Scores are those of
/// [`decode_tags`].
pub(in crate::decode) fn decode_favouring(
    scheme: &TagScheme,
    scores: &[f32],
    label: usize,
    favour: f32,
) -> Vec<TagSpan> {
    let mut favoured = scores.to_vec();
    let is_favoured = |tag: usize| scheme.tag(tag).is_some_and(|tag| tag.label == Some(label));
    for row in favoured.chunks_exact_mut(scheme.tags()) {
        row.iter_mut().enumerate().filter(|(tag, _)| is_favoured(*tag)).for_each(|(_, score)| *score += favour);
    }
    spans_of(scheme, scores, &best_tags(scheme, &favoured), |_| false)
}

/// Each token of one paragraph with its tag in the best sequence and the marginal probabilities of all tags.
/// `scores`: `[tokens, tags]`, row by row.
pub(in crate::decode) fn tag_tokens(scheme: &TagScheme, scores: &[f32]) -> Vec<(usize, Vec<f32>)> {
    let certainty = marginals(scheme, scores);
    let rows = certainty.chunks_exact(scheme.tags());
    let rows = rows.map(|row| row.iter().map(|&probability| probability as f32).collect());
    best_tags(scheme, scores).into_iter().zip(rows).collect()
}

/// The best tags of a paragraph: of the sequence, or of each token for itself.
fn best_tags(scheme: &TagScheme, scores: &[f32]) -> Vec<usize> {
    match &scheme.sequence {
        Some(sequence) => viterbi(sequence, scores),
        None => scores.chunks_exact(scheme.tags()).map(largest).collect(),
    }
}

/// Place of the largest score, the first of equals.
fn largest(scores: &[f32]) -> usize {
    (0..scores.len()).fold(0, |best, next| if sound(scores[next]) > sound(scores[best]) { next } else { best })
}

/// A score that arithmetic can trust: what is not a number counts as impossible.
fn sound(score: f32) -> f32 {
    if score.is_finite() { score.clamp(-1e4, 1e4) } else { -1e4 }
}

/// The best tag sequence that the grammar allows.
fn viterbi(scheme: &SequenceScores, scores: &[f32]) -> Vec<usize> {
    let tags = scheme.start.len();
    let mut rows = scores.chunks_exact(tags);
    let Some(first) = rows.next() else {
        return Vec::new();
    };
    let mut best: Vec<f32> = first.iter().zip(&scheme.start).map(|(&score, start)| sound(score) + start).collect();
    let mut back: Vec<u16> = Vec::with_capacity(scores.len());
    let mut following = vec![0.0; tags];
    for row in rows {
        for (to, value) in following.iter_mut().enumerate() {
            let (from, score) = (0..tags)
                .map(|from| (from, best[from] + scheme.transitions[from * tags + to]))
                .fold((0, f32::NEG_INFINITY), |a, b| if b.1 > a.1 { b } else { a });
            back.push(from as u16);
            *value = score + sound(row[to]);
        }
        std::mem::swap(&mut best, &mut following);
    }
    let mut tag = (0..tags).fold(0, |a, b| if best[b] > best[a] { b } else { a });
    let mut path = vec![tag];
    for pointers in back.chunks_exact(tags).rev() {
        tag = usize::from(pointers[tag]);
        path.push(tag);
    }
    path.reverse();
    path
}

/// Probabilities of each token's tags, `[tokens, tags]`: marginal ones of the sequence, or each token's own.
fn marginals(scheme: &TagScheme, scores: &[f32]) -> Vec<f64> {
    match &scheme.sequence {
        Some(sequence) => marginals_of_sequence(sequence, scores),
        None => scores.chunks_exact(scheme.tags()).flat_map(softmax).map(f64::from).collect(),
    }
}

/// Probabilities of what excludes each other; a score that is no number, or none at all, is hardly probable.
pub(in crate::decode) fn softmax(scores: &[f32]) -> Vec<f32> {
    let highest = scores.iter().copied().map(sound).fold(f32::NEG_INFINITY, f32::max);
    let weights: Vec<f32> = scores.iter().map(|&score| (sound(score) - highest).exp()).collect();
    let total: f32 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / total).collect()
}

/// By the forward-backward recursion in scaled probabilities.
fn marginals_of_sequence(scheme: &SequenceScores, scores: &[f32]) -> Vec<f64> {
    let tags = scheme.start.len();
    let tokens = scores.len() / tags;
    if tokens == 0 {
        return Vec::new();
    }
    let power = |score: &f32| f64::from(score.clamp(-1e4, 50.0)).exp();
    let transitions: Vec<f64> = scheme.transitions.iter().map(power).collect();
    let start: Vec<f64> = scheme.start.iter().map(power).collect();
    let emissions: Vec<f64> = scores
        .chunks_exact(tags)
        .flat_map(|row| {
            let highest = row.iter().copied().map(sound).fold(f32::NEG_INFINITY, f32::max);
            row.iter().map(move |&score| f64::from(sound(score) - highest).exp())
        })
        .collect();
    let emission = |token: usize| &emissions[token * tags..(token + 1) * tags];

    let mut forward = Vec::with_capacity(emissions.len());
    let mut current: Vec<f64> = start.iter().zip(emission(0)).map(|(a, b)| a * b).collect();
    normalise(&mut current);
    forward.extend_from_slice(&current);
    for token in 1..tokens {
        let mut following = vec![0.0; tags];
        for (from, &weight) in current.iter().enumerate().filter(|(_, weight)| **weight > 0.0) {
            for (value, transition) in following.iter_mut().zip(&transitions[from * tags..]) {
                *value += weight * transition;
            }
        }
        for (value, emission) in following.iter_mut().zip(emission(token)) {
            *value *= emission;
        }
        normalise(&mut following);
        forward.extend_from_slice(&following);
        current = following;
    }

    // Each row of `forward` becomes the result as the backward pass comes to it.
    let mut backward = vec![1.0; tags];
    for token in (0..tokens).rev() {
        let row = &mut forward[token * tags..(token + 1) * tags];
        row.iter_mut().zip(&backward).for_each(|(value, after)| *value *= after);
        let total: f64 = row.iter().sum();
        row.iter_mut().for_each(|value| *value = if total > 0.0 { *value / total } else { 0.0 });
        let weighted: Vec<f64> = backward.iter().zip(emission(token)).map(|(a, b)| a * b).collect();
        for (from, value) in backward.iter_mut().enumerate() {
            let row = &transitions[from * tags..(from + 1) * tags];
            *value = row.iter().zip(&weighted).map(|(a, b)| a * b).sum();
        }
        normalise(&mut backward);
    }
    forward
}

/// Scales to a sum of one; where nothing is possible, everything is equally so.
fn normalise(values: &mut [f64]) {
    let sum: f64 = values.iter().sum();
    if sum > 0.0 && sum.is_finite() {
        values.iter_mut().for_each(|value| *value /= sum);
    } else {
        let share = 1.0 / values.len() as f64;
        values.fill(share);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn scheme(transitions: Vec<f32>) -> TagScheme {
        TagScheme::new("test", vec!["A".to_owned(), "B".to_owned()], transitions, vec![0.0; 5])
    }

    /// Every path of the grammar with its score: the definition that the recursions must agree with.
    fn all_paths(scheme: &TagScheme, scores: &[f32]) -> Vec<(Vec<usize>, f64)> {
        let tags = scheme.tags();
        let mut paths = vec![(Vec::new(), 0.0)];
        for row in scores.chunks_exact(tags) {
            let extend = |(path, score): &(Vec<usize>, f64), tag: usize| {
                let SequenceScores { transitions, start } = scheme.sequence.as_ref().expect("it has them");
                let step = path.last().map_or(start[tag], |last: &usize| transitions[last * tags + tag]);
                ([path.as_slice(), &[tag]].concat(), score + f64::from(step) + f64::from(row[tag]))
            };
            paths = paths.iter().flat_map(|path| (0..tags).map(|tag| extend(path, tag)).collect::<Vec<_>>()).collect();
        }
        paths
    }

    #[test]
    fn probabilities_sum_to_one() {
        let probabilities = softmax(&[1.0, 2.0, 3.0]);
        assert!((probabilities.iter().sum::<f32>() - 1.0).abs() < 1e-6 && probabilities[2] > probabilities[0]);
        assert_eq!(softmax(&[f32::NAN, 2.0, f32::NEG_INFINITY]), [0.0, 1.0, 0.0]);
        assert_eq!(softmax(&[f32::NAN; 2]), [0.5, 0.5]);
    }

    proptest! {
        #[test]
        fn recursions_agree_with_the_definition(
            scores in prop::collection::vec(-6.0f32..6.0, 5..=20),
            transitions in prop::collection::vec(-2.0f32..2.0, 25),
        ) {
            let scheme = scheme(transitions);
            let scores = &scores[..scores.len() / 5 * 5];
            let paths = all_paths(&scheme, scores);
            let best = paths.iter().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
            let sequence = scheme.sequence.as_ref().expect("it has scores of sequences");
            let found = viterbi(sequence, scores);
            let score_of = |path: &[usize]| paths.iter().find(|(p, _)| p == path).unwrap().1;
            prop_assert!((score_of(&found) - best.1).abs() < 1e-3);
            let total: f64 = paths.iter().map(|(_, score)| score.exp()).sum();
            for (place, value) in marginals(&scheme, scores).into_iter().enumerate() {
                let (token, tag) = (place / 5, place % 5);
                let through: f64 = paths.iter().filter(|(p, _)| p[token] == tag).map(|(_, s)| s.exp()).sum();
                prop_assert!((value - through / total).abs() < 1e-4, "{value} against {}", through / total);
            }
        }

        #[test]
        fn any_scores_give_sound_spans(scores in prop::collection::vec(prop::num::f32::ANY, 0..100), words in 1usize..4) {
            let scores = &scores[..scores.len() / 5 * 5];
            let names = ["O", "B-A", "I-A", "B-B", "I-B"].map(str::to_owned);
            for scheme in [scheme(vec![0.0; 25]), TagScheme::of_tokens("test", names.to_vec())] {
                let mut end = 0;
                for span in decode_tags(&scheme, scores, |token| token % words > 0) {
                    prop_assert!(span.tokens.start >= end && !span.tokens.is_empty());
                    prop_assert!(span.tokens.end <= scores.len() / 5 && span.label < 2);
                    prop_assert!((0.0..=1.0).contains(&span.score));
                    end = span.tokens.end;
                }
            }
        }
    }

    #[test]
    fn words_have_the_tags_of_their_first_tokens() {
        let scheme = TagScheme::of_tokens("test", ["O", "B-A", "I-A", "B-B"].map(str::to_owned).to_vec());
        let row = |tag: usize| (0..4).map(move |other| if other == tag { 2.0 } else { 0.0 });
        // A word of three tokens, one that goes on with it, one of its own, one outside, and one of another label.
        let scores: Vec<f32> = [2, 0, 3, 2, 1, 0, 2, 3].into_iter().flat_map(row).collect();
        let continues = |token: usize| [1, 2, 6].contains(&token);
        let spans: Vec<_> =
            decode_tags(&scheme, &scores, continues).into_iter().map(|span| (span.label, span.tokens)).collect();
        assert_eq!(spans, [(0, 0..4), (0, 4..5), (1, 7..8)]);
    }
}
