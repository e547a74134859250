"""Builds the program that finds mentions and measures: `onrecord` and `examples/mentions`, as Cargo lays them out.

They are copied, so that a build in the repository changes nothing of a chain that is at work.
"""

import argparse
import json
import subprocess
from pathlib import Path

from stages.written import write_if_new

ROOT = Path(__file__).resolve().parents[3]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", required=True, type=Path)
    options = parser.parse_args()
    command = ["cargo", "build", "--release", "--locked", "--bin", "onrecord", "--example", "mentions", "--message-format=json"]
    built = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
    programs = {Path(row["executable"]).name: row["executable"] for row in map(json.loads, built.splitlines()) if row.get("executable")}
    # What `make` looks for comes last.
    for name, target in (("mentions", options.to / "examples/mentions"), ("onrecord", options.to / "onrecord")):
        target.parent.mkdir(parents=True, exist_ok=True)
        write_if_new(target, Path(programs[name]).read_bytes())
        target.chmod(0o755)
        print(target)


if __name__ == "__main__":
    main()
