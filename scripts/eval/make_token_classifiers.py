#!/usr/bin/env python3
"""Makes tests/fixtures/token_classifiers: small random token classifiers, and what their pipelines answer.

    pip install -r scripts/eval/token_classifiers.txt
    make_token_classifiers.py [--out tests/fixtures/token_classifiers] [--check] [--seed 11]

One model for each architecture that is read, with the kind of tokenizer that its family has, trained on the texts below,
which were written for this purpose. All weights are drawn at random, so large that positions and neighbours matter; the
classifier is fitted to the texts so that all labels occur. `recorded.json` beside each model holds what the token-classification pipeline of transformers
says of the texts, with every aggregation strategy. With --check nothing is written: the models that are there must give
the answers that are there.
"""

import argparse
import json
import os
import shutil
import tempfile
from pathlib import Path

import torch
import transformers
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoModelForTokenClassification, AutoTokenizer, pipeline

from make_hugging_face_fixture import STRATEGIES, TEXTS

LONG = (
    "The harbour board of Lysmouth voted on Tuesday to close the north quay for repairs. Ada Holt, who chairs it, said "
    "that Anglo-Norwegian Dredging would begin in March; Ben Ruiz of the Anglers' Union called the plan “a gift to "
    "nobody”.\n\nIn Porto Novo, São Tomé and Kraków the same firm has built 1,200 metres of wall. \tMayor Nkem "
    "Obi-Duarte told Lake County Radio:\r\n“We read every page, twice.” The ferry to Eastholm sails again on 12 March, "
    "if the weather holds, and the €3½ million is paid."
)
EXAMPLES = [*TEXTS, LONG, "\n\n  Oslo.\n", "Ana\u00a0Duarte  of   Quellenhof"]
HIDDEN, LAYERS, HEADS, WIDE, POSITIONS, VOCABULARY = 32, 2, 4, 48, 512, 320

BIO = ["I-LOC", "B-PER", "O", "I-PER", "B-ORG", "B-LOC", "I-ORG"]
BIOES = ["O", "B-PER", "I-PER", "E-PER", "S-PER", "B-LOC", "I-LOC", "E-LOC", "S-LOC"]
PLAIN = ["PER", "LOC", "O", "ORG"]
INSIDE = ["O", "I-PER", "I-ORG", "I-LOC", "I-MISC"]


def word_piece(cased):
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=not cased)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(vocab_size=VOCABULARY, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(EXAMPLES, trainer)
    template(tokenizer, "[CLS]", "[SEP]")
    names = dict(unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]", pad_token="[PAD]", mask_token="[MASK]")
    return tokenizer, names


def mpnet_pieces():
    special = ["<s>", "<pad>", "</s>", "[UNK]", "<mask>"]
    tokenizer, _ = word_piece(cased=False)
    trainer = trainers.WordPieceTrainer(vocab_size=VOCABULARY, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(EXAMPLES, trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), trim_offsets=True)
    return tokenizer, dict(unk_token="[UNK]", cls_token="<s>", sep_token="</s>", pad_token="<pad>", mask_token="<mask>")


def byte_level(special, cls, sep, trim):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY + 256, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(EXAMPLES, trainer)
    if trim:
        ids = (sep, tokenizer.token_to_id(sep)), (cls, tokenizer.token_to_id(cls))
        tokenizer.post_processor = processors.RobertaProcessing(*ids, trim_offsets=True, add_prefix_space=False)
    else:
        tokenizer.normalizer = normalizers.NFC()
        template(tokenizer, cls, sep)
    return tokenizer


def roberta_pieces():
    tokenizer = byte_level(["<s>", "<pad>", "</s>", "<unk>", "<mask>"], "<s>", "</s>", trim=True)
    return tokenizer, dict(unk_token="<unk>", cls_token="<s>", sep_token="</s>", pad_token="<pad>", mask_token="<mask>")


def modern_pieces():
    tokenizer = byte_level(["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"], "[CLS]", "[SEP]", trim=False)
    names = dict(unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]", pad_token="[PAD]", mask_token="[MASK]")
    return tokenizer, names


def unigram(special, unknown, cls, sep, splits):
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    space = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.pre_tokenizer = (
        pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), space]) if splits else space
    )
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=VOCABULARY, special_tokens=special, unk_token=unknown, show_progress=False
    )
    tokenizer.train_from_iterator(EXAMPLES, trainer)
    template(tokenizer, cls, sep)
    return tokenizer


