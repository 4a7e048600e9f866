"""Pairs of instruction and plan, from goals outward.

    python -m train.planner.generate --out FOLDER [--seed N] [--suite FILE ...]

writes train.jsonl, validation.jsonl and test.jsonl: the scene's line, what is
said, the phrases of the plan, the calls and the goal, mixed as recipe.yaml says.
A pair that shares a run of six words with an instruction of a suite, or reads the
same, is dropped; the report says how many.
"""

import argparse
import json
import random
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import yaml

from . import household, phrasing
from .catalogue import Catalogue
from .goals import FAMILIES, Goal
from .plan import Impossible, Planner, check
from .scene import Scene, Thing, sample

RECIPE = Path(__file__).with_name("recipe.yaml")
EVAL = Path(__file__).parents[2] / "sim" / "eval"
SUITES = [
    EVAL / "tabletop.jsonl",
    EVAL / "kitchen.jsonl",
    EVAL / "kitchen-fresh.jsonl",
    EVAL / "kitchen-later.jsonl",
    EVAL / "kitchen-third.jsonl",
    EVAL / "testdata" / "development.jsonl",
]
RUN = 6  # words in a row that must not be shared with a suite
SIMULATED = (["red", "green", "blue", "yellow"], ["red", "green", "blue"])
FIRST = ("place_in", "place_on", "beside", "push", "take_out", "take_off", "that_not_this")
SECOND = ("place_in", "place_on", "beside", "push", "hold", "to_table", "take_out")


@dataclass
class Pair:
    family: str
    scene: str
    instruction: str
    steps: list[str]
    calls: list[str]
    goal: list[str]
    # Of the splits that measure: the phrases of all options, and of those that are
    # possible at each step.
    options: list[str]
    possible: list[list[str]]


