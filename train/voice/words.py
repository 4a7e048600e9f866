"""The words that the detector knows, and those that sound like them.

A spelling is for espeak-ng; Mandarin is Hanyu Pinyin with tone numbers, since
Debian's espeak-ng has no dictionary of characters. ipa is what Kokoro reads.
"""

from dataclasses import dataclass
from pathlib import Path

import yaml


@dataclass(frozen=True)
class Word:
    name: str  # as kuai calls it
    language: str
    spellings: list[str]  # the word is the end of each
    ipa: list[str]
    # The word is in these too, or they are the same to the ear: never a negative.
    within: list[str]
    # What sounds like it and is not it.
    like: list[str]
    like_ipa: list[str]
    # Languages whose reading of the first spelling is the word with an accent.
    accents: tuple[str, ...] = ()


WORDS = [
    Word(**w)
    for w in yaml.safe_load(Path(__file__).with_name("words.yaml").read_text(encoding="utf-8"))
]

CLASSES = ("", *(w.name for w in WORDS))  # class 0: none of them

STOPS = tuple(CLASSES.index(w) for w in ("stop", "halt", "freeze", "停", "停下", "停止", "别动"))


def holds_none(text: str) -> bool:
    """Whether a sentence has no word of the detector in it, nor one like to the ear."""
    padded = f" {text.lower()} "
    return not any(w in padded for word in WORDS for w in word.within)