def xlm_pieces():
    tokenizer = unigram(["<s>", "<pad>", "</s>", "<unk>", "<mask>"], "<unk>", "<s>", "</s>", splits=True)
    return tokenizer, dict(unk_token="<unk>", cls_token="<s>", sep_token="</s>", pad_token="<pad>", mask_token="<mask>")


def deberta_pieces():
    tokenizer = unigram(["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"], "[UNK]", "[CLS]", "[SEP]", splits=False)
    names = dict(unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]", pad_token="[PAD]", mask_token="[MASK]")
    return tokenizer, names


def template(tokenizer, cls, sep):
    special = [(token, tokenizer.token_to_id(token)) for token in (cls, sep)]
    tokenizer.post_processor = processors.TemplateProcessing(single=f"{cls} $A {sep}", special_tokens=special)


BERT = dict(
    hidden_size=HIDDEN, num_hidden_layers=LAYERS, num_attention_heads=HEADS, intermediate_size=WIDE,
    max_position_embeddings=POSITIONS,
)
# Positions are counted from behind the padding token's number.
FROM_PADDING = {**BERT, "max_position_embeddings": POSITIONS + 2}
RELATIVE = dict(
    relative_attention=True, position_buckets=32, max_relative_positions=-1, pos_att_type="p2c|c2p",
    norm_rel_ebd="layer_norm", position_biased_input=False, type_vocab_size=0,
)
# Name: class of the configuration, its fields, tokenizer, labels, largest file of weights.
MODELS = {
    "bert": ("Bert", BERT, lambda: word_piece(cased=True), BIO, None),
    "distilbert": (
        "DistilBert",
        dict(dim=HIDDEN, n_layers=LAYERS, n_heads=HEADS, hidden_dim=WIDE, max_position_embeddings=POSITIONS),
        lambda: word_piece(cased=False), PLAIN, None,
    ),
    "electra": ("Electra", {**BERT, "embedding_size": 20, "hidden_act": "gelu_new"}, lambda: word_piece(cased=False),
                BIOES, "60KB"),
    "roberta": ("Roberta", {**FROM_PADDING, "type_vocab_size": 1, "pad_token_id": 1}, roberta_pieces, BIO, None),
    "xlm-roberta": ("XLMRoberta", {**FROM_PADDING, "type_vocab_size": 1, "pad_token_id": 1}, xlm_pieces, INSIDE, None),
    "mpnet": ("MPNet", FROM_PADDING, mpnet_pieces, BIO, None),
    "deberta-v2": ("DebertaV2", {**BERT, **RELATIVE, "share_att_key": True}, deberta_pieces, BIO, None),
    "deberta-v2-apart": (
        "DebertaV2",
        {**BERT, **RELATIVE, "share_att_key": False, "pos_att_type": "c2p|p2c", "position_buckets": -1,
         "max_relative_positions": 24, "norm_rel_ebd": "none", "position_biased_input": True, "type_vocab_size": 2},
        deberta_pieces, INSIDE, None,
    ),
    "modernbert": (
        "ModernBert",
        {**BERT, "num_hidden_layers": 4, "local_attention": 12, "pad_token_id": 3, "cls_token_id": 1,
         "sep_token_id": 2, "bos_token_id": 1, "eos_token_id": 2},
        modern_pieces, BIO, None,
    ),
}