class Generator:
    """Draws pairs of one split at the table."""

    def __init__(self, recipe: dict, split: str, seed: int):
        self.recipe, self.split = recipe, split
        self.rng = random.Random(f"{seed} {split}")
        self.catalogue = Catalogue()
        self.phrasing = phrasing.Phrasing(split)
        held = recipe["held_out"]
        others = {c for s, cs in held.items() if s != split for c in cs}
        colours = [c for c in self.catalogue.colours if c != "gray"]
        self.colours = [c for c in colours if c not in others]
        self.special = held.get(split, [])

    def pair(self) -> Pair | None:
        """One pair, or None where the draw came to nothing."""
        rng, recipe = self.rng, self.recipe
        scene = self.scene()
        family = rng.choices(list(recipe["families"]), list(recipe["families"].values()))[0]
        if rng.random() < recipe["absent"]:
            return self.absent(scene)
        goal = FAMILIES[family](rng, scene)
        if not goal:
            return None
        try:
            steps, after = self.plan(family, goal, scene)
        except Impossible:
            return None
        text = self.say(family, goal, scene)
        if text is None:
            return None
        facts = goal.facts
        if family in FIRST and rng.random() < recipe["two_requests"]:
            second = self.second(goal, after)
            if not second:
                return None
            family, text = "two_requests", text + rng.choice(phrasing.JOINTS) + second[0]
            steps, facts = steps + second[1], second[2]
        if not check(scene, steps, facts):
            return None
        return self.finish(family, scene, text, steps, [str(f) for f in facts])

    def scene(self) -> Scene:
        rng = self.rng
        if rng.random() < self.recipe["simulated_scene"] and self.split != "test":
            blocks, bowls = SIMULATED
        else:
            blocks = bowls = self.colours
        n, m = (
            rng.choices([2, 3, 4, 5], [2, 3, 6, 1])[0],
            rng.choices([1, 2, 3, 4], [3, 3, 6, 1])[0],
        )
        blocks = rng.sample(blocks, min(n, len(blocks)))
        bowls = rng.sample(bowls, min(m, len(bowls)))
        if self.special and not set(self.special) & set(blocks):
            blocks[0] = rng.choice(self.special)
        return sample(rng, blocks, bowls)

    def plan(self, family: str, goal: Goal, scene: Scene):
        planner = Planner(self.catalogue, scene)
        if family == "home":
            planner.do(next(o for o in planner.options if o.name == "home"))
        for fact in goal.facts:
            planner.achieve(fact)
        return planner.steps, planner.scene

    def say(self, family: str, goal: Goal, scene: Scene, whole: bool = True) -> str | None:
        rng = self.rng
        if whole and rng.random() < self.recipe["chinese"]:
            template = self.phrasing.chinese_of(rng, family)
            if template:
                return phrasing.fill_chinese(rng, template, goal.slots)
        template = self.phrasing.english_of(rng, family)
        if template is None or (not whole and template.startswith("=")):
            return None
        text = phrasing.fill(rng, template.removeprefix("="), goal.slots, scene)
        return text if template.startswith("=") or not whole else phrasing.wrap(rng, text)

    def second(self, first: Goal, scene: Scene):
        """Another request after the first: text, steps and all facts."""
        family = self.rng.choice(SECOND)
        goal = FAMILIES[family](self.rng, scene)
        if not goal:
            return None
        try:
            steps, _ = self.plan(family, goal, scene)
        except Impossible:
            return None
        text = self.say(family, goal, scene, whole=False)
        # What the second request undoes would make an odd pair.
        facts = [f for f in first.facts if f.args[0] not in {g.args[0] for g in goal.facts}]
        return text and steps and (text, steps, facts + goal.facts)

    def absent(self, scene: Scene) -> Pair | None:
        """A request for an object that is not there: nothing is done."""
        rng = self.rng
        colours = [c for c in self.colours if all(t.colour != c for t in scene.things)]
        family = rng.choice(["place_in", "hold", "push", "beside", "place_on"])
        goal = FAMILIES[family](rng, scene)
        if not goal or not colours:
            return None
        was = goal.slots["b"]
        ghost = Thing(f"{(c := rng.choice(colours))} {was.kind}", was.kind, c, was.left)
        goal.slots["b"] = ghost
        crowd = Scene([*scene.things, ghost])
        text = self.say(family, goal, crowd)
        if text is None or c not in text:
            return None
        return self.finish("absent", scene, text, [], [])

    def finish(self, family, scene, text, steps, facts) -> Pair:
        rng = self.rng
        text = phrasing.finish(rng, text)
        if rng.random() < self.recipe["typing_mistake"]:
            text = phrasing.mistype(rng, text)
        phrases = [o.phrase for o in steps] + [self.catalogue.done]
        options = self.catalogue.options(scene)
        told = told_options(self.split, self.catalogue, scene, options, steps)
        return Pair(family, scene.prompt(), text, phrases, [str(o) for o in steps], facts, *told)


def told_options(split: str, catalogue: Catalogue, scene, options: list, steps: list) -> tuple:
    """The phrases of the options and, before each step and after the last, of those
    whose needs are met; nothing where it would only fill the training file."""
    if split == "train":
        return [], []
    now, possible = scene.copy(), []
    for step in [*steps, None]:
        met = [o.phrase for o in options if all(now.holds(p) for p in o.when)]
        possible.append([*met, catalogue.done])
        if step:
            now.apply(step)
    return [*(o.phrase for o in options), catalogue.done], possible


def words(text: str) -> list[str]:
    return "".join(c if c.isalnum() or c == "'" else " " for c in text.lower()).split()


def runs(text: str) -> set[tuple[str, ...]]:
    """The runs of RUN words; of a shorter text the text itself."""
    w = words(text)
    return {tuple(w[i : i + RUN]) for i in range(max(1, len(w) - RUN + 1))}


class Suites:
    """The runs of words of all instructions that training must not have seen."""

    def __init__(self, paths: list[Path]):
        self.texts, self.runs = set(), set()
        for path in paths:
            for line in path.read_text(encoding="utf-8").splitlines():
                if line.strip() and not line.startswith("#"):
                    self._add(json.loads(line)["instruction"])

    def _add(self, turns: str | list[str]) -> None:
        for text in [turns] if isinstance(turns, str) else turns:
            self.texts.add(tuple(words(text)))
            self.runs |= {r for r in runs(text) if len(r) == RUN}

    def shares(self, text: str) -> bool:
        return tuple(words(text)) in self.texts or bool(runs(text) & self.runs)


