"""What scripts/bench/server drives: the service as a process of its own, oha, and clients that send documents."""

import http.client
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import threading
import time
from collections import Counter, deque
from dataclasses import dataclass

EXTRACT = "/v1/extract"
HEADERS = {"Content-Type": "application/json"}
# Seconds after which a start, a stop or an answer is given up.
PATIENCE = 60


def body_of(text):
    return json.dumps({"text": text}).encode()


def percentile(values, percent):
    """The smallest value that at least this share of them does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)] if ordered else float("nan")


class Service:
    """`onrecord serve` on a free port of 127.0.0.1. What it writes goes to a file: a line for each request, perhaps."""

    def __init__(self, binary, flags, log):
        self.log = log
        command = [binary, "serve", "--host", "127.0.0.1", "--port", "0", *flags]
        with open(log, "wb") as file:
            began = time.monotonic()
            try:
                self.process = subprocess.Popen(command, stderr=file)
            except OSError as error:
                raise SystemExit(f"{binary} does not start: {error}") from None
        self.port = None
        while not self._ready():
            if self.process.poll() is not None or time.monotonic() - began > PATIENCE:
                words = self._words()
                self.process.kill()
                missing = "/health/ready is not 200" if self.port else "no line `listening on http://HOST:PORT` came"
                raise SystemExit(f"The service did not start: {missing}. {words}")
            time.sleep(0.002)
        self.seconds_to_ready = time.monotonic() - began

    def _ready(self):
        if not self.port:
            found = re.search(r"listening on http://\S+?:(\d+)", self.log.read_text(encoding="utf-8"))
            self.port = found and int(found[1])
        return bool(self.port) and self.status_of("/health/ready") == 200

    def _words(self):
        code = self.process.poll()
        state = f"It ended with exit code {code}" if code is not None else "It ran on"
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return f"{state}; its last words:\n" + "\n".join(lines[-20:])

    def connection(self, timeout=PATIENCE):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def status_of(self, path):
        """The status of a GET, or None while nobody answers."""
        connection = self.connection()
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except OSError:
            return None
        finally:
            connection.close()

    def get(self, path):
        connection = self.connection()
        connection.request("GET", path)
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        if response.status != 200:
            raise SystemExit(f"{path} answers {response.status}: {text[:300]}")
        return text

    def gauge(self, name):
        """A number from /metrics."""
        text = self.get("/metrics")
        found = re.search(rf"^{name}(?:{{[^}}]*}})? (\S+)$", text, re.MULTILINE)
        if not found:
            raise SystemExit(f"/metrics has no {name}; this benchmark needs it to know when the service has no work")
        return float(found[1])

    def wait_until_idle(self):
        """Until nothing waits and nothing runs, so that one measurement does not burden the next."""
        began = time.monotonic()
        while True:
            before = self.processor_seconds()
            time.sleep(0.25)
            working = self.processor_seconds() - before > 0.05
            if not working and not self.gauge("onrecord_waiting_tokens"):
                return
            if time.monotonic() - began > PATIENCE:
                waiting = self.gauge("onrecord_waiting_tokens")
                raise SystemExit(f"All clients have gone, yet after {PATIENCE} s {waiting:.0f} tokens still wait "
                                 f"(working: {working}). {self._words()}")

    def memory(self, field):
        """VmRSS (now) or VmHWM (at the most so far), in MiB."""
        with open(f"/proc/{self.process.pid}/status", encoding="utf-8") as status:
            return next(int(line.split()[1]) for line in status if line.startswith(field)) / 1024

    def processor_seconds(self):
        try:
            with open(f"/proc/{self.process.pid}/stat", encoding="utf-8") as stat:
                after_name = stat.read().rpartition(")")[2].split()
        except FileNotFoundError:
            after_name = ["Z"]
        if after_name[0] == "Z":
            raise SystemExit(f"The service has died. {self._words()}")
        return sum(map(int, after_name[11:13])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        """Ends it by SIGTERM, which must give exit code 0."""
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise SystemExit(f"SIGTERM did not end the service within {PATIENCE} s. {self._words()}") from None
        if code:
            raise SystemExit(f"SIGTERM must end the service with exit code 0. {self._words()}")


@dataclass
class Exchange:
    """A request and its answer; times in seconds from the start of the run."""

    planned: float
    sent: float
    ended: float
    status: int

    @property
    def latency(self):
        """From when it was due, whether or not the generator was late."""
        return self.ended - self.planned

    @property
    def delay(self):
        """How late the generator was: no connection was free, or its process was not given a core."""
        return self.sent - self.planned


class Oha:
    """A run of oha against one address."""

    def __init__(self, program, folder, url, seconds, connections, rate=None, body=None, finish=True):
        """With a rate the loop is open: requests are due at fixed times, whatever comes back.

        `finish` lets requests that are under way at the end be answered; else their connections are closed.
        """
        # One of each for every run, since two may run at once.
        name = f"{folder}/oha-{time.monotonic_ns()}"
        self.database, self.body = f"{name}.sqlite", f"{name}.json"
        command = [program, url, "-z", f"{seconds}s", "-c", str(connections), "--no-tui", "--output-format", "json",
                   "--db-url", self.database, "--disable-compression", "-r", "0"]
        if rate:
            command += ["-q", f"{rate:.3f}", "--latency-correction"]
        if finish:
            command += ["-w"]
        if body:
            with open(self.body, "wb") as file:
                file.write(body)
            command += ["-m", "POST", "-T", HEADERS["Content-Type"], "-D", self.body]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def results(self):
        """The exchanges in their order; how often which error came instead of an answer."""
        out, error = self.process.communicate()
        if self.process.returncode:
            raise SystemExit(f"oha failed: {error}")
        failures = {name: count for name, count in json.loads(out)["errorDistribution"].items()
                    if name != "aborted due to deadline"}
        connection = sqlite3.connect(self.database)
        rows = connection.execute("SELECT coalesce(start_latency_correction, start), start, end, status FROM oha")
        exchanges = sorted((Exchange(*row) for row in rows), key=lambda exchange: exchange.planned)
        connection.close()
        for file in (self.database, self.body):
            if os.path.exists(file):
                os.remove(file)
        return exchanges, failures


def answered(exchanges, failures, what):
    """The exchanges, all of which must have status 200."""
    statuses = Counter(exchange.status for exchange in exchanges)
    if failures or set(statuses) != {200}:
        raise SystemExit(f"{what}: every answer should be 200, but statuses were {dict(statuses)}, failures {failures}")
    return exchanges


def send_all(service, bodies, connections):
    """Sends each body once over so many connections, each of which waits for its answer; seconds, and all answers.

    The answers are not parsed while the clock runs: this process has to share the cores with the service.
    """
    waiting = deque(enumerate(bodies))
    answers = [None] * len(bodies)
    faults = []

    def work():
        connection = service.connection()
        try:
            while not faults:
                try:
                    index, body = waiting.popleft()
                except IndexError:
                    break
                connection.request("POST", EXTRACT, body, HEADERS)
                response = connection.getresponse()
                answers[index] = response.read()
                if response.status != 200:
                    faults.append(f"{EXTRACT} answers {response.status}: {answers[index][:300].decode()}")
        except (OSError, http.client.HTTPException) as error:
            faults.append(f"{EXTRACT}: {error!r}")
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(connections)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.monotonic() - began
    if faults:
        raise SystemExit(faults[0])
    return seconds, [json.loads(answer) for answer in answers]


class LargeDocuments:
    """Clients that send one large document after the other until they are told to stop. To be used in a `with`."""

    def __init__(self, service, body, clients):
        self.service, self.body = service, body
        self.statuses = Counter()
        self.refusal = None
        self.ending = False
        self.connections = {}
        self.threads = [threading.Thread(target=self._work, args=(number,)) for number in range(clients)]

    def _work(self, number):
        while not self.ending:
            # A document may take minutes: there is no limit but the service's own.
            connection = self.connections[number] = self.service.connection(timeout=None)
            try:
                connection.request("POST", EXTRACT, self.body, HEADERS)
                response = connection.getresponse()
                said = response.read()
            except (OSError, http.client.HTTPException) as error:
                if not self.ending:
                    self.statuses[type(error).__name__] += 1
                    time.sleep(0.5)
                continue
            finally:
                connection.close()
            self.statuses[response.status] += 1
            if response.status in (400, 401, 404, 413, 415, 422):
                self.refusal = f"{response.status}: {said[:300].decode()}"
                return
            if response.status != 200:
                time.sleep(0.5)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ending = True
        # A client that waits for an answer does not look at `ending`: its connection is closed under it.
        while any(thread.is_alive() for thread in self.threads):
            for connection in list(self.connections.values()):
                try:
                    if connection.sock:
                        connection.sock.shutdown(socket.SHUT_RDWR)
                except (OSError, AttributeError):
                    pass  # It has just ended by itself.
            time.sleep(0.05)

    def check(self):
        """Ends the benchmark if the service does not take such a document at all."""
        if self.refusal:
            raise SystemExit(f"The service refuses a document of {len(self.body)} bytes with {self.refusal}\n"
                             "Put flags with larger limits after `--`.")
