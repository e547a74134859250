//! The heads: tag scores with their BIO grammar, and links between spans.

use candle_core::{Device, Tensor};

use super::config::{LinkConfig, ModelConfig, labels};
use super::kernels::{FloatMatrix, KernelPath, float_product};
use super::weights::{Weights, WeightsError};

/// Score of what the BIO grammar forbids.
const IMPOSSIBLE: f32 = -1e4;

/// The tags of a head, and how a sequence of them is scored.
#[derive(Debug, Clone)]
pub struct TagScheme {
    /// The head's name.
    pub name: String,
    /// Labels, in the order of their first tags.
    pub labels: Vec<String>,
    /// Tags, in the order of the scores' columns.
    tags: Vec<Tag>,
    /// How tags follow each other; `None` where each token's tag is chosen for itself.
    pub sequence: Option<SequenceScores>,
}

/// A tag, such as "O", "B-PER" or "I-PER".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// The whole of it.
    pub name: String,
    /// Its label, an index into the scheme's; `None` for what is outside of everything.
    pub label: Option<usize>,
    /// Whether it begins a span even behind one of the same label.
    pub begins: bool,
}

/// The scores of a linear-chain conditional random field (Lafferty et al. 2001).
#[derive(Debug, Clone)]
pub struct SequenceScores {
    /// Score of going from one tag to another, `[from, to]`, row by row; what BIO forbids is far below the rest.
    pub transitions: Vec<f32>,
    /// Score of a tag at the first token of a paragraph.
    pub start: Vec<f32>,
}

impl TagScheme {
    /// A scheme with O as tag 0, and B at `1 + 2k` and I at `2 + 2k` for label `k`. Over the free scores of its
    /// sequences the grammar's prohibitions are laid.
    pub fn new(name: &str, labels: Vec<String>, mut transitions: Vec<f32>, mut start: Vec<f32>) -> Self {
        let count = 1 + 2 * labels.len();
        let is_inside = |tag: usize| tag > 0 && tag.is_multiple_of(2);
        for to in (0..count).filter(|&tag| is_inside(tag)) {
            start[to] = IMPOSSIBLE;
            for from in (0..count).filter(|&from| from != to && from + 1 != to) {
                transitions[from * count + to] = IMPOSSIBLE;
            }
        }
        let names = labels.iter().flat_map(|label| [format!("B-{label}"), format!("I-{label}")]);
        let names = std::iter::once("O".to_owned()).chain(names);
        let sequence = Some(SequenceScores { transitions, start });
        Self { sequence, ..Self::of_tokens(name, names.collect()) }
    }

    /// A scheme in which each token's tag is chosen for itself, from any names: those of BIO or BIOES, or labels
    /// without a prefix.
    pub fn of_tokens(name: &str, names: Vec<String>) -> Self {
        let mut labels: Vec<String> = Vec::new();
        let tag = |name: String| {
            if name == "O" {
                return Tag { name, label: None, begins: false };
            }
            let (prefix, label) = match name.split_once('-') {
                Some((prefix @ ("B" | "I" | "E" | "S" | "L" | "U"), label)) if !label.is_empty() => (prefix, label),
                _ => ("I", name.as_str()),
            };
            let place = labels.iter().position(|known| known == label).unwrap_or_else(|| {
                labels.push(label.to_owned());
                labels.len() - 1
            });
            Tag { label: Some(place), begins: matches!(prefix, "B" | "S" | "U"), name }
        };
        let tags = names.into_iter().map(tag).collect();
        Self { name: name.to_owned(), labels, tags, sequence: None }
    }

    /// Number of tags.
    pub fn tags(&self) -> usize {
        self.tags.len()
    }

    /// A tag by its number; `None` when there are fewer.
    pub fn tag(&self, tag: usize) -> Option<&Tag> {
        self.tags.get(tag)
    }

    /// A tag's name, such as "O", "B-PER" or "I-PER".
    pub fn name_of(&self, tag: usize) -> &str {
        self.tag(tag).map_or("O", |tag| tag.name.as_str())
    }
}

pub(super) struct TagHead {
    pub(super) scheme: TagScheme,
    classifier: FloatMatrix,
    bias: Vec<f32>,
}

