"""The skill catalogues that the robot itself uses, each read from its one file."""

import itertools
import re
from dataclasses import dataclass
from pathlib import Path

import yaml

FOLDER = Path(__file__).parents[2] / "policy" / "skill"
FILE = FOLDER / "tabletop.yaml"
KITCHEN = FOLDER / "kitchen.yaml"
ENDS = "done"


@dataclass(frozen=True)
class Predicate:
    """A fact such as in(red block, blue bowl), or with not that it is none."""

    name: str
    args: tuple[str, ...]
    negated: bool = False

    @classmethod
    def parse(cls, text: str) -> "Predicate":
        negation, name, args = re.fullmatch(r"(not )?(\w+)\((.*)\)", text).groups()
        return cls(name, tuple(a.strip() for a in args.split(",") if a.strip()), bool(negation))

    def fill(self, slots: dict[str, str]) -> "Predicate":
        return Predicate(self.name, tuple(slots.get(a, a) for a in self.args), self.negated)

    def __str__(self) -> str:
        return f"{'not ' * self.negated}{self.name}({', '.join(self.args)})"


@dataclass(frozen=True)
class Option:
    """One skill with its arguments: what it says, needs and promises."""

    name: str
    args: tuple[str, ...]
    phrase: str
    when: tuple[Predicate, ...]
    success: tuple[Predicate, ...]

    def __str__(self) -> str:
        return f"{self.name}({', '.join(self.args)})"


class Catalogue:
    """The templates of the catalogue, to be filled with the objects of a scene."""

    def __init__(self, path: Path = FILE):
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        self.skills, self.colours = data["skills"], data["colours"]
        self.done = next(s["phrase"] for s in self.skills if s.get("ends"))

    def options(self, scene) -> list[Option]:
        """Every filling of every template; no argument is used twice in one."""
        found = []
        for skill in self.skills:
            if skill.get("ends"):
                continue
            slots = skill.get("slots", [])
            for args in itertools.product(*(self._words(s, scene) for s in slots)):
                if len(set(args)) == len(args):
                    found.append(self._fill(skill, slots, args))
        return found

    @staticmethod
    def _words(slot: dict, scene) -> list[str]:
        kinds = slot.get("kinds", [])
        return slot.get("words", []) + [t.name for t in scene.things if t.kind in kinds]

    @staticmethod
    def _fill(skill: dict, slots: list[dict], args: tuple[str, ...]) -> Option:
        filled = {"{" + s["name"] + "}": a for s, a in zip(slots, args, strict=True)}
        phrase = skill["phrase"]
        for slot, arg in filled.items():
            phrase = phrase.replace(slot, arg)
        facts = [
            tuple(Predicate.parse(p).fill(filled) for p in skill.get(key, []))
            for key in ("when", "success")
        ]
        return Option(skill["name"], tuple(args), phrase, *facts)
