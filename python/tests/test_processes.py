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


def test_ctrl_c_ends_a_call():
    # Where the tests run in a shell's background, SIGINT is ignored, and children inherit that.
    program = """
import signal, onrecord
signal.signal(signal.SIGINT, signal.default_int_handler)
extractor = onrecord.Extractor(threads=1)
texts = ["He said no."] * 3_000_000
print("ready", flush=True)
try:
    extractor.extract(texts)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""
    child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "ready\n"
    time.sleep(1)
    child.send_signal(signal.SIGINT)
    # All of it would take a quarter of an hour at least.
    assert child.stdout.read() == "interrupted\n"
    assert child.wait(60) == 0


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
