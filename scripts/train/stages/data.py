"""Puts the corpora of a recipe into one directory: whole, or a share of their training documents.

Dev files stay whole, so that what is measured can be compared. The documents of a share are drawn by their names: those
of a smaller share are in every larger one too. Writes data.json last: each file's hash.
"""

import argparse
import gzip
import hashlib
import json
import re
from pathlib import Path

from corpora.readers import sha256, shares_of
from stages.written import write_if_new

HELD_OUT = re.compile(r"\.(dev|test\d*)\.")


def files_of(corpora, name):
    """The files of a corpus: NAME.jsonl, or its parts, such as NAME.train.jsonl and NAME.dev.jsonl."""
    form = re.compile(re.escape(name) + r"(\.(train|dev))?\.jsonl(\.gz)?")
    found = sorted(path for path in corpora.iterdir() if form.fullmatch(path.name))
    if not found:
        raise SystemExit(f"{corpora} has no corpus {name}: neither {name}.jsonl nor {name}.train.jsonl")
    return found


def document_of(line):
    """The name of the document that a line belongs to: token files have a line a sentence."""
    row = json.loads(line)
    return row.get("doc") or row["id"]


def place(document, seed):
    """Where a document stands when all are drawn by chance: 0 is drawn first, 1 last."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{document}".encode()).digest()[:6]) / (1 << 48)


def drawn(documents, share, seed):
    """The documents of a share, and at least one."""
    places = {document: place(document, seed) for document in documents}
    return {document for document, at in places.items() if at < share} or {min(places, key=places.get)}


def write_share(source, target, share, seed):
    """Writes the lines whose documents are drawn."""
    content = source.read_bytes()
    is_packed = source.suffix == ".gz"
    lines = [line for line in (gzip.decompress(content) if is_packed else content).splitlines(True) if line.strip()]
    documents = [document_of(line) for line in lines]
    kept = drawn(documents, share, seed)
    content = b"".join(line for line, document in zip(lines, documents) if document in kept)
    target.write_bytes(gzip.compress(content, mtime=0) if is_packed else content)


def put(source, target, share, seed):
    target.unlink(missing_ok=True)
    if share < 1 and not HELD_OUT.search(source.name):
        write_share(source, target, share, seed)
    else:
        target.symlink_to(source.resolve())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--from", dest="source", required=True, type=Path, help="directory of all corpora")
    parser.add_argument("--corpora", required=True, action="append", help="a corpus by its name")
    parser.add_argument("--shares", default="", help="of a corpus's training documents: gap=0.5,...; all of those not named")
    parser.add_argument("--share", type=float, default=1.0, help="of all training documents, besides")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--to", required=True, type=Path)
    options = parser.parse_args()
    options.to.mkdir(parents=True, exist_ok=True)
    shares = shares_of(options.shares)
    if unknown := sorted(set(shares) - set(options.corpora)):
        raise SystemExit(f"--shares names {', '.join(unknown)}, not among --corpora")
    listed = {}
    for name in options.corpora:
        for source in files_of(options.source, name):
            put(source, options.to / source.name, options.share * shares.get(name, 1), options.seed)
            listed[source.name] = sha256(options.to / source.name)
    for path in options.to.iterdir():
        if path.name not in listed and path.name != "data.json":
            path.unlink()
    # Who trained on the same files need not train again.
    write_if_new(options.to / "data.json", (json.dumps(listed, indent=1) + "\n").encode())
    for name in listed:
        print(name, (options.to / name).stat().st_size, "bytes")


if __name__ == "__main__":
    main()
