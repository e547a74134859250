"""The command as pip installs it: what it says, returns and does is what the program itself does."""

import fcntl
import json
import os
import pty
import resource
import shutil
import signal
import struct
import subprocess
import sys
import sysconfig
import termios
import time
import urllib.error
import urllib.request

import pyarrow.parquet
import pytest
from conftest import ARTICLES, BINARY

SCRIPT = shutil.which("onrecord", path=sysconfig.get_path("scripts"))
MODULE = [sys.executable, "-m", "onrecord"]
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("ONRECORD_")}
# Each document is little work, and all their results are more than a pipe holds.
MANY = "".join(json.dumps({"id": str(number), "text": "He said no."}) + "\n" for number in range(2000))

RUNNING = []


@pytest.fixture
def site(tmp_path):
    """A directory with articles, to run commands in."""
    (tmp_path / "news").mkdir()
    for name, text in ARTICLES.items():
        (tmp_path / "news" / f"{name}.txt").write_bytes(text.encode())
    (tmp_path / "many.jsonl").write_text(MANY, encoding="utf-8")
    yield tmp_path
    # What a test that failed left behind.
    while RUNNING:
        RUNNING.pop().kill()


def listen():
    # Where the tests run in a shell's background, SIGINT is ignored, and children inherit that.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def start(program, *arguments, site, **how):
    how = {"preexec_fn": listen, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL, **how}
    RUNNING.append(subprocess.Popen([*program, *arguments], cwd=site, env=ENVIRONMENT, **how))
    return RUNNING[-1]


def ending(program, *arguments, site, **how):
    """Exit code, standard output and standard error."""
    child = start(program, *arguments, site=site, **how)
    output, messages = child.communicate(timeout=120)
    return child.returncode, output, messages


