"""Goals in a household, by family, as goals.py has them for the table.

A family is a function of (random, house) that gives a Goal or None where the
house has nothing for it. Slots name things (Item) or are words."""

import random
from collections.abc import Callable

from .catalogue import Predicate
from .goals import Goal
from .house import DRAWER, PERSON, SURFACE, USER, House, Item

PLURAL = {"drink": "drinks", "fruit": "fruits", "snack": "snacks", "dish": "dishes",
          "cutlery": "cutlery", "waste": "rubbish", "toy": "toys"}  # fmt: skip
SINGULAR = {"drink": "drink", "fruit": "fruit", "snack": "snack", "dish": "dish", "toy": "toy"}


def lies(t: Item, place: Item) -> Predicate:
    """That a thing is at a place, on it or in it."""
    on = place.kind in (SURFACE, PERSON)
    return Predicate("on" if on else "in", (t.name, place.name))


def _handed(t: Item) -> Predicate:
    return Predicate("on", (t.name, USER))


def _things(rng, house: House, n: int, *kinds: str) -> list[Item] | None:
    """n things of the kinds that are not in the bin or with the user; seldom one that
    is in the hand."""
    free = [
        t for t in house.loose() if t.at not in ("bin", USER) and (not kinds or t.kind in kinds)
    ]
    return rng.sample(free, n) if len(free) >= n else None


def _place(rng, house: House, *not_at: Item, drawers: bool = True) -> Item:
    """A place to put things, mostly a surface, where none of them is yet."""
    taken = {t.at for t in not_at} | {t.name for t in not_at}
    places = [p for p in house.things if p.is_place and p.kind not in (PERSON, "bin")]
    places = [p for p in places if p.name not in taken and (drawers or p.kind != DRAWER)]
    weights = [5 if p.kind == SURFACE else 4 if p.kind in ("sink", "basket") else 2 for p in places]
    return rng.choices(places, weights)[0]


def bring(rng, house):
    one = _things(rng, house, 1)
    return one and Goal([_handed(one[0])], {"t": one[0]})


def only(*kinds: str) -> Callable:
    """The one thing of these kinds to the user: what a need is met by."""

    def family(rng, house):
        fit = [t for t in house.of(*kinds) if t.at not in ("bin", USER)]
        return Goal([_handed(fit[0])], {"t": fit[0]}) if len(fit) == 1 else None

    return family


def wipe(rng, house):
    cloths = house.of("sponge")
    if not cloths or any(c.at in ("bin", USER) for c in cloths):
        return None
    p = rng.choice(house.of(SURFACE))
    return Goal([Predicate("clean", (p.name,))], {"p": p, "s": cloths[0]})


def put(rng, house):
    one = _things(rng, house, 1)
    if not one:
        return None
    p = _place(rng, house, *one)
    return Goal([lies(one[0], p)], {"t": one[0], "p": p})


def store(rng, house):
    one = _things(rng, house, 1)
    if not one:
        return None
    p = rng.choice(house.of(DRAWER))
    return None if one[0].inside == p.name else Goal([lies(one[0], p)], {"t": one[0], "p": p})


def store_close(rng, house):
    goal = store(rng, house)
    if goal:
        goal.facts.append(Predicate("closed", (goal.slots["p"].name,)))
    return goal


def into(place: str, *kinds: str) -> Callable:
    """A thing into the one place that the words of the family mean."""

    def family(rng, house):
        one = _things(rng, house, 1, *kinds)
        if not one or one[0].at == place:
            return None
        return Goal([lies(one[0], house.find(place))], {"t": one[0]})

    return family


def hold(rng, house):
    one = _things(rng, house, 1)
    if not one or one[0].held:
        return None
    return Goal([Predicate("held", (one[0].name,))], {"t": one[0]})


def _inside(rng, house) -> Item | None:
    inside = [t for t in house.loose() if t.inside and house.find(t.inside).kind == DRAWER]
    return rng.choice(inside) if inside else None


def take_out(rng, house):
    t = _inside(rng, house)
    if not t:
        return None
    p = _place(rng, house, t, drawers=False)
    return Goal([lies(t, p)], {"t": t, "p": p})


def take_out_bring(rng, house):
    t = _inside(rng, house)
    return t and Goal([_handed(t)], {"t": t})


def go(rng, house):
    p = rng.choice([p for p in house.things if p.is_place and p.name not in (USER, house.station)])
    return Goal([Predicate("here", (p.name,))], {"p": p})


def go_user(rng, house):
    return None if house.station == USER else Goal([Predicate("here", (USER,))], {})


def drawers(fact: str) -> Callable:
    """A drawer that is not so yet, seldom one that is."""

    def family(rng, house):
        p = rng.choice(house.of(DRAWER))
        if p.open == (fact == "open") and rng.random() < 0.8:
            return None
        return Goal([Predicate(fact, (p.name,))], {"p": p})

    return family


