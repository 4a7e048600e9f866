"""python -m unittest train.planner.test_planner; needs PyYAML alone."""

import random
import unittest

import yaml

from . import generate, phrasing
from .catalogue import Catalogue, Predicate
from .plan import Planner, check
from .scene import Scene, Thing

RECIPE = yaml.safe_load(generate.RECIPE.read_text(encoding="utf-8")) | {
    "pairs": {"train": 400, "validation": 100, "test": 100}
}


def table() -> Scene:
    """The scene of the test of policy/saycan's prompt."""
    return Scene(
        [
            Thing("green block", "block", "green", 0.21, on="", inside="blue bowl"),
            Thing("blue bowl", "bowl", "blue", 0.2),
            Thing("pink block", "block", "pink", 0, on="", held=True),
            Thing("red block", "block", "red", -0.1),
            Thing("yellow block", "block", "yellow", -0.105, on="red block"),
        ]
    )


class Plans(unittest.TestCase):
    def plan(self, *goals: str) -> list[str]:
        planner = Planner(Catalogue(), table())
        facts = [Predicate.parse(g) for g in goals]
        for fact in facts:
            planner.achieve(fact)
        self.assertTrue(check(table(), planner.steps, facts), [str(s) for s in planner.steps])
        return [str(s) for s in planner.steps]

    def test_frees_the_hand_and_clears_the_way(self):
        self.assertEqual(
            self.plan("in(red block, blue bowl)"),
            ["place_on(pink block, table)", "pick(yellow block)", "place_on(yellow block, table)",
             "pick(red block)", "place_in(red block, blue bowl)"],
        )  # fmt: skip

    def test_does_nothing_twice(self):
        self.assertEqual(self.plan("in(green block, blue bowl)"), [])
        self.assertEqual(self.plan("held(pink block)"), [])

    def test_stacks(self):
        plan = self.plan("on(pink block, yellow block)", "on(green block, pink block)")
        self.assertEqual(plan[0], "place_on(pink block, yellow block)")
        self.assertEqual(plan[-1], "place_on(green block, pink block)")

    def test_a_wrong_plan_is_seen(self):
        catalogue, scene = Catalogue(), table()
        pick = next(o for o in catalogue.options(scene) if str(o) == "pick(red block)")
        self.assertFalse(check(scene, [pick], []), "the hand is full and a block lies on it")


class Pairs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        suites, seen = generate.Suites(generate.SUITES), set()
        cls.suites = suites
        cls.pairs = {s: generate.generate(RECIPE, s, 3, suites, seen)[0] for s in phrasing.SPLITS}

    def test_prompt_is_that_of_the_robot(self):
        want = "Left to right: green block in blue bowl, blue bowl, pink block held, red block, "
        self.assertEqual(table().prompt(), want + "yellow block on red block")

    def test_same_seed_same_pairs(self):
        again, _ = generate.generate(RECIPE, "train", 3, self.suites, set())
        self.assertEqual(again, self.pairs["train"])

    def test_splits_share_no_template(self):
        splits = [phrasing.Phrasing(s).english for s in phrasing.SPLITS]
        for family in splits[0]:
            lines = [line for s in splits for line in s[family]]
            self.assertEqual(len(lines), len(set(lines)), family)
            self.assertTrue(splits[0][family], f"{family}: nothing to train on")

    def test_held_out_colours_are_held_out(self):
        for split, colours in RECIPE["held_out"].items():
            for other in phrasing.SPLITS:
                if other != split:
                    for p in self.pairs[other]:
                        if p.family.startswith("house "):
                            continue  # there the names are held out
                        for c in colours:
                            self.assertNotIn(c, p.scene + p.instruction)

    def test_nothing_is_shared_with_a_suite(self):
        for pairs in self.pairs.values():
            for p in pairs:
                self.assertFalse(self.suites.shares(p.instruction), p.instruction)
        some = " ".join(next(iter(self.suites.runs)))
        self.assertTrue(self.suites.shares(f"now {some} if you can"))

    def test_no_brackets_are_left(self):
        for pairs in self.pairs.values():
            for p in pairs:
                self.assertNotRegex(p.instruction, r"[\[\]{}|=]")

    def test_names_fit_one_object(self):
        random_ = random.Random(4)
        scene = table()
        names = {
            t.name: {phrasing.name(random_, t, scene, 1) for _ in range(300)} for t in scene.things
        }
        for a, of_a in names.items():
            for b, of_b in names.items():
                if a != b:
                    self.assertFalse(of_a & of_b, f"{a} and {b} are both called {of_a & of_b}")


if __name__ == "__main__":
    unittest.main()
