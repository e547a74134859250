//! Links: which cue a content or a source belongs to.

use std::collections::HashMap;
use std::ops::Range;

use crate::decode::steps::rest;
use crate::model::{LinkKind, LinkRole, Model, SpanVectors};
use crate::text::{ByteRange, Window};

/// A source belongs to every cue whose link is at least this probable...
const LIKELY: f32 = 0.5;

/// ...or, where there is none, to the most probable one, if it is at least this probable.
const POSSIBLE: f32 = 0.1;

/// A quotation that runs on over more paragraphs than this is not followed back to its cue.
const LONGEST_LEAD: usize = 8;

/// No more cues are weighed before a span, nor behind it: no paragraph of news has so many, and in a text without
/// paragraphs the work would grow with the square of its length.
const MOST_CUES: usize = 64;

/// Spans that are linked before a rest: each is weighed with the cues around it.
const STRETCH: usize = 64;

/// A span of the statement head, with what is needed to link it.
#[derive(Debug)]
pub(in crate::decode) struct LinkSpan {
    pub role: LinkRole,
    /// Number of its paragraph.
    pub paragraph: usize,
    pub tokens: Range<usize>,
    pub bytes: ByteRange,
    pub score: f32,
    /// A source that is unlikely, and taken only for a cue that has none.
    pub is_spare: bool,
    /// The span as each window saw it.
    pub views: Vec<View>,
    /// Index of the view to use when no window holds both ends of a pair.
    pub home: usize,
}

/// A span as one window saw it; `window` is `None` when its ends come from different windows.
#[derive(Debug)]
pub(in crate::decode) struct View {
    pub window: Option<Window>,
    pub vectors: SpanVectors,
}

impl LinkSpan {
    /// Chooses the home view: the window with most context around the span, or the mixed view of a span that no
    /// window holds.
    pub fn settle(&mut self) {
        let context = |view: &View| view.window.as_ref().and_then(|window| window.context(&self.tokens));
        self.home = (0..self.views.len())
            .fold(0, |best, next| if context(&self.views[next]) > context(&self.views[best]) { next } else { best });
    }
}

/// A content's or source's link to a cue.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Link {
    /// Index of the content or source among the spans.
    pub span: usize,
    /// Index of the cue among the spans.
    pub cue: usize,
    /// 0 to 1.
    pub probability: f32,
}

/// Links every content to its cue, if any, and every source to its cues. `spans` are in text order.
///
/// A span looks for cues in its own paragraph. Only where the paragraph before leads into this one (`led_into`, by
/// paragraph) does a content look there too. What is looked at thus never depends on how the text fell into windows.
pub(super) async fn link(model: &Model, spans: &[LinkSpan], led_into: &[bool]) -> Vec<Link> {
    let cues: Vec<usize> = (0..spans.len()).filter(|&index| spans[index].role == LinkRole::Cue).collect();
    let mut links = Vec::new();
    let mut spare: Vec<Link> = Vec::new();
    let mut weighed = 0;
    for (index, span) in spans.iter().enumerate() {
        let kind = match span.role {
            LinkRole::Content => LinkKind::Content,
            LinkRole::Source => LinkKind::Source,
            LinkRole::Cue => continue,
        };
        let mut earliest = span.paragraph;
        while kind == LinkKind::Content && earliest + LONGEST_LEAD > span.paragraph && led_into[earliest] {
            earliest -= 1;
        }
        let from = cues.partition_point(|&cue| spans[cue].paragraph < earliest);
        let to = cues.partition_point(|&cue| spans[cue].paragraph <= span.paragraph);
        weighed += 1;
        if weighed % STRETCH == 0 {
            rest().await;
        }
        let near = &cues[nearest(from..to, cues.partition_point(|&cue| cue < index))];
        let scores: Vec<f32> = near.iter().map(|&cue| pair_score(model, kind, span, &spans[cue])).collect();
        let chosen = match kind {
            LinkKind::Content => {
                let none = span.views.get(span.home).map_or(0.0, |view| model.no_link_score(&view.vectors));
                one_or_none(&scores, none)
            }
            LinkKind::Source if span.is_spare => {
                let link = |(score, &cue): (&f32, &usize)| Link { span: index, cue, probability: probability(*score) };
                spare.extend(scores.iter().zip(near).map(link));
                continue;
            }
            LinkKind::Source => any_number(&scores),
        };
        links.extend(chosen.into_iter().map(|(which, probability)| Link {
            span: index,
            cue: near[which],
            probability,
        }));
    }
    links.extend(spared(spans, &cues, &links, &spare));
    links
}

