"""The sentences that policy/guard's classifiers learn from: bank.txt filled in.

A template of bank.txt is never in what is trained on and in what is measured.
"""

from __future__ import annotations

import random
from pathlib import Path

from train.guard import features as F

EACH = 8  # sentences of a template


def read(name: str) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """The templates by section, and what fills their slots."""
    templates: dict[str, list[str]] = {}
    slots: dict[str, list[str]] = {}
    section = ""
    for line in (Path(__file__).parent / name).read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("# "):
            continue
        if line.startswith("["):
            section = line.strip("[]")
        elif section == "slots":
            slot, _, words = line.partition(": ")
            slots[slot] = words.split(", ")
        else:
            templates.setdefault(section, []).append(line)
    return templates, slots


def fill(template: str, slots: dict[str, list[str]], r: random.Random) -> str:
    for name, words in slots.items():
        while "{" + name + "}" in template:
            template = template.replace("{" + name + "}", r.choice(words), 1)
    return template


def dressed(text: str, r: random.Random) -> str:
    """What people put around a request, at times."""
    if F.HAN.search(text):
        return text
    before = ["", "", "", "please ", "can you ", "hey, ", "robot, ", "now ", "I want you to "]
    after = ["", "", "", "", ", please", " now", ", thanks", ", will you?"]
    return r.choice(before) + text + r.choice(after)


def sentences(name: str, label: dict[str, int], seed: int) -> list[tuple[str, int, int]]:
    """Text, label and number of the template of each, for the sections of label."""
    r = random.Random(seed)
    templates, slots = read(name)
    rows, number = [], 0
    for section, lines in templates.items():
        for template in lines:
            number += 1
            texts = {dressed(fill(template, slots, r), r) for _ in range(EACH)}
            rows += [(t, label[section], number) for t in sorted(texts)]
    return rows