class Household:
    """Draws pairs of one split in households, as many on each scene as the recipe says."""

    def __init__(self, recipe: dict, split: str, seed: int, families: dict[str, float]):
        self.inner = household.Generator(recipe, split, seed, families)

    def pair(self) -> Pair | None:
        drawn = self.inner.draw()
        if drawn is None:
            return None
        family, scene, text, steps, facts = drawn
        inner = self.inner
        phrases = [o.phrase for o in steps] + [inner.catalogue.done]
        told = told_options(inner.split, inner.catalogue, inner.house, inner.options, steps)
        calls, facts = [str(o) for o in steps], [str(f) for f in facts]
        return Pair(f"house {family}", scene, text, phrases, calls, facts, *told)


def generators(recipe: dict, split: str, seed: int) -> dict[str, tuple]:
    """Of each part of the mixture, what draws its pairs and its share."""
    found = {}
    mixture = recipe.get(f"{split} mixture", recipe["mixture"])
    for name, part in mixture.items():
        if part["world"] == "tabletop":
            found[name] = Generator(recipe, split, seed), part["share"]
            continue
        house = recipe["household"]
        elsewhere = {f for p in recipe["mixture"].values() for f in p.get("families", [])}
        only = part.get("families", [f for f in house["families"] if f not in elsewhere])
        families = {f: house["families"][f] for f in only}
        found[name] = Household(house, split, seed, families), part["share"]
    return found


def mix(recipe: dict, shares: str) -> None:
    """Take other shares of the mixture to train on, as in "general=0.7,domain=0.3"; a
    part that is not named gets none. What is measured keeps the recipe's."""
    told = dict(part.split("=") for part in shares.split(","))
    if unknown := told.keys() - recipe["mixture"]:
        raise SystemExit(f"--mixture: no part is called {', '.join(sorted(unknown))}")
    whole = sum(map(float, told.values()))
    recipe["train mixture"] = {
        name: part | {"share": float(told.get(name, 0)) / whole}
        for name, part in recipe["mixture"].items()
    }


def generate(
    recipe: dict, split: str, seed: int, suites: Suites, seen: set
) -> tuple[list, Counter]:
    """The pairs of one split and how many draws were dropped, by reason."""
    pairs, dropped = [], Counter()
    for generator, share in generators(recipe, split, seed).values():
        end = len(pairs) + round(recipe["pairs"][split] * share)
        while len(pairs) < end:
            pair = generator.pair()
            if pair is None:
                dropped["nothing drawn"] += 1
            elif suites.shares(pair.instruction):
                dropped["shared with a suite"] += 1
            elif (key := (pair.scene, tuple(words(pair.instruction)))) in seen:
                dropped["double"] += 1
            else:
                seen.add(key)
                pairs.append(pair)
    return pairs, dropped


def main() -> None:
    parser = argparse.ArgumentParser(description="make pairs of instruction and plan")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--recipe", type=Path, default=RECIPE)
    parser.add_argument("--mixture", help="other shares to train on, as general=0.7,domain=0.3")
    parser.add_argument("--pairs", type=int, help="of the training split instead of the recipe's")
    parser.add_argument("--suite", type=Path, action="append", default=SUITES)
    a = parser.parse_args()
    recipe = yaml.safe_load(a.recipe.read_text(encoding="utf-8"))
    if a.mixture:
        mix(recipe, a.mixture)
    if a.pairs:
        recipe["pairs"]["train"] = a.pairs
    seed = recipe["seed"] if a.seed is None else a.seed
    suites, seen, report = Suites(a.suite), set(), {"seed": seed}
    a.out.mkdir(parents=True, exist_ok=True)
    for split in phrasing.SPLITS:
        pairs, dropped = generate(recipe, split, seed, suites, seen)
        lines = [json.dumps(p.__dict__, ensure_ascii=False) for p in pairs]
        (a.out / f"{split}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        families = Counter(p.family for p in pairs)
        report[split] = {"pairs": len(pairs), "dropped": dropped, "families": families}
        print(split, len(pairs), "pairs, dropped", dict(dropped))
    (a.out / "report.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
