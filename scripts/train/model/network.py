"""The model: an encoder (encoders.py), one tagging head per scheme, one linking head.

Parameter names are Hugging Face's for the encoder (`bert.*`, `mpnet.*`) and our own for the rest; the Rust loader reads
the same.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

from corpora.examples import TAGS
from corpora.features import CASELESS, LOWER
from model.coreference import Coreference
from model.eight_bits import load_weights
from model.encoders import Bert, MpNet, architecture_of

IMPOSSIBLE = -1e4
LINK_WIDTH = 128
DISTANCE_BUCKETS = 64


class MaskPool:
    """Dropout from a pool of ready-made masks: PyTorch's own costs more than the matrix products on a CPU."""

    def __init__(self, probability, size=1 << 24):
        self.probability = probability
        keep = (torch.rand(size) >= probability).float()
        pool = keep / (1 - probability)
        self.pools = {kind: pool.to(kind) for kind in (torch.float32, torch.bfloat16)}

    def __call__(self, x):
        pool = self.pools[x.dtype]
        start = int(torch.randint(pool.numel() - x.numel(), ()))
        return x * pool[start:start + x.numel()].view_as(x)


class TagHead(nn.Module):
    """Linear emissions and a conditional random field (Lafferty et al. 2001) with the BIO grammar built in.

    A paragraph is a sequence of its own: at its first token the `start` scores stand in for a transition."""

    def __init__(self, hidden, tags):
        super().__init__()
        self.classifier = nn.Linear(hidden, len(tags))
        self.transitions = nn.Parameter(torch.zeros(len(tags), len(tags)))  # [from, to]
        self.start = nn.Parameter(torch.zeros(len(tags)))
        allowed = torch.tensor([[not b.startswith("I-") or a[2:] == b[2:] for b in tags] for a in tags])
        begins = torch.tensor([not b.startswith("I-") for b in tags])
        self.register_buffer("forbidden", torch.where(allowed, 0.0, IMPOSSIBLE), persistent=False)
        self.register_buffer("forbidden_start", torch.where(begins, 0.0, IMPOSSIBLE), persistent=False)

    def loss(self, states, tags, borders, lengths):
        """Mean negative log-likelihood a token. states [b, t, h]; tags, borders [b, t]; lengths [b]."""
        scores = self.classifier(states).float()
        transitions, start = self.transitions + self.forbidden, self.start + self.forbidden_start
        b, t, _ = scores.shape
        real = torch.arange(t)[None] < lengths[:, None]
        step = torch.where(borders[:, 1:], start[tags[:, 1:]], transitions[tags[:, :-1], tags[:, 1:]])
        first = torch.where(borders[:, 0], start[tags[:, 0]], 0.0)
        gold = (scores.gather(2, tags[..., None])[..., 0] * real).sum(1) + first + (step * real[:, 1:]).sum(1)
        # a window that starts inside a paragraph has no transition into it
        alpha = scores[:, 0] + torch.where(borders[:, :1], start, 0.0)
        for k in range(1, t):
            inside = torch.logsumexp(alpha[:, :, None] + transitions, 1)
            across = torch.logsumexp(alpha, 1, keepdim=True) + start
            following = torch.where(borders[:, k, None], across, inside) + scores[:, k]
            alpha = torch.where(real[:, k, None], following, alpha)
        return (torch.logsumexp(alpha, 1) - gold).sum() / lengths.sum()

    @torch.no_grad()
    def decode(self, states, borders):
        """Best tag sequence of one window. states [t, h]."""
        scores = self.classifier(states).float()
        transitions, start = self.transitions + self.forbidden, self.start + self.forbidden_start
        best, back = scores[0] + (start if borders[0] else 0), []
        for k in range(1, len(scores)):
            table = best[:, None] + (start[None].expand_as(transitions) if borders[k] else transitions)
            value, pointer = table.max(0)
            back.append(pointer)
            best = value + scores[k]
        path = [int(best.argmax())]
        for pointer in reversed(back):
            path.append(int(pointer[path[-1]]))
        return path[::-1]


