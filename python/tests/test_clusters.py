"""scripts/batch on Ray and on Spark, for real: what they write are the rows of `onrecord batch`."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
from conftest import ARTICLES, ROOT

# Longer than anything takes that works, even on a busy machine.
LONG = 300


@pytest.fixture
def site(tmp_path):
    """A directory with a corpus, the scripts, and an environment for clusters; and nothing left of them."""
    (tmp_path / "scripts").symlink_to(ROOT / "scripts")
    # Short, because sockets are in there, whose paths cannot be long.
    ray = Path(tempfile.mkdtemp(prefix="ray-"))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ONRECORD_")}
    environment |= {"RAY_TMPDIR": str(ray), "RAY_USAGE_STATS_ENABLED": "0", "SPARK_LOCAL_IP": "127.0.0.1"}
    environment["SPARK_LOCAL_DIRS"] = str(tmp_path / "spark")
    yield Site(tmp_path, environment)
    shutil.rmtree(ray, ignore_errors=True)


class Site:
    def __init__(self, path, environment):
        self.path, self.environment = path, environment

    def write_corpus(self, files, rows):
        """Articles, no two the same, with some bad rows among them."""
        texts = list(ARTICLES.values())
        (self.path / "articles").mkdir()
        for file in range(files):
            numbers = range(file * rows, (file + 1) * rows)
            body = [f"Report {number}.\n{texts[number % len(texts)]}" for number in numbers]
            body[1], body[2] = "", None
            columns = {"id": [f"d{number:05}" for number in numbers], "text": body, "year": list(numbers)}
            pyarrow.parquet.write_table(pyarrow.table(columns), self.path / f"articles/{file}.parquet")

    def start(self, command):
        log = open(self.path / "log", "w", encoding="utf-8")
        # Ray ends all of its process group when it ends.
        return subprocess.Popen(
            command, shell=True, cwd=self.path, env=self.environment, stdout=log, stderr=log, start_new_session=True
        )

    def log(self):
        return (self.path / "log").read_text(encoding="utf-8")

    def run(self, command):
        assert self.start(command).wait(LONG) == 0, f"{command}\n{self.log()}"

    def expected(self, command, *flags):
        """What `onrecord batch` makes of the corpus: rows, and ids that failed."""
        run = command("batch", "articles", "--output", "expected", *flags)
        assert run.returncode == 1, run.stderr
        return rows(self.path / "expected"), {f"d{number:05}" for number in self.failed()}

    def failed(self):
        found = pyarrow.parquet.read_table(self.path / "articles", columns=["year", "text"]).to_pylist()
        return [row["year"] for row in found if not row["text"]]

    def check(self, output, expected):
        results, failed = expected
        assert rows(self.path / output / "results") == results
        errors = rows(self.path / output / "errors")
        assert {row["id"] for row in errors} == failed and len(errors) == len(failed)
        assert {row["error"]["code"] for row in errors} == {"empty_document"}


def rows(folder):
    """The rows of all parts, in the order of their ids."""
    parts = [pyarrow.parquet.read_table(path).to_pylist() for path in sorted(folder.glob("*.parquet"))]
    return sorted((row for part in parts for row in part), key=lambda row: row["id"])


def readme(command):
    """The README's example."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.findall(rf"^    ({re.escape(command)} .*)$", text, re.MULTILINE)
    assert len(found) == 1, found
    return found[0]


def descendants(of):
    """Processes below this one, with what they call themselves."""
    parents, names = {}, {}
    for directory in Path("/proc").iterdir():
        if directory.name.isdigit():
            with contextlib.suppress(OSError):
                status = (directory / "stat").read_text(encoding="utf-8", errors="replace")
                parents[int(directory.name)] = int(status.rpartition(")")[2].split()[1])
                names[int(directory.name)] = (directory / "cmdline").read_text(encoding="utf-8", errors="replace")
    below = set()
    for process in parents:
        above = process
        while above in parents and above != of:
            above = parents[above]
        if above == of and process != of:
            below.add(process)
    return {process: names[process] for process in below if process in names}


def actors(of):
    return {process for process, name in descendants(of).items() if name.startswith("ray::MapWorker")}


def wait_until(what, is_true, process, site):
    until = time.monotonic() + LONG
    while not is_true():
        assert process.poll() is None, f"it ended before {what}\n{site.log()}"
        assert time.monotonic() < until, f"waited in vain until {what}\n{site.log()}"
        time.sleep(0.05)


def test_the_example_for_ray(site, command):
    site.write_corpus(files=2, rows=8)
    site.run(readme("scripts/batch/ray_batch.py"))
    site.check("found", site.expected(command))
    assert (site.path / "found/_SUCCESS").exists()
    # Nothing that is there is written over.
    again = site.start(readme("scripts/batch/ray_batch.py"))
    assert again.wait(LONG) == 1
    assert "is not empty: name another directory" in site.log()


def test_ray_survives_the_death_of_an_actor(site, command):
    site.write_corpus(files=4, rows=60)
    script = "exec scripts/batch/ray_batch.py articles --output found --cpus 4 --actors 2 --keep year --min-score 0.5"
    process = site.start(f"{script} --rows-together 8 --rows-per-part 8")
    results = site.path / "found/results"

    def parts():
        return len(list(results.glob("*.parquet")))

    wait_until("there was a part", parts, process, site)
    wait_until("both actors were there", lambda: len(actors(process.pid)) == 2, process, site)
    before = actors(process.pid)
    os.kill(min(before), signal.SIGKILL)
    written = parts()
    wait_until("another took its place", lambda: actors(process.pid) - before, process, site)
    assert process.wait(LONG) == 0, site.log()
    assert written < parts(), "it was killed too late to tell anything"
    site.check("found", site.expected(command, "--keep", "year", "--min-score", "0.5"))


def test_the_example_for_spark(site, command):
    site.write_corpus(files=4, rows=12)
    example = readme("spark-submit")
    assert "local[2]" in example
    site.run(f"{example} --keep year --offset-unit utf16")
    site.check("found", site.expected(command, "--keep", "year", "--offset-unit", "utf16"))


def test_actors_leave_cores_for_reading(site):
    process = site.start("scripts/batch/ray_batch.py articles --output found --cpus 2 --actors 2")
    assert process.wait(LONG) == 1
    assert "2 actors with 1 threads each leave none of 2 cores" in site.log()
    assert not (site.path / "found").exists()
