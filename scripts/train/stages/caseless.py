"""Gives a model in eight bits the shape "caseless" of a run that learned nothing else (`train.py --learned shape_embeddings`).

All other weights stay as they are, to the bit: on text with capitals the model is the one that it was.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file

from corpora.features import CASELESS, ENCODER_SHAPES
from model.eight_bits import write_model


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", required=True, type=Path)
    parser.add_argument("--model", required=True, type=Path)
    parser.add_argument("--to", required=True, type=Path)
    options = parser.parse_args()

    files = [load_file(path) for path in sorted(options.model.glob("*.safetensors"))]
    name, table = next((k, v) for file in files for k, v in file.items() if k.endswith(".shape_embeddings.weight"))
    learned = torch.load(options.run / "network.pt")[name][CASELESS].numpy().astype(table.dtype)
    for file in files:
        if name in file:
            file[name] = np.concatenate([table[:CASELESS], learned[None]])
    write_model(files, options.model, options.to, shapes=ENCODER_SHAPES)


if __name__ == "__main__":
    main()