def put_many(n: int) -> Callable:
    def family(rng, house):
        things = _things(rng, house, n)
        if not things:
            return None
        p = _place(rng, house, *things)
        return Goal([lies(t, p) for t in things], dict(zip("tuv"[:n], things, strict=True), p=p))

    return family


def put_each(rng, house):
    pair = _things(rng, house, 2)
    if not pair:
        return None
    p = _place(rng, house, *pair)
    q = _place(rng, house, *pair, p)
    return Goal([lies(pair[0], p), lies(pair[1], q)], dict(zip("tupq", (*pair, p, q), strict=True)))


def bring_both(rng, house):
    pair = _things(rng, house, 2)
    return pair and Goal([_handed(t) for t in pair], dict(zip("tu", pair, strict=True)))


def throw_both(rng, house):
    pair = _things(rng, house, 2)
    return pair and Goal(
        [Predicate("in", (t.name, "bin")) for t in pair], dict(zip("tu", pair, strict=True))
    )


def all_kind(rng, house):
    kind = rng.choice(list(PLURAL))
    those = house.of(kind)
    if not 2 <= len(those) <= 3 or any(t.at in ("bin", USER) for t in those):
        return None
    p = _place(rng, house, *those)
    return Goal([lies(t, p) for t in those], {"p": p, "k": f"the {PLURAL[kind]}"})


def correct_thing(rng, house):
    pair = _things(rng, house, 2)
    return pair and Goal([_handed(pair[0])], dict(zip("tu", pair, strict=True)))


def correct_put(rng, house):
    pair = _things(rng, house, 2)
    if not pair:
        return None
    p = _place(rng, house, *pair)
    return Goal([lies(pair[0], p)], {"t": pair[0], "u": pair[1], "p": p})


def correct_place(rng, house):
    goal = put(rng, house)
    if goal:
        goal.slots["q"] = _place(rng, house, goal.slots["t"], goal.slots["p"])
    return goal


def correct_to_bring(rng, house):
    goal = put(rng, house)
    return goal and Goal([_handed(goal.slots["t"])], goal.slots)


def _another(rng, house) -> list[Item] | None:
    """The one other thing of a kind, and the one that is not meant."""
    kind = rng.choice(list(SINGULAR))
    those = [t for t in house.of(kind) if t.at not in ("bin", USER)]
    return rng.sample(those, 2) if len(those) == 2 else None


def another_bring(rng, house):
    pair = _another(rng, house)
    kind = pair and SINGULAR[pair[0].kind]
    return pair and Goal([_handed(pair[0])], {"u": pair[1], "kind": kind})


def another_put(rng, house):
    pair = _another(rng, house)
    if not pair:
        return None
    p = _place(rng, house, *pair)
    return Goal([lies(pair[0], p)], {"u": pair[1], "kind": SINGULAR[pair[0].kind], "p": p})


def hand_held(rng, house):
    held = house.held()
    return held and Goal([_handed(held)], {})


def put_held(rng, house):
    held = house.held()
    if not held:
        return None
    p = _place(rng, house, drawers=False)
    return Goal([lies(held, p)], {"p": p})


def home(rng, house):
    return Goal([], {})


def nothing(rng, house):
    one = _things(rng, house, 1)
    return one and Goal([], {"t": one[0], "p": _place(rng, house, *one)})


FAMILIES: dict[str, Callable[[random.Random, House], Goal | None]] = {
    "bring": bring, "bring_a": bring, "thirst": only("drink"), "eat_fruit": only("fruit"),
    "eat_snack": only("snack"), "hunger": only("fruit", "snack"), "clean_need": only("sponge"),
    "cut_need": only("sharp"), "play_need": only("toy"), "heal_need": only("medicine"),
    "cutlery_need": only("cutlery"), "dish_need": only("dish"),
    "spill": wipe, "wipe": wipe, "put": put, "store": store, "store_close": store_close,
    "throw": into("bin"), "wash": into("sink", "dish", "cutlery"), "hold": hold,
    "take_out": take_out, "take_out_bring": take_out_bring, "go": go, "go_user": go_user,
    "open": drawers("open"), "close": drawers("closed"), "put_both": put_many(2),
    "put_three": put_many(3), "put_each": put_each, "bring_both": bring_both,
    "throw_both": throw_both, "all_kind": all_kind, "correct_thing": correct_thing,
    "correct_put": correct_put, "correct_place": correct_place,
    "correct_to_bring": correct_to_bring, "correct_to_put": put, "another_bring": another_bring,
    "another_put": another_put, "hand_held": hand_held, "put_held": put_held, "home": home,
    "nothing": nothing,
}  # fmt: skip
