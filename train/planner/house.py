"""A household: places where the robot stands, things there, and what holds."""

import random
import zlib
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from .catalogue import Option, Predicate

FILE = Path(__file__).with_name("things.yaml")
DRAWER, SURFACE, PERSON = "drawer", "surface", "person"
USER = "user"
PLACES = [
    ("table", SURFACE), ("near counter", SURFACE), ("far counter", SURFACE), ("shelf", SURFACE),
    ("bin", "bin"), ("basket", "basket"), ("sink", "sink"),
    ("top drawer", DRAWER), ("bottom drawer", DRAWER), (USER, PERSON),
]  # fmt: skip
# What an option needs is made true in this order: hands are filled after a drawer
# is opened, and the robot goes where it lets go of a thing when it has it.
ORDER = ["open", "closed", "empty_hand", "clear", "reachable", "held", "here"]


@dataclass
class Item:
    """A thing or a place. on and inside name what it rests on or lies in."""

    name: str
    kind: str
    on: str = ""
    inside: str = ""
    held: bool = False
    open: bool = True
    clean: bool = False

    @property
    def is_place(self) -> bool:
        return not (self.on or self.inside or self.held)

    @property
    def at(self) -> str:
        return self.on or self.inside


class House:
    """What is where, places first, in the order in which the robot is told."""

    def __init__(self, things: list[Item], station: str):
        self.things, self.station = things, station
        self.by_name = {t.name: t for t in things}

    def copy(self) -> "House":
        return House([replace(t) for t in self.things], self.station)

    def find(self, name: str) -> Item:
        return self.by_name[name]

    def of(self, *kinds: str) -> list[Item]:
        return [t for t in self.things if t.kind in kinds]

    def loose(self) -> list[Item]:
        """The things, without the places."""
        return [t for t in self.things if not t.is_place]

    def held(self) -> Item | None:
        return next((t for t in self.things if t.held), None)

    def above(self, name: str) -> list[Item]:
        return [t for t in self.things if name in (t.on, t.inside)]

    def root(self, name: str) -> str:
        """The place that a thing is at; what is held is where the robot is."""
        t = self.find(name)
        while t.at and t.at in self.by_name:
            t = self.find(t.at)
        return self.station if t.held else t.name

    def holds(self, p: Predicate) -> bool:
        return self._holds(p) != p.negated

    def _holds(self, p: Predicate) -> bool:
        thing = self.by_name[p.args[0]] if p.args else None
        match p.name:
            case "empty_hand":
                return self.held() is None
            case "clear":
                return not self.above(thing.name)
            case "held":
                return thing.held
            case "on":
                return thing.on == p.args[1]
            case "in":
                return thing.inside == p.args[1]
            case "open":
                return thing.open
            case "closed":
                return not thing.open
            case "clean":
                return thing.clean
            case "here":
                return self.root(thing.name) == self.station
            case "reachable":
                place = self.find(self.root(thing.name))
                return place.name == self.station and place.open
        return False

    def apply(self, option: Option) -> None:
        """Make what the option promises true."""
        for p in option.success:
            thing = self.find(p.args[0])
            match p.name:
                case "held":
                    thing.on, thing.inside, thing.held = "", "", True
                case "on":
                    thing.on, thing.inside, thing.held = p.args[1], "", False
                case "in":
                    thing.on, thing.inside, thing.held = "", p.args[1], False
                case "open":
                    thing.open = True
                case "closed":
                    thing.open = False
                case "clean":
                    thing.clean = True
                case "here":
                    self.station = thing.name

    @staticmethod
    def urgency(need: Predicate) -> int:
        return ORDER.index(need.name)

    def aside(self, thing: Item) -> Predicate:
        """What is in the way goes on the surface that the robot stands at, or the
        first there is."""
        surfaces = self.of(SURFACE)
        at = next((s for s in surfaces if s.name == self.station), surfaces[0])
        return Predicate("on", (thing.name, at.name))

    def way(self, name: str) -> list[Predicate]:
        """What makes a thing reachable."""
        place = self.find(self.root(name))
        go = Predicate("here", (place.name,))
        return [go] if place.open else [Predicate("open", (place.name,)), go]

    def prompt(self) -> str:
        """The line of the prompt, as policy/saycan writes it (rooms.go)."""
        parts = []
        for place in self.things:
            if not place.is_place:
                continue
            title = place.name
            if place.kind == DRAWER:
                title += " (open)" if place.open else " (closed)"
            there = ", ".join(self._told(t, place.name) for t in self._at(place.name))
            if there:
                parts.append(f"{title}: {there}")
            elif place.kind == DRAWER:
                parts.append(title)
        if held := self.held():
            parts.append(f"held: {held.name}")
        return f"At the {self.station}. " + "; ".join(parts)

    def _at(self, place: str) -> list[Item]:
        return [t for t in self.things if t.at and self.root(t.name) == place]

    @staticmethod
    def _told(t: Item, place: str) -> str:
        if t.at == place:
            return t.name
        return f"{t.name} {'in' if t.inside else 'on'} {t.at}"


