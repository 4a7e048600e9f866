"""How people say it: templates, names of objects, wrapping, typing mistakes."""

import random
import re
import zlib
from pathlib import Path

import yaml

from .scene import BLOCK, BOWL, Scene, Thing

FILE = Path(__file__).with_name("phrases.yaml")
ZH = "zh:"
SPLITS = ("train", "validation", "test")

CHINESE = {
    "red": "红色", "green": "绿色", "blue": "蓝色", "yellow": "黄色", "orange": "橙色",
    "pink": "粉色", "black": "黑色", "grey": "灰色", "brown": "棕色", "purple": "紫色",
    "white": "白色", "cyan": "青色", "turquoise": "绿松石色", "violet": "紫罗兰色",
    BLOCK: "方块", BOWL: "碗", "left": "左", "right": "右",
}  # fmt: skip

BEFORE = [
    "please ", "could you ", "can you ", "would you ", "will you ", "hey, ", "robot, ",
    "now ", "ok, ", "um, ", "so, ", "I'd like you to ", "I want you to ", "go ahead and ",
    "could you please ", "please, ", "just ", "can you please ", "hey robot, ", "next, ",
    "be so kind and ", "you should ", "first of all, ", "I need you to ", "well, ", "you can ",
]  # fmt: skip
AFTER = [
    " please", ", please", " now", " for me", ", thanks", ", thank you", " right away", "!",
    " carefully", " quickly", ", will you?", " when you can", ", ok?", ". thanks!", " if you can",
]  # fmt: skip
JOINTS = [", then ", " and then ", ". then ", ", and ", " and ", ". after that, ", "; ", ". ",
          ", after that ", ". next, ", ", next "]  # fmt: skip


class Phrasing:
    """Templates of one split; the fate of a template follows from its text."""

    def __init__(self, split: str, file: Path = FILE):
        families = yaml.safe_load(file.read_text(encoding="utf-8"))
        self.english = {f: self._of(split, f, lines, False) for f, lines in families.items()}
        self.chinese = {f: self._of(split, f, lines, True) for f, lines in families.items()}

    @staticmethod
    def _of(split: str, family: str, lines: list[str], chinese: bool) -> list[str]:
        lines = [line for line in lines if line.startswith(ZH) == chinese]
        fate = {line: zlib.crc32(f"{family} {line}".encode()) % 10 for line in lines}
        if chinese:  # too few to hold any back
            return [line.removeprefix(ZH) for line in lines]
        keep = {"validation": lambda n: n == 0, "test": lambda n: n == 1, "train": lambda n: n > 1}
        return [line for line in lines if keep[split](fate[line])]

    def english_of(self, rng: random.Random, family: str) -> str | None:
        lines = self.english[family]
        return rng.choice(lines) if lines else None

    def chinese_of(self, rng: random.Random, family: str) -> str | None:
        lines = self.chinese[family]
        return rng.choice(lines) if lines else None


def choose(rng: random.Random, template: str) -> str:
    """Take one of each [a|b]."""
    return re.sub(r"\[([^\[\]]*)\]", lambda m: rng.choice(m[1].split("|")), template)


def fill(rng: random.Random, template: str, slots: dict, scene: Scene) -> str:
    """Put names of the objects into a template."""
    text = choose(rng, template)
    for key, value in slots.items():
        if isinstance(value, Thing):
            text = text.replace("{" + key + "c}", value.colour)
            text = text.replace("{" + key + "}", name(rng, value, scene, len(slots)))
        else:
            text = text.replace("{" + key + "}", value)
    return text


def fill_chinese(rng: random.Random, template: str, slots: dict) -> str:
    text = choose(rng, template)
    for key, value in slots.items():
        thing = isinstance(value, Thing)
        word = CHINESE[value.colour] + CHINESE[value.kind] if thing else CHINESE.get(value, value)
        text = text.replace("{" + key + "}", word)
    return text


def name(rng: random.Random, thing: Thing, scene: Scene, slots: int) -> str:
    """One way to call the object, which fits no other of the scene."""
    alike = scene.of(thing.kind)
    nouns = ["block", "block", "cube", "brick"] if thing.kind == BLOCK else ["bowl", "bowl", "dish"]
    noun = rng.choice(nouns)
    if len(alike) == 1 and rng.random() < 0.5:
        return f"the {noun}"
    ways = list(_relations(thing, scene, noun))
    if ways and rng.random() < 0.13:
        return rng.choice(ways)
    unique = sum(t.colour == thing.colour for t in scene.things) == 1
    if (unique or (slots > 1 and thing.kind == BLOCK)) and rng.random() < 0.12:
        return f"the {thing.colour} one"
    if rng.random() < 0.06:
        return f"{thing.colour} {noun}"
    if rng.random() < 0.03:
        return f"the {noun} that is {thing.colour}"
    return f"the {thing.colour} {nouns[0] if rng.random() < 0.75 else noun}"


def _relations(thing: Thing, scene: Scene, noun: str):
    """Names by where the object is."""
    alike = scene.of(thing.kind)
    if len(alike) > 1:
        apart = [abs(t.left - thing.left) for t in alike if t is not thing]
        if min(apart) > 0.02 and alike[0] is thing:
            yield from (f"the leftmost {noun}", f"the {noun} on the left")
        if min(apart) > 0.02 and alike[-1] is thing:
            yield from (f"the rightmost {noun}", f"the {noun} on the right")
    if thing.inside and len(scene.above(thing.inside)) == 1:
        yield f"the {noun} in the {thing.inside}"
        yield f"what is in the {thing.inside}"
    if thing.on and any(t.name == thing.on for t in scene.things):
        yield f"the {noun} on the {thing.on}"
        yield f"the {noun} on top of the {thing.on}"
    if thing.held:
        yield f"the {noun} you are holding"
    above = scene.above(thing.name)
    if above:
        yield f"the {noun} {'with' if thing.kind == BOWL else 'under'} the {above[0].name}"
    if thing.kind == BOWL and not above and sum(not scene.above(w.name) for w in alike) == 1:
        yield f"the empty {noun}"


def wrap(rng: random.Random, request: str) -> str:
    """Make a request polite, curt or chatty."""
    if rng.random() < 0.4:
        request = rng.choice(BEFORE) + request
    if rng.random() < 0.22:
        request += rng.choice(AFTER)
    return request


def finish(rng: random.Random, text: str) -> str:
    """Capital letter and full stop, or not."""
    if rng.random() < 0.3:
        text = text[0].upper() + text[1:]
    if text[-1] not in ".?!" and rng.random() < 0.25:
        text += rng.choice([".", ".", "!"])
    elif text[-1] == "?" and rng.random() < 0.25:
        text = text[:-1]
    return text


def mistype(rng: random.Random, text: str) -> str:
    """Swap, drop or double one letter inside a word."""
    places = [m.start() + 1 for m in re.finditer(r"[a-z]{4,}", text)]
    if not places:
        return text
    i = rng.choice(places) + rng.randint(0, 1)
    kind = rng.randrange(3)
    middle = [text[i + 1] + text[i], text[i + 1], text[i] + text[i] + text[i + 1]][kind]
    return text[:i] + middle + text[i + 2 :]
