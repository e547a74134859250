"""Threads, signals and forks."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from conftest import ARTICLES

LONG = "\n".join(ARTICLES.values())


def test_other_threads_go_on(extractor):
    stamps, done = [], threading.Event()

    def work():
        extractor.extract([LONG] * 2)
        done.set()

    worker = threading.Thread(target=work)
    worker.start()
    while not done.is_set():
        stamps.append(time.monotonic())
        time.sleep(0.001)
    worker.join()
    # With the lock held all the while there would be a stamp or two.
    assert len(stamps) > 20


def test_several_threads_share_one(extractor):
    expected = extractor.extract(list(ARTICLES.values()))
    found = {}

    def work(number):
        found[number] = extractor.extract(list(ARTICLES.values()))

    workers = [threading.Thread(target=work, args=[number]) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert all(found[number] == expected for number in range(4))


# Makes what a call needs; the call itself.
CALLS = {
    "one long text": ("text = ARTICLE * (3_900_000 // len(ARTICLE))", "extractor.extract(text)"),
    "many articles": ("texts = [ARTICLE] * 5_000", "extractor.extract(texts)"),
    "many short texts": ("texts = ['He said no.'] * 3_000_000", "extractor.extract(texts)"),
    "rows": (
        "import pyarrow; rows = pyarrow.table({'text': [ARTICLE * (3_900_000 // len(ARTICLE))] * 3})",
        "extractor.extract_batch(rows)",
    ),
    # Whoever opens a pipe waits for another who writes into it.
    "a model": (
        "import os, tempfile; model = tempfile.mkdtemp(); os.mkfifo(model + '/config.json')",
        "onrecord.Extractor(model)",
    ),
}


def interrupted(prepare, call, after):
    """Interrupts a call after so many seconds. Returns in how many it ended, and how many tokens were read and seconds of
    processor time spent in the second that followed."""
    # Where the tests run in a shell's background, SIGINT is ignored, and children inherit that.
    program = f"""
import signal, sys, time, onrecord
signal.signal(signal.SIGINT, signal.default_int_handler)
ARTICLE = sys.stdin.read()
extractor = onrecord.Extractor(threads=1)
{prepare}
print("ready", flush=True)
try:
    {call}
except KeyboardInterrupt:
    print(time.monotonic())
    tokens, seconds = extractor.tokens_run, time.process_time()
    time.sleep(1)
    print(extractor.tokens_run - tokens, time.process_time() - seconds)
"""
    child = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    child.stdin.write(LONG)
    child.stdin.close()
    assert child.stdout.readline() == "ready\n"
    time.sleep(after)
    sent = time.monotonic()
    child.send_signal(signal.SIGINT)
    # The clock is the same in all processes.
    ended, tokens, seconds = map(float, child.stdout.read().split())
    assert child.wait(60) == 0
    return ended - sent, tokens, seconds


@pytest.mark.parametrize("call", CALLS)
def test_ctrl_c_ends_a_call_within_half_a_second(call):
    # A machine that is busy with other things may need more time once or twice.
    tries = []
    while not tries or tries[-1][0] >= 0.5 and len(tries) < 3:
        tries.append(interrupted(*CALLS[call], after=1 + 0.1 * len(tries)))
    assert tries[-1][0] < 0.5, tries
    # Nobody works on for a call that is given up.
    assert tries[-1][1] == 0 and tries[-1][2] < 0.2, tries


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is nothing to fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_process_is_told_so():
    program = """
import os, onrecord
extractor = onrecord.Extractor(threads=1)
if os.fork() == 0:
    try:
        extractor.extract("He said no.")
    except RuntimeError as error:
        print(error, flush=True)
    os._exit(0)
os.wait()
extractor.extract("He said no.")
"""
    run = subprocess.run([sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, timeout=120, check=True)
    assert "made before the process was forked" in run.stdout
