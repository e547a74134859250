"""Makes what the other runtimes load from the weights of models/onrecord-small.

Our encoder adds an embedding of each token's shape and one of the gap before it. Plain BERT has neither, but it adds
an embedding of the token's type: with one type for each pair of shape and gap it computes the very same, and every
runtime can use its own unchanged BERT.
"""

import json

import numpy as np
import onnx
from safetensors.numpy import load_file, save_file

import onnx_graph

ATTENTION = "attention"
MULTI_HEAD = "multi-head"


def plain_bert(model):
    """Weights by Hugging Face's names (without `bert.`) in single precision, and the configuration."""
    config = json.loads((model / "config.json").read_text())["encoder"]
    stored = load_file(model / "model.safetensors")
    weights = {name.removeprefix("bert."): values.astype(np.float32) for name, values in stored.items()
               if name.startswith("bert.")}
    shapes = weights.pop("embeddings.shape_embeddings.weight")
    gaps = weights.pop("embeddings.gap_embeddings.weight")
    segment = weights["embeddings.token_type_embeddings.weight"][0]
    kinds = (segment + shapes[:, None] + gaps[None]).reshape(-1, config["hidden_size"])
    weights["embeddings.token_type_embeddings.weight"] = kinds
    return weights, config | {"type_vocab_size": len(kinds)}


def make_models(model, directory):
    weights, config = plain_bert(model)
    directory.mkdir(parents=True, exist_ok=True)
    save_file(weights, directory / "plain_bert.safetensors")
    unused = {"hidden_act": "gelu", "hidden_dropout_prob": 0.0, "initializer_range": 0.02, "pad_token_id": 0}
    (directory / "plain_bert.json").write_text(json.dumps(config | unused, indent=1))
    # A mask costs time, so windows of one length get a graph without.
    for name, fusion, masked in ((ATTENTION, "Attention", False), (f"{ATTENTION}.masked", "Attention", True),
                                 (MULTI_HEAD, "MultiHeadAttention", False)):
        graph = onnx_graph.fused(onnx_graph.plain(weights, config, masked), config, fusion)
        onnx.save(graph, directory / f"{name}.onnx")
        for weight_type in ("QInt8", "QUInt8"):
            onnx_graph.quantised(directory / f"{name}.onnx", directory / f"{name}.{weight_type}.onnx", weight_type)