class Names:
    """The names of things of one split, by kind."""

    def __init__(self, split: str):
        self.data = yaml.safe_load(FILE.read_text(encoding="utf-8"))
        self.split = split
        self.calls, self.surfaces = self.data["calls"], self.data["surfaces"]
        self.chinese = dict(self.data["places"])
        self.own, self.other = {}, {}
        for kind, words in self.data.items():
            if kind in ("calls", "places", "surfaces"):
                continue
            self.chinese |= words["of"]
            self.own[kind] = list(words["of"])
            made = [f"{a} {b}" for a in words["first"] for b in words["second"]]
            self.other[kind] = [n for n in made + words.get("alone", []) if split_of(n) == split]

    def sample(self, rng: random.Random, count: int, own: bool) -> list[tuple[str, str]]:
        """Names with their kinds; own for those of the robot's own household."""
        if own and count > 20:
            every = [(n, k) for k, names in self.own.items() for n in names]
            return rng.sample(every, count)
        found = {}
        kinds = list(self.own)
        weights = [
            4 if k in ("drink", "fruit", "snack") else 3 if k == "dish" else 1 for k in kinds
        ]
        while len(found) < count:
            kind = rng.choices(kinds, weights)[0]
            found[rng.choice(self.own[kind] if own else self.other[kind])] = kind
        return list(found.items())


def split_of(name: str) -> str:
    """The one split that a name of other households belongs to."""
    fate = zlib.crc32(name.encode()) % 20
    return "test" if fate < 3 else "validation" if fate == 3 else "train"


def sample(rng: random.Random, names: Names) -> House:
    """Draw a household: mostly few things, now and then all of them."""
    own = names.split != "test" and rng.random() < 0.6
    few, some, many = rng.randint(2, 5), rng.randint(6, 10), rng.randint(11, 18)
    count = rng.choices([few, some, many, 29 if own else 24], [45, 37, 14, 4])[0]
    places = list(PLACES)
    if rng.random() < 0.12:
        for i, surface in zip(rng.sample(range(4), 2), rng.sample(names.surfaces, 2), strict=True):
            places[i] = (surface, SURFACE)
    things = [Item(n, kind, open=kind != DRAWER or rng.random() < 0.2) for n, kind in places]
    weights = [5, 6, 5, 3, 0.3, 0.7, 0.7, 1.5, 1.5, 0.2]
    picked = names.sample(rng, count, own)
    rng.shuffle(picked)
    for name, kind in picked:
        place = rng.choices(things[: len(places)], weights)[0]
        if place.kind == SURFACE or place.kind == PERSON:
            things.append(Item(name, kind, on=place.name))
        else:
            things.append(Item(name, kind, inside=place.name))
    if rng.random() < 0.06:
        held = things[-1]
        held.on, held.inside, held.held = "", "", True
    station = rng.choice(places)[0] if rng.random() < 0.9 else "floor"
    return House(things, station)
