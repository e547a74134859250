"""The encoder as an ONNX graph: plain BERT, operator by operator, as an exporter would write it.

ONNX Runtime's own BERT optimiser then fuses it. Writing the plain graph by hand keeps it the same whatever the
version of PyTorch's exporter, and `fused` insists that every layer was recognised.
"""

import logging

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers import optimizer
from onnxruntime.transformers.fusion_options import FusionOptions

OPSET = 17
# What a masked key's score is lowered by: the softmax makes an exact zero of it.
MASKED = -10000.0


class GraphWriter:
    """Adds nodes one after the other; every method returns the name of its result."""

    def __init__(self):
        self.nodes = []
        self.constants = {}

    def constant(self, name, values):
        self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(values), name)
        return name

    def add(self, operator, *inputs, **attributes):
        name = f"{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], name=name, **attributes))
        return name


class BertWriter(GraphWriter):
    def __init__(self, weights, config):
        super().__init__()
        self.weights = weights
        self.heads = config["num_attention_heads"]
        self.hidden = config["hidden_size"]
        self.epsilon = config["layer_norm_eps"]
        self.split = self.constant("split_heads", np.array([0, 0, self.heads, self.hidden // self.heads], np.int64))
        self.join = self.constant("join_heads", np.array([0, 0, self.hidden], np.int64))
        self.root = self.constant("root_of_width", np.array((self.hidden / self.heads) ** 0.5, np.float32))

    def weight(self, name):
        return self.constant(name, self.weights[name])

    def linear(self, rows, name):
        # ONNX multiplies rows by [inputs, columns]; PyTorch stores [columns, inputs].
        matrix = self.constant(f"{name}.weight", self.weights[f"{name}.weight"].T)
        return self.add("Add", self.weight(f"{name}.bias"), self.add("MatMul", rows, matrix))

    def normalise(self, rows, name):
        parts = self.weight(f"{name}.weight"), self.weight(f"{name}.bias")
        return self.add("LayerNormalization", rows, *parts, axis=-1, epsilon=self.epsilon)

    def embeddings(self, ids, kinds, positions):
        look_up = lambda name, indices: self.add("Gather", self.weight(f"embeddings.{name}.weight"), indices)
        words = self.add("Add", look_up("word_embeddings", ids), look_up("token_type_embeddings", kinds))
        return self.normalise(self.add("Add", words, look_up("position_embeddings", positions)), "embeddings.LayerNorm")

    def positions(self, ids):
        table = self.constant("all_positions", np.arange(len(self.weights["embeddings.position_embeddings.weight"])))
        one = self.constant("one", np.array([1], np.int64))
        zero = self.constant("zero", np.array([0], np.int64))
        return self.add("Slice", table, zero, self.add("Shape", ids, start=1, end=2), zero, one)

    def lowered_scores(self, mask):
        """[batch, tokens] of ones and zeros -> what is added to the scores of each key."""
        wide = self.add("Unsqueeze", mask, self.constant("axis_1", np.array([1], np.int64)))
        wide = self.add("Unsqueeze", wide, self.constant("axis_2", np.array([2], np.int64)))
        hidden = self.add("Sub", self.constant("one_f32", np.array(1, np.float32)),
                          self.add("Cast", wide, to=TensorProto.FLOAT))
        return self.add("Mul", hidden, self.constant("masked", np.array(MASKED, np.float32)))

    def attention(self, rows, lowered, name):
        def split(part, order):
            return self.add("Transpose", self.add("Reshape", self.linear(rows, f"{name}.{part}"), self.split), perm=order)

        query, key, value = split("query", [0, 2, 1, 3]), split("key", [0, 2, 3, 1]), split("value", [0, 2, 1, 3])
        scores = self.add("Div", self.add("MatMul", query, key), self.root)
        if lowered:
            scores = self.add("Add", scores, lowered)
        mixed = self.add("MatMul", self.add("Softmax", scores, axis=-1), value)
        return self.add("Reshape", self.add("Transpose", mixed, perm=[0, 2, 1, 3]), self.join)

    def gelu(self, rows):
        half, one = self.constant("half", np.array(0.5, np.float32)), self.constant("one_f32", np.array(1, np.float32))
        inner = self.add("Erf", self.add("Div", rows, self.constant("root_of_two", np.array(2**0.5, np.float32))))
        return self.add("Mul", self.add("Mul", rows, self.add("Add", inner, one)), half)

    def layer(self, rows, lowered, name):
        attended = self.linear(self.attention(rows, lowered, f"{name}.attention.self"), f"{name}.attention.output.dense")
        rows = self.normalise(self.add("Add", attended, rows), f"{name}.attention.output.LayerNorm")
        wide = self.gelu(self.linear(rows, f"{name}.intermediate.dense"))
        return self.normalise(self.add("Add", self.linear(wide, f"{name}.output.dense"), rows), f"{name}.output.LayerNorm")


def plain(weights, config, masked):
    """`weights`: plain BERT's, by Hugging Face's names without the `bert.` in front."""
    writer = BertWriter(weights, config)
    rows = writer.embeddings("input_ids", "token_type_ids", writer.positions("input_ids"))
    lowered = writer.lowered_scores("attention_mask") if masked else None
    for index in range(config["num_hidden_layers"]):
        rows = writer.layer(rows, lowered, f"encoder.layer.{index}")
    writer.nodes[-1].output[0] = "last_hidden_state"
    inputs = ["input_ids", "token_type_ids"] + ["attention_mask"] * masked
    graph = helper.make_graph(
        writer.nodes, "encoder",
        [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"]) for name in inputs],
        [helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["batch", "tokens", writer.hidden])],
        list(writer.constants.values()))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)
    onnx.checker.check_model(model)
    return model


def fused(model, config, attention):
    """What ONNX Runtime's BERT optimiser makes of it. `attention`: "Attention" or "MultiHeadAttention"."""
    options = FusionOptions("bert")
    options.use_multi_head_attention = attention == "MultiHeadAttention"
    logging.disable(logging.WARNING)
    result = optimizer.optimize_model(
        model, "bert", num_heads=config["num_attention_heads"], hidden_size=config["hidden_size"],
        optimization_options=options, opt_level=0)
    logging.disable(logging.NOTSET)
    layers = config["num_hidden_layers"]
    found = {node.op_type: 0 for node in result.model.graph.node}
    for node in result.model.graph.node:
        found[node.op_type] += 1
    expected = {attention: layers, "SkipLayerNormalization": 2 * layers, "BiasGelu": layers}
    if any(found.get(operator) != count for operator, count in expected.items()):
        raise SystemExit(f"ONNX Runtime's optimiser did not fuse the encoder as it should: {found}")
    # The optimiser uses its own operators without saying so, and the quantiser would not know them.
    result.model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    return result.model


def quantised(source, target, weights):
    """`weights`: "QInt8" or "QUInt8". Activations are QUInt8 in dynamic quantisation, whatever one asks for."""
    logging.disable(logging.WARNING)
    # Shape inference stops at the fused operators; all values behind them are floats.
    options = {"DefaultTensorType": TensorProto.FLOAT}
    quantize_dynamic(source, target, per_channel=True, reduce_range=False, weight_type=QuantType[weights],
                     extra_options=options)
    logging.disable(logging.NOTSET)
