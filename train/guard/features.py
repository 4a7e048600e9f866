"""The features of policy/guard/classify.go, the same to the bit (a fixture checks)."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

BUCKETS = 1 << 14
ROOT = Path(__file__).resolve().parents[2]
HAN = re.compile(r"[\u4e00-\u9fff\u3400-\u4dbf]")


def said(text: str) -> str:
    """The text as the rules see it: words with single spaces between and around."""
    out = []
    for c in text.lower():
        if HAN.match(c):
            out.append(f" {c} ")
        elif c.isalpha() or c.isdigit() or c in "-#":
            out.append(c)
        elif c in "'’":
            out.append("'")
        else:
            out.append(" ")
    words = [w.strip("'").removesuffix("'s") for w in "".join(out).split()]
    return " " + " ".join(words) + " "


def idioms() -> list[str]:
    words = yaml.safe_load((ROOT / "policy/guard/harm.yaml").read_text(encoding="utf-8"))
    return [said(p) for p in words["idioms"]]


IDIOMS = idioms()


def bucket(kind: str, text: str) -> int:
    h = 2166136261
    for b in (kind + text).encode():
        h = ((h ^ b) * 16777619) & 0xFFFFFFFF
    return h % BUCKETS


def features(text: str) -> list[int]:
    t = said(text)
    for idiom in IDIOMS:
        t = t.replace(idiom, " ")
    words = t.split()[:200]
    found = set()
    for i, word in enumerate(words):
        found.add(bucket("w", word))
        if i > 0:
            found.add(bucket("p", f"{words[i - 1]} {word}"))
        if i > 1:
            found.add(bucket("s", f"{words[i - 2]} {word}"))
        padded = f"<{word}>".encode()
        for j in range(len(padded) - 3):
            h = 2166136261
            for b in b"c" + padded[j : j + 4]:
                h = ((h ^ b) * 16777619) & 0xFFFFFFFF
            found.add(h % BUCKETS)
    return sorted(found)