/// For each cue that has a content and no source, the likeliest of the spare ones.
fn spared(spans: &[LinkSpan], cues: &[usize], links: &[Link], spare: &[Link]) -> Vec<Link> {
    let mut roles: HashMap<usize, [bool; 2]> = HashMap::new();
    for link in links {
        roles.entry(link.cue).or_default()[usize::from(spans[link.span].role == LinkRole::Source)] = true;
    }
    let mut best: HashMap<usize, &Link> = HashMap::new();
    let score = |link: &Link| link.probability * spans[link.span].score;
    let lacks = |cue: usize| roles.get(&cue) == Some(&[true, false]);
    for link in spare.iter().filter(|link| link.probability >= LIKELY && lacks(link.cue)) {
        let known = best.entry(link.cue).or_insert(link);
        if score(link) > score(known) {
            *known = link;
        }
    }
    cues.iter().filter_map(|cue| best.get(cue).map(|&link| link.clone())).collect()
}

/// Those of a range of cues that are nearest to a span with so many cues before it.
fn nearest(cues: Range<usize>, before: usize) -> Range<usize> {
    cues.start.max(before.saturating_sub(MOST_CUES))..cues.end.min(before + MOST_CUES)
}

/// Score of a pair, from the window that holds both with most context, or else from each one's home.
fn pair_score(model: &Model, kind: LinkKind, span: &LinkSpan, cue: &LinkSpan) -> f32 {
    let both = span.tokens.start.min(cue.tokens.start)..span.tokens.end.max(cue.tokens.end);
    let shared = span.views.iter().flat_map(|left| {
        let window = left.window.as_ref();
        let context = window.and_then(|window| window.context(&both));
        let right = cue.views.iter().find(|right| right.window.as_ref() == window);
        context.zip(right).map(|(context, right)| (context, left, right))
    });
    let best = shared.fold(None, |best: Option<(usize, &View, &View)>, next| match best {
        Some(best) if best.0 >= next.0 => Some(best),
        _ => Some(next),
    });
    let views = match best {
        Some((_, left, right)) => Some((left, right)),
        None => span.views.get(span.home).zip(cue.views.get(cue.home)),
    };
    let distance = cue.tokens.start as isize - span.tokens.start as isize;
    views.map_or(f32::NEG_INFINITY, |(left, right)| model.link_score(kind, &left.vectors, &right.vectors, distance))
}

/// The best of the scores with its softmax probability, unless "none" is better.
fn one_or_none(scores: &[f32], none: f32) -> Vec<(usize, f32)> {
    let best = (0..scores.len()).fold(None, |best: Option<usize>, next| match best {
        Some(best) if scores[best] >= scores[next] => Some(best),
        _ => Some(next),
    });
    match best {
        Some(best) if scores[best] > none => {
            let total: f32 = scores.iter().chain([&none]).map(|score| (score - scores[best]).exp()).sum();
            vec![(best, 1.0 / total)]
        }
        _ => Vec::new(),
    }
}

/// Of a link that stands by itself.
fn probability(score: f32) -> f32 {
    1.0 / (1.0 + (-score).exp())
}

/// All likely ones by themselves, or the best of the possible ones.
fn any_number(scores: &[f32]) -> Vec<(usize, f32)> {
    let mut all: Vec<(usize, f32)> = scores.iter().map(|&score| probability(score)).enumerate().collect();
    if all.iter().any(|&(_, probability)| probability >= LIKELY) {
        all.retain(|&(_, probability)| probability >= LIKELY);
        return all;
    }
    let best = all.into_iter().max_by(|a, b| a.1.total_cmp(&b.1));
    best.filter(|&(_, probability)| probability >= POSSIBLE).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_cues_are_weighed() {
        assert_eq!(nearest(3..9, 5), 3..9);
        assert_eq!(nearest(0..20_000, 10_000), 10_000 - MOST_CUES..10_000 + MOST_CUES);
        assert_eq!(nearest(0..20_000, 0), 0..MOST_CUES);
        assert_eq!(nearest(0..20_000, 20_000), 20_000 - MOST_CUES..20_000);
        // A content whose paragraph has no cue, behind one that leads into it.
        assert_eq!(nearest(7..9, 9), 7..9);
    }

    #[test]
    fn a_content_has_one_cue_or_none() {
        let chosen = one_or_none(&[0.0, 2.0], 0.0);
        assert_eq!(chosen[0].0, 1);
        assert!((chosen[0].1 - 2f32.exp() / (2f32.exp() + 2.0)).abs() < 1e-6);
        assert!(one_or_none(&[0.0, 2.0], 3.0).is_empty());
        assert!(one_or_none(&[], -9.0).is_empty());
    }

    #[test]
    fn a_source_may_have_several_cues() {
        let cues = |scores: &[f32]| any_number(scores).into_iter().map(|(cue, _)| cue).collect::<Vec<_>>();
        assert_eq!(cues(&[3.0, -4.0, 1.0]), [0, 2]);
        assert_eq!(cues(&[-1.0, -0.5]), [1]);
        assert!(cues(&[-5.0, -6.0]).is_empty());
    }
}
