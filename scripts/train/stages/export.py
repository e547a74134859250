"""Turns a finished run into a model directory; several runs, or a run and a model, into one of their mean weights.

Writes model.safetensors (half precision), config.json and tokenizer.json (no truncation, no padding).
"""

import argparse
import hashlib
import json
from pathlib import Path

import torch
from safetensors.torch import save_file

from corpora.examples import TAGS
from corpora.features import ENCODER_SHAPES, GAPS, MAX_WINDOW, load_tokenizer
from corpora.readers import DATASETS, EXTRA
from model.eight_bits import load_weights
from model.encoders import architecture_of
from model.network import DISTANCE_BUCKETS, LINK_WIDTH, add_caseless

ENCODER_FIELDS = ("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size",
                  "max_position_embeddings", "type_vocab_size", "layer_norm_eps")


def encoder_config(source):
    """The encoder's part of config.json, from what Hugging Face's says."""
    config = {field: source[field] for field in ENCODER_FIELDS if field in source}
    if architecture_of(source) == "mpnet":
        buckets = source["relative_attention_num_buckets"]
        config |= {"architecture": {"mpnet": {"relative_buckets": buckets}}, "type_vocab_size": 0}
    return config


def is_scorer(name):
    return name.startswith("coreference.")


def training_data(files, *others):
    """One entry per training file, with its licence; those of other models that went in are in it too."""
    entries = []
    for name, (stem, _, licence) in DATASETS.items():
        for file, digest in files.items():
            if file.startswith(stem):
                entries.append({"name": name, "file": file, "sha256": digest, "licence": licence})
    for file, digest in files.items():
        if file.startswith(EXTRA):
            licence = "whoever trained this model knows"
            entries.append({"name": "extra", "file": file.removeprefix(EXTRA), "sha256": digest, "licence": licence})
    for directory in filter(None, others):
        known = {entry["file"] for entry in entries}
        of_other = json.loads((directory / "config.json").read_text())["training_data"]
        entries += [entry for entry in of_other if entry["file"] not in known]
    return entries


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", required=True, type=Path, action="append", help="given more than once: the mean of their weights")
    parser.add_argument("--encoder", required=True, type=Path)
    parser.add_argument("--to", required=True, type=Path)
    parser.add_argument("--name", default="onrecord-small")
    parser.add_argument("--average-with", type=Path, help="model directory to average the weights with")
    parser.add_argument("--share", type=float, default=0.5, help="of that other model in the average")
    parser.add_argument("--heads-of", type=Path,
                        help="model directory whose coreference heads go on: train.py --states kept the states near that model's")
    parser.add_argument("--keep", action="append", default=[], choices=sorted(TAGS),
                        help="a tag head that goes on from there as well")
    options = parser.parse_args()
    if options.keep and not options.heads_of:
        parser.error("--keep needs --heads-of")
    options.to.mkdir(parents=True, exist_ok=True)

    # Runs that began at the same place, or of which one began where the other ended, lie in one valley (Wortsman et al. 2022,
    # "model soups").
    states = [torch.load(run / "network.pt") for run in options.run]
    state = {k: sum(state[k].float() for state in states) / len(states) for k in states[0]}
    if options.average_with:
        other = load_weights(options.average_with)
        add_caseless(other)
        state = {k: torch.lerp(v, other[k], options.share) if k in other else v for k, v in state.items()}
    # Buffers that the code makes itself, and tensors of the pretrained file that no head uses, stay out; so does the
    # coreference head, which has only helped the encoder to learn (train_coreference.py makes the scorers).
    state = {k: v for k, v in state.items() if not is_scorer(k)}
    if options.heads_of:
        kept = tuple(f"heads.{head}." for head in options.keep)
        state |= {k: v for k, v in load_weights(options.heads_of).items() if is_scorer(k) or k.startswith(kept)}
    state = {k: v.to(torch.float16).contiguous() for k, v in sorted(state.items())}
    save_file(state, options.to / "model.safetensors")
    (options.to / "model.safetensors").chmod(0o644)

    encoder = json.loads((options.encoder / "config.json").read_text())
    files = json.loads((options.run[0] / "run.json").read_text())["files"]
    config = {
        "model_type": "onrecord", "name": options.name, "format": 1,
        "encoder": encoder_config(encoder),
        "shapes": ENCODER_SHAPES, "gaps": GAPS, "max_window": MAX_WINDOW, "heads": TAGS,
        "links": {"width": LINK_WIDTH, "distance_buckets": DISTANCE_BUCKETS},
        "training_data": training_data(files, options.average_with, options.heads_of),
    }
    if options.heads_of:
        before = json.loads((options.heads_of / "config.json").read_text())
        config |= {name: before[name] for name in ("coreference", "speaker_scores") if name in before}
    config["weights_sha256"] = hashlib.sha256((options.to / "model.safetensors").read_bytes()).hexdigest()
    load_tokenizer(options.encoder / "tokenizer.json").save(str(options.to / "tokenizer.json"), pretty=False)
    # It comes last: it says that the model is there.
    (options.to / "config.json").write_text(json.dumps(config, indent=1) + "\n")


if __name__ == "__main__":
    main()
