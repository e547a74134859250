"""Makes the toy model of recipes/tiny.toml, and what can happen on the way. Needs the packages of requirements.txt.

    python -m unittest tests.long_recipe        # in scripts/train

RECIPE_CORPORA and RECIPE_TOOLS say where data and scorers are, if not in ../shared; RECIPE_PROGRAM names a folder of a program
that is built. scripts/test-long runs it as its stage "recipe".
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

from chain.vocabulary import ROOT, TRAINING

RECIPE = (TRAINING / "recipes/tiny.toml").read_text()
PROGRAM = os.environ.get("RECIPE_PROGRAM")


def flags():
    given = {name: os.environ.get(f"RECIPE_{name.upper()}") for name in ("corpora", "tools", "program")}
    return [word for name, value in given.items() if value for word in (f"--{name}", value)]


def session_members(session):
    """Processes that a command started, whatever became of it."""
    members = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            members.append(int(path.parent.name))
    return members


class Recipe(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.output, cls.recipe = cls.directory / "made", cls.directory / "tiny.toml"
        cls.recipe.write_text(RECIPE)
        cls.first = cls.make()

    @classmethod
    def command(cls, *words, output=None):
        return [sys.executable, TRAINING / "make", cls.recipe, *words, "--output", output or cls.output, *flags()]

    @classmethod
    def make(cls, *words, output=None):
        done = subprocess.run(cls.command(*words, output=output), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            raise AssertionError(done.stdout)
        return done.stdout

    def start(self, *words, output):
        command = self.command(*words, output=output)
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)

    def wait_for(self, what, seconds=600):
        until = time.time() + seconds
        while not what():
            self.assertLess(time.time(), until, "waited in vain")
            time.sleep(0.05)

    def times(self):
        return {str(path.relative_to(self.output)): path.stat().st_mtime_ns for path in self.output.glob("tiny/*/*/*.*")
                if path.name != "log.txt"}

    def test_our_engine_reads_the_model(self):
        program = Path(PROGRAM or self.output / "tiny/program/onrecord") / "onrecord"
        model = self.output / "tiny/calibrate/tiny"
        article = ROOT / "tests/fixtures/articles/harbour.txt"
        done = subprocess.run([program, "extract", "--model", model, "--output-format", "jsonl", article], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        (result,) = map(json.loads, done.stdout.splitlines())
        text = article.read_text(encoding="utf-8")
        self.assertRegex(result["model"], "^onrecord-tiny@")
        self.assertTrue(result["entities"])
        for entity in result["entities"]:
            self.assertEqual(entity["text"], text[entity["start"]:entity["end"]])
        config = json.loads((model / "config.json").read_text())
        self.assertLessEqual({"scores", "speaker_scores", "coreference"}, set(config))
        self.assertIn("caseless", config["shapes"])
        self.assertIn("PolNeAR dev", (self.output / "tiny/score/tiny/scores.txt").read_text())
        self.assertEqual(len(json.loads((self.output / "tiny/parity/tiny/parity.json").read_text())["windows"]), 5)

    def test_a_second_time_nothing_runs(self):
        before = self.times()
        self.assertIn("no work to do", self.make())
        self.assertEqual(self.times(), before)
        self.assertNotIn("would run", self.make("--dry-run"))

    def test_another_option_runs_what_depends_on_it_and_nothing_else(self):
        before = self.times()
        self.recipe.write_text(RECIPE.replace("[train.first]\n", "[train.first]\nseed = 5\n"))
        planned = self.make("--dry-run")
        self.assertRegex(planned, r"tiny:train\.first +would run: other options")
        self.assertRegex(planned, r"tiny:export\.first +would run: after tiny:train\.first")
        self.assertEqual([line.split()[0] for line in planned.splitlines() if line.endswith("is made")],
                         ["tiny:encoder.two-layers", *([] if PROGRAM else ["tiny:program.onrecord"]), "tiny:data.small"])
        self.recipe.write_text(RECIPE.replace('model = "caseless.average"\nprecision = "int8"', 'model = "caseless.average"'))
        self.make()
        changed = {Path(path).parent.as_posix() for path, when in self.times().items() if before.get(path) != when}
        self.assertEqual(changed, {"tiny/calibrate/tiny", "tiny/score/tiny", "tiny/parity/tiny"})
        # For the other tests it is as it was.
        self.recipe.write_text(RECIPE)
        self.make()

    def test_what_is_there_is_accepted_on_request(self):
        os.utime(self.output / "tiny/data/small/data.json")
        self.assertIn("tiny:data.small was made anew", self.make("--dry-run"))
        self.assertNotIn("would run", self.make("--accept"))
        self.assertIn("no work to do", self.make())

    def test_interrupted_it_goes_on_to_the_same_weights(self):
        output = self.directory / "interrupted"
        run = output / "tiny/train/first"
        # Asked to stop, a run saves where it is.
        process = self.start("export.first", output=output)
        self.wait_for((run / "checkpoint.pt").exists)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=600)
        self.assertNotEqual(process.returncode, 0)
        self.assertIn("the same command goes on", (run / "log.txt").read_text())
        # Killed, it goes on from its last checkpoint; as long as a part of it lives, nobody else begins.
        saved = (run / "checkpoint.pt").stat().st_mtime_ns
        process = self.start("export.first", output=output)
        self.wait_for(lambda: (run / "checkpoint.pt").stat().st_mtime_ns > saved)
        process.kill()
        process.wait()
        with self.assertRaisesRegex(AssertionError, "a stage is at work"):
            self.make("export.first", output=output)
        for member in session_members(process.pid):
            os.kill(member, signal.SIGKILL)
        self.wait_for(lambda: not session_members(process.pid))
        process.stdout.close()
        self.make("export.first", output=output)
        self.assertRegex((run / "log.txt").read_text(), r"resumed at epoch \d batch \d")
        weights = [(place / "tiny/train/first/network.pt").read_bytes() for place in (output, self.output)]
        self.assertTrue(weights[0] == weights[1], "other weights than of a run that nobody interrupted")


if __name__ == "__main__":
    unittest.main()
