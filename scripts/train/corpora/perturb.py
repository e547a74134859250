"""The same text as other people type it: other quotation marks, marks left out, capitals throughout or nowhere.

Every change replaces single code points by single code points, so that offsets stay true.
"""

OPENING, CLOSING = "“«„", "”»"


def marks(text):
    """(index, opens) of the double quotation marks. A straight mark opens after a space or a bracket."""
    for i, c in enumerate(text):
        if c in OPENING:
            yield i, True
        elif c in CLOSING:
            yield i, False
        elif c == '"':
            yield i, i == 0 or text[i - 1].isspace() or text[i - 1] in "([{—–-"


def with_marks(opening, closing):
    def change(text, rng):
        out = list(text)
        for i, opens in marks(text):
            out[i] = opening if opens else closing
        return "".join(out)
    return change


def without_some_closing_marks(text, rng):
    """A third of the closing marks become spaces."""
    out = list(text)
    for i, opens in marks(text):
        if not opens and rng.random() < 1 / 3:
            out[i] = " "
    return "".join(out)


def upper(text, rng):
    return "".join(c.upper() if len(c.upper()) == 1 else c for c in text)


def lower(text, rng):
    return "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


PERTURBATIONS = {
    "curly marks": with_marks("“", "”"),
    "straight marks": with_marks('"', '"'),
    "single marks": with_marks("‘", "’"),
    "guillemets": with_marks("«", "»"),
    "closing marks left out": without_some_closing_marks,
    "capitals throughout": upper,
    "no capitals": lower,
}


def perturbed(text, rng):
    """The text after one change, whichever falls out."""
    return PERTURBATIONS[rng.choice(list(PERTURBATIONS))](text, rng)


def recased(text, rng):
    """The text in capitals throughout, or with none."""
    return PERTURBATIONS[rng.choice(["capitals throughout", "no capitals"])](text, rng)
