"""python -m unittest train.planner.test_household; needs PyYAML alone."""

import json
import random
import unittest
from pathlib import Path

import yaml

from . import chores, generate, household, phrasing
from .catalogue import KITCHEN, Catalogue, Predicate
from .house import PLACES, House, Item, Names, sample, split_of
from .plan import Planner, check

FIXTURE = Path(__file__).parents[2] / "policy" / "saycan" / "testdata" / "rooms.json"
RECIPE = yaml.safe_load(generate.RECIPE.read_text(encoding="utf-8")) | {
    "pairs": {"train": 400, "validation": 60, "test": 120}
}


def told(scene: dict) -> House:
    """A scene as the robot has it."""
    things = [
        Item(o["name"], o["kind"], o.get("on", ""), o.get("in", ""), o.get("held", False),
             o.get("open", 0) > 0.15)
        for o in scene["objects"]
    ]  # fmt: skip
    return House(things, scene["station"])


def home(station: str = "sink") -> House:
    """All places, the drawers closed, and four things."""
    things = [Item(name, kind, open=kind != "drawer") for name, kind in PLACES]
    things += [
        Item("cola can", "drink", on="near counter"),
        Item("apple", "fruit", on="table"),
        Item("sponge", "sponge", inside="top drawer"),
        Item("fork", "cutlery", held=True),
    ]
    return House(things, station)


class Prompts(unittest.TestCase):
    def test_the_robot_tells_the_same(self):
        for case in json.loads(FIXTURE.read_text(encoding="utf-8")):
            self.assertEqual(told(case["scene"]).prompt(), case["text"])


class Plans(unittest.TestCase):
    def plan(self, house: House, *goals: str) -> list[str]:
        planner = Planner(Catalogue(KITCHEN), house)
        facts = [Predicate.parse(g) for g in goals]
        for fact in facts:
            planner.achieve(fact)
        self.assertTrue(check(house, planner.steps, facts), [str(s) for s in planner.steps])
        return [str(s) for s in planner.steps]

    def test_goes_where_things_are_and_where_they_belong(self):
        house = home()
        house.find("fork").held, house.find("fork").on = False, "shelf"
        self.assertEqual(
            self.plan(house, "on(cola can, user)"),
            ["go_to(near counter)", "pick(cola can)", "go_to(user)", "hand_over(cola can, user)"],
        )

    def test_opens_a_drawer_before_the_hand_is_full(self):
        self.assertEqual(
            self.plan(home("top drawer"), "in(apple, top drawer)", "closed(top drawer)"),
            ["go_to(table)", "place_on(fork, table)", "go_to(top drawer)", "open(top drawer)",
             "go_to(table)", "pick(apple)", "go_to(top drawer)", "place_in(apple, top drawer)",
             "close(top drawer)"],
        )  # fmt: skip

    def test_wipes_with_what_is_in_a_drawer(self):
        plan = self.plan(home("table"), "clean(shelf)")
        self.assertEqual(
            plan[-5:],
            ["go_to(top drawer)", "open(top drawer)", "pick(sponge)", "go_to(shelf)",
             "wipe(shelf, sponge)"],
        )  # fmt: skip

    def test_out_of_reach_is_seen(self):
        house, catalogue = home(), Catalogue(KITCHEN)
        house.find("fork").held, house.find("fork").on = False, "shelf"
        pick = next(o for o in catalogue.options(house) if str(o) == "pick(apple)")
        self.assertFalse(check(house, [pick], []), "the robot stands elsewhere")


class Pairs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.suites, seen = generate.Suites(generate.SUITES), set()
        cls.pairs = {
            s: generate.generate(RECIPE, s, 3, cls.suites, seen)[0] for s in phrasing.SPLITS
        }

    def test_the_mixture_is_that_of_the_recipe(self):
        train = self.pairs["train"]
        at_home = sum(p.family.startswith("house ") for p in train) / len(train)
        share = sum(p["share"] for p in RECIPE["mixture"].values() if p["world"] == "household")
        self.assertAlmostEqual(at_home, share, delta=0.01)

    def test_each_plan_begins_possible(self):
        for p in self.pairs["test"]:
            self.assertEqual(len(p.possible), len(p.steps))
            for step, possible in zip(p.steps, p.possible, strict=True):
                self.assertIn(step, possible)
                self.assertIn(step, p.options)

    def test_a_household_of_the_test_has_no_known_thing(self):
        train = Names("train")
        known = {n for kind in train.own for n in train.own[kind] + train.other[kind]}
        for i in range(40):
            for t in sample(random.Random(i), Names("test")).loose():
                self.assertNotIn(t.name, known)
                self.assertEqual(split_of(t.name), "test")

    def test_every_kind_has_sixty_names(self):
        all_splits = [Names(s) for s in phrasing.SPLITS]
        for kind in all_splits[0].own:
            names = {n for s in all_splits for n in s.other[kind]}
            self.assertGreaterEqual(len(names), 60, kind)

    def test_every_family_can_be_drawn(self):
        recipe = RECIPE["household"]
        for family in recipe["families"]:
            drawer = household.Generator(recipe, "train", 5, {family: 1})
            found = [p for p in (drawer.draw() for _ in range(800)) if p]
            self.assertTrue(found, f"{family} never comes up")
            self.assertIn(family, chores.FAMILIES)

    def test_nothing_is_left_to_fill_in(self):
        for pairs in self.pairs.values():
            for p in pairs:
                self.assertNotRegex(p.instruction, r"[\[\]{}|=]")

    def test_splits_share_no_template(self):
        splits = [phrasing.Phrasing(s, household.PHRASES).english for s in phrasing.SPLITS]
        for family in splits[0]:
            lines = [line for s in splits for line in s[family]]
            self.assertEqual(len(lines), len(set(lines)), family)
            self.assertTrue(splits[0][family], f"{family}: nothing to train on")


if __name__ == "__main__":
    unittest.main()
