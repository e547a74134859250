"""PyTorch's runner: the encoder that the weights were trained in (scripts/train/encoders.py).

    run_torch.py WINDOWS MODEL_DIRECTORY --threads N
"""

import argparse
import json
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file

from serving import serve

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "train"))
from model.encoders import Bert


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("windows")
    parser.add_argument("model", type=Path)
    parser.add_argument("--threads", type=int, required=True)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)

    encoder = Bert(json.loads((options.model / "config.json").read_text())["encoder"]).eval()
    weights = load_file(options.model / "model.safetensors")
    encoder.load_state_dict({name.removeprefix("bert."): values.float() for name, values in weights.items()
                             if name.startswith("bert.")})

    def prepare(batch):
        return [torch.from_numpy(table) for table in (batch.ids, batch.shapes, batch.gaps, batch.lengths)]

    def no_dropout(states):
        return states

    @torch.inference_mode()
    def run(inputs):
        return encoder(*inputs, no_dropout)

    serve(f"PyTorch {torch.__version__}", options.windows, run, prepare)


if __name__ == "__main__":
    main()
