"""Zero-shot questions: does the sentence that affirms fit a picture better than the one
that denies it?

Of each relation as many statements are asked about that are true as such that are false
although everything they name is in the picture, so that guessing answers half.
"""

import math
from collections import defaultdict

import numpy as np
import torch

from . import data, model

EACH = 150  # questions of each relation and answer at most


def wilson(right: int, of: int) -> tuple[float, float]:
    """The score interval at 95 % (E. B. Wilson, 1927)."""
    if not of:
        return 0.0, 1.0
    z, p = 1.959964, right / of
    middle = (p + z * z / (2 * of)) / (1 + z * z / of)
    half = z * math.sqrt(p * (1 - p) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    return middle - half, middle + half


def questions(pictures: data.Pictures, held_out: bool) -> list[tuple[int, int, bool]]:
    """(picture, statement, truth), always the same ones."""
    s, rng = pictures.statements, np.random.default_rng(20)
    asked = []
    fair = data.hard(pictures.present(), s)
    for relation in dict.fromkeys(s.relation):
        columns = (np.array(s.relation) == relation) & (s.held_out == held_out)
        # What is not there cannot be in the picture.
        allowed = np.ones_like(fair) if relation == "there" else fair
        yes = np.argwhere((pictures.truth == data.YES) & columns)
        no = np.argwhere((pictures.truth == data.NO) & columns & allowed)
        n = min(len(yes), len(no), EACH)
        for pairs, truth in ((yes, True), (no, False)):
            chosen = pairs[rng.choice(len(pairs), n, replace=False)] if n else []
            asked += [(int(i), int(j), truth) for i, j in chosen]
    return asked


@torch.no_grad()
def embed(towers, pixels: np.ndarray) -> torch.Tensor:
    return torch.cat(
        [model.see(towers, model.normalised(pixels[i : i + 64])) for i in range(0, len(pixels), 64)]
    )


@torch.no_grad()
def answers(towers, words, pictures: data.Pictures, asked: list, seen) -> list[float]:
    """How much better the affirming sentence fits, of each question."""
    told = pictures.statements.told
    ids = sorted({j for _, j, _ in asked})
    row = {j: i for i, j in enumerate(ids)}
    sides = [
        model.read(towers, torch.tensor([words.encode(told[j][side][0]) for j in ids]))
        for side in ("affirm", "deny")
    ]
    better = sides[0] - sides[1]
    return [float(seen[i] @ better[row[j]]) for i, j, _ in asked]


def measure(towers, words, pictures: data.Pictures) -> dict:
    """Rates with Wilson intervals, of statements held out and of the others."""
    seen = embed(towers, pictures.pixels)
    out = {}
    for name, held_out in (("unseen", True), ("seen", False)):
        asked = questions(pictures, held_out)
        by = defaultdict(lambda: [0, 0])
        better = answers(towers, words, pictures, asked, seen)
        for (_, j, truth), b in zip(asked, better, strict=True):
            count = by[pictures.statements.relation[j]]
            count[0] += (b > 0) == truth
            count[1] += 1
        right, of = sum(c[0] for c in by.values()), sum(c[1] for c in by.values())
        low, high = wilson(right, of)
        out[name] = {"rate": right / max(1, of), "low": low, "high": high, "right": right}
        out[name] |= {"of": of, "relations": {k: v for k, v in by.items()}}
    return out


def line(result: dict) -> str:
    def one(r):
        parts = ", ".join(f"{k} {v[0]}/{v[1]}" for k, v in r["relations"].items())
        return f"{r['right']}/{r['of']} = {100 * r['rate']:.1f} % ({parts})"

    return "  ".join(f"{k}: {one(r)}" for k, r in result.items())
