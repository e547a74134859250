"""Measures a model on the dev sets (scripts/eval/dev): the numbers of its MODEL_CARD.md, in scores.txt."""

import argparse
import os
import subprocess
from pathlib import Path

EVAL = Path(__file__).resolve().parents[2] / "eval"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, type=Path)
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--program", required=True, type=Path, help="folder of onrecord")
    parser.add_argument("--precision", default="f32", choices=("f32", "int8"))
    parser.add_argument("--to", required=True, type=Path)
    options = parser.parse_args()
    options.to.mkdir(parents=True, exist_ok=True)
    # The script goes to the root of the repository.
    data, model, onrecord = (path.resolve() for path in (options.data, options.model, options.program / "onrecord"))
    environment = os.environ | {"ONRECORD": str(onrecord), "ONRECORD_PRECISION": options.precision}
    done = subprocess.run([EVAL / "dev", data, model], env=environment, stdout=subprocess.PIPE, text=True, check=True)
    print(done.stdout)
    (options.to / "scores.txt").write_text(done.stdout)


if __name__ == "__main__":
    main()