def randomise(model, seed):
    """Weights of such a size that no part of the model goes unnoticed."""
    generator = torch.Generator().manual_seed(seed)
    draw = lambda parameter, size: torch.randn(parameter.shape, generator=generator) * size
    with torch.no_grad():
        for name, parameter in sorted(model.named_parameters()):
            norm = "norm" in name.lower()
            if parameter.dim() > 1:
                table = "embeddings" in name or "relative_attention_bias" in name
                parameter.copy_(draw(parameter, 0.7 if table else 0.3))
            else:
                parameter.copy_((1.0 if norm and name.endswith("weight") else 0.0) + draw(parameter, 0.2))


def vary(model, tokenizer):
    """Makes every label about as frequent as any other on the texts, and answers sure of themselves."""
    with torch.no_grad():
        ids = [torch.tensor([tokenizer.encode(text).ids]) for text in EXAMPLES]
        logits = torch.cat([model(text).logits[0] for text in ids])
        scale = 3 / logits.std(dim=0)
        model.classifier.bias.copy_((model.classifier.bias - logits.mean(dim=0)) * scale)
        model.classifier.weight.mul_(scale[:, None])


def make(folder, name, seed):
    family, fields, pieces, labels, shard = MODELS[name]
    tokenizer, special = pieces()
    folder.mkdir(parents=True)
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    settings = {**special, "tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": POSITIONS}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")
    config = getattr(transformers, f"{family}Config")(
        vocab_size=tokenizer.get_vocab_size(), id2label=dict(enumerate(labels)),
        label2id={label: id for id, label in enumerate(labels)}, **fields,
    )
    model = AutoModelForTokenClassification.from_config(config, attn_implementation="eager")
    randomise(model, seed)
    vary(model.eval(), tokenizer)
    model.save_pretrained(folder, **({"max_shard_size": shard} if shard else {}))


def record(folder):
    """What the pipeline answers for each text and strategy."""
    model = AutoModelForTokenClassification.from_pretrained(folder, attn_implementation="eager").eval()
    classify = pipeline("token-classification", model=model, tokenizer=AutoTokenizer.from_pretrained(folder))
    documents = []
    for text in EXAMPLES:
        answers = {}
        for strategy in STRATEGIES:
            items = classify(text, aggregation_strategy=strategy, ignore_labels=[] if strategy == "none" else ["O"])
            answers[strategy] = [{**item, "score": round(float(item["score"]), 6)} for item in items]
        documents.append({"text": text, "answers": answers})
    return documents


def lines(documents):
    """One line for each item, so that differences can be read."""
    compact = lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    listed = lambda items: "[" + ",\n".join(map(compact, items)) + "]"
    written = []
    for document in documents:
        answers = ",\n".join(f"{compact(name)}:{listed(items)}" for name, items in document["answers"].items())
        written.append(f'{{"text":{compact(document["text"])},\n"answers":{{{answers}}}}}')
    return "[\n" + ",\n".join(written) + "]\n"


def same(left, right):
    """The same answers, with scores within a hundred-thousandth."""
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    return abs(left - right) < 1e-5 if isinstance(left, float) else left == right


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    fixtures = Path(__file__).parents[2] / "tests/fixtures/token_classifiers"
    parser.add_argument("--out", type=Path, default=fixtures)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--seed", type=int, default=11)
    arguments = parser.parse_args()
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    for name in MODELS:
        folder = arguments.out / name
        if not arguments.check:
            with tempfile.TemporaryDirectory() as made:
                make(Path(made) / name, name, arguments.seed)
                shutil.rmtree(folder, ignore_errors=True)
                shutil.copytree(Path(made) / name, folder)
            (folder / "recorded.json").write_text(lines(record(folder)), encoding="utf-8")
        elif not same(record(folder), json.loads((folder / "recorded.json").read_text(encoding="utf-8"))):
            raise SystemExit(f"{folder}: the pipeline of transformers {transformers.__version__} answers otherwise")
        size = sum(path.stat().st_size for path in folder.iterdir() if path.name != "recorded.json")
        print(f"{name}: {size} bytes")


if __name__ == "__main__":
    main()
