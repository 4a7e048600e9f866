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


def split(phrase: str) -> list[str]:
    """The words of a phrase that count."""
    return re.findall(r"[a-z]+", phrase.lower())[:SLOTS]


def encode(phrase: str, vocabulary: list[str] = VOCABULARY) -> list[int]:
    """The numbers of a phrase's words, filled up with 0."""
    numbers = [vocabulary.index(w) if w in vocabulary else 1 for w in split(phrase)]
    return numbers + [0] * (SLOTS - len(numbers))
