"""Given names: who is a "he" and who a "she"."""

import collections
import re

import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from corpora.features import load_tokenizer
from corpora.mention_classes import HE, SHE

# Names that a classifier needs to learn from.
LEAST = 20


def observed_genders(corpora):
    """Given name -> how often its bearers are "he" and "she", in corpora with chains and in GAP."""
    counts = collections.defaultdict(collections.Counter)
    for document in corpora:
        mentions = document["mentions"]
        if "pronoun" in document:
            pronoun = mentions[document["pronoun"]]["class"]
            for given in {m.get("given") for m in mentions if m["name"] in document["right"]} - {None}:
                counts[given][pronoun] += 1
            continue
        members = collections.defaultdict(list)
        for m, chain in zip(mentions, document["chains"]):
            members[chain].append(m)
        for chain, members in members.items():
            he, she = (sum(m["class"] == p for m in members) for p in (HE, SHE))
            if chain >= 0 and he + she >= 2 and max(he, she) >= 0.8 * (he + she):
                for given in {m.get("given") for m in members} - {None}:
                    counts[given][HE if he > she else SHE] += 1
    return counts


def also_surnames(names, texts):
    """Those of the given names (in lower case) that stand for themselves as surnames, too: "Ms. Kelly", "John Kelly". Names that
    are followed by another at least four times as often are given names before all."""
    words = [re.findall(r"[A-Z][a-z]+\.?|[^A-Z\s]\S*|\S", text) for text in texts]
    last, first = collections.Counter(), collections.Counter()
    for text in words:
        for before, word, behind in zip(["", *text], text, [*text[1:], ""]):
            name, is_followed = word.lower(), behind[:1].isupper()
            if word[0].isupper() and name in names:
                first[name] += is_followed
                last[name] += before[:1].isupper() and not is_followed
    return sorted(name for name in names if last[name] * 4 > first[name])


def given_names(counts, seen, encoder):
    """{"man": [...], "woman": [...]}: the names observed, and of the others in `seen` those that a classifier over the
    encoder's word embeddings is sure of."""
    tokenizer = load_tokenizer(encoder / "tokenizer.json")
    embeddings = load_file(encoder / "model.safetensors")
    embeddings = next(v for k, v in embeddings.items() if k.endswith("word_embeddings.weight")).float()

    def row(name):
        ids = tokenizer.encode(name, add_special_tokens=False).ids
        return embeddings[ids[0]] if len(ids) == 1 and ids[0] != tokenizer.token_to_id("[UNK]") else None

    clear = {n: c.most_common(1)[0][0] for n, c in counts.items() if max(c.values()) >= 0.8 * sum(c.values())}
    chosen = {"man": {n for n, g in clear.items() if g == HE}, "woman": {n for n, g in clear.items() if g == SHE}}
    known = [(row(n), g) for n, g in clear.items() if len(n) > 2 and row(n) is not None]
    if len(known) < LEAST:
        return {kind: sorted(names) for kind, names in chosen.items()}
    x = torch.stack([r for r, _ in known])
    mean, scale = x.mean(0), x.std(0)
    x = (x - mean) / scale
    y = torch.tensor([float(g == SHE) for _, g in known])
    torch.manual_seed(1)
    fold = torch.arange(len(y)) % 5

    def fitted(chosen):
        weight = torch.zeros(x.shape[1] + 1, requires_grad=True)
        optimiser = torch.optim.LBFGS([weight], max_iter=100)

        def closure():
            optimiser.zero_grad()
            z = x[chosen] @ weight[1:] + weight[0]
            value = F.binary_cross_entropy_with_logits(z, y[chosen]) + 0.02 * (weight[1:] ** 2).sum()
            value.backward()
            return value

        optimiser.step(closure)
        return weight.detach()

    held = torch.cat([((x[fold == k] @ w[1:] + w[0] > 0).float() == y[fold == k]).float()
                      for k in range(5) for w in [fitted(fold != k)]])
    print(f"given names: {len(y)} observed, {100 * held.mean():.1f} % right when held out")
    weight = fitted(fold >= 0)
    for name in seen - set(counts):
        vector = row(name) if len(name) > 2 else None
        if vector is not None:
            p = torch.sigmoid(((vector - mean) / scale) @ weight[1:] + weight[0]).item()
            if p < 0.1 or p > 0.9:
                chosen["woman" if p > 0.5 else "man"].add(name)
    return {k: sorted(v) for k, v in chosen.items()}
