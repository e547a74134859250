"""Training examples: windows with tag and link targets."""

import bisect
from dataclasses import dataclass

from corpora.features import LINE, MAX_WINDOW, special_tokens, tokenise, windows
from corpora.perturb import perturbed, recased
from corpora.readers import HEADS, ROLES


def tag_names(labels):
    return ["O"] + [f"{prefix}-{label}" for label in labels for prefix in ("B", "I")]


TAGS = {head: tag_names(labels) for head, labels in HEADS.items()}


@dataclass
class Example:
    head: str
    document: int
    start: int  # of the window, in tokens of the document
    ids: list
    shapes: list
    gaps: list
    tags: list       # without the special tokens
    borders: list    # True where a paragraph starts, one per tag
    spans: list      # statement head: (role, first, last) in window positions ([CLS] is 0)
    links: list      # (index of a source or content span, index of its cue span)
    offsets: list
    plain_shapes: list  # as shapes, of the text before capitals were changed


def touched(starts, offsets, start, end):
    """Range of tokens that a character span touches."""
    i = bisect.bisect_left(starts, start)
    if i > 0 and offsets[i - 1][1] > start:
        i -= 1
    j = i
    while j < len(offsets) and offsets[j][0] < end:
        j += 1
    return i, j


def split_at_paragraphs(tokens, i, j):
    """A span that runs over paragraphs is one span in each: the decoder works paragraph by paragraph."""
    pieces, start = [], i
    for k in range(i + 1, j):
        if tokens.gaps[k] == LINE:
            pieces.append((start, k))
            start = k
    pieces.append((start, j))
    return pieces


def labelled(document, tokens):
    """Tag ids of the whole document, and for statements its token spans and links."""
    index = {name: i for i, name in enumerate(TAGS[document.head])}
    starts = [s for s, _ in tokens.offsets]
    tags = [0] * len(tokens.ids)

    def paint(start, end, label):
        pieces = []
        i, j = touched(starts, tokens.offsets, start, end)
        if i >= j:
            return pieces
        for a, b in split_at_paragraphs(tokens, i, j):
            tags[a] = index["B-" + label]
            for k in range(a + 1, b):
                tags[k] = index["I-" + label]
            pieces.append((label, a, b - 1))
        return pieces

    links = set()
    if document.head != "statement":
        for s, e, label in document.spans:
            paint(s, e, label)
        return tags, [], []
    painted = {(s, e, role): paint(s, e, role) for s, e, role in document.spans}
    spans = sorted({piece for pieces in painted.values() for piece in pieces}, key=lambda p: (p[1], p[2]))
    number = {piece: k for k, piece in enumerate(spans)}
    for st in document.statements:
        cues = [piece for s, e in st.cue for piece in painted.get((s, e, "cue"), [])]
        if not cues:
            continue
        for role in ("source", "content"):
            for s, e in getattr(st, role):
                links |= {(number[piece], number[cues[0]]) for piece in painted.get((s, e, role), [])}
    return tags, spans, sorted(links)


def changed(text, rng, perturbed_share, recased_share):
    """The text, or one typed otherwise."""
    if perturbed_share and rng.random() < perturbed_share:
        return perturbed(text, rng)
    if recased_share and rng.random() < recased_share:
        return recased(text, rng)
    return text


def examples(documents, tokenizer, rng=None, cache=None, perturbed_share=0.0, recased_share=0.0):
    """Windows of all documents. With `rng`, the first window of each is shortened at random, and shares of the documents
    are typed otherwise."""
    cls, sep = special_tokens(tokenizer)
    out = []
    for number, document in enumerate(documents):
        text = changed(document.text, rng, perturbed_share, recased_share) if rng else document.text
        is_changed = text != document.text
        if cache is not None and not is_changed and document.id in cache:
            tokens, tags, spans, links = cache[document.id]
        else:
            tokens = tokenise(tokenizer, text)
            tags, spans, links = labelled(document, tokens)
            if cache is not None and not is_changed:
                cache[document.id] = tokens, tags, spans, links
        plain = tokenise(tokenizer, document.text) if is_changed else tokens
        # The word pieces know no capitals, so that they are the same unless marks were changed.
        plain_shapes = plain.shapes if plain.ids == tokens.ids else tokens.shapes
        first = rng.randint(32, MAX_WINDOW - 2) if rng else None
        for start, end in windows(tokens, text, first=first):
            inside = {k: position for position, k in enumerate(
                k for k, (_, a, b) in enumerate(spans) if start <= a and b < end)}
            out.append(Example(
                document.head, number, start,
                [cls] + tokens.ids[start:end] + [sep],
                [0] + tokens.shapes[start:end] + [0],
                [0] + tokens.gaps[start:end] + [0],
                tags[start:end],
                [g == LINE for g in tokens.gaps[start:end]],
                [(role, a - start + 1, b - start + 1) for k, (role, a, b) in enumerate(spans) if k in inside],
                [(inside[a], inside[b]) for a, b in links if a in inside and b in inside],
                tokens.offsets[start:end],
                [0] + plain_shapes[start:end] + [0]))
    return out
