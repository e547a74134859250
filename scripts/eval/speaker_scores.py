#!/usr/bin/env python3
"""Calibrates the scores of speakers, and says how well they are calibrated: a reliability table, cross-fitted.

    speaker_scores.py --data DATA --tools TOOLS --onrecord target/release/onrecord --model models/onrecord-small [--write]

The 24 dev articles with annotated speakers are split in two halves; each half is scored with the calibration (calibration.py)
that was fitted on the other. The event: the speaker of a matched statement is right. With --write the calibration that is
fitted on all of them goes into the model's config.json. Standard library only.
"""

import json

from calibration import bins, calibrated, error, fitted, in_config
from polnear import annotated_speakers, compared, parser

BINS = 8


def results(options):
    """(document, named or referred, raw score, whether the speaker is right) of each matched statement with a speaker."""
    annotated = annotated_speakers(options)
    from score_attributions import plain
    for document, _, statements, _, partners in compared(options, annotated):
        statement_of = {place: at for at, place in partners.items()}
        for row in annotated[document["id"]]:
            if (at := statement_of.get(row["index"])) is None:
                continue
            speaker = statements[at]["speaker"]
            if speaker is not None:
                kind = "named" if speaker["via"] in ("name", "alias") else "referred"
                yield document["id"], kind, speaker["score"], plain(speaker["name"]) in {plain(a) for a in row["aliases"]}


def fit_by_kind(rows):
    return {kind: fitted([(score, right) for _, k, score, right in rows if k == kind], together=True) for kind in ("named", "referred")}


def table(title, scored):
    print(f"\n{title}: {len(scored)} speakers\n\n| score | mean score | right |\n|---|---|---|")
    for part in bins(scored, BINS):
        mean, right = sum(s for s, _ in part) / len(part), sum(r for _, r in part) / len(part)
        print(f"| {part[0][0]:.2f} to {part[-1][0]:.2f} | {mean:.2f} | {right:.2f} of {len(part)} |")
    print(f"\nexpected calibration error ({BINS} equal bins): {error(scored, BINS):.3f}")


def main():
    flags = parser(__doc__)
    flags.add_argument("--write", action="store_true", help="put the calibration into the model's config.json")
    options = flags.parse_args()
    path = options.model / "config.json"
    config = json.loads(path.read_text())
    # What is fitted are the scores as they come out of the heads.
    if config.pop("speaker_scores", None) is not None:
        raise SystemExit(f"{path} has a calibration already: take \"speaker_scores\" out of it first")
    rows = list(results(options))
    halves = [[r for r in rows if r[0] in ids] for ids in (sorted({r[0] for r in rows})[k::2] for k in (0, 1))]
    crossed = [(calibrated(score, fit[kind]), right)
               for half, other in (halves, halves[::-1]) for fit in [fit_by_kind(other)] for _, kind, score, right in half]
    table("As they are", [(score, right) for _, _, score, right in rows])
    table("Calibrated on the other half", crossed)
    fit = fit_by_kind(rows)
    print("\nfitted on all:", {kind: tuple(round(x, 3) for x in pair) for kind, pair in fit.items()})
    if options.write:
        config["speaker_scores"] = {kind: in_config(pair) for kind, pair in fit.items()}
        path.write_text(json.dumps(config, indent=1) + "\n")


if __name__ == "__main__":
    main()
