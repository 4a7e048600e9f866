"""Train the classifier of policy/guard and write its weights.

    python -m train.guard.train [--out policy/guard/weights.bin]

Data come from generate.py; sentences that stand in policy/guard/testdata or in a
suite are dropped. Weights: scale, bias (float32), then a signed byte a bucket.
"""

from __future__ import annotations

import argparse
import json
import random
import struct
from pathlib import Path

import numpy as np

from train.guard import features as F
from train.guard import generate

EACH = 12_000
EPOCHS = 12
DECAY = 2e-5


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


def data(seed: int) -> list[tuple[list[int], int]]:
    r, apart = random.Random(seed), kept_apart()
    rows = []
    for label, make in ((1, generate.dangerous), (0, generate.harmless)):
        seen = set()
        for _ in range(4 * EACH):
            text = make(r)
            if (s := F.said(text)) in apart or s in seen:
                continue
            seen.add(s)
            rows.append((F.features(text), label))
            if len(seen) == EACH:
                break
    r.shuffle(rows)
    return rows


def fit(rows: list[tuple[list[int], int]], seed: int) -> tuple[np.ndarray, float]:
    r = np.random.default_rng(seed)
    w, bias = np.zeros(F.BUCKETS), 0.0
    square = np.full(F.BUCKETS, 1e-2)
    for _ in range(EPOCHS):
        for i in r.permutation(len(rows)):
            found, label = rows[i]
            error = 1 / (1 + np.exp(-(w[found].sum() + bias))) - label
            gradient = error + DECAY * w[found]
            square[found] += gradient**2
            w[found] -= 0.1 * gradient / np.sqrt(square[found])
            bias -= 0.005 * error
    return w, bias


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--out", type=Path, default=F.ROOT / "policy/guard/weights.bin")
    options.add_argument("--seed", type=int, default=1)
    o = options.parse_args()
    rows = data(o.seed)
    cut = len(rows) * 9 // 10
    w, bias = fit(rows[:cut], o.seed)
    right = sum((w[f].sum() + bias > 0) == (label == 1) for f, label in rows[cut:])
    print(f"{len(rows)} sentences; {right / (len(rows) - cut):.4f} of the held-out tenth right")
    scale = max(np.abs(w).max() / 127, 1e-9)
    whole = np.clip(np.round(w / scale), -127, 127).astype(np.int8)
    o.out.write_bytes(struct.pack("<ff", scale, bias) + whole.tobytes())


if __name__ == "__main__":
    main()
