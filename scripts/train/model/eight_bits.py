"""A model's large matrices in eight bits, in files of bounded size: for models that are too big for half precision.

Rows of the encoder's matrices and of the word embeddings get a scale for each 128 values. The scales are such that the
integer kernels (src/model/kernels/packing.rs), which quantise whatever they load, come to the same integers: no two
neighbours of one sign come to more than 127 steps, and somewhere in each group two come to just that.
"""

import hashlib
import json

import numpy as np
import torch
from safetensors.numpy import load_file, save_file

GROUP, LIMIT = 128, 127
FILE_SIZE = 64 << 20  # bytes


def most_of_neighbours(groups):
    """What two neighbours of one sign come to at most. groups [n, GROUP] -> [n]"""
    pairs = groups.reshape(-1, GROUP // 2, 2)
    return np.maximum(np.maximum(pairs, 0).sum(-1), np.maximum(-pairs, 0).sum(-1)).max(-1)


def quantise(matrix):
    """[rows, columns] -> steps [rows, columns], their values [rows, groups], and the share of groups that the kernels see
    otherwise."""
    rows, columns = matrix.shape
    padded = np.pad(matrix.astype(np.float32), ((0, 0), (0, -columns % GROUP)))
    groups = padded.reshape(-1, GROUP)
    scales = (most_of_neighbours(groups) / np.float32(LIMIT)).astype(np.float32)
    scales[scales < np.finfo(np.float32).tiny] = 1
    steps = np.rint(groups / scales[:, None])
    # Rounding two neighbours may leave them one short of the limit, or one above: another scale near by does not.
    wrong = np.flatnonzero((most_of_neighbours(steps) != LIMIT) & groups.any(-1))
    for factor in [1 + sign * k / 1000 for k in range(1, 40) for sign in (1, -1)]:
        tried = np.rint(groups[wrong] / (scales[wrong] * np.float32(factor))[:, None])
        good = most_of_neighbours(tried) == LIMIT
        steps[wrong[good]] = tried[good]
        scales[wrong[good]] *= np.float32(factor)
        wrong = wrong[~good]
    steps = steps.astype(np.int8).reshape(rows, -1)[:, :columns]
    return np.ascontiguousarray(steps), scales.reshape(rows, -1), len(wrong) / len(groups)


def load_weights(directory):
    """All weights of a model directory, of whichever form, in single precision: name -> tensor."""
    tensors = {}
    for file in sorted(directory.glob("*.safetensors")):
        tensors |= load_file(file)
    scales = {name.removesuffix(".scales"): tensors.pop(name) for name in list(tensors) if name.endswith(".scales")}
    for name, groups in scales.items():
        steps = tensors[name].astype(np.float32)
        tensors[name] = steps * np.repeat(groups, GROUP, axis=1)[:, :steps.shape[1]]
    return {name: torch.from_numpy(np.asarray(tensor, np.float32)) for name, tensor in tensors.items()}


def is_large(name, tensor):
    is_matrix = tensor.ndim == 2 and name.endswith(".weight")
    return is_matrix and ("word_embeddings" in name or ".layer." in name)


def files_of(tensors):
    """Tensors in their order, as many in each file as have room."""
    files, size = [{}], 0
    for name, tensor in tensors.items():
        if size and size + tensor.nbytes > FILE_SIZE:
            files.append({})
            size = 0
        files[-1][name] = tensor
        size += tensor.nbytes
    return files


def write_model(files, source, directory, **changes):
    """Writes the files' tensors, their index, and the configuration and tokenizer of the model in `source`, with changes to the
    configuration."""
    config = json.loads((source / "config.json").read_text()) | changes
    directory.mkdir(parents=True, exist_ok=True)
    names = [f"model-{k:05}-of-{len(files):05}.safetensors" for k in range(1, len(files) + 1)]
    digest = hashlib.sha256()
    for name, contents in zip(names, files):
        save_file(contents, directory / name)
        (directory / name).chmod(0o644)
        digest.update((directory / name).read_bytes())
    for path in directory.glob("*.safetensors"):  # of what was here before
        if path.name not in names:
            path.unlink()
    weight_map = {tensor: name for name, contents in zip(names, files) for tensor in sorted(contents)}
    size = sum(tensor.nbytes for contents in files for tensor in contents.values())
    index = {"metadata": {"total_size": size}, "weight_map": weight_map}
    (directory / "model.safetensors.index.json").write_text(json.dumps(index, indent=1) + "\n")
    config["weights_sha256"] = digest.hexdigest()
    (directory / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    (directory / "tokenizer.json").write_bytes((source / "tokenizer.json").read_bytes())
