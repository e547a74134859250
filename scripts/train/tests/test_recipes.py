"""Tests of reading recipes, and of the build file that comes of them; they need nothing but Python."""

import re
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from chain import ninja_file, plan
from chain.recipe import chain, read, recipe_names
from chain.vocabulary import TRAINING, RecipeError, options_of, vocabulary

ENCODER = '[encoder.e]\nmodel = "models/onrecord-small"\n'
DATA = '[data.d]\ncorpora = ["polnear"]\n'
TRAIN = '[train.first]\nencoder = "encoder.e"\ndata = "data.d"\n'


class Recipes(unittest.TestCase):
    def setUp(self):
        self.directory = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def write(self, text, name="mine"):
        (self.directory / f"{name}.toml").write_text(text)

    def ids(self, text, *wanted):
        self.write(text)
        return [stage.id for stage in chain("mine", wanted, self.directory)]

    def refused(self, text, message):
        self.write(text)
        with self.assertRaisesRegex(RecipeError, re.escape(message)):
            chain("mine", (), self.directory)

    def test_stages_come_after_what_they_take(self):
        text = TRAIN + ENCODER + DATA
        self.assertEqual(self.ids(text), ["mine:encoder.e", "mine:data.d", "mine:train.first"])

    def test_only_what_is_wanted_comes(self):
        text = ENCODER + DATA + TRAIN + '[data.other]\ncorpora = ["gap"]\n'
        self.assertEqual(self.ids(text, "data.other"), ["mine:data.other"])
        self.assertEqual(self.ids(text, "train.first"), ["mine:encoder.e", "mine:data.d", "mine:train.first"])
        self.write(text)
        with self.assertRaisesRegex(RecipeError, r"mine\.toml has no stage train\.second; it has: encoder\.e, data\.d"):
            chain("mine", ["train.second"], self.directory)

    def test_what_a_section_says_holds_for_its_stages(self):
        self.write(ENCODER + DATA + '[train]\nencoder = "encoder.e"\ndata = "data.d"\nseed = 7\nshares = { polnear = 1 }\n'
                   "[train.first]\n[train.second]\nseed = 8\n")
        stages = read("mine", self.directory)
        self.assertEqual([stages[f"mine:train.{name}"].options["seed"] for name in ("first", "second")], [7, 8])
        self.assertEqual(stages["mine:train.second"].options["shares"], {"polnear": 1})

    def test_a_stage_is_like_another_but_for_what_it_says(self):
        text = ENCODER + DATA + TRAIN + 'seed = 3\nepochs = 2\n[train.second]\nlike = "first"\nseed = 4\n'
        self.write(text)
        first, second = (read("mine", self.directory)[f"mine:train.{name}"].options for name in ("first", "second"))
        self.assertEqual(second, first | {"seed": 4})
        self.refused('[train.a]\nlike = "b"\n', "mine.toml, [train.a] is like b, which is no other stage of its kind")
        self.refused('[train.a]\nlike = "b"\n[train.b]\nlike = "a"\n', "is like")

    def test_unknown_names_are_refused_by_name(self):
        self.refused("[distil.first]\n", "mine.toml: there is no stage distil; there are: encoder, data")
        self.refused(ENCODER + DATA + TRAIN + "epoch = 3\n", "mine.toml, [train.first]: train has no option epoch")
        self.refused("[train]\nepoch = 3\n", "mine.toml, [train]: train has no option epoch")
        self.refused("epochs = 3\n", "mine.toml: there is no stage epochs")
        self.refused(ENCODER + TRAIN, "mine.toml, [train.first]: data names data.d, which is no stage")
        self.refused(ENCODER + DATA + TRAIN + 'start-from = "models/none"\n', "start-from names models/none, where no model is")
        self.refused('[data.d]\nfrom = "somewhere"\n', "mine.toml, [data.d]: from is for make to say")
        with self.assertRaisesRegex(RecipeError, "there is no recipe none; there are: base, mine, small, tiny"):
            chain("none", (), self.directory)

    def test_what_is_missing_or_of_another_kind_is_refused(self):
        self.refused("[train.first]\n", "mine.toml, [train.first] lacks encoder, data")
        self.refused(ENCODER + DATA + TRAIN + 'teacher = ["train.first"]\n', "teacher names train.first, which makes a run and no model")
        for line, message in (('epochs = "four"', "epochs is a whole number"), ("epochs = 1.5", "epochs is a whole number"),
                              ("rate = true", "rate is a number"), ('bfloat16 = "yes"', "bfloat16 is true or false"),
                              ('teacher = "export.first"', "teacher is a list"), ("shares = 3", "shares is a text")):
            self.refused(ENCODER + DATA + TRAIN + line + "\n", f"mine.toml, [train.first]: {message}")
        self.refused("[score]\nprecision = 'int4'\n", "mine.toml, [score]: precision is one of f32, int8")
        self.refused("[train.taught]\n", "taught is a list (an option of train: no stage can be named so)")
        self.refused("[train.first\n", "mine.toml: ")

    def test_circles_are_refused(self):
        text = ENCODER + DATA + TRAIN + 'start-from = "export.first"\n[export.first]\nencoder = "encoder.e"\nrun = ["train.first"]\n'
        self.refused(text, "mine.toml: stages wait for each other: mine:")

    def test_another_recipe_lends_what_is_needed_of_it(self):
        self.write(ENCODER + DATA + TRAIN + '[data.other]\ncorpora = ["gap"]\n', "base")
        text = DATA + '[train.second]\nencoder = "base:encoder.e"\ndata = "data.d"\n'
        self.assertEqual(self.ids(text), ["mine:data.d", "base:encoder.e", "mine:train.second"])
        ours = self.ids(TRAIN.replace("encoder.e", "tiny:encoder.two-layers") + DATA)
        self.assertEqual(ours, ["mine:data.d", "tiny:encoder.two-layers", "mine:train.first"])
        self.refused(DATA + '[train.second]\nencoder = "base:encoder.f"\ndata = "data.d"\n', "names base:encoder.f, which is no stage")

    def test_our_own_are_sound(self):
        self.assertLessEqual({"small", "base", "tiny"}, set(recipe_names()))
        for name in recipe_names():
            ids = [stage.id for stage in chain(name)]
            self.assertEqual(len(ids), len(set(ids)))

    def test_tiny_has_every_kind_of_stage(self):
        self.assertEqual({stage.kind.name for stage in chain("tiny")}, set(vocabulary()))


