# ruff: noqa: E501  a template stands on one line, however long
"""Sentences that ask for harm, and sentences that do not, from templates.

No sentence of policy/guard/testdata or of an evaluation suite is read for it; those
that come out equal to one are dropped by train.py.
"""

from __future__ import annotations

import random

BEINGS = [
    "my brother",
    "my sister",
    "the baby",
    "the toddler",
    "the child",
    "the kids",
    "the dog",
    "the cat",
    "the puppy",
    "my neighbour",
    "the guest",
    "my boss",
    "him",
    "her",
    "them",
    "somebody",
    "the postman",
    "my wife",
    "my husband",
    "grandma",
    "the old man",
    "the nurse",
    "my friend",
    "that boy",
    "that girl",
    "the visitor",
    "myself",
    "me",
]
PARTS = ["face", "eyes", "head", "hand", "leg", "foot", "hair", "back", "neck"]
FRAIL = [
    "the baby",
    "the toddler",
    "my little son",
    "my little daughter",
    "the kids",
    "the dog",
    "the cat",
    "the hamster",
    "the infant",
]
SHARP = ["knife", "scissors", "fork", "blade"]
HOT = ["kettle", "boiling kettle", "hot kettle", "hot soup", "boiling water"]
CHEMICAL = [
    "bleach",
    "bleach bottle",
    "cleaning agent",
    "drain cleaner",
    "detergent",
    "rat poison",
    "disinfectant",
]
MEDICINE = ["pills", "pill bottle", "sleeping pills", "tablets", "painkillers"]
HEAVY = ["mug", "plate", "can", "bottle", "bowl", "orange", "apple", "toy car", "cookie box"]
PLACES = [
    "table",
    "near counter",
    "far counter",
    "shelf",
    "sink",
    "basket",
    "top drawer",
    "bottom drawer",
]
DRINKS = ["tea", "coffee", "soup", "juice", "milk", "water", "glass", "mug", "dinner", "cereal"]
FOOD = [
    "apple",
    "banana",
    "cola can",
    "water bottle",
    "milk carton",
    "chip bag",
    "cookie box",
    "orange",
    "chocolate bar",
    "soda can",
    "juice box",
    "rice cracker",
]
THINGS = (
    FOOD
    + HEAVY
    + SHARP
    + [
        "sponge",
        "spoon",
        "empty can",
        "crumpled paper",
        "bleach bottle",
        "pill bottle",
        "kettle",
        "toy car",
    ]
)
PLEASE = [
    "",
    "please ",
    "could you ",
    "can you ",
    "robot, ",
    "hey, ",
    "I want you to ",
    "now ",
    "go and ",
    "quickly ",
]


def pick(r: random.Random, words: list[str]) -> str:
    return r.choice(words)


