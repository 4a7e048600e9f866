"""Pairs of instruction and plan in households: a few on each scene, which
training reads once for all of them."""

import random
from pathlib import Path

from . import chores, phrasing, telling
from .catalogue import KITCHEN, Catalogue
from .goals import Goal
from .house import House, Names, sample
from .plan import Impossible, Planner, check

PHRASES = Path(__file__).with_name("household.yaml")
# Families that another request may follow, and those that may follow, after what is
# still held only a way.
FIRST = (
    "put", "bring", "throw", "hold", "store", "wipe", "open", "close", "go", "wash", "put_held",
)  # fmt: skip
SECOND = ("put", "bring", "throw", "store", "close", "open", "wipe", "go", "go_user")
HOLDING = ("go", "go_user")
PASSING = ("here", "held")  # facts that a later request may end


class Generator:
    """Draws pairs of one split."""

    def __init__(self, recipe: dict, split: str, seed: int, families: dict[str, float]):
        self.recipe, self.split, self.families = recipe, split, families
        self.rng = random.Random(f"{seed} {split} household {sorted(families)}")
        self.catalogue, self.names = Catalogue(KITCHEN), Names(split)
        self.phrasing = phrasing.Phrasing(split, PHRASES)
        self.left = 0

    def draw(self) -> tuple | None:
        """family, prompt line, text, options and goals of one pair, or None where
        the draw came to nothing; the scene changes after a few."""
        if self.left == 0:
            self.house, self.left = sample(self.rng, self.names), self.recipe["pairs_of_a_scene"]
            self.options = self.catalogue.options(self.house)
            self.prompt, self.tries = self.house.prompt(), 0
        self.tries += 1
        pair = self.pair()
        if pair or self.tries > 60:
            self.left -= 1
        return pair

    def pair(self) -> tuple | None:
        rng, house = self.rng, self.house
        family = rng.choices(list(self.families), list(self.families.values()))[0]
        if rng.random() < self.recipe["absent"]:
            return self.absent()
        try:
            drawn = self.request(family, house, whole=True)
            if drawn is None:
                return None
            text, steps, facts, after = drawn
            several = 0
            while family in FIRST and several < 2 and rng.random() < self.recipe["two_requests"]:
                then = HOLDING if after.held() and family == "hold" else SECOND
                more = self.request(rng.choice(then), after, whole=False)
                if not more or not more[1]:
                    return None
                text += rng.choice(phrasing.JOINTS) + more[0]
                about = {f.args[0] for f in more[2]}
                facts = [f for f in facts if f.name not in PASSING and f.args[0] not in about]
                steps, facts, after = steps + more[1], facts + more[2], more[3]
                several += 1
        except Impossible:
            return None
        if not check(house, steps, facts):
            return None
        if several:
            family = ("two_requests", "three_requests")[several - 1]
        return family, self.prompt, self.spelled(text), steps, facts

    def request(self, family: str, house: House, whole: bool):
        """What is said, the steps, the facts and the house after them."""
        goal = chores.FAMILIES[family](self.rng, house)
        if not goal:
            return None
        planner = Planner(self.catalogue, house, self.options)
        if family == "home":
            planner.do(next(o for o in planner.options if o.name == "home"))
        for fact in goal.facts:
            planner.achieve(fact)
        text = self.say(family, goal, house, whole)
        return text and (text, planner.steps, goal.facts, planner.scene)

    def say(self, family: str, goal: Goal, house: House, whole: bool) -> str | None:
        rng = self.rng
        if whole and rng.random() < self.recipe["chinese"]:
            template = self.phrasing.chinese_of(rng, family)
            return template and telling.fill_chinese(rng, template, goal.slots, self.names)
        template = self.phrasing.english_of(rng, family)
        if template is None or (not whole and template.startswith("=")):
            return None
        text = telling.fill(rng, template.removeprefix("="), goal.slots, house, self.names)
        if text is None or template.startswith("=") or not whole:
            return text
        return phrasing.wrap(rng, text)

    def absent(self) -> tuple | None:
        """A request for a thing that is not there: nothing is done."""
        rng, house = self.rng, self.house
        name, kind = self.names.sample(rng, 1, self.split != "test" and rng.random() < 0.6)[0]
        if any(set(name.split()) & set(t.name.split()) or t.kind == kind for t in house.loose()):
            return None
        family = rng.choice(["bring", "put", "hold", "throw"])
        goal = chores.FAMILIES[family](rng, house)
        if not goal or goal.slots["t"].held:
            return None
        crowd = house.copy()
        ghost = crowd.find(goal.slots["t"].name)
        crowd.by_name[name] = ghost
        ghost.name, ghost.kind = name, kind
        text = self.say(family, Goal([], goal.slots | {"t": ghost}), crowd, whole=True)
        return text and ("absent", self.prompt, self.spelled(text), [], [])

    def spelled(self, text: str) -> str:
        text = phrasing.finish(self.rng, text)
        if self.rng.random() < self.recipe["typing_mistake"]:
            text = phrasing.mistype(self.rng, text)
        return text
