"""The features of policy/guard/classify.go, the same to the bit (a fixture checks)."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

BUCKETS = 1 << 14
ROOT = Path(__file__).resolve().parents[2]
HAN = re.compile(r"[\u4e00-\u9fff\u3400-\u4dbf]")


def begins(c: str, out: list[str]) -> bool:
    """Whether c is the dash of "rm -rf"; "two-year-old" is three words."""
    return c == "-" and (not out or out[-1].endswith(" "))


def said(text: str) -> str:
    """The text as the rules see it: words with single spaces between and around."""
    out: list[str] = []
    for c in text.lower():
        if HAN.match(c):
            out.append(f" {c} ")
        elif c.isalpha() or c.isdigit() or c == "#" or begins(c, out):
            out.append(c)
        elif c in "'’":
            out.append("'")
        else:
            out.append(" ")
    words = [w.strip("'").removesuffix("'s") for w in "".join(out).split()]
    return " " + " ".join("a" if w == "an" else w for w in words) + " "


def listed() -> dict[str, list[str]]:
    return yaml.safe_load((ROOT / "policy/guard/harm.yaml").read_text(encoding="utf-8"))


LISTS = listed()
IDIOMS = [said(p) for p in LISTS["idioms"]]
# What stands for the words of a list, the later lists first.
CLASSES = ["beings", "food", "frail", "hot", "chemical", "medicine", "sharp", "places"]
SELF = {"me", "us", "you", "i"}
OF = {said(p).strip(): f"@{n}" for n in CLASSES for p in LISTS[n]}
LONGEST = 3
# Words that tell nothing.
EMPTY = {"the", "a", "please", "my", "that", "this", "some"}


def abstract(text: str) -> list[str]:
    """The words of text without those that tell nothing; a being, a kind of thing or
    a place stands for each name of one."""
    t = said(text)
    for idiom in IDIOMS:
        t = t.replace(idiom, " ")
    words, out, i = t.split()[:200], [], 0
    while i < len(words):
        for n in range(min(LONGEST, len(words) - i), 0, -1):
            name = " ".join(words[i : i + n])
            kind = OF.get(name) or OF.get(name.removesuffix("s"))
            if kind and name not in SELF:
                out.append(kind)
                break
        else:
            n = 1
            if words[i] not in EMPTY:
                out.append(words[i])
        i += n
    return out


def bucket(kind: str, text: str) -> int:
    h = 2166136261
    for b in (kind + text).encode():
        h = ((h ^ b) * 16777619) & 0xFFFFFFFF
    return h % BUCKETS


def features(text: str) -> list[int]:
    words, found = abstract(text), set()
    for i, word in enumerate(words):
        found.add(bucket("w", word))
        if i > 0:
            found.add(bucket("p", f"{words[i - 1]} {word}"))
        if i > 1:
            found.add(bucket("s", f"{words[i - 2]} {word}"))
        if not word.startswith("@"):
            found.add(bucket("c", word[:4] if word.isascii() else word))
    kinds = sorted({w for w in words if w.startswith("@")})
    for i, kind in enumerate(kinds):
        found |= {bucket("k", f"{kind} {other}") for other in kinds[i + 1 :]}
    return sorted(found)
