"""Copies a model and calibrates its scores on the dev sets: entities, segments and statements, and speakers.

scripts/eval/scores.py and speaker_scores.py say what they fit, and how good it is, cross-fitted.
"""

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path

EVAL = Path(__file__).resolve().parents[2] / "eval"
CALIBRATIONS = ("scores", "speaker_scores")


def copy_without_calibrations(model, to):
    """config.json comes last: it says that the model is there."""
    to.mkdir(parents=True, exist_ok=True)
    for path in (*to.glob("*.safetensors"), to / "config.json"):
        path.unlink(missing_ok=True)
    for path in (*model.glob("*.safetensors*"), model / "tokenizer.json"):
        shutil.copyfile(path, to / path.name)
    config = json.loads((model / "config.json").read_text())
    config = {name: value for name, value in config.items() if name not in CALIBRATIONS}
    (to / "config.json").write_text(json.dumps(config, indent=1) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, type=Path)
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--tools", required=True, type=Path, help="directory of the reference scorers")
    parser.add_argument("--program", required=True, type=Path, help="folder of onrecord")
    parser.add_argument("--precision", default="f32", choices=("f32", "int8"))
    parser.add_argument("--to", required=True, type=Path)
    options = parser.parse_args()
    copy_without_calibrations(options.model, options.to)
    for script in ("scores.py", "speaker_scores.py"):
        command = [sys.executable, EVAL / script, "--data", options.data, "--tools", options.tools, "--onrecord",
                   options.program / "onrecord", "--model", options.to, "--precision", options.precision, "--write"]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
