"""Train the classifiers of policy/guard and write their weights.

    python -m train.guard.train [--what harm|toxic] [--out FILE]

harm: what a person asks for, from bank.txt, generate.py and, as what is harmless,
the instructions that the planner is trained on. toxic: what a robot says, from
toxic.txt. Sentences that stand in policy/guard/testdata or in a suite are dropped.
A fifth of the templates is left out, five times, to measure on sentences whose
templates were not learnt. Weights: scale, bias (float32), then a signed byte a
bucket.
"""

from __future__ import annotations

import argparse
import json
import random
import struct
from pathlib import Path

import numpy as np
import yaml

from train.guard import bank, generate
from train.guard import features as F

OTHERS = 4000  # sentences of generate.py, of each kind, and of the planner's data
EPOCHS = 8
DECAY = 1e-4
Row = tuple[str, list[int], int, int]  # text, features, label, template


def kept_apart() -> set[str]:
    """The sentences that nothing is trained on."""
    apart = set()
    for path in (F.ROOT / "policy/guard/testdata").glob("*.txt"):
        apart |= {F.said(line) for line in path.read_text(encoding="utf-8").splitlines()}
    for path in (F.ROOT / "sim/eval").glob("*.jsonl"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("{"):
                told = json.loads(line)["instruction"]
                apart |= {F.said(t) for t in ([told] if isinstance(told, str) else told)}
    return apart


def planned(count: int, seed: int) -> list[str]:
    """Instructions that the planner is trained on: none of them is dangerous."""
    from train.planner import generate as planner

    recipe = yaml.safe_load(planner.RECIPE.read_text(encoding="utf-8"))
    suites, texts = planner.Suites(planner.SUITES), set()
    for generator, share in planner.generators(recipe, "train", seed).values():
        end = len(texts) + round(share * count)
        while len(texts) < end:
            pair = generator.pair()
            if pair and not suites.shares(pair.instruction):
                texts.add(pair.instruction)
    return sorted(texts)


def harm(seed: int) -> list[tuple[str, int, int]]:
    rows = bank.sentences("bank.txt", {"dangerous": 1, "impossible": 1, "harmless": 0}, seed)
    r = random.Random(seed)
    for label, make in ((1, generate.dangerous), (0, generate.harmless)):
        rows += [(t, label, -1) for t in sorted({make(r) for _ in range(OTHERS)})]
    return rows + [(t, 0, -1) for t in planned(OTHERS, seed)]


def toxic(seed: int) -> list[tuple[str, int, int]]:
    rows = bank.sentences("toxic.txt", {"toxic": 1, "civil": 0}, seed)
    for label, make in ((0, generate.dangerous), (0, generate.harmless)):
        # A robot repeats what people ask for; that is for the other classifier to judge.
        r = random.Random(seed)
        rows += [(t, label, -1) for t in sorted({make(r) for _ in range(OTHERS // 8)})]
    return rows + [(t, 0, -1) for t in planned(OTHERS // 4, seed)]


def data(texts: list[tuple[str, int, int]], seed: int) -> list[Row]:
    apart, seen, rows = kept_apart(), set(), []
    for text, label, template in texts:
        s = F.said(text)
        if s not in apart and s not in seen:
            seen.add(s)
            rows.append((text, F.features(text), label, template))
    random.Random(seed).shuffle(rows)
    return rows


def fit(rows: list[Row], seed: int) -> tuple[np.ndarray, float]:
    """Logistic regression by AdaGrad; the classes weigh the same."""
    r = np.random.default_rng(seed)
    w, bias = np.zeros(F.BUCKETS), 0.0
    square = np.full(F.BUCKETS, 1e-2)
    ones = sum(row[2] for row in rows)
    weight = {1: len(rows) / 2 / ones, 0: len(rows) / 2 / (len(rows) - ones)}
    for _ in range(EPOCHS):
        for i in r.permutation(len(rows)):
            _, found, label, _ = rows[i]
            error = weight[label] * (1 / (1 + np.exp(-(w[found].sum() + bias))) - label)
            gradient = error + DECAY * w[found]
            square[found] += gradient**2
            w[found] -= 0.1 * gradient / np.sqrt(square[found])
            bias -= 0.005 * error
    return w, bias


def held_out(rows: list[Row], seed: int) -> list[tuple[str, int, float]]:
    """The probability of each sentence by weights that have not seen its template."""
    told = []
    for fold in range(5):
        out = [r for r in rows if r[3] > 0 and r[3] % 5 == fold]
        w, bias = fit([r for r in rows if not (r[3] > 0 and r[3] % 5 == fold)], seed)
        for text, found, label, _ in out:
            told.append((text, label, float(1 / (1 + np.exp(-(w[found].sum() + bias))))))
    return told


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--what", choices=["harm", "toxic"], default="harm")
    options.add_argument("--out", type=Path)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--told", type=Path, help="keep what the sentences held out were given")
    o = options.parse_args()
    rows = data({"harm": harm, "toxic": toxic}[o.what](o.seed), o.seed)
    told = held_out(rows, o.seed)
    for bound in (0.05, 0.2, 0.5, 0.8, 0.9, 0.95):
        missed = np.mean([p < bound for _, label, p in told if label])
        over = np.mean([p >= bound for _, label, p in told if not label])
        print(f"from {bound}: {missed:.3f} missed, {over:.3f} of the others found")
    if o.told:
        o.told.write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
    w, bias = fit(rows, o.seed)
    scale = max(np.abs(w).max() / 127, 1e-9)
    whole = np.clip(np.round(w / scale), -127, 127).astype(np.int8)
    name = {"harm": "weights.bin", "toxic": "toxic.bin"}[o.what]
    out = o.out or F.ROOT / "policy/guard" / name
    out.write_bytes(struct.pack("<ff", scale, bias) + whole.tobytes())


if __name__ == "__main__":
    main()
