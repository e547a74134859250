"""Fifty thousand lines through one connection to a running `onrecord serve`, with scripts/stream.py and with curl.

    ONRECORD_URL=http://127.0.0.1:8080 python3 -m unittest discover -s tests/clients -p test_stream.py
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "scripts/stream.py"
LINES = 50_000
SECONDS = 900
NAMES = ["Ann Holt", "Zoë Hale", "José Dorn", "Ilka Müller"]

# Broken lines, by their place, with the code of the error and whether the id can be told.
BROKEN = {
    0: ("{not json", "invalid_json", False),
    17: ('{"id": "n17"}', "invalid_json", True),
    4_999: ('{"id": "n4999", "text": " "}', "empty_document", True),
    25_000: ('["n25000", "A list."]', "invalid_json", False),
    LINES - 1: (f'{{"id": "n{LINES - 1}", "text": 7}}', "invalid_json", True),
}


def line(number):
    if number in BROKEN:
        return BROKEN[number][0]
    return json.dumps({"id": f"n{number}", "text": f"{NAMES[number % len(NAMES)]} said no."})


@unittest.skipUnless(os.environ.get("ONRECORD_URL"), "ONRECORD_URL is not set")
class ManyLines(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.url = os.environ["ONRECORD_URL"].rstrip("/")
        cls.key = os.environ.get("ONRECORD_API_KEY")
        cls.feed = tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".jsonl")
        cls.addClassCleanup(cls.feed.close)
        cls.feed.writelines(line(number) + "\n" for number in range(LINES))
        cls.feed.flush()

    def check(self, output):
        """Every line has its answer, in its place."""
        answers = [json.loads(answer) for answer in output.splitlines()]
        self.assertEqual(len(answers), LINES)
        for number, answer in enumerate(answers):
            name = f"n{number}"
            if number in BROKEN:
                _, code, has_id = BROKEN[number]
                self.assertEqual(answer["line"], number + 1)
                self.assertEqual(answer["id"], name if has_id else None)
                self.assertEqual(answer["error"]["code"], code)
                self.assertTrue(answer["error"]["message"])
            else:
                self.assertEqual(answer["id"], name)
                self.assertIn("statements", answer)

    def stream(self, *arguments, **options):
        command = [sys.executable, SCRIPT, "--url", self.url, *arguments]
        return subprocess.run(command, capture_output=True, timeout=SECONDS, **options)

    def test_the_script_gets_an_answer_to_every_line(self):
        run = self.stream(self.feed.name)
        self.assertEqual(run.returncode, 1, msg=run.stderr.decode())
        self.check(run.stdout)

    @unittest.skipUnless(shutil.which("curl"), "there is no curl")
    def test_curl_gets_an_answer_to_every_line(self):
        command = ["curl", "-sS", "--fail-with-body", "-T", "-", "-X", "POST"]
        command += ["-H", "Content-Type: application/x-ndjson"]
        if self.key:
            command += ["-H", f"Authorization: Bearer {self.key}"]
        # From a pipe, so that curl cannot know the length and sends in chunks.
        with subprocess.Popen(["cat", self.feed.name], stdout=subprocess.PIPE) as pipe:
            run = subprocess.run(
                [*command, f"{self.url}/v1/extract"], stdin=pipe.stdout, capture_output=True, timeout=SECONDS
            )
        self.assertEqual(run.returncode, 0, msg=run.stderr.decode())
        self.check(run.stdout)

    def test_results_come_while_the_input_is_open(self):
        command = [sys.executable, SCRIPT, "--url", self.url]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as run:
            for number in (1, 2, 3):
                run.stdin.write(f"{line(number)}\n".encode())
                run.stdin.flush()
                self.assertEqual(json.loads(run.stdout.readline())["id"], f"n{number}")
            run.stdin.close()
            self.assertEqual(run.stdout.read(), b"")
            self.assertEqual(run.wait(), 0)

    def test_the_last_line_needs_no_end(self):
        run = self.stream(input=f"{line(1)}\n\n{line(2)}".encode())
        self.assertEqual(run.returncode, 0, msg=run.stderr.decode())
        self.assertEqual([json.loads(answer)["id"] for answer in run.stdout.splitlines()], ["n1", "n2"])

    def test_failures_are_told(self):
        refused = subprocess.run(
            [sys.executable, SCRIPT, "--url", "http://127.0.0.1:9"], input=b"", capture_output=True
        )
        self.assertEqual(refused.returncode, 3)
        self.assertIn(b"cannot connect to 127.0.0.1, port 9", refused.stderr)
        nowhere = self.stream("--url", f"{self.url}/nowhere", input=line(1).encode())
        self.assertEqual(nowhere.returncode, 3)
        self.assertIn(b"the server answered 404", nowhere.stderr)
        self.assertEqual(self.stream("no-such-file.jsonl").returncode, 2)


if __name__ == "__main__":
    unittest.main()
