#!/usr/bin/env python3
"""Where statements are found and where not: by kind, act, polarity, publisher and cue, on PolNeAR dev.

    errors.py --data DATA --tools TOOLS --onrecord target/release/onrecord --model models/onrecord-small

Kinds and acts are those that the program gives to what it finds. For each: how many statements were found, and how many of
them are right (strict: source, cue and content to the letter; lenient: as score_attributions.py has it), and what is wrong
with those that are not strictly right. For publishers and cues, the gold statements and how many are found. Standard
library only.
"""

from collections import Counter, defaultdict

from polnear import ROLES, compared, is_lenient, parser

SHOWN = 12


def outcome(expected, offered):
    """What became of a statement: nothing like it is there, or which of its parts are not to the letter."""
    if expected is None:
        return "nothing there"
    wrong = [role for role in ROLES if expected[role] != offered[role]]
    return " and ".join(wrong) or "right"


def table(title, head, rows):
    print(f"\n{title}\n\n| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for row in rows:
        print(f"| {' | '.join(map(str, row))} |")


def percent(part, whole):
    return f"{100 * part / whole:.0f} %" if whole else ""


def main():
    options = parser(__doc__).parse_args()
    outcomes, lenient = defaultdict(Counter), Counter()
    publishers, cues = defaultdict(Counter), defaultdict(Counter)
    for document, expected, statements, offered, partners in compared(options):
        text = document["text"]
        for place, (statement, o) in enumerate(zip(statements, offered)):
            e = expected[partners[place]] if place in partners else None
            floats = "floating, " if statement["floating"] else ""
            for group in (f"{floats}{statement['kind']}", f"act: {statement['act']}", f"polarity: {statement['polarity']}"):
                outcomes[group][outcome(e, o)] += 1
                lenient[group] += e is not None and is_lenient(e, o)
        of_gold = {e: place for place, e in partners.items()}
        for place, e in enumerate(expected):
            is_found = place in of_gold and is_lenient(e, offered[of_gold[place]])
            cue = " ".join(text[start:end] for start, end in e["cue"]).lower() or "(none)"
            for counts, group in ((publishers, document["id"].split("_")[0]), (cues, cue)):
                counts[group].update(("gold", "found") if is_found else ("gold",))
    ways = ("right", "content", "source", "cue", "cue and content", "nothing there")
    rows = [(group, sum(counts.values()), percent(lenient[group], sum(counts.values())),
             *(percent(counts[way], sum(counts.values())) for way in ways)) for group, counts in sorted(outcomes.items())]
    table("What was found, and what of it is not to the letter", ("statements", "found", "lenient", "strict", *ways[1:]), rows)
    for title, groups in (("Publishers", publishers), ("The most frequent cues", cues)):
        shown = sorted(groups.items(), key=lambda item: -item[1]["gold"])[:SHOWN]
        rows = [(group, counts["gold"], percent(counts["found"], counts["gold"])) for group, counts in shown]
        table(title, ("", "gold", "found, lenient"), rows)


if __name__ == "__main__":
    main()
