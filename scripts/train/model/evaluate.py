"""Quick dev scores while training. The figures that count come from the Rust binary (see README.md here)."""

import sys

import torch

from corpora.examples import TAGS, examples
from corpora.features import MAX_WINDOW
from corpora.readers import DATASETS, TokenRows, bio_spans, read_statements, rows

LINK_THRESHOLD = 0.5


def batches(windows, size):
    order = sorted(range(len(windows)), key=lambda i: len(windows[i].ids))
    for i in range(0, len(order), size):
        yield [windows[k] for k in order[i:i + size]]


def padded(rows):
    """[rows, longest], zeros behind; of few widths, since the matrix library prepares itself for each anew."""
    width = min(MAX_WINDOW, -(-max(map(len, rows)) // 16) * 16)
    out = torch.zeros(len(rows), width, dtype=torch.long)
    for k, row in enumerate(rows):
        out[k, :len(row)] = torch.tensor(row)
    return out


def collate(batch):
    ids, shapes, gaps = (padded([getattr(e, name) for e in batch]) for name in ("ids", "shapes", "gaps"))
    return ids, shapes, gaps, torch.tensor([len(e.ids) for e in batch])


def statements(network, states, example, spans):
    """Predicted spans of one window -> attributions in the scorer's form. Spans are (role, first, last), window positions."""
    def characters(span):
        return [example.offsets[span[1] - 1][0], example.offsets[span[2] - 1][1]]

    rows = {k: {"source": [], "cue": [characters(s)], "content": []} for k, s in enumerate(spans) if s[0] == "cue"}
    found = network.link_scores(states, spans, "content")
    if found:
        chosen, cues, pairs, none = found
        for span, target in zip(chosen, torch.cat([none, pairs], 1).argmax(1).tolist()):
            if target:
                rows[cues[target - 1]]["content"].append(characters(spans[span]))
    found = network.link_scores(states, spans, "source")
    if found:
        chosen, cues, pairs, _ = found
        for span, row in zip(chosen, pairs.sigmoid()):
            best = int(row.argmax())
            for j, cue in enumerate(cues):
                if row[j] >= LINK_THRESHOLD or j == best:
                    rows[cue]["source"].append(characters(spans[span]))
    return [row for row in rows.values() if row["content"]]


@torch.no_grad()
def predict(network, windows, documents, batch=16):
    """Tags every window; returns per document the predicted (and gold) spans and, for statements, attributions."""
    network.eval()
    out = [{"id": d.id, "text": d.text, "attributions": [], "found": set(), "gold": set()} for d in documents]
    for group in batches(windows, batch):
        states = network.encode(*collate(group))
        for k, e in enumerate(group):
            h = states[k, :len(e.ids)]
            names = TAGS[e.head]
            tags = network.heads[e.head].decode(h[1:-1], e.borders)
            spans = bio_spans([names[t] for t in tags])
            row = out[e.document]
            row["found"] |= {(e.start + i, e.start + j, label) for i, j, label in spans}
            row["gold"] |= {(e.start + i, e.start + j, label) for i, j, label in bio_spans([names[t] for t in e.tags])}
            if e.head == "statement":
                row["attributions"] += statements(network, h, e, [(label, i + 1, j) for i, j, label in spans])
    return out


def entity_f1(rows):
    right = sum(len(r["found"] & r["gold"]) for r in rows)
    found, gold = sum(len(r["found"]) for r in rows), sum(len(r["gold"]) for r in rows)
    return round(200 * right / max(1, found + gold), 2)


def statement_scores(rows, gold_rows, tools):
    """F1 by ../shared/tools/score_attributions.py."""
    if tools not in sys.path:
        sys.path.insert(0, tools)
    from score_attributions import score
    result = score(gold_rows, rows)
    return {name: result[name]["f1"] for name in (
        "source exact", "cue exact", "content exact", "statement lenient", "statement half", "statement strict")}


def dev_scores(network, tokenizer, data, tools):
    """Scores on the dev files that are there; the entity sets are cut to their first 60 documents to save time."""
    scores, gold_path = {}, data / "polnear.dev.jsonl"
    if gold_path.exists() and tools:
        documents = read_statements(gold_path)
        found = predict(network, examples(documents, tokenizer), documents)
        gold = [{name: row[name] for name in ("id", "text", "attributions")} for row in rows(gold_path)]
        scores = statement_scores(found, gold, tools)
    for name in ("en_worldwide", "conll2003"):
        stem, head, _ = DATASETS[name]
        path = data / f"{stem}.dev.jsonl"
        if path.exists():
            documents = TokenRows(path, head).documents()[:60]
            scores[name] = entity_f1(predict(network, examples(documents, tokenizer), documents))
    return scores
