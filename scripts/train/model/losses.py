"""What a batch of windows costs: tags, links, coreference, and the distance from a teacher."""

import torch

from model import distillation
from model.coreference import loss as loss_of_cases
from model.evaluate import collate, padded

LINK_WEIGHT = 0.3
COREFERENCE_WEIGHT = 0.2


def batch_loss(network, batch, teacher=None, states_weight=0.0):
    """The loss of a batch, its parts by name as numbers, and how many tokens were read."""
    ids, shapes, gaps, lengths = collate(batch)
    states = network.encode(ids, shapes, gaps, lengths)
    total, parts, looked = states.new_zeros(()), {}, None

    def add(name, weight, loss):
        nonlocal total
        total = total + weight * loss
        parts[name] = loss.item()

    if teacher:
        looked = teacher.encode(ids, padded([e.plain_shapes for e in batch]), gaps, lengths)
        add("teacher", distillation.WEIGHT, teacher.tag_loss(network, states, looked, lengths, batch))
        if states_weight:
            add("states", states_weight, distillation.state_loss(states, looked[0], lengths))
    for head in network.heads:
        chosen = [k for k, e in enumerate(batch) if e.head == head]
        if not chosen:
            continue
        add(head, len(chosen) / len(batch), tag_loss(network.heads[head], states, lengths, batch, chosen))
        linked = [k for k in chosen if batch[k].links]
        if linked:
            share = len(chosen) / len(batch)
            add("links", LINK_WEIGHT * share, link_loss(network, batch, states, linked, teacher, looked))
    chosen = [k for k, e in enumerate(batch) if e.head == "coreference"]
    if chosen:
        losses, anaphors = zip(*(coreference_loss(network.coreference, states[k], batch[k]) for k in chosen))
        add("coreference", COREFERENCE_WEIGHT * len(chosen) / len(batch), sum(losses) / max(1, sum(anaphors)))
    return total, parts, int(lengths.sum())


def tag_loss(head, states, lengths, batch, chosen):
    """Of the windows in `chosen`, which are annotated for a head. states [b, t, h], special tokens included; lengths [b]"""
    inner = lengths[chosen] - 2
    t = int(inner.max())
    tags = torch.zeros(len(chosen), t, dtype=torch.long)
    borders = torch.zeros(len(chosen), t, dtype=torch.bool)
    for row, window in enumerate(batch[k] for k in chosen):
        tags[row, :len(window.tags)] = torch.tensor(window.tags)
        borders[row, :len(window.tags)] = torch.tensor(window.borders)
    return head.loss(states[chosen, 1:t + 1], tags, borders, inner)


def link_loss(network, batch, states, linked, teacher, looked):
    """Mean over the windows in `linked` of what annotated links cost, and what a teacher says of the same spans."""
    losses = [network.link_loss(states[k], batch[k].spans, batch[k].links) for k in linked]
    if teacher and not teacher.taught:
        losses += [distillation.WEIGHT * teacher.link_loss(network, states[k], [own[k] for own in looked], batch[k].spans)
                   for k in linked]
    return sum(losses) / len(linked)


def coreference_loss(head, states, example):
    """Sum of a window's losses and their number. states [t, h]"""
    first, last = torch.tensor(list(example.places.values())).T
    rows = {mention: row for row, mention in enumerate(example.places)}
    return loss_of_cases(head, head.vectors(states[first], states[last]), example.mentions, example.cases, rows)
