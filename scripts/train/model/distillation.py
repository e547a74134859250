"""Learning from other models (Hinton et al. 2015): their scores beside the annotation, or in place of it where there is none."""

import json
import math
from pathlib import Path

import torch
import torch.nn.functional as F

from corpora.features import load_tokenizer, special_tokens
from model.network import Network, load_model

WEIGHT = 1.0


class Teacher:
    """One or more models that only look on; what several say is the mean of their probabilities. They teach all heads on every
    window; or the heads in `taught` alone, on the windows that are not annotated for them."""

    def __init__(self, directories, tokenizer, taught=(), bfloat16=False):
        self.networks, self.pieces, self.taught = [], [], taught
        for directory in map(Path, directories):
            config = json.loads((directory / "config.json").read_text())
            network = Network(config["encoder"], dropout=0.0)
            load_model(network, directory)
            network.eval().requires_grad_(False)
            network.bfloat16 = bfloat16
            self.networks.append(network)
            self.pieces.append(same_pieces(tokenizer, load_tokenizer(directory / "tokenizer.json")))

    @torch.no_grad()
    def encode(self, ids, shapes, gaps, lengths):
        """Each one's states, as the network's; the ids are those of the student's tokenizer."""
        return [network.encode(pieces[ids], shapes, gaps, lengths) for network, pieces in zip(self.networks, self.pieces)]

    def tag_loss(self, network, states, looked, lengths, batch):
        """How far the student's scores of tokens are from the teachers'. states, and each of looked: [b, t, hidden]"""
        t = int(lengths.max()) - 2
        real = torch.arange(t)[None] < (lengths - 2)[:, None]
        total = states.new_zeros(())
        for head in self.taught or network.heads:
            asked = torch.tensor([not self.taught or e.head != head for e in batch])
            chosen = real & asked[:, None]
            if bool(chosen.any()):
                expected = mean_of([own.heads[head].classifier(seen[:, 1:t + 1][chosen]).log_softmax(-1)
                                    for own, seen in zip(self.networks, looked)])
                total = total + divergence(expected, network.heads[head].classifier(states[:, 1:t + 1][chosen]))
        return total

    def link_loss(self, network, states, looked, spans):
        """The same of the links between the annotated spans of one window. states, and each of looked: [t, hidden]"""
        total = states.new_zeros(())
        if found := network.link_scores(states, spans, "content"):
            _, _, pairs, none = found
            expected = []
            for own, seen in zip(self.networks, looked):
                _, _, own_pairs, own_none = own.link_scores(seen, spans, "content")
                expected.append(torch.cat([own_none, own_pairs], 1).log_softmax(-1))
            total = total + divergence(mean_of(expected), torch.cat([none, pairs], 1))
        if found := network.link_scores(states, spans, "source"):
            _, _, pairs, _ = found
            expected = [own.link_scores(seen, spans, "source")[2].sigmoid() for own, seen in zip(self.networks, looked)]
            total = total + F.binary_cross_entropy_with_logits(pairs, sum(expected) / len(expected))
        return total


def state_loss(states, expected, lengths):
    """How far states are from those expected, as a share of these' variance; both [b, t, hidden]."""
    real = torch.arange(states.shape[1])[None] < lengths[:, None]
    expected = expected[real]
    return F.mse_loss(states[real], expected) / expected.var()


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


def mean_of(logarithms):
    """The logarithm of the mean of probabilities, of which the logarithms are given."""
    return torch.stack(logarithms).logsumexp(0) - math.log(len(logarithms))


def divergence(expected, scores):
    """Mean Kullback-Leibler divergence of rows of scores [n, classes] from logarithms of the probabilities expected."""
    return F.kl_div(scores.log_softmax(-1), expected, reduction="batchmean", log_target=True)
