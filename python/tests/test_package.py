"""The package around it: types, documentation, examples."""

import contextlib
import doctest
import io
import re
import subprocess
import sys
from pathlib import Path

import onrecord
import pyarrow
import pyarrow.compute
import pyarrow.parquet
from conftest import ARTICLES, ROOT


def blocks(path, heading=None):
    text = path.read_text(encoding="utf-8")
    if heading:
        text = re.search(rf"^{heading}\n(.*?)^## ", text, re.DOTALL | re.MULTILINE).group(1)
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


def test_the_types_are_those_of_the_module():
    command = [sys.executable, "-m", "mypy.stubtest", "onrecord", "--ignore-missing-stub"]
    run = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    assert run.returncode == 0, run.stdout + run.stderr
    assert Path(onrecord.__file__).with_name("py.typed").exists()


def test_the_types_fit_how_it_is_used(tmp_path):
    (tmp_path / "use.py").write_text(
        "from onrecord import Extractor\n"
        "extractor = Extractor(threads=2, offset_unit='byte')\n"
        "start: int = extractor.extract('a')['entities'][0]['start']\n"
        "for result in extractor.extract(['a', None]):\n"
        "    if 'error' in result:\n"
        "        print(result['error']['code'])\n"
        "extractor.extract(7)  # wrong\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "mypy", "--strict", "--ignore-missing-imports", "--cache-dir", tmp_path / "cache", "use.py"]
    run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    errors = [line for line in run.stdout.splitlines() if "error:" in line]
    assert len(errors) == 1 and errors[0].startswith("use.py:7:"), run.stdout + run.stderr


def test_everything_is_documented():
    for name in ["Extractor", "Extractor.extract", "Extractor.extract_batch", "Extractor.model", "Extractor.threads"]:
        thing = onrecord
        for part in name.split("."):
            thing = getattr(thing, part)
        assert thing.__doc__, name
    assert doctest.testmod(onrecord).failed == 0 and doctest.testmod(onrecord).attempted > 0


def test_the_examples_of_the_readmes_run(tmp_path, monkeypatch):
    rows = {"url": list(ARTICLES), "body": list(ARTICLES.values()), "published": ["2026-11-25"] * len(ARTICLES)}
    pyarrow.parquet.write_table(pyarrow.table(rows), tmp_path / "articles.parquet")
    monkeypatch.chdir(tmp_path)
    for path, heading in [(ROOT / "python/README.md", None), (ROOT / "README.md", "## Python and clusters")]:
        names = {"pyarrow": pyarrow}
        printed = io.StringIO()
        code = blocks(path, heading)
        assert code
        with contextlib.redirect_stdout(printed):
            for block in code:
                exec(block, names)  # noqa: S102: it is ours
        assert "Claire Moreau said “The pier is beyond repair,”" in printed.getvalue()
        assert names["found"]["published"].to_pylist() == rows["published"]
