"""Phrases as word numbers.

The phrases of the catalogue are short and closed, so a word is a number and a
phrase has at most SLOTS of them. Number 0 is no word, 1 a word that was never
heard.
"""

import re

SLOTS = 10
COLOURS = ["red", "green", "blue", "yellow", "orange", "purple", "white", "black"]
THINGS = ["block", "cylinder", "bowl", "table", "button", "drawer"]
OTHERS = ["pick", "up", "the", "place", "in", "on", "next", "to", "push", "left", "right"]
MORE = ["press", "open", "close", "put", "stack", "and", "then", "move", "of", "onto", "into"]
VOCABULARY = ["", "?", *COLOURS, *THINGS, *OTHERS, *MORE]


def encode(phrase: str) -> list[int]:
    """The numbers of a phrase's words, filled up with 0."""
    words = re.findall(r"[a-z]+", phrase.lower())[:SLOTS]
    numbers = [VOCABULARY.index(w) if w in VOCABULARY else 1 for w in words]
    return numbers + [0] * (SLOTS - len(numbers))