@pytest.mark.parametrize("program", [[SCRIPT], MODULE], ids=["script", "module"])
@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        (0, ["--version"]),
        (0, ["help", "batch"]),
        (0, ["serve", "--help"]),
        (0, ["model", "info"]),
        (0, ["extract", "news/harbour.txt"]),
        (0, ["export", "--to", "conll", "news/harbour.txt"]),
        (1, ["extract", "missing.txt", "news/harbour.txt"]),
        (2, []),
        (2, ["extract", "--threads", "none"]),
        (2, ["serve", "--port", "none"]),
        (2, ["extract", "--model-revision", "main", "news/harbour.txt"]),
        (3, ["extract", "--model", "news", "news/harbour.txt"]),
        (3, ["merge", "nowhere"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_it_says_and_returns_the_same(site, program, code, arguments):
    of_the_program = ending([BINARY], *arguments, site=site)
    assert ending(program, *arguments, site=site) == of_the_program
    assert of_the_program[0] == code, of_the_program


def test_names_of_files_need_not_be_unicode(site):
    name = os.fsencode(site) + b"/caf\xe9.txt"
    with open(name, "wb") as file:
        file.write(b"He said no.")
    found = ending([SCRIPT], "extract", name, site=site)
    assert found == ending([BINARY], "extract", name, site=site)
    assert found[0] == 0 and json.loads(found[1])["statements"]


def on_a_terminal(program, *arguments, site):
    """What it writes on a terminal of 80 columns."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 80, 0, 0))
    child = start(program, *arguments, site=site, stdin=its, stdout=its, stderr=its)
    os.close(its)
    written = b""
    try:
        while piece := os.read(ours, 65536):
            written += piece
    except OSError:
        pass  # Nobody has the other end any more.
    os.close(ours)
    assert child.wait() == 0
    return written.decode()


def test_a_terminal_gets_colours_and_a_table_that_fits(site):
    written = on_a_terminal([SCRIPT], "extract", "news/harbour.txt", site=site)
    assert written == on_a_terminal([BINARY], "extract", "news/harbour.txt", site=site)
    assert "\x1b[" in written
    rule = next(line for line in written.splitlines() if "┼" in line)
    assert 60 < len(rule) <= 80


def test_an_output_that_is_closed_ends_it_quietly(site):
    child = start([SCRIPT], "extract", "many.jsonl", site=site)
    assert child.stdout.readline()
    child.stdout.close()
    assert (child.stderr.read(), child.wait()) == (b"", 0)


def rows_of(directory):
    return sum(pyarrow.parquet.read_table(part).num_rows for part in directory.glob("*.parquet"))


def test_without_standard_streams_nothing_is_written_elsewhere(site):
    # The file that is opened first would get the number of standard error, and progress be written into it.
    closed = ["sh", "-c", '"$@" >&- 2>&-', "sh", SCRIPT]
    arguments = ["batch", "news", "--output", "found", "--progress", "json"]
    assert ending(closed, *arguments, site=site) == (0, b"", b"")
    assert rows_of(site / "found") == len(ARTICLES)
    assert [(site / "found" / name).read_bytes() for name in [".lock", "errors.jsonl"]] == [b"", b""]


def test_ctrl_c_ends_it_at_once(site):
    child = start([SCRIPT], "extract", "many.jsonl", site=site)
    # Now it works, or waits for whoever reads.
    assert child.stdout.readline()
    child.send_signal(signal.SIGINT)
    child.stdout.read()
    assert (child.stderr.read(), child.wait()) == (b"", -signal.SIGINT)


def test_who_does_not_want_ctrl_c_does_not_get_it(site):
    def ignore():
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    child = start([SCRIPT], "extract", "many.jsonl", site=site, preexec_fn=ignore)
    first = child.stdout.readline()
    child.send_signal(signal.SIGINT)
    assert len((first + child.stdout.read()).splitlines()) == 2000
    assert (child.stderr.read(), child.wait()) == (b"", 0)


def test_a_file_may_not_grow_beyond_its_limit(site):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    codes = []
    for program in [[SCRIPT], [BINARY]]:
        with open(site / "found.jsonl", "wb") as output:
            codes.append(ending(program, "extract", "many.jsonl", site=site, stdout=output, preexec_fn=limit)[0])
    assert codes == [-signal.SIGXFSZ] * 2


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_end_an_archive_between_parts(site, number, code):
    for copy in range(20):
        (site / f"many-{copy}.jsonl").write_text(MANY, encoding="utf-8")
    arguments = ["batch", *sorted(site.glob("many-*.jsonl")), "--output", "found", "--rows-per-part", "500"]
    child = start([SCRIPT], *arguments, site=site)
    while child.poll() is None and not list(site.glob("found/*.parquet")):
        time.sleep(0.01)
    child.send_signal(number)
    output, messages = child.communicate(timeout=60)
    assert (child.returncode, output) == (code, b""), messages
    assert b"Traceback" not in messages
    manifest = json.loads((site / "found/manifest.json").read_text(encoding="utf-8"))
    parts = [part["file"] for part in manifest["parts"]]
    assert parts and sorted(parts) == sorted(path.name for path in site.glob("found/*.parquet"))
    assert rows_of(site / "found") == 500 * len(parts) < 40_000


def is_ready(address):
    try:
        return urllib.request.urlopen(f"{address}/health/ready", timeout=60).status == 200
    except urllib.error.HTTPError:
        return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_server_answers_until_a_signal_ends_it(site, number):
    child = start([SCRIPT], "serve", "--port", "0", site=site)
    said = child.stderr.readline().decode()
    while "listening on " not in said:
        assert said, "the server ended"
        said = child.stderr.readline().decode()
    address = said.split("listening on ")[1].split()[0].strip('"')
    while not is_ready(address):
        time.sleep(0.01)
    text = json.dumps({"text": "“The pier is beyond repair,” said Claire Moreau."}).encode()
    request = urllib.request.Request(f"{address}/v1/extract", text, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert json.load(answer)["results"][0]["statements"][0]["speaker"]["name"] == "Claire Moreau"
    child.send_signal(number)
    messages = child.communicate(timeout=60)[1]
    assert child.returncode == 0 and b"Traceback" not in messages, messages
