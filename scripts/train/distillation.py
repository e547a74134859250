"""Learning from another model (Hinton et al. 2015): its scores beside the annotation, or in place of it where there is none."""

import json

import torch
import torch.nn.functional as F

from features import load_tokenizer, special_tokens
from network import Network, load_model

WEIGHT = 1.0


class Teacher:
    """A model that only looks on. It teaches all heads on every window; or the heads in `taught` alone, on the windows that
    are not annotated for them."""

    def __init__(self, directory, tokenizer, taught=(), bfloat16=False):
        config = json.loads((directory / "config.json").read_text())
        self.network = Network(config["encoder"], dropout=0.0)
        load_model(self.network, directory)
        self.network.eval().requires_grad_(False)
        self.network.bfloat16 = bfloat16
        self.taught = taught
        self.pieces = same_pieces(tokenizer, load_tokenizer(directory / "tokenizer.json"))

    @torch.no_grad()
    def encode(self, ids, shapes, gaps, lengths):
        """As the network's; the ids are those of the student's tokenizer."""
        return self.network.encode(self.pieces[ids], shapes, gaps, lengths)

    def tag_loss(self, network, states, looked, lengths, batch):
        """How far the student's scores of tokens are from the teacher's. states, looked [b, t, hidden of each]"""
        t = int(lengths.max()) - 2
        real = torch.arange(t)[None] < (lengths - 2)[:, None]
        total = states.new_zeros(())
        for head in self.taught or network.heads:
            asked = torch.tensor([not self.taught or e.head != head for e in batch])
            chosen = real & asked[:, None]
            if bool(chosen.any()):
                expected = self.network.heads[head].classifier(looked[:, 1:t + 1][chosen])
                total = total + divergence(expected, network.heads[head].classifier(states[:, 1:t + 1][chosen]))
        return total

    def link_loss(self, network, states, looked, spans):
        """The same of the links between the annotated spans of one window. states, looked [t, hidden of each]"""
        total = states.new_zeros(())
        if found := network.link_scores(states, spans, "content"):
            _, _, pairs, none = found
            _, _, expected, expected_none = self.network.link_scores(looked, spans, "content")
            total = total + divergence(torch.cat([expected_none, expected], 1), torch.cat([none, pairs], 1))
        if found := network.link_scores(states, spans, "source"):
            _, _, pairs, _ = found
            _, _, expected, _ = self.network.link_scores(looked, spans, "source")
            total = total + F.binary_cross_entropy_with_logits(pairs, expected.sigmoid())
        return total


def same_pieces(tokenizer, other):
    """[vocabulary]: the other tokenizer's number of each word piece. Pieces must be cut alike; special tokens may differ."""
    vocabulary, numbers = tokenizer.get_vocab(), other.get_vocab()
    unknown = [piece for piece in vocabulary if piece not in numbers]
    if len(unknown) > len(vocabulary) / 1000:
        raise SystemExit(f"the teacher knows other word pieces: not {unknown[:5]}")
    table = torch.full((len(vocabulary),), other.token_to_id("[UNK]"))
    for piece, number in vocabulary.items():
        table[number] = numbers.get(piece, table[number])
    for own, others in zip(special_tokens(tokenizer), special_tokens(other)):
        table[own] = others
    return table


def divergence(expected, scores):
    """Mean Kullback-Leibler divergence of rows of scores [n, classes] from those expected."""
    return F.kl_div(scores.log_softmax(-1), expected.log_softmax(-1), reduction="batchmean", log_target=True)