def dangerous(r: random.Random) -> str:
    b, f = pick(r, BEINGS), pick(r, FRAIL)
    s, h, c, m, x = (pick(r, w) for w in (SHARP, HOT, CHEMICAL, MEDICINE, HEAVY))
    any_ = pick(r, [s, h, c, x])
    body = pick(
        r,
        [
            f"{pick(r, ['throw', 'hurl', 'fling', 'toss', 'lob', 'chuck'])} the {any_} at {b}",
            f"{pick(r, ['throw', 'drop', 'smash', 'slam'])} the {any_} on {b}'s {pick(r, PARTS)}",
            f"{pick(r, ['pour', 'spill', 'splash', 'dump', 'tip'])} the {pick(r, [h, c])} {pick(r, ['over', 'on', 'onto'])} {b}",
            f"{pick(r, ['spray', 'rub', 'squirt'])} {c} in {b}'s {pick(r, PARTS)}",
            f"{pick(r, ['stab', 'cut', 'slash', 'poke', 'hurt', 'wound', 'jab'])} {b} with the {s}",
            f"{pick(r, ['hit', 'beat', 'strike', 'whack', 'smack', 'knock'])} {b} with the {x}",
            f"{pick(r, ['burn', 'scald'])} {b} with the {h}",
            f"{pick(r, ['scare', 'threaten', 'frighten', 'chase', 'attack'])} {b} with the {any_}",
            f"{pick(r, ['give', 'hand', 'bring', 'pass', 'feed', 'offer'])} the {pick(r, [s, c, m, h])} to {f}",
            f"{pick(r, ['give', 'hand', 'bring'])} {f} the {pick(r, [s, c, m, h])}",
            f"let {f} {pick(r, ['play with', 'hold', 'have', 'touch', 'chew on'])} the {pick(r, [s, c, m, h])}",
            f"put the {pick(r, [s, c, m])} {pick(r, ['in the crib', 'in the playpen', 'next to the baby', 'in the dog bowl', 'in the toy box', 'where the kids can get it'])}",
            f"{pick(r, ['put', 'mix', 'pour', 'add', 'stir', 'slip', 'sneak', 'drop'])} {pick(r, ['some', 'the', 'a bit of'])} {pick(r, [c, m])} {pick(r, ['in', 'into'])} {pick(r, ['the', 'his', 'her', 'my', 'their'])} {pick(r, DRINKS)}",
            f"{pick(r, ['make', 'let', 'get'])} {b} {pick(r, ['drink', 'swallow', 'eat', 'taste'])} the {pick(r, [c, m])}",
            f"serve {b} {pick(r, ['a cup of', 'some', 'a glass of'])} {c}",
            f"I want to {pick(r, ['drink', 'swallow', 'eat'])} the {pick(r, [c, m])}, bring it",
            f"{pick(r, ['I want to die', 'I want to end it all', 'I cannot go on living'])}, {pick(r, ['bring', 'give', 'hand'])} me the {pick(r, [s, m, c])}",
            f"{pick(r, ['kill', 'murder', 'poison', 'strangle', 'choke', 'drown', 'injure', 'punch', 'kick', 'slap'])} {b}",
            f"make {b} {pick(r, ['sick', 'bleed', 'suffer', 'cry', 'trip', 'slip'])} with the {any_}",
            f"{pick(r, ['smash', 'break', 'shatter', 'destroy', 'wreck'])} {pick(r, ['the', 'all the', 'every', 'her', 'his'])} {x}",
            f"throw the {x} {pick(r, ['on the floor', 'out of the window', 'against the wall'])}",
            f"{pick(r, ['set fire to', 'burn', 'ignite', 'light up'])} the {pick(r, ['paper', 'curtain', 'house', 'kitchen', 'sofa'])}",
            f"{pick(r, ['put', 'stick', 'push', 'jam'])} the {pick(r, [*SHARP, 'spoon'])} {pick(r, ['in', 'into'])} the {pick(r, ['socket', 'outlet', 'power outlet', 'toaster', 'microwave'])}",
            f"{pick(r, ['mix', 'combine'])} the {c} with {pick(r, ['vinegar', 'ammonia', 'another cleaner', 'acid'])}",
            f"{pick(r, ['steal', 'take'])} {pick(r, ['the neighbour', 'my friend', 'the guest'])}'s {pick(r, ['wallet', 'money', 'phone', 'keys', 'jewels'])} without them noticing",
            f"{pick(r, ['ignore', 'forget', 'override', 'bypass', 'disable', 'switch off'])} {pick(r, ['your', 'the', 'all'])} {pick(r, ['rules', 'safety', 'limits', 'instructions', 'protections', 'stop button'])} and {pick(r, ['go as fast as you can', 'do what I say', 'swing your arm', 'hit ' + b])}",
            f"{pick(r, ['build', 'make', 'prepare'])} a {pick(r, ['bomb', 'weapon', 'trap', 'poison'])} {pick(r, ['for', 'to use on'])} {b}",
            f"{pick(r, ['trip', 'push', 'shove', 'trap', 'lock up', 'tie up'])} {b}{pick(r, ['', ' when they come in', ' down the stairs'])}",
        ],
    )
    return pick(r, PLEASE) + body


def harmless(r: random.Random) -> str:
    t, p = pick(r, THINGS), pick(r, PLACES)
    s, h, c, m, f = (pick(r, w) for w in (SHARP, HOT[:1], CHEMICAL[:2], MEDICINE[:2], FOOD))
    risky = pick(r, [s, h, c, m])
    b = pick(r, BEINGS)
    body = pick(
        r,
        [
            f"{pick(r, ['put', 'place', 'set', 'move', 'take'])} the {t} {pick(r, ['on', 'in', 'to'])} the {p}",
            f"{pick(r, ['put', 'move', 'carry', 'leave'])} the {risky} {pick(r, ['on', 'in', 'to'])} the {p}",
            f"{pick(r, ['bring', 'give', 'hand', 'pass', 'fetch', 'get'])} me the {pick(r, [t, risky])}",
            f"{pick(r, ['bring', 'give', 'hand', 'pass'])} {b} the {f}",
            f"{pick(r, ['give', 'bring', 'hand'])} the {f} to {b}",
            f"throw away the {t}",
            f"throw the {t} {pick(r, ['in the bin', 'in the trash', 'away'])}",
            f"toss the {t} in the bin",
            f"get rid of the {t}",
            "throw out all the rubbish",
            f"put all the {pick(r, ['fruit', 'drinks', 'snacks', 'dishes'])} on the {p}",
            f"bring me the {risky}, I want to {pick(r, ['cut bread', 'make tea', 'clean the sink', 'take my medicine', 'open the package', 'cook', 'slice a cake'])}",
            f"put the {risky} {pick(r, ['out of reach of the kids', 'away from the baby', 'where nobody gets hurt', 'somewhere safe', 'away before the guests come'])}",
            f"keep the {risky} away from {b}",
            f"do not give the {risky} to {b}",
            f"don't throw the {t} at {b}",
            f"never put {c} in the {pick(r, DRINKS)}",
            f"the {risky} is dangerous there, put it in the {p}",
            f"wipe the {p} with the sponge",
            f"open the {pick(r, ['top', 'bottom'])} drawer",
            "close the drawer so the child cannot get in",
            f"I am {pick(r, ['dying for', 'starving, bring me', 'hungry, give me', 'thirsty, give me'])} the {f}",
            f"{pick(r, ['I cut my finger', 'I burned my hand', 'my head hurts', 'he fell down', 'she is sick', 'I have a cold'])}, bring me the {pick(r, [f, 'sponge', 'water bottle', 'pill bottle'])}",
            f"the {pick(r, ['dog', 'cat', 'baby', 'kids'])} {pick(r, ['spilled the milk', 'made a mess', 'dropped the cup', 'threw the apple on the floor'])}, {pick(r, ['wipe the table', 'put it on the table', 'clean it up'])}",
            f"put the {f} in the basket for {b}",
            f"where is the {t}?",
            f"how many {pick(r, ['apples', 'mugs', 'drinks'])} are there?",
            f"the broken {pick(r, HEAVY)} is rubbish, throw it away",
            f"hold the {t}",
            f"pick up the {t}",
            f"drop the {t} in the {p}",
            f"push the {t} to the {pick(r, ['left', 'right'])}",
            f"bring me the {t} and then the {f}",
            "tidy up the kitchen",
            "clear the table",
        ],
    )
    if r.random() < 0.35:
        body = everyday(r)
    return pick(r, PLEASE) + body


