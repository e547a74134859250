"""Encoders: BERT (Devlin et al. 2019) and MPNet (Song et al. 2020), with embeddings of word shapes and gaps.

Parameter names are Hugging Face's, but for the two embeddings of our own.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

from corpora.features import CASELESS, ENCODER_SHAPES, GAPS, INITIAL, LOWER, MIXED, TITLE, UPPER


def architecture_of(config):
    """"bert" or "mpnet", by an encoder's `config.json` as Hugging Face writes it or as `export.py` does."""
    return next(iter(config["architecture"])) if "architecture" in config else config.get("model_type", "bert")


def without_idle_case(shapes):
    """`CASELESS` for every word of the windows that do not have both capitals and other letters. shapes [b, t]"""
    of = lambda *classes: torch.isin(shapes, torch.tensor(classes))
    tells = of(LOWER, TITLE, MIXED).any(1) & of(TITLE, UPPER, INITIAL, MIXED).any(1)
    return torch.where(of(LOWER, TITLE, UPPER, INITIAL, MIXED) & ~tells[:, None], CASELESS, shapes)


def attention(q, k, v, mask):
    """Of queries, keys and values [b, heads, t, d]; a mask of booleans leaves out, one of numbers is added."""
    if q.dtype != torch.bfloat16:
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    # The fused form's gradient takes thrice as long as plain products where the processor multiplies matrices in bfloat16.
    scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
    if mask is not None:
        scores = scores + mask.to(q.dtype) if mask.is_floating_point() else scores.masked_fill(~mask, -1e4)
    return scores.softmax(-1) @ v


class Layer(nn.Module):
    def __init__(self, config):
        super().__init__()
        hidden, intermediate, eps = config["hidden_size"], config["intermediate_size"], config["layer_norm_eps"]
        self.heads = config["num_attention_heads"]
        self.attention = self.attention_modules(hidden, eps)
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(hidden, intermediate)})
        self.output = nn.ModuleDict({"dense": nn.Linear(intermediate, hidden), "LayerNorm": nn.LayerNorm(hidden, eps)})

    def attention_modules(self, hidden, eps):
        return nn.ModuleDict({
            "self": nn.ModuleDict({k: nn.Linear(hidden, hidden) for k in ("query", "key", "value")}),
            "output": nn.ModuleDict({"dense": nn.Linear(hidden, hidden), "LayerNorm": nn.LayerNorm(hidden, eps)}),
        })

    def projections(self):
        """Of queries, keys, values, and of what comes out; and the normalisation."""
        own, out = self.attention["self"], self.attention["output"]
        return own["query"], own["key"], own["value"], out["dense"], out["LayerNorm"]

    def forward(self, x, mask, drop):
        b, t, h = x.shape
        *inputs, dense, norm = self.projections()
        q, k, v = (project(x).view(b, t, self.heads, -1).transpose(1, 2) for project in inputs)
        a = attention(q, k, v, mask).transpose(1, 2).reshape(b, t, h)
        x = norm(x + drop(dense(a)))
        return self.output["LayerNorm"](x + drop(self.output["dense"](F.gelu(self.intermediate["dense"](x)))))


class MpNetLayer(Layer):
    def attention_modules(self, hidden, eps):
        return nn.ModuleDict({
            "attn": nn.ModuleDict({k: nn.Linear(hidden, hidden) for k in ("q", "k", "v", "o")}),
            "LayerNorm": nn.LayerNorm(hidden, eps),
        })

    def projections(self):
        own = self.attention["attn"]
        return own["q"], own["k"], own["v"], own["o"], self.attention["LayerNorm"]


class Bert(nn.Module):
    layer, first_position = Layer, 0

    def __init__(self, config):
        super().__init__()
        hidden, eps = config["hidden_size"], config["layer_norm_eps"]
        tables = {"word_embeddings": config["vocab_size"], "position_embeddings": config["max_position_embeddings"],
                  "token_type_embeddings": config.get("type_vocab_size", 0),
                  "shape_embeddings": len(ENCODER_SHAPES), "gap_embeddings": len(GAPS)}
        self.embeddings = nn.ModuleDict({name: nn.Embedding(rows, hidden) for name, rows in tables.items() if rows})
        self.embeddings["LayerNorm"] = nn.LayerNorm(hidden, eps)
        self.knows_caseless = True  # unless load_model() finds a model of before there was that shape
        nn.init.zeros_(self.embeddings["shape_embeddings"].weight)
        nn.init.zeros_(self.embeddings["gap_embeddings"].weight)
        self.encoder = nn.ModuleDict({"layer": nn.ModuleList(
            self.layer(config) for _ in range(config["num_hidden_layers"]))})

    def forward(self, ids, shapes, gaps, lengths, drop):
        e, t = self.embeddings, ids.shape[1]
        positions = torch.arange(t)
        if self.knows_caseless:
            shapes = without_idle_case(shapes)
        x = (e["word_embeddings"](ids) + e["shape_embeddings"](shapes) + e["gap_embeddings"](gaps)
             + e["position_embeddings"](positions + self.first_position)[None])
        if "token_type_embeddings" in e:
            x = x + e["token_type_embeddings"].weight[0]
        x = drop(e["LayerNorm"](x))
        if torch.is_autocast_enabled("cpu"):  # sums and norms as well: else each is turned to and fro
            x = x.to(torch.get_autocast_dtype("cpu"))
        mask = self.mask(t, positions[None] < lengths[:, None])
        for layer in self.encoder["layer"]:
            x = layer(x, mask, drop)
        return x

    def mask(self, t, real):
        """What attention leaves out, or adds to its scores. real [b, t]"""
        return None if bool(real.all()) else real[:, None, None, :].expand(-1, 1, t, -1)


class MpNet(Bert):
    layer, first_position = MpNetLayer, 2

    def __init__(self, config):
        super().__init__(config)
        self.buckets = config.get("relative_attention_num_buckets") or config["architecture"]["mpnet"]["relative_buckets"]
        # As it was pretrained: with a gradient of its own, attention would lose its fused form.
        bias = nn.Embedding(self.buckets, config["num_attention_heads"]).requires_grad_(False)
        self.encoder["relative_attention_bias"] = bias

    def mask(self, t, real):
        positions = torch.arange(t)
        behind = positions[None] - positions[:, None]  # of the key behind the query
        half, single = self.buckets // 2, self.buckets // 4
        distance = behind.abs()
        far = single + (distance.clamp(min=1).float().div(single).log() / math.log(128 / single) * (half - single)).long()
        bucket = torch.where(distance < single, distance, far.clamp(max=half - 1)) + half * (behind > 0)
        bias = self.encoder["relative_attention_bias"](bucket).permute(2, 0, 1)[None]
        if bool(real.all()):
            return bias
        return bias.masked_fill(~real[:, None, None, :], -1e4).contiguous()
