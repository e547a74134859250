#!/usr/bin/env python3
"""Makes tests/fixtures/hugging_face.json: what the token-classification pipeline of transformers says of our tokens.

    pip install numpy==2.4.6 tokenizers==0.23.3 torch==2.15.0 transformers==5.23.0
    make_hugging_face_fixture.py [--out tests/fixtures/hugging_face.json] [--seed 7]

The texts were written for this purpose. The pipeline is the real one, from its tokenizer (ours) to its filter of
labels; only the model is replaced, by probabilities drawn at random: peaked, with tags that change inside words, with
B tags side by side and I tags out of nowhere, so that the strategies differ.
"""

import argparse
import json
import math
import random
from pathlib import Path
from types import SimpleNamespace

import torch
from transformers import PreTrainedTokenizerFast, TokenClassificationPipeline

MODEL = Path(__file__).parents[2] / "models" / "onrecord-small"
STRATEGIES = ["none", "simple", "first", "average", "max"]
TEXTS = [
    "Ana Duarte met Piet Oram in Porto Novo on 12 March.",
    "Zoë Weiß’s élève Renée O’Shea didn't visit São Tomé; she isn't from Kraków.",
    # Letters and accents as characters of their own: the text is longer than its pieces.
    "Rene\u0301e Mu\u0308ller of Cafe\u0301 Zu\u0308rich paid €3½ million.",
    "東京 and 서울 signed it, said Ōe Kenzaburō of 朝日新聞.",
    "The ferry 🚢 left Eastholm🚢 with 👩‍👩‍👧 aboard, wrote @nkem_obi.",
    "zoë ito and the anglers' union sued lake county transit",
    "Mayor-elect Nkem Obi-Duarte backs the Anglo-Norwegian North-Quay plan",
    "“Rents rose by $40 a month ,” said the R&D Board ’s Q. Xzqvgrblt .",
    "Claire Moreau: “We will not put a single passenger at risk.”\nTomas Bekker agreed.\n\n  Oslo, Tuesday",
    "Mischkowsky, Wojciechowska and Thorvaldsdottir unveiled Hydroglider-3000X at Quellenhofstadion",
    "Visit https://lake.example/a?b=1 or call 555-0100 (ext. 7)!",
    "ⅻ \u200bΓιώργος \u0001İstanbul ﬁnance 𝔘nion ꙮꙮ",
]
# Tags with their prefix and without: what they match depends on the strategy.
LABELS_TO_IGNORE = ["O", "PER", "B-ORG", "I-LOC", "DATE"]


def row(random_source, tag, tags):
    """Probabilities of all tags in millionths, with the peak at one of them."""
    weights = [random_source.random() ** 4 + 0.001 for _ in range(tags)]
    weights[tag] = 0
    rest = random_source.uniform(0.02, 0.48)
    millionths = [max(1, round(1e6 * rest * weight / sum(weights))) for weight in weights]
    millionths[tag] = 0
    millionths[tag] = 1_000_000 - sum(millionths)
    assert millionths[tag] == max(millionths)
    return millionths


def probabilities(random_source, tokens, labels):
    """A row for each token."""
    tag, rows = 0, []
    for _ in range(tokens):
        label = (tag - 1) // 2 if tag else random_source.randrange(labels)
        inside, begin = 2 + 2 * label, 1 + 2 * label
        other = 1 + random_source.randrange(2 * labels)
        tag = random_source.choices([0, inside, begin, other], [3, 4, 1, 1.5])[0]
        rows.append(row(random_source, tag, 1 + 2 * labels))
    return rows


def make_pipeline(tags):
    """The pipeline as its constructor leaves it, with the names of the tags for a model."""
    pipeline = object.__new__(TokenClassificationPipeline)
    special = {"unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]"}
    file = str(MODEL / "tokenizer.json")
    pipeline.tokenizer = PreTrainedTokenizerFast(tokenizer_file=file, model_max_length=512, **special)
    pipeline.model = SimpleNamespace(config=SimpleNamespace(id2label=dict(enumerate(tags))))
    return pipeline


def answer(pipeline, text, rows, parameters):
    """What the pipeline says when its model gives each token these probabilities."""
    preprocess, _, postprocess = pipeline._sanitize_parameters(**parameters)
    (inputs,) = pipeline.preprocess(text, **preprocess)
    edge = [1.0] * len(rows[0])
    logits = [edge, *([math.log(value / 1e6) for value in row] for row in rows), edge]
    items = pipeline.postprocess([{**inputs, "logits": torch.tensor([logits])}], **postprocess)
    return [{**item, "score": round(float(item["score"]), 6)} for item in items]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[2] / "tests/fixtures/hugging_face.json")
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    random_source = random.Random(arguments.seed)
    tags = json.loads((MODEL / "config.json").read_text(encoding="utf-8"))["heads"]["news9"]
    pipeline = make_pipeline(tags)
    documents = []
    for text in TEXTS:
        ids = pipeline.tokenizer(text, add_special_tokens=False)["input_ids"]
        rows = probabilities(random_source, len(ids), len(tags) // 2)
        asked = [{"aggregation_strategy": strategy} for strategy in STRATEGIES]
        asked += [{**one, "ignore_labels": LABELS_TO_IGNORE} for one in asked]
        # Nothing ignored, where the list of tokens is short.
        asked += [{**one, "ignore_labels": []} for one in asked[:5]] if len(ids) < 20 else []
        answers = [{"parameters": one, "items": answer(pipeline, text, rows, one)} for one in asked]
        documents.append({"text": text, "ids": ids, "millionths": rows, "answers": answers})
    write(arguments.out, {"tags": tags, "documents": documents})


def write(path, fixture):
    """One line for each row and each item, so that differences can be read."""
    compact = lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    lines = lambda values: "[\n" + ",\n".join(map(compact, values)) + "]"
    documents = []
    for document in fixture["documents"]:
        answers = [
            f'{{"parameters":{compact(one["parameters"])},"items":{lines(one["items"])}}}' for one in document["answers"]
        ]
        documents.append(
            f'{{"text":{compact(document["text"])},\n"ids":{compact(document["ids"])},\n'
            f'"millionths":{lines(document["millionths"])},\n"answers":[\n' + ",\n".join(answers) + "]}"
        )
    text = f'{{"tags":{compact(fixture["tags"])},\n"documents":[\n' + ",\n".join(documents) + "]}\n"
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
