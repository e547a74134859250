"""Learning from another model (Hinton et al. 2015): all heads at once, on every window, whatever it is annotated with."""

import json
from pathlib import Path

import torch
import torch.nn.functional as F

from eight_bits import weights_of
from features import load_tokenizer, special_tokens
from network import Network

WEIGHT = 1.0


def load_teacher(directory, tokenizer, bfloat16):
    """The network of a model directory, which only looks on, and its number of each of a tokenizer's word pieces."""
    directory = Path(directory)
    config = json.loads((directory / "config.json").read_text())
    teacher = Network(config["encoder"], dropout=0.0)
    weights = {k: torch.from_numpy(v) for k, v in weights_of(directory).items() if not k.startswith("coreference.")}
    missing = [k for k in teacher.load_state_dict(weights, strict=False)[0] if not k.startswith("coreference.")]
    if missing:
        raise SystemExit(f"{directory}: the model lacks {missing}")
    teacher.bfloat16 = bfloat16
    return teacher.eval().requires_grad_(False), same_pieces(tokenizer, load_tokenizer(directory / "tokenizer.json"))


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


def divergence(teacher, student):
    """Mean Kullback-Leibler divergence of rows of scores [n, classes]."""
    return F.kl_div(student.log_softmax(-1), teacher.log_softmax(-1), reduction="batchmean", log_target=True)


def tag_loss(network, teacher, states, looked, lengths, batch, only):
    """A token's scores beside the teacher's: of all tag heads on all windows; or of the heads in `only`, on the windows
    that are not annotated for them. states, looked [b, t, hidden of each]"""
    t = int(lengths.max()) - 2
    real = torch.arange(t)[None] < (lengths - 2)[:, None]
    total = states.new_zeros(())
    for head, module in network.heads.items():
        if only and head not in only:
            continue
        lacking = torch.tensor([not only or e.head != head for e in batch])
        chosen = real & lacking[:, None]
        if bool(chosen.any()):
            own, other = states[:, 1:t + 1][chosen], looked[:, 1:t + 1][chosen]
            total = total + divergence(teacher.heads[head].classifier(other), module.classifier(own))
    return total


def link_loss(network, teacher, states, looked, spans):
    """Of the annotated spans of one window, the links that the teacher sees. states, looked [t, hidden of each]"""
    total = states.new_zeros(())
    if found := network.link_scores(states, spans, "content"):
        _, _, pairs, none = found
        _, _, expected, expected_none = teacher.link_scores(looked, spans, "content")
        total = total + divergence(torch.cat([expected_none, expected], 1), torch.cat([none, pairs], 1))
    if found := network.link_scores(states, spans, "source"):
        _, _, pairs, _ = found
        _, _, expected, _ = teacher.link_scores(looked, spans, "source")
        total = total + F.binary_cross_entropy_with_logits(pairs, expected.sigmoid())
    return total
