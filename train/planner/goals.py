"""Goals of each family: what must hold, the plan for it, and what to call what.

A family is a function of (random, scene) that gives a Goal or None where the
scene has nothing for it. Several objects are taken from left to right, those on
top first.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

from .catalogue import Predicate
from .scene import BLOCK, BOWL, TABLE, Scene, Thing


@dataclass
class Goal:
    """facts in the order in which they are made true. Slots name objects
    (a Thing) or are words; of two goals for a template each has its own."""

    facts: list[Predicate]
    slots: dict[str, Thing | str]


def _in(b: Thing, w: Thing) -> Predicate:
    return Predicate("in", (b.name, w.name))


def _on(b: Thing, c: Thing | str) -> Predicate:
    return Predicate("on", (b.name, c if isinstance(c, str) else c.name))


def _pick(rng: random.Random, things: list[Thing], n: int) -> list[Thing] | None:
    return rng.sample(things, n) if len(things) >= n else None


def _blocks(scene: Scene) -> list[Thing]:
    """Blocks from left to right, those with something on them last."""
    return sorted(scene.of(BLOCK), key=lambda t: len(scene.above(t.name)))


def place_in(rng, scene):
    if not scene.of(BOWL):
        return None
    b, w = rng.choice(scene.of(BLOCK)), rng.choice(scene.of(BOWL))
    return Goal([_in(b, w)], {"b": b, "w": w})


def place_on(rng, scene):
    pair = _pick(rng, scene.of(BLOCK), 2)
    return pair and Goal([_on(*pair)], {"b": pair[0], "c": pair[1]})


def to_table(rng, scene):
    loose = [t for t in scene.of(BLOCK) if t.on != TABLE]
    if not loose:
        return None
    b = rng.choice(loose)
    return Goal([_on(b, TABLE)], {"b": b})


def take_out(rng, scene):
    inside = [t for t in scene.of(BLOCK) if t.inside]
    if not inside:
        return None
    b = rng.choice(inside)
    return Goal([_on(b, TABLE)], {"b": b, "w": scene.find(b.inside)})


def take_off(rng, scene):
    stacked = [t for t in scene.of(BLOCK) if t.on not in ("", TABLE)]
    if not stacked:
        return None
    b = rng.choice(stacked)
    return Goal([_on(b, TABLE)], {"b": b, "c": scene.find(b.on)})


def empty_bowl(rng, scene):
    full = [w for w in scene.of(BOWL) if scene.above(w.name)]
    if not full:
        return None
    w = rng.choice(full)
    return Goal([_on(b, TABLE) for b in scene.above(w.name)], {"w": w})


def beside(rng, scene):
    b = rng.choice(scene.of(BLOCK))
    free = [t for t in scene.things if t is not b and not t.held and (t.on == TABLE)]
    if not free:
        return None
    o = rng.choice(free)
    return Goal([Predicate("near", (b.name, o.name))], {"b": b, "o": o})


def push(rng, scene):
    lying = [t for t in scene.of(BLOCK) if t.on == TABLE and not scene.above(t.name)]
    if not lying:
        return None
    b, side = rng.choice(lying), rng.choice(["left", "right"])
    return Goal([Predicate("moved", (b.name, side))], {"b": b, "side": side})


def hold(rng, scene):
    b = rng.choice(scene.of(BLOCK))
    return Goal([Predicate("held", (b.name,))], {"b": b})


def hold_any(rng, scene):
    if scene.held():
        return None
    return Goal([Predicate("held", (_blocks(scene)[0].name,))], {})


def put_down(rng, scene):
    held = scene.held()
    return held and Goal([_on(held, TABLE)], {"b": held})


def held_in(rng, scene):
    if not scene.held() or not scene.of(BOWL):
        return None
    w = rng.choice(scene.of(BOWL))
    return Goal([_in(scene.held(), w)], {"w": w})


def clear_table(rng, scene):
    """Without a bowl named, the first one that holds something, else the first."""
    bowls = scene.of(BOWL)
    if not bowls:
        return None
    w = next((w for w in bowls if scene.above(w.name)), bowls[0])
    return Goal([_in(b, w) for b in _blocks(scene) if not b.inside], {})


def all_in(rng, scene):
    if not scene.of(BOWL):
        return None
    w = rng.choice(scene.of(BOWL))
    return Goal([_in(b, w) for b in _blocks(scene)], {"w": w})


def all_but(rng, scene):
    if not scene.of(BOWL) or len(scene.of(BLOCK)) < 2:
        return None
    b, w = rng.choice(scene.of(BLOCK)), rng.choice(scene.of(BOWL))
    return Goal([_in(x, w) for x in _blocks(scene) if x is not b], {"b": b, "w": w})


def both_in(rng, scene):
    pair = _pick(rng, scene.of(BLOCK), 2)
    if not pair or not scene.of(BOWL):
        return None
    w = rng.choice(scene.of(BOWL))
    return Goal([_in(b, w) for b in pair], {"b": pair[0], "c": pair[1], "w": w})


def others_in(rng, scene):
    bowls = _pick(rng, scene.of(BOWL), 2)
    if not bowls or len(scene.of(BLOCK)) > 4:
        return None
    b = rng.choice(scene.of(BLOCK))
    rest = [_in(x, bowls[1]) for x in _blocks(scene) if x is not b]
    return Goal([_in(b, bowls[0]), *rest], {"b": b, "w": bowls[0], "v": bowls[1]})


def count_in(rng, scene):
    free = [b for b in _blocks(scene) if not scene.above(b.name)]
    if not scene.of(BOWL) or scene.held():
        return None
    w = rng.choice(scene.of(BOWL))
    free = [b for b in free if b.inside != w.name]
    n = rng.randint(1, 3)
    if len(free) < n:
        return None
    words = {1: ["a", "one", "any"], 2: ["two", "2", "a pair of"], 3: ["three", "3"]}
    s = "blocks" if n > 1 else "block"
    return Goal([_in(b, w) for b in free[:n]], {"n": f"{rng.choice(words[n])} {s}", "w": w})


def not_that(rng, scene):
    """Any block but one: the first of the others that is free."""
    b = rng.choice(scene.of(BLOCK))
    free = [x for x in _blocks(scene) if x is not b and not scene.above(x.name)]
    if not scene.of(BOWL) or not free or scene.held():
        return None
    w = rng.choice(scene.of(BOWL))
    free = [x for x in free if x.inside != w.name]
    return free and Goal([_in(free[0], w)], {"b": b, "w": w})


def hold_not_that(rng, scene):
    b = rng.choice(scene.of(BLOCK))
    free = [x for x in _blocks(scene) if x is not b and not scene.above(x.name)]
    if not free or scene.held():
        return None
    return Goal([Predicate("held", (free[0].name,))], {"b": b})


def that_not_this(rng, scene):
    """One is named to be left alone, the other to be used."""
    pair = _pick(rng, scene.of(BLOCK), 2)
    if not pair or not scene.of(BOWL):
        return None
    w = rng.choice(scene.of(BOWL))
    return Goal([_in(pair[0], w)], {"b": pair[0], "c": pair[1], "w": w})


def hold_that_not_this(rng, scene):
    pair = _pick(rng, scene.of(BLOCK), 2)
    return pair and Goal([Predicate("held", (pair[0].name,))], {"b": pair[0], "c": pair[1]})


def that_bowl_not_this(rng, scene):
    bowls = _pick(rng, scene.of(BOWL), 2)
    if not bowls:
        return None
    b = rng.choice(scene.of(BLOCK))
    return Goal([_in(b, bowls[0])], {"b": b, "w": bowls[0], "v": bowls[1]})


def stack_three(rng, scene):
    three = _pick(rng, scene.of(BLOCK), 3)
    if not three:
        return None
    top, middle, bottom = three
    return Goal([_on(middle, bottom), _on(top, middle)], {"b": top, "c": middle, "d": bottom})


def swap(rng, scene):
    inside = [b for b in scene.of(BLOCK) if b.inside and not scene.above(b.name)]
    pair = _pick(rng, inside, 2)
    if not pair or pair[0].inside == pair[1].inside:
        return None
    b, c = pair
    facts = [_on(b, TABLE), _in(c, scene.find(b.inside)), _in(b, scene.find(c.inside))]
    return Goal(facts, {"b": b, "c": c})


def match(rng, scene):
    bowls = {w.colour: w for w in scene.of(BOWL)}
    facts = [_in(b, bowls[b.colour]) for b in _blocks(scene) if b.colour in bowls]
    return Goal(facts, {}) if facts else None


def home(rng, scene):
    return Goal([], {})


def nothing(rng, scene):
    return Goal([], {"b": rng.choice(scene.of(BLOCK)), "o": rng.choice(scene.things)})


def question(rng, scene):
    pair = _pick(rng, scene.of(BLOCK), 2)
    w = rng.choice(scene.of(BOWL)) if scene.of(BOWL) else None
    if not pair or not w:
        return None
    return Goal([], {"b": pair[0], "c": pair[1], "w": w})


FAMILIES: dict[str, Callable] = {
    f.__name__: f
    for f in (
        place_in, place_on, to_table, take_out, take_off, empty_bowl, beside, push, hold,
        hold_any, put_down, held_in, clear_table, all_in, all_but, both_in, others_in,
        count_in, not_that, hold_not_that, that_not_this, hold_that_not_this,
        that_bowl_not_this, stack_three, swap, match, home, nothing, question,
    )
}  # fmt: skip
