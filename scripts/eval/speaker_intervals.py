#!/usr/bin/env python3
"""How sure the scores of speakers are: 95 % bootstrap intervals over articles (Efron 1979).

    speaker_intervals.py --data DATA --tools TOOLS --onrecord target/release/onrecord --model models/onrecord-small

Counts as score_attributions.py --speakers does, on the 24 dev articles with annotated speakers: of matched statements, those
whose speaker is right, by the form of the source. Articles, not statements, are drawn: speakers of one article are right or wrong
together. Standard library only.
"""

import random

from polnear import annotated_speakers, compared, parser

FORMS = ("name", "pronoun", "nominal", "all", "unnamed")
DRAWS = 10_000


def counts(options):
    """For each article: form -> (right, matched, annotated)."""
    annotated = annotated_speakers(options)
    from score_attributions import plain
    for document, _, statements, _, partners in compared(options, annotated):
        statement_of, found = {place: at for at, place in partners.items()}, {form: [0, 0, 0] for form in FORMS}
        for row in annotated[document["id"]]:
            at = statement_of.get(row["index"])
            names = named(statements[at]) if at is not None else []
            if row["speaker"]:
                forms = [row["form"], "all"] if row["form"] in FORMS else []
                right = any(plain(name) in {plain(alias) for alias in row["aliases"]} for name in names)
            else:
                forms = ["unnamed"] if row["form"] in ("pronoun", "nominal") and at is not None else []
                right = at is not None and not statements[at]["speaker"]
            for form in forms:
                found[form] = [a + b for a, b in zip(found[form], (right, at is not None, 1))]
        yield found


def named(statement):
    """Names of those to whom a statement is attributed."""
    return [statement["speaker"]["name"], *statement["co_speaker_names"]] if statement["speaker"] else []


def share(articles, form, of):
    sums = [sum(article[form][k] for article in articles) for k in (0, of)]
    return 100 * sums[0] / max(1, sums[1])


def main():
    options = parser(__doc__).parse_args()
    articles, rng = list(counts(options)), random.Random(1)
    draws = [rng.choices(articles, k=len(articles)) for _ in range(DRAWS)]
    print("| speakers | of matched statements | end to end |\n|---|---|---|")
    for form in FORMS:
        cells = []
        for of in (1, 2):
            drawn = sorted(share(draw, form, of) for draw in draws)
            low, high = drawn[int(0.025 * DRAWS)], drawn[int(0.975 * DRAWS)]
            cells.append(f"{share(articles, form, of):.2f} [{low:.1f}, {high:.1f}]")
        print(f"| {form} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
