"""What all documents share: a server, a feed, and stand-ins for commands that would never end or take too long."""

import functools
import http.server
import os
import re
import subprocess
import threading
import time
from html import escape
from pathlib import Path

import pytest
from workshop import ARTICLES, NOT_RUN, RUN

# `onrecord serve` would not end: it has to become ready and to end in peace.
ONRECORD = """#!/usr/bin/env bash
set -euo pipefail
if [[ ${1:-} != serve ]]; then exec "$ONRECORD_BINARY" "$@"; fi
arguments=("$@")
for index in "${!arguments[@]}"; do
    if [[ ${arguments[index]} == --port ]]; then arguments[index + 1]=0; fi
done
log=$(mktemp)
ONRECORD_PORT=0 "$ONRECORD_BINARY" "${arguments[@]}" 2>"$log" &
server=$!
for _ in $(seq 600); do
    if grep --quiet ' ready' "$log"; then break; fi
    if ! kill -0 "$server" 2>/dev/null; then cat "$log" >&2; exit 1; fi
    sleep 0.05
done
kill -TERM "$server"
wait "$server"
"""

# The program is built already.
CARGO = """#!/usr/bin/env bash
set -euo pipefail
if [[ "${*:1:4}" != "run --release -- ${4:-}" ]]; then echo "cargo $*: not run here" >&2; exit 1; fi
exec onrecord "${@:4}"
"""


@pytest.fixture(scope="session")
def tools(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tools")
    for name, script in (("onrecord", ONRECORD), ("cargo", CARGO)):
        (folder / name).write_text(script, encoding="utf-8")
        (folder / name).chmod(0o755)
    (folder / ".curlrc").write_text("silent\nshow-error\nfail-with-body\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """Where a server listens."""
    log = tmp_path_factory.mktemp("server") / "log"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ONRECORD_")}
    command = [os.environ["ONRECORD_BINARY"], "serve", "--port", "0"]
    with open(log, "w", encoding="utf-8") as written:
        process = subprocess.Popen(command, env=environment, stderr=written)
    until = time.monotonic() + 60
    while " ready" not in (said := log.read_text(encoding="utf-8")):
        assert process.poll() is None and time.monotonic() < until, said
        time.sleep(0.05)
    yield re.search(r"listening on http://(\S+)", said)[1]
    process.terminate()
    assert process.wait(60) == 0, log.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def feeds(tmp_path_factory):
    """Where a feed of the articles is served."""
    folder = tmp_path_factory.mktemp("feeds")
    articles = sorted(ARTICLES.glob("*.txt"))
    items = "".join(
        f"<item><title>{path.stem}</title><link>https://news.example/{path.stem}</link>"
        f"<pubDate>Mon, 0{day} Nov 2026 06:00:00 GMT</pubDate>"
        f"<description>{escape(paragraphs(path))}</description></item>"
        for day, path in enumerate(articles, start=1)
    )
    feed = f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>News</title>{items}</channel></rss>'
    (folder / "feed.xml").write_text(feed, encoding="utf-8")
    handler = functools.partial(Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as listener:
        threading.Thread(target=listener.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{listener.server_port}"
        listener.shutdown()


def paragraphs(path: Path) -> str:
    """An article as a feed has it: in HTML."""
    lines = path.read_text(encoding="utf-8").split("\n")
    return "".join(f"<p>{escape(line)}</p>" for line in lines if line.strip())


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A server of files that does not tell every request."""

    def log_message(self, *_):
        pass


def pytest_terminal_summary(terminalreporter):
    if not RUN and not NOT_RUN:
        return
    kinds = ", ".join(f"{number} of {language}" for language, number in sorted(RUN.items()))
    terminalreporter.write_line(f"blocks that ran: {sum(RUN.values())} ({kinds}); not run: {len(NOT_RUN)}")
    for place, reason in NOT_RUN:
        terminalreporter.write_line(f"  not run: {place}: {reason}")
