"""What the scripts here have in common that compare statements on PolNeAR dev with the annotated ones."""

import argparse
import json
import subprocess
import sys
from pathlib import Path

ROLES = ("source", "cue", "content")


def parser(description):
    """A parser that knows where data, scorers, program and model are."""
    flags = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("--data", required=True, type=Path)
    flags.add_argument("--tools", required=True, type=Path, help="directory of the reference scorers")
    flags.add_argument("--onrecord", required=True)
    flags.add_argument("--model", required=True, type=Path)
    flags.add_argument("--precision", default="f32", help="of the encoder's products: int8 is faster")
    return flags


def extracted(options, documents, *flags):
    """Results by id, for pairs of id and text."""
    lines = "".join(json.dumps({"id": name, "text": text}) + "\n" for name, text in documents)
    command = [options.onrecord, "extract", "--precision", options.precision, "--model", options.model,
               "--input-format", "jsonl", *flags, "-"]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=True)
    return {result["id"]: result for result in map(json.loads, done.stdout.splitlines())}


def annotated_speakers(options):
    """For each article whose speakers are annotated: a row a statement."""
    sys.path.insert(0, str(options.tools))
    articles = {}
    with open(options.data / "polnear_speakers.dev.jsonl", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            articles.setdefault(row["doc"], []).append(row)
    return articles


def compared(options, only=None):
    """For each document, or those of these ids: the document, its annotated statements as score_attributions.py prepares
    them, the statements found, the same prepared, and for each of these that has one the place of its annotated one."""
    sys.path.insert(0, str(options.tools))
    from score_attributions import TOKEN, prepare, read
    gold = [document for document in read(options.data / "polnear.dev.jsonl") if only is None or document["id"] in only]
    found = extracted(options, [(document["id"], document["text"]) for document in gold])
    for document in gold:
        text, statements = document["text"], found[document["id"]]["statements"]
        names = {speaker["id"]: speaker["name"] for speaker in found[document["id"]]["speakers"]}
        for statement in statements:
            statement["co_speaker_names"] = [names[other] for other in statement["co_speakers"]]
        tokens = [match.span() for match in TOKEN.finditer(text)]
        expected = [prepare(text, tokens, a) for a in document["attributions"]]
        offered = [prepare(text, tokens, {r: [[x["start"], x["end"]] for x in s[r]] for r in ROLES}) for s in statements]
        yield document, expected, statements, offered, matched(expected, offered)


def matched(expected, offered):
    """Place of a statement -> that of its gold one: greedy, by the overlap of contents, as in score_attributions.py."""
    pairs = sorted((-len(e["content_t"] & o["content_t"]) / len(e["content_t"] | o["content_t"]),
                    -len(e["source_t"] & o["source_t"]), -len(e["cue_t"] & o["cue_t"]), i, j)
                   for i, e in enumerate(expected) for j, o in enumerate(offered) if e["content_t"] & o["content_t"])
    used, partners = set(), {}
    for *_, i, j in pairs:
        if i not in used and j not in partners:
            used.add(i)
            partners[j] = i
    return partners


def is_lenient(expected, offered):
    """Whether contents overlap, and sources do or neither is there."""
    shares = expected["source_t"] & offered["source_t"] or not (expected["source"] or offered["source"])
    return bool(expected["content_t"] & offered["content_t"] and shares)
