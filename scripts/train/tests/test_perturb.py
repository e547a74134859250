"""Tests of the perturbations."""

import random
import unittest

from corpora import perturb


class Perturbations(unittest.TestCase):
    def test_offsets_stay_true(self):
        text = "“The pier is shut,” Straße-born Ada Holt said. \"No,\" said Ben, «never»."
        for name, change in perturb.PERTURBATIONS.items():
            changed = change(text, random.Random(1))
            self.assertEqual(len(changed), len(text), name)
            self.assertNotEqual(changed, text, name)

    def test_straight_marks_open_after_a_space(self):
        self.assertEqual(perturb.PERTURBATIONS["guillemets"]('He said: "No." ("Yes.")', None), "He said: «No.» («Yes.»)")

    def test_only_closing_marks_are_left_out(self):
        changed = perturb.without_some_closing_marks("“a” " * 50, random.Random(1))
        self.assertEqual(changed.count("“"), 50)
        self.assertTrue(5 < changed.count("”") < 45)

    def test_recased_texts_have_one_case(self):
        text = "Ada Holt of the FBI said no."
        changed = {perturb.recased(text, random.Random(seed)) for seed in range(20)}
        self.assertEqual(changed, {text.upper(), text.lower()})


if __name__ == "__main__":
    unittest.main()
