"""Holds a running `onrecord serve` to its own OpenAPI document, with requests that schemathesis makes up.

    ONRECORD_URL=http://127.0.0.1:8080 python -m unittest discover -s tests/clients -p test_openapi.py

The requests of its "fuzzing" come from a seed. `schemathesis.toml` says which answers cannot be told from the schema.
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest
import urllib.request
from pathlib import Path

CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
MODEL = "onrecord-small"
EXAMPLES = 100
SECONDS = 300


@unittest.skipUnless(os.environ.get("ONRECORD_URL"), "ONRECORD_URL is not set")
class OpenApi(unittest.TestCase):
    def test_the_server_does_what_its_document_says(self):
        url = os.environ["ONRECORD_URL"].rstrip("/")
        key = os.environ.get("ONRECORD_API_KEY")
        authorization = {"Authorization": f"Bearer {key}"} if key else {}
        command = [
            Path(sys.executable).with_name("schemathesis"),
            "--config-file", CONFIGURATION,
            "--no-color",
            "run", f"{url}/openapi.json",
            "--url", url,
            "--phases", "examples,coverage,fuzzing",
            "--max-examples", str(EXAMPLES),
            "--seed", "7",
            "--generation-database", "none",
        ]  # fmt: skip
        for name, value in authorization.items():
            command += ["--header", f"{name}: {value}"]
        request = urllib.request.Request(f"{url}/v2/models/{MODEL}", headers=authorization)
        with urllib.request.urlopen(request, timeout=30) as response:
            version = json.load(response)["versions"][0]
        # It leaves a cache in the working directory.
        with tempfile.TemporaryDirectory() as directory:
            run = subprocess.run(
                command,
                env={**os.environ, "ONRECORD_MODEL_VERSION": version},
                cwd=directory,
                capture_output=True,
                text=True,
                timeout=SECONDS,
            )
        self.assertEqual(run.returncode, 0, msg=f"{run.stdout}\n{run.stderr}")
        # A run that tested nothing would pass as well.
        self.assertIn("Test cases:", run.stdout)


if __name__ == "__main__":
    unittest.main()