impl TagHead {
    pub(super) fn load(
        name: &str,
        tags: &[String],
        config: &ModelConfig,
        weights: &Weights<'_>,
    ) -> Result<Self, WeightsError> {
        let (count, hidden) = (tags.len(), config.encoder.hidden_size);
        let part = |part: &str| format!("heads.{name}.{part}");
        let scheme = TagScheme::new(
            name,
            labels(tags).map(str::to_owned).collect(),
            weights.values(&part("transitions"), &[count, count])?,
            weights.values(&part("start"), &[count])?,
        );
        Self::with(scheme, &part("classifier"), hidden, weights)
    }

    /// A head whose tokens' tags are chosen one by one, as token classifiers of `transformers` are.
    pub(super) fn of_tokens(
        name: &str,
        tags: &[String],
        hidden: usize,
        weights: &Weights<'_>,
    ) -> Result<Self, WeightsError> {
        Self::with(TagScheme::of_tokens(name, tags.to_vec()), "classifier", hidden, weights)
    }

    fn with(scheme: TagScheme, tensor: &str, hidden: usize, weights: &Weights<'_>) -> Result<Self, WeightsError> {
        let count = scheme.tags();
        let classifier = weights.values(&format!("{tensor}.weight"), &[count, hidden])?;
        let bias = weights.values(&format!("{tensor}.bias"), &[count])?;
        Ok(Self { scheme, classifier: FloatMatrix::pack(&classifier, count, hidden), bias })
    }

    /// `[rows, hidden]` -> `[rows, tags]`, row by row.
    pub(super) fn scores(&self, path: KernelPath, states: &[f32], scores: &mut Vec<f32>) {
        scores.resize(states.len() / self.classifier.inputs() * self.scheme.tags(), 0.0);
        float_product(path, states, &self.classifier, &self.bias, scores);
    }
}

/// Which pairs a link head scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkKind {
    /// Content to cue: one cue or none.
    Content,
    /// Source to cue: any number of cues.
    Source,
}

impl LinkKind {
    fn name(self) -> &'static str {
        match self {
            Self::Content => "content",
            Self::Source => "source",
        }
    }
}

/// A span as the link heads see it.
#[derive(Debug, Clone, Default)]
pub struct SpanVectors {
    /// Towards the cues of its own kind for a content or a source; towards contents for a cue. `[width]`
    first: Vec<f32>,
    /// For a cue: towards sources. `[width]`
    second: Vec<f32>,
}

impl SpanVectors {
    pub(super) fn of_spans(rows: Vec<Vec<f32>>) -> Vec<Self> {
        let vector = |first| Self { first, second: Vec::new() };
        rows.into_iter().map(vector).collect()
    }

    pub(super) fn of_cues(contents: Vec<Vec<f32>>, sources: Vec<Vec<f32>>) -> Vec<Self> {
        let pairs = contents.into_iter().zip(sources);
        pairs.map(|(first, second)| Self { first, second }).collect()
    }
}

/// Scores (span, cue) pairs by a biaffine form (Dozat and Manning 2017) and a term for their distance.
pub(super) struct LinkHead {
    kind: LinkKind,
    span: (Tensor, Tensor),
    /// The projection of cues, and the bilinear form that is applied to them at once.
    cue: (Tensor, Tensor),
    form: Tensor,
    distance: Vec<f32>,
    none: Option<(Vec<f32>, f32)>,
    hidden: usize,
}

impl LinkHead {
    pub(super) fn load(
        kind: LinkKind,
        config: &LinkConfig,
        hidden: usize,
        weights: &Weights<'_>,
    ) -> Result<Self, WeightsError> {
        let width = config.width;
        let part = |part: &str| format!("links.{}.{part}", kind.name());
        let projection = |name: &str| -> Result<(Tensor, Tensor), WeightsError> {
            let weight = weights.tensor(&part(&format!("{name}.weight")), &[width, 2 * hidden])?;
            let bias = weights.tensor(&part(&format!("{name}.bias")), &[width])?;
            Ok((weight.t()?.contiguous()?, bias))
        };
        let none = match kind {
            LinkKind::Content => {
                let weight = weights.values(&part("none.weight"), &[1, width])?;
                let bias = weights.values(&part("none.bias"), &[1])?;
                Some((weight, bias.first().copied().unwrap_or_default()))
            }
            LinkKind::Source => None,
        };
        Ok(Self {
            kind,
            span: projection("span")?,
            cue: projection("cue")?,
            form: weights.tensor(&part("weight"), &[width, width])?.t()?.contiguous()?,
            distance: weights.values(&part("distance"), &[config.distance_buckets])?,
            none,
            hidden,
        })
    }

