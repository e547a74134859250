#!/usr/bin/env python3
"""Sends JSON Lines to a running `onrecord serve` through one connection and prints the results as they come.

One line is one document, {"id": ..., "text": ...}; the id may be missing. The results come in the order of the lines,
one JSON object each, and a broken line costs its own error. Lines go out while results come in, so the input may be of
any length, or come from a program that never ends.
"""

import argparse
import http.client
import io
import json
import os
import select
import socket
import ssl
import sys
import threading
import urllib.parse

SIZE = 1 << 16
CONNECT_SECONDS = 10
SOME_ERRORS, WRONG_USAGE, FAILED, INTERRUPTED = 1, 2, 3, 130

EPILOG = """\
exit codes:
  0  all good
  1  some lines were errors, and the others were answered
  2  wrong usage, or the input cannot be read
  3  the server could not be reached, refused the request, or went away; or the results could not be written

examples:
  scripts/stream.py feed.jsonl > results.jsonl
  tail -f feed.jsonl | scripts/stream.py --url https://onrecord.example.org
"""


class Failure(Exception):
    """The server or the connection failed; the message says how."""


class OutputClosed(Exception):
    """Whoever reads the results has seen enough."""


class Link(io.RawIOBase):
    """A connection that one thread may write while another reads it, encrypted or not.

    Two threads must not use an encrypted socket of Python's at once, and a reader that holds a lock until the server
    answers would stop the writer. So the socket never blocks, and both threads wait outside the lock.
    """

    def __init__(self, connected):
        super().__init__()
        self.socket = connected
        self.lock = threading.Lock()
        connected.setblocking(False)

    def retry(self, operation, reading):
        """Repeats an operation until the socket is ready for it."""
        while True:
            try:
                with self.lock:
                    return operation()
            except ssl.SSLWantReadError:
                wait_to_read = True
            except ssl.SSLWantWriteError:
                wait_to_read = False
            except BlockingIOError:
                wait_to_read = reading
            select.select([self.socket] * wait_to_read, [self.socket] * (not wait_to_read), [])

    def send(self, data):
        rest = memoryview(data)
        while rest:
            rest = rest[self.retry(lambda: self.socket.send(rest), reading=False) :]

    def readable(self):
        return True

    def readinto(self, buffer):
        return self.retry(lambda: self.socket.recv_into(buffer), reading=True)

    def makefile(self, _mode):
        """The form in which http.client wants to read."""
        return io.BufferedReader(self, SIZE)


class LineCounter:
    """Counts lines that are not blank in bytes that come in pieces."""

    def __init__(self):
        self.ended = 0
        self.begun = False

    def add(self, data):
        *lines, rest = data.split(b"\n")
        for line in lines:
            self.ended += self.begun or bool(line.strip())
            self.begun = False
        self.begun = self.begun or bool(rest.strip())

    def total(self):
        return self.ended + self.begun


class Writer(threading.Thread):
    """Sends what the input gives, as soon as it gives it, and then the end of the request."""

    def __init__(self, link, source):
        # It may wait for input that never comes; the program has to be able to end all the same.
        super().__init__(daemon=True)
        self.link = link
        self.source = source
        self.lines = LineCounter()
        self.finished = False
        self.failure = None

    def run(self):
        try:
            while data := self.source.read(SIZE):
                self.lines.add(data)
                self.link.send(b"%x\r\n%b\r\n" % (len(data), data))
            self.link.send(b"0\r\n\r\n")
            self.finished = True
        except OSError as error:
            # The server may have said why before it closed the connection: that is for the reader to find.
            self.failure = error


def connect(url):
    """A link to the server of a base URL."""
    port = url.port or (443 if url.scheme == "https" else 80)
    try:
        connected = socket.create_connection((url.hostname, port), timeout=CONNECT_SECONDS)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if url.scheme == "https":
            connected = ssl.create_default_context().wrap_socket(connected, server_hostname=url.hostname)
    except OSError as error:
        raise Failure(f"cannot connect to {url.hostname}, port {port}: {error}") from error
    return Link(connected)


