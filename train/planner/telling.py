"""What people call the things and places of a household, and templates filled."""

import random
import re

from . import phrasing
from .house import PERSON, SURFACE, House, Item, Names

BIN = ["the bin", "the bin", "the trash", "the trash can", "the garbage", "the rubbish bin"]
COLOURS = {"red", "green", "blue", "yellow", "white", "black", "pink", "brown"}


def thing(rng: random.Random, t: Item, house: House, names: Names) -> str:
    """What someone calls a thing: its name mostly, else what fits no other here."""
    first, last = t.name.split()[0], t.name.split()[-1]
    if rng.random() < 0.28:
        ways = list(_calls(t, house, names))
        if _unique(last, house) and last != t.name:
            ways += [f"the {last}", f"the {last}"]
        if first in COLOURS and sum(o.name.startswith(first) for o in house.loose()) == 1:
            ways.append(f"the {first} one")
        if ways:
            return rng.choice(ways)
    if t.at and rng.random() < 0.05:
        return f"the {t.name} {at(rng, house.find(t.at))}"
    before = rng.choices(["the ", "", "my ", "that "], [86, 5, 5, 4])[0]
    return before + t.name


def _unique(word: str, house: House) -> bool:
    return sum(word in o.name.split() for o in house.things) == 1


def _calls(t: Item, house: House, names: Names):
    """By a word of the name that no other has, or by the kind that no other is of."""
    for word, calls in names.calls.get(t.kind, {}).items():
        of_kind = word == "any" and len(house.of(t.kind)) == 1
        if of_kind or (word in t.name.split() and _unique(word, house)):
            yield from calls


def a(t: Item) -> str:
    if t.name.split()[-1].endswith("s") or t.kind == "medicine":
        return f"some {t.name}"
    return f"{'an' if t.name[0] in 'aeiou' else 'a'} {t.name}"


def place(rng: random.Random, p: Item) -> str:
    return rng.choice(BIN) if p.kind == "bin" else f"the {p.name}"


def at(rng: random.Random, p: Item) -> str:
    """The place with the preposition for being there."""
    on = p.kind == SURFACE
    if p.kind == PERSON:
        return f"with {place(rng, p)}"
    return f"{'on' if on else 'in'} {place(rng, p)}"


def to(rng: random.Random, p: Item) -> str:
    """The place with the preposition for a motion there."""
    ways = ["onto", "on", "over to"] if p.kind == SURFACE else ["into", "in", "inside"]
    return f"{rng.choice(ways)} {place(rng, p)}"


def fill(rng: random.Random, template: str, slots: dict, house: House, names: Names) -> str | None:
    """A template with names in it, or None where it asks for what the slots lack."""
    slots = dict(slots)
    if "from" in template:
        t = slots.get("t")
        if t is None or not t.at or house.find(t.at).kind == PERSON:
            return None
        slots["from"] = house.find(t.at)
    text = phrasing.choose(rng, template)
    for match in re.findall(r"\{[^}]+\}", text):
        how, _, key = match[1:-1].rpartition(" ")
        if key == "me":
            word = "me" if rng.random() < 0.9 else "the user"
        elif key not in slots:
            return None
        else:
            word = _word(rng, how, slots[key], house, names)
        text = text.replace(match, word, 1)
    return text


def _word(rng, how: str, value: Item | str, house: House, names: Names) -> str:
    if isinstance(value, str):
        return value
    if how == "a":
        return a(value)
    if value.is_place:
        return {"at": at, "to": to, "": place}[how](rng, value)
    return thing(rng, value, house, names)


def fill_chinese(rng: random.Random, template: str, slots: dict, names: Names) -> str | None:
    text = phrasing.choose(rng, template)
    for key, value in slots.items():
        if "{" + key + "}" in text:
            if isinstance(value, str) or value.name not in names.chinese:
                return None
            text = text.replace("{" + key + "}", names.chinese[value.name])
    return text