    /// Projects spans given by the states of their first and last tokens.
    pub(super) fn project(&self, ends: &[(&[f32], &[f32])], as_cue: bool) -> candle_core::Result<Vec<Vec<f32>>> {
        if ends.is_empty() {
            return Ok(Vec::new());
        }
        let joined: Vec<f32> = ends.iter().flat_map(|(first, last)| [*first, *last].concat()).collect();
        let joined = Tensor::from_vec(joined, (ends.len(), 2 * self.hidden), &Device::Cpu)?;
        let (weight, bias) = if as_cue { &self.cue } else { &self.span };
        let projected = joined.matmul(weight)?.broadcast_add(bias)?.tanh()?;
        // A pair's score is span . form . cue: with the form applied here, it is a plain dot product.
        if as_cue { projected.matmul(&self.form)?.to_vec2() } else { projected.to_vec2() }
    }

    pub(super) fn score(&self, span: &SpanVectors, cue: &SpanVectors, distance: isize) -> f32 {
        let cue = match self.kind {
            LinkKind::Content => &cue.first,
            LinkKind::Source => &cue.second,
        };
        dot(&span.first, cue) + self.distance[distance_bucket(distance, self.distance.len())]
    }

    pub(super) fn none_score(&self, span: &SpanVectors) -> f32 {
        self.none.as_ref().map_or(0.0, |(weight, bias)| dot(&span.first, weight) + bias)
    }
}

fn dot(left: &[f32], right: &[f32]) -> f32 {
    left.iter().zip(right).map(|(a, b)| a * b).sum()
}

/// Log-scaled bucket of a distance: the lower half for cues at or before the span, the upper for cues behind it.
fn distance_bucket(distance: isize, buckets: usize) -> usize {
    let half = buckets / 2;
    let length = distance.unsigned_abs();
    let bucket = if length < 8 { length } else { 8 + ((length as f32 / 8.0).log2() * 4.0).floor() as usize };
    bucket.min(half - 1) + if distance > 0 { half } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_fall_into_buckets() {
        let buckets: Vec<_> =
            [0, -1, 1, -7, 8, -8, 16, 4000, -4000].into_iter().map(|distance| distance_bucket(distance, 64)).collect();
        assert_eq!(buckets, [0, 1, 33, 7, 40, 8, 44, 63, 31]);
    }

    #[test]
    fn the_grammar_lies_over_learned_scores() {
        let labels = vec!["A".to_owned(), "B".to_owned()];
        let scheme = TagScheme::new("test", labels, vec![9.0; 25], vec![9.0; 5]);
        // O, B-A, I-A, B-B, I-B
        let sequence = scheme.sequence.as_ref().expect("it has scores of sequences");
        let allowed_into_inside_a: Vec<_> = (0..5).filter(|from| sequence.transitions[from * 5 + 2] > 0.0).collect();
        assert_eq!(allowed_into_inside_a, [1, 2]);
        assert_eq!(sequence.start, [9.0, 9.0, IMPOSSIBLE, 9.0, IMPOSSIBLE]);
        let names: Vec<&str> = (0..5).map(|tag| scheme.name_of(tag)).collect();
        assert_eq!(names, ["O", "B-A", "I-A", "B-B", "I-B"]);
    }

    #[test]
    fn any_names_make_tags() {
        let names = ["I-LOC", "O", "S-PER", "X-RAY", "B-LOC", "E-PER", "LABEL_0", "B-"].map(str::to_owned);
        let scheme = TagScheme::of_tokens("test", names.to_vec());
        assert_eq!(scheme.labels, ["LOC", "PER", "X-RAY", "LABEL_0", "B-"]);
        let tags: Vec<(Option<usize>, bool)> = scheme.tags.iter().map(|tag| (tag.label, tag.begins)).collect();
        let expected = [(0, false), (9, false), (1, true), (2, false), (0, true), (1, false), (3, false), (4, false)];
        assert_eq!(tags, expected.map(|(label, begins)| ((label < 9).then_some(label), begins)));
    }
}
