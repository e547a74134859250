"""Stores a model's large matrices in eight bits, in files of bounded size: for models that are too big for half precision."""

import argparse
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from model.eight_bits import files_of, is_large, quantise, write_model


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, type=Path)
    parser.add_argument("--to", required=True, type=Path)
    options = parser.parse_args()

    tensors, left = {}, []
    for name, tensor in sorted(load_file(options.model / "model.safetensors").items()):
        if is_large(name, tensor):
            tensors[name], tensors[f"{name}.scales"], share = quantise(tensor)
            left.append(share)
        else:
            tensors[name] = tensor
    print(f"{len(left)} matrices; {np.mean(left):.2e} of the groups have another scale in the kernels")
    write_model(files_of(tensors), options.model, options.to)


if __name__ == "__main__":
    main()