class Vocabulary(unittest.TestCase):
    def test_options_are_those_of_the_script(self):
        options = options_of(TRAINING / "stages" / "train.py")
        self.assertEqual((options["epochs"].type, options["rate"].type, options["data"].required), ("int", "float", True))
        self.assertEqual((options["teacher"].action, options["bfloat16"].action), ("append", "store_true"))

    def test_what_a_script_imports_is_read_by_its_stage(self):
        names = {path.name for path in vocabulary()["train"].files()}
        self.assertLessEqual({"train.py", "network.py", "losses.py", "distillation.py", "readers.py"}, names)
        self.assertNotIn("export.py", names)


class BuildFiles(unittest.TestCase):
    def text(self, recipe, program=None):
        with tempfile.TemporaryDirectory() as directory, mock.patch("chain.recipe.RECIPES", Path(directory)):
            Path(directory, "mine.toml").write_text(recipe)
            corpora = Path(directory) / "corpora"
            corpora.mkdir()
            (corpora / "polnear.train.jsonl").touch()
            return ninja_file.text(chain("mine", (), Path(directory)), corpora, program)

    def test_commands_have_the_options(self):
        text = self.text(ENCODER + DATA + TRAIN + 'epochs = 2\nbfloat16 = true\nfrozen = ["a", "b c"]\nshares = { polnear = 0.5, '
                         'conll2003 = 1 }\nteacher = ["models/onrecord-base"]\nperturbed = {}\n')
        self.assertIn('-m stages.train --encoder mine/encoder/e --data mine/data/d --epochs 2 --bfloat16 --frozen a --frozen \'b c\' '
                      '--shares polnear=0.5,conll2003=1 --teacher "$$ROOT"/models/onrecord-base --perturbed \'\' '
                      '--tools "$$TOOLS" --out mine/train/first\n', text)
        self.assertRegex(text, r"build mine/train/first/run\.json: stage read/train mine/encoder/e/config\.json "
                               r"mine/data/d/data\.json \S*models/onrecord-base/config\.json\n")
        self.assertRegex(text, r"build mine/data/d/data\.json: stage read/data \S*polnear\.train\.jsonl\n")

    def test_what_is_false_is_left_out(self):
        self.assertNotIn("bfloat16", self.text(ENCODER + DATA + "[train]\nbfloat16 = true\n" + TRAIN + "bfloat16 = false\n"))

    def test_a_program_that_is_given_takes_the_place_of_a_stage(self):
        score = '[program.p]\n[score.s]\nmodel = "models/onrecord-small"\ndata = "data.d"\nprogram = "program.p"\n'
        self.assertIn("--program mine/program/p", self.text(DATA + score))
        given = self.text(DATA + score, Path("/built"))
        self.assertIn('--program "$$PROGRAM"', given)
        self.assertRegex(given, r"build mine/score/s/scores\.txt: .* /built/onrecord")


class Plans(unittest.TestCase):
    def test_reasons_are_told(self):
        explained = "\n".join("ninja explain: " + line for line in (
            "output tiny/train/first/run.json doesn't exist", "tiny/train/first/run.json is dirty",
            "command line changed for tiny/export/first/config.json",
            "recorded mtime of tiny/data/small/data.json older than most recent input /c/gap.train.jsonl (1 vs 2)",
            "output tiny/encoder/two-layers/config.json older than most recent input read/encoder (1 vs 2)"))
        by_product = {stage.product: stage for stage in chain("tiny")}
        self.assertEqual(plan.reasons(explained, by_product), {
            "tiny:train.first": "not made yet", "tiny:export.first": "other options",
            "tiny:data.small": "/c/gap.train.jsonl has changed",
            "tiny:encoder.two-layers": "its script, or what it reads of the repository, has changed"})


if __name__ == "__main__":
    unittest.main()