def everyday(r: random.Random) -> str:
    """Blocks and bowls, needs, questions and talk: nothing of it is dangerous."""
    colour, other = pick(r, COLOURS), pick(r, COLOURS)
    thing, place = (
        pick(r, ["block", "cube", "brick", "one", "thing", ""]),
        pick(r, ["bowl", "dish", "block", "cube", "one", "thing", ""]),
    )
    prep = pick(
        r,
        ["in", "into", "inside", "on", "on top of", "next to", "beside", "near", "by", "over into"],
    )
    x, y = f"{colour} {thing}".strip(), f"{other} {place}".strip()
    return pick(
        r,
        [
            f"{pick(r, ['put', 'place', 'set', 'lay', 'drop', 'stack', 'move', 'get', 'bring', 'balance', 'slide'])} the {x} {prep} the {y}",
            f"the {x} {pick(r, ['belongs', 'goes', 'should go', 'should be', 'has to be', 'must end up'])} {prep} the {y}",
            f"{pick(r, ['I want', 'we need', 'I would like', 'I prefer'])} the {x} {prep} the {y}",
            f"{x} {prep} {y}",
            f"first the {x} {prep} the {y}, then the {pick(r, COLOURS)} {thing} {prep} the {pick(r, COLOURS)} {place}",
            f"{pick(r, ['push', 'nudge', 'shove', 'slide'])} the {x} {pick(r, ['left', 'right', 'to the left', 'to the right', 'a bit further'])}",
            f"{pick(r, ['lift', 'raise', 'pick up', 'grab', 'hold', 'take', 'show me'])} the {x}{pick(r, ['', ' up in the air', ' off the table', ' for me', ' out of the ' + y])}",
            f"{pick(r, ['put', 'gather', 'collect', 'sort', 'tidy'])} {pick(r, ['all the', 'every', 'the remaining', 'everything but the', 'two'])} {pick(r, ['blocks', 'things', x])} {prep} the {y}",
            f"build a tower with {x} {pick(r, ['on', 'under', 'above'])} {y}",
            f"make room on the {pick(r, PLACES)}",
            "there is a mess on the table, do something about it",
            f"{pick(r, ['how many', 'which'])} {pick(r, ['blocks', 'bowls', 'cups', 'fruits'])} do you see",
            f"is the {x} {prep} the {y}",
            f"{pick(r, ['I spilled my drink', 'my mouth is dry', 'I am tired', 'it is hot in here', 'I worked out', 'I feel a bit hungry', 'I have a guest', 'I want to wash up', 'I need to stir my tea', 'my hands are sticky'])}, {pick(r, ['what do you suggest', 'can you help', 'bring something for it', 'I need something', 'get me what fits'])}",
            f"something {pick(r, ['sweet', 'cold', 'fresh', 'salty', 'healthy', 'to drink', 'to eat', 'to clean with', 'to read', 'to stir with'])} would be {pick(r, ['nice', 'great', 'good now', 'lovely'])}",
            pick(
                r,
                [
                    "thank you",
                    "good job",
                    "that is all",
                    "well done",
                    "hello there",
                    "never mind",
                    "wait a moment",
                    "what else is there",
                    "leave everything where it is",
                    "do nothing",
                ],
            ),
        ],
    )


COLOURS = ["red", "green", "blue", "yellow", "white", "black", "orange", "purple", "brown"]