def request_head(url, api_key):
    """The request line and headers."""
    lines = [
        f"POST {url.path.rstrip('/')}/v1/extract HTTP/1.1",
        f"Host: {url.netloc.rpartition('@')[2]}",
        "Content-Type: application/x-ndjson",
        "Accept: application/x-ndjson",
        "Transfer-Encoding: chunked",
        "Connection: close",
    ]
    if api_key:
        lines.append(f"Authorization: Bearer {api_key}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def refusal(response):
    """What the server says in place of results."""
    body = response.read(SIZE).decode(errors="replace").strip()
    try:
        error = json.loads(body)["error"]
        body = error["message"] if isinstance(error, dict) else error
    except (ValueError, KeyError, TypeError):
        pass
    return f"the server answered {response.status} {response.reason}" + (f": {body}" if body else "")


def is_error(line):
    # A look at the bytes is enough for most lines, and spares the parsing.
    return b'"error"' in line and "error" in json.loads(line)


def write(output, data):
    try:
        output.write(data)
        output.flush()
    except BrokenPipeError as error:
        raise OutputClosed from error
    except OSError as error:
        raise Failure(f"cannot write the results: {error.strerror}") from error


def copy_results(response, output):
    """Prints the results as they come. Returns how many lines there were, and how many of them were errors."""
    lines, errors, rest = 0, 0, b""
    while data := response.read1(SIZE):
        write(output, data)
        *ended, rest = (rest + data).split(b"\n")
        lines += len(ended)
        errors += sum(map(is_error, ended))
    if rest.strip():
        raise Failure("the last line of the answer is not complete")
    return lines, errors


def stream(link, head, source, output):
    """Sends the input, prints the results. Returns the exit code."""
    writer = Writer(link, source)
    response = http.client.HTTPResponse(link, method="POST")
    try:
        link.send(head)
        writer.start()
        response.begin()
        if response.status != http.client.OK:
            raise Failure(refusal(response))
        lines, errors = copy_results(response, output)
    except http.client.IncompleteRead as error:
        raise Failure("the server broke off its answer") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Failure(f"the connection failed: {type(error).__name__}: {error}") from error
    writer.join(timeout=CONNECT_SECONDS)
    if writer.failure:
        raise Failure(f"not everything could be sent: {writer.failure}")
    if not writer.finished:
        raise Failure("the server ended its answer before the input ended")
    if lines < writer.lines.total():
        raise Failure(f"the server answered {lines} of {writer.lines.total()} lines")
    return SOME_ERRORS if errors else 0


def base_url(text):
    url = urllib.parse.urlsplit(text)
    if url.scheme not in ("http", "https") or not url.hostname or url.query or url.fragment:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form http://HOST:PORT")
    return url


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", nargs="?", default="-", help="JSON Lines to send; - or nothing: standard input")
    parser.add_argument(
        "--url",
        type=base_url,
        default=os.environ.get("ONRECORD_URL", "http://127.0.0.1:8080"),
        help="base URL of the server [env ONRECORD_URL; default http://127.0.0.1:8080]",
    )
    parser.add_argument(
        "--api-key",
        default=os.environ.get("ONRECORD_API_KEY"),
        help="key to send, if the server asks for one [env ONRECORD_API_KEY: other users of the machine cannot see it]",
    )
    return parser.parse_args()


def open_input(path):
    """The input without a buffer: what is there is read at once, and a thread may be left waiting for more."""
    if path == "-":
        return io.FileIO(sys.stdin.fileno(), closefd=False)
    return io.FileIO(path)


def main():
    options = arguments()
    try:
        source = open_input(options.file)
    except OSError as error:
        print(f"stream.py: cannot read {options.file}: {error.strerror}", file=sys.stderr)
        return WRONG_USAGE
    try:
        link = connect(options.url)
        return stream(link, request_head(options.url, options.api_key), source, sys.stdout.buffer)
    except Failure as failure:
        print(f"stream.py: {failure}", file=sys.stderr)
        return FAILED
    except OutputClosed:
        # Python would complain of what is left in the buffer when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