def distance_bucket(delta):
    """Log-scaled bucket of a token distance: 0-31 for cues at or before the span, 32-63 for cues after it."""
    m = delta.abs().float()
    far = 8 + torch.floor(torch.log2(m.clamp(min=1) / 8) * 4)
    bucket = torch.where(m < 8, m, far).clamp(max=DISTANCE_BUCKETS // 2 - 1).long()
    return bucket + (delta > 0).long() * (DISTANCE_BUCKETS // 2)


class Biaffine(nn.Module):
    """Scores (span, cue) pairs (Dozat and Manning 2017). A span is known by its first and last token's states."""

    def __init__(self, hidden, with_none):
        super().__init__()
        self.span = nn.Linear(2 * hidden, LINK_WIDTH)
        self.cue = nn.Linear(2 * hidden, LINK_WIDTH)
        self.weight = nn.Parameter(torch.empty(LINK_WIDTH, LINK_WIDTH))
        nn.init.normal_(self.weight, std=0.02)
        self.distance = nn.Parameter(torch.zeros(DISTANCE_BUCKETS))
        self.none = nn.Linear(LINK_WIDTH, 1) if with_none else None  # score of "no cue" for a span

    def forward(self, spans, cues, delta):
        """spans [n, 2h], cues [m, 2h], delta [n, m] in tokens -> pair scores [n, m], none scores [n, 1] or None."""
        s, c = torch.tanh(self.span(spans)), torch.tanh(self.cue(cues))
        return s @ self.weight @ c.T + self.distance[distance_bucket(delta)], self.none and self.none(s)


class Network(nn.Module):
    def __init__(self, config, dropout=0.1):
        super().__init__()
        hidden = config["hidden_size"]
        self.architecture = architecture_of(config)
        setattr(self, self.architecture, {"bert": Bert, "mpnet": MpNet}[self.architecture](config))
        self.heads = nn.ModuleDict({name: TagHead(hidden, tags) for name, tags in TAGS.items()})
        self.links = nn.ModuleDict({"content": Biaffine(hidden, True), "source": Biaffine(hidden, False)})
        self.coreference = Coreference(hidden)
        self.pool = MaskPool(dropout)
        self.bfloat16 = False  # the encoder's products in half the bits, where the processor has them

    @property
    def encoder(self):
        return getattr(self, self.architecture)

    def drop(self, x):
        return self.pool(x) if self.training else x

    def encode(self, ids, shapes, gaps, lengths):
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bfloat16):
            states = self.encoder(ids, shapes, gaps, lengths, self.drop)
        return self.drop(states.float())

    def link_scores(self, states, spans, role):
        """Pair and none scores of all spans of a role with all cues of one window, or None. states [t, h]."""
        chosen = [k for k, span in enumerate(spans) if span[0] == role]
        cues = [k for k, span in enumerate(spans) if span[0] == "cue"]
        if not chosen or not cues:
            return None
        first = torch.tensor([span[1] for span in spans])
        last = torch.tensor([span[2] for span in spans])
        vectors = torch.cat([states[first], states[last]], -1)
        delta = first[cues][None] - first[chosen][:, None]
        pairs, none = self.links[role](vectors[chosen], vectors[cues], delta)
        return chosen, cues, pairs, none

    def link_loss(self, states, spans, links):
        """Content: one softmax over the cues and none. Source: each (source, cue) pair on its own."""
        total = states.new_zeros(())
        linked = set(links)
        found = self.link_scores(states, spans, "content")
        if found:
            chosen, cues, pairs, none = found
            target = [next((1 + j for j, cue in enumerate(cues) if (span, cue) in linked), 0) for span in chosen]
            total = total + F.cross_entropy(torch.cat([none, pairs], 1), torch.tensor(target))
        found = self.link_scores(states, spans, "source")
        if found:
            chosen, cues, pairs, _ = found
            target = torch.tensor([[float((span, cue) in linked) for cue in cues] for span in chosen])
            total = total + F.binary_cross_entropy_with_logits(pairs, target) * math.sqrt(len(cues))
        return total


def add_caseless(weights):
    """Gives weights of before there was the shape of words without case that of small letters in its place. Whether it was there."""
    name, shapes = next((name, table) for name, table in weights.items() if name.endswith(".shape_embeddings.weight"))
    if len(shapes) > CASELESS:
        return True
    weights[name] = torch.cat([shapes, shapes[LOWER, None]])
    return False


def load_model(network, directory):
    """Takes over a model directory's weights; of its coreference scorers the first, if it has any."""
    weights = {k.replace("coreference.0.", "coreference."): v for k, v in load_weights(directory).items()}
    network.encoder.knows_caseless = add_caseless(weights)
    known = network.state_dict()
    missing, _ = network.load_state_dict({k: v for k, v in weights.items() if k in known}, strict=False)
    missing = [k for k in missing if not k.startswith("coreference.")]
    if missing:
        raise SystemExit(f"{directory}: the model lacks {missing}")
