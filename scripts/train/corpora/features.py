"""From text to what the encoder reads: word pieces, word shapes, gaps, windows.

The Rust side (`src/text`) computes the same; `parity.py` records inputs on which a test holds the two together.
"""

import bisect
import re
import unicodedata
from dataclasses import dataclass

from tokenizers import Tokenizer

MAX_WINDOW = 256  # tokens, [CLS] and [SEP] included

# Word shapes: the encoder is uncased, so the capitals come back through an embedding of the piece's shape.
SHAPES = ("none", "lower", "title", "upper", "initial", "mixed", "digits", "alphanumeric", "other")
NONE, LOWER, TITLE, UPPER, INITIAL, MIXED, DIGITS, ALPHANUMERIC, OTHER = range(9)

# In a window without capitals, or with no other letters, they tell nothing: the encoder gives all its words this one shape.
CASELESS = len(SHAPES)
ENCODER_SHAPES = (*SHAPES, "caseless")

# Gaps: what stands before a piece. A straight quotation mark after a space opens, one glued to a word closes.
GAPS = ("none", "glued", "space", "line")
NO_GAP, GLUED, SPACE, LINE = range(4)


def shape(piece):
    """Shape class of the source text of one word piece."""
    upper = sum(c.isupper() for c in piece)
    lower = sum(c.islower() for c in piece)
    digits = sum(unicodedata.category(c)[0] == "N" for c in piece)
    if digits:
        return ALPHANUMERIC if upper or lower else DIGITS
    if upper:
        if lower:
            return TITLE if upper == 1 and piece[0].isupper() else MIXED
        return INITIAL if upper == 1 else UPPER
    return LOWER if lower else OTHER


LINE_END = re.compile(r"[\n\r\u000b\u000c\u0085\u2028\u2029]")


def gap(between):
    """Gap class of the text between two pieces."""
    if not between:
        return GLUED
    return LINE if LINE_END.search(between) else SPACE


def load_tokenizer(path):
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    tokenizer.encode_special_tokens = True  # a text that says "[SEP]" means the characters
    return tokenizer


def special_tokens(tokenizer):
    """Ids of what stands before and behind a window: what the tokenizer itself encloses a text in, or BERT's (failing those,
    RoBERTa's) where its file leaves that to its reader. MPNet's vocabulary has BERT's as well, which it never saw."""
    enclosed = tokenizer.encode("").ids
    if len(enclosed) == 2:
        return enclosed
    found = [tokenizer.token_to_id(name) for name in ("[CLS]", "[SEP]")]
    return found if None not in found else [tokenizer.token_to_id(name) for name in ("<s>", "</s>")]


@dataclass
class Tokens:
    ids: list
    offsets: list  # code points
    shapes: list
    gaps: list

    @property
    def paragraph_starts(self):
        return [i for i, g in enumerate(self.gaps) if g == LINE]


def tokenise(tokenizer, text):
    encoding = tokenizer.encode(text, add_special_tokens=False)
    end, gaps = 0, []
    for i, (s, e) in enumerate(encoding.offsets):
        gaps.append(LINE if i == 0 else gap(text[end:s]))
        end = e
    return Tokens(encoding.ids, encoding.offsets, [shape(text[s:e]) for s, e in encoding.offsets], gaps)


SENTENCE_END = {".", "?", "!", "…"}
CLOSERS = {'"', "”", "’", "'", ")", "]", "»"}


def sentence_ends(tokens, text):
    """Token indices after which a sentence ends: final punctuation, closing marks, then a space."""
    ends, n = [], len(tokens.ids)
    for i in range(n - 1):
        if tokens.gaps[i + 1] == GLUED:
            continue
        k = i
        while k > 0 and text[slice(*tokens.offsets[k])] in CLOSERS:
            k -= 1
        if text[slice(*tokens.offsets[k])] in SENTENCE_END:
            ends.append(i + 1)
    return ends


def windows(tokens, text, capacity=MAX_WINDOW - 2, first=None):
    """(start, end) token ranges without overlap: whole paragraphs while they fit, else cut at a sentence end, else anywhere.

    `first` shortens the first window (training: other packings of the same paragraphs in other epochs)."""
    n = len(tokens.ids)
    ends, out, start, last, limit = None, [], 0, 0, first or capacity
    for border in tokens.paragraph_starts[1:] + [n]:
        while border - start > limit:
            if last > start:
                cut = last
            else:
                ends = sentence_ends(tokens, text) if ends is None else ends
                k = bisect.bisect_right(ends, start + limit) - 1
                cut = ends[k] if k >= 0 and ends[k] > start + limit // 2 else start + limit
            out.append((start, cut))
            start, limit = cut, capacity
        last = border
    if start < n:
        out.append((start, n))
    return out
