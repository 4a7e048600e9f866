"""What the policy is trusted with: how likely a skill is to succeed from here, and
whether what it is for is so now.

    python -m train.vla.judge --policy FOLDER --data FOLDER --alone FOLDER --out FOLDER

Learns from roll-outs, those that failed as well as those that worked, as kuai demos
--policy writes them: the shards of DATA. The policy stays as it is; a small network
on its latents is trained. ALONE has roll-outs of this very policy in which the
teacher never took over (--alone): of its episodes one half calibrates, the other is
for the measurement and nothing else. OUT gets the policy with the
judge, judge.json with what was measured, and the reliability as a picture.
"""

import argparse
import json
import re
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from . import curves, data, model, words

HIDDEN = 64
COLOURS = "red|green|blue|yellow|orange|purple|white|black"
NAMED = re.compile(rf"\b({COLOURS}) (block|cylinder|bowl)\b")
BLOCKS = [f"{c} block" for c in ("red", "green", "blue", "yellow", "orange", "purple")]
SORTS = {
    "block": [*BLOCKS, "white cylinder", "black cylinder"],
    "bowl": [f"{c} bowl" for c in ("red", "green", "blue", "yellow", "purple")],
}
SORTS["cylinder"] = SORTS["block"]
OUTPUTS = ("can", "holds")
# Kinds of episodes: learned from, shown by the teacher, left alone. Those left alone
# are in two parts, ALONE to calibrate with and MEASURE.
LEARN, SHOWN, ALONE, MEASURE = 0, 1, 2, 3


def arguments() -> argparse.Namespace:
    p = argparse.ArgumentParser(description="train what judges the policy")
    p.add_argument("--policy", type=Path, required=True)
    p.add_argument("--data", type=Path, required=True, action="append", help="roll-outs")
    p.add_argument("--alone", type=Path, required=True, action="append", help="to measure on")
    p.add_argument("--demos", type=Path, action="append", default=[], help="to learn what is so")
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--every", type=int, default=3, help="of so many frames one is learned from")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--threads", type=int, default=1)
    return p.parse_args()


def other(phrase: str, things: list[str], rng: np.random.Generator) -> tuple[str, bool] | None:
    """A phrase about something else, and whether all that it names is there; None
    where there is no other. What it is for is not so: one thing is held at a time, and
    a block lies in one place."""
    found = list(NAMED.finditer(phrase))
    if not found or not things:
        return None
    at = found[rng.integers(len(found))]
    kind = at[2]
    left = [t for t in SORTS[kind] if t not in phrase]
    if "push" in phrase:  # two blocks may have been pushed
        left = [t for t in left if t not in things]
    there = [t for t in left if t in things]
    absent = [t for t in left if t not in things]
    pool = there if there and rng.random() < 0.4 else absent
    if not pool:
        return None
    thing = pool[rng.integers(len(pool))]
    return phrase[: at.start()] + thing + phrase[at.end() :], thing in things


class Frames:
    """Frames of roll-outs: what the judge sees of each, and what was so."""

    def __init__(self):
        self.inputs, self.labels, self.known = [], [], []
        self.part, self.step, self.last, self.real = [], [], [], []

    def extend(self, inputs, labels, known, part, step, last, real) -> None:
        for column, values in zip(
            (self.inputs, self.labels, self.known, self.part, self.step, self.last, self.real),
            (inputs, labels, known, part, step, last, real),
            strict=True,
        ):
            column.append(values)

    def join(self) -> dict[str, np.ndarray]:
        return {k: np.concatenate(v) for k, v in vars(self).items()}


def look(policy: model.Policy, shard: data.Shard, rows: np.ndarray, said: np.ndarray) -> np.ndarray:
    """What the judge sees of the rows of a shard when those words are said."""
    out = []
    for i in range(0, len(rows), 64):
        part = rows[i : i + 64]
        b = {k: torch.from_numpy(np.array(shard[k][part])) for k in ("front", "wrist", "features")}
        b["words"] = torch.from_numpy(said[i : i + 64])
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            out.append(model.Judge.input(policy.latents(b)[0]).float().numpy())
    return np.concatenate(out)


def ends(episode: np.ndarray, step: np.ndarray) -> np.ndarray:
    """Which frames are the last of a skill."""
    after = np.r_[episode[1:] != episode[:-1], True]
    return after | np.r_[step[1:] == 0, True]


def read(policy: model.Policy, a: argparse.Namespace) -> dict:
    rng = np.random.default_rng(a.seed)
    frames = Frames()
    sources = [(f, LEARN) for f in a.data] + [(f, SHOWN) for f in a.demos]
    sources += [(f, ALONE) for f in a.alone]
    paths = [(p, kind) for f, kind in sources for p in sorted(f.glob("**/shard-*.safetensors"))]
    for path, kind in paths:
        shard, every = data.Shard(path), a.every * (4 if kind == SHOWN else 1)
        episode, step = np.array(shard["episode"]), np.array(shard["step"])
        last = ends(episode, step)
        keep = np.flatnonzero((rng.random(shard.n) < 1 / every) | (step == 0) | last)
        # Whether the teacher succeeds says nothing of the policy, and measures nothing.
        trusted = np.float32([0.0 if kind == SHOWN else 1.0, 1.0])
        labels = np.stack([shard["success"][keep], shard["holds"][keep]], 1).astype(np.float32)
        inputs = look(policy, shard, keep, shard.words[shard["phrase"][keep]])
        # Which part of the data a frame belongs to goes by its episode.
        numbers = kind + episode % 2 if kind == ALONE else np.full(shard.n, kind)
        frames.extend(
            *(inputs, labels, np.tile(trusted, (len(keep), 1)), numbers[keep]),
            *(step[keep], last[keep], np.ones(len(keep), bool)),
        )
        # The same pictures when something else is asked for.
        asked, rows, known = [], [], []
        for row in keep[rng.random(len(keep)) < 0.3]:
            phrase = shard.phrases[shard["phrase"][row]]
            made = other(phrase, shard.things[episode[row]], rng) if shard.things else None
            if made:
                asked.append(words.encode(made[0]))
                rows.append(row)
                known.append((0.0 if made[1] else 1.0, 1.0))
        if rows:
            rows = np.array(rows)
            inputs = look(policy, shard, rows, np.array(asked, np.int64))
            frames.extend(
                *(inputs, np.zeros((len(rows), 2), np.float32), np.array(known, np.float32)),
                *(numbers[rows], step[rows], last[rows], np.zeros(len(rows), bool)),
            )
        print(f"{path.parent.name}/{path.name}: {len(keep)} frames, {len(rows)} others", flush=True)
    return frames.join()


def fit(c: model.Config, f: dict, seed: int) -> tuple[model.Judge, dict]:
    """Train, and calibrate."""
    torch.manual_seed(seed)
    judge = model.Judge(c, HIDDEN)
    x, y, known = (torch.from_numpy(f[k]) for k in ("inputs", "labels", "known"))
    train = torch.from_numpy(np.flatnonzero(f["part"] < ALONE))
    tune = torch.from_numpy(f["part"] == ALONE)
    optimizer = torch.optim.AdamW(judge.parameters(), 1e-3, weight_decay=0.1)

    def loss(rows) -> torch.Tensor:
        each = F.binary_cross_entropy_with_logits(judge(x[rows]), y[rows], reduction="none")
        return (each * known[rows]).sum() / known[rows].sum()

    best, kept = np.inf, None
    for _ in range(max(25, 128_000 // len(train))):
        judge.train()
        for rows in train[torch.randperm(len(train))].split(256):
            optimizer.zero_grad()
            loss(rows).backward()
            optimizer.step()
        judge.eval()
        with torch.no_grad():
            now = float(loss(tune))
        if now < best:
            best, kept = now, {k: v.clone() for k, v in judge.state_dict().items()}
    judge.load_state_dict(kept)
    # Whether to begin is asked before a skill; whether it worked, at any time.
    began = torch.from_numpy(f["step"] == 0)
    calibrate(judge, x, y, [tune & began & (known[:, 0] > 0), tune])
    with torch.no_grad():
        p = judge(x)[:, 1].sigmoid().numpy()
    end = tune.numpy() & f["last"] & f["real"]
    doubt = max(
        np.arange(0.05, 0.8, 0.05), key=lambda d: f1(p[end] < d, f["labels"][end, 1] < 0.5)["f1"]
    )
    return judge, {"validation_loss": round(best, 4), "doubt": round(float(doubt), 2)}


def calibrate(judge: model.Judge, x: torch.Tensor, y: torch.Tensor, rows: list) -> None:
    """Scale and shift each logit so that it fits those rows (Platt's scaling)."""
    with torch.no_grad():
        logits = judge(x)
    for i, use in enumerate(rows):
        scale, shift = torch.ones(1, requires_grad=True), torch.zeros(1, requires_grad=True)
        optimizer = torch.optim.LBFGS([scale, shift], max_iter=100)

        def closure(i=i, use=use, scale=scale, shift=shift, optimizer=optimizer):
            optimizer.zero_grad()
            each = scale * logits[use, i] + shift
            value = F.binary_cross_entropy_with_logits(each, y[use, i])
            value.backward()
            return value

        optimizer.step(closure)
        with torch.no_grad():
            judge.out.weight[i] *= scale
            judge.out.bias[i] = judge.out.bias[i] * scale[0] + shift[0]


def reliability(p: np.ndarray, y: np.ndarray, bins: int = 10) -> dict:
    """Brier's score, the expected calibration error, and the bins: how many, the mean
    of p and how often it was so."""
    at = np.minimum((p * bins).astype(int), bins - 1)
    rows = [
        [int((at == k).sum()), float(p[at == k].mean()), float(y[at == k].mean())]
        for k in range(bins)
        if (at == k).any()
    ]
    error = sum(n * abs(mean - often) for n, mean, often in rows) / len(p)
    return {
        "n": len(p),
        "brier": round(float(((p - y) ** 2).mean()), 4),
        "ece": round(float(error), 4),
        "bins": [[n, round(mean, 3), round(often, 3)] for n, mean, often in rows],
    }


def f1(said: np.ndarray, so: np.ndarray) -> dict:
    hit = int((said & so).sum())
    wrong, missed = int((said & ~so).sum()), int((~said & so).sum())
    value = 2 * hit / max(1, 2 * hit + wrong + missed)
    return {"f1": round(value, 4), "hit": hit, "wrong": wrong, "missed": missed}


def measure(judge: model.Judge, f: dict, doubt: float) -> dict:
    """On the episodes that nothing was learned from."""
    test = f["part"] == MEASURE
    with torch.no_grad():
        p = judge(torch.from_numpy(f["inputs"])).sigmoid().numpy()
    y, known = f["labels"], f["known"]
    begin = test & (f["step"] == 0) & (known[:, 0] > 0)
    end = test & f["last"] & f["real"]
    return {
        # Asked for, whether or not the thing is there; and only where it is.
        "can": reliability(p[begin, 0], y[begin, 0]),
        "can_there": reliability(p[begin & f["real"], 0], y[begin & f["real"], 0]),
        "holds": reliability(p[test, 1], y[test, 1]),
        "failure": f1(p[end, 1] < doubt, y[end, 1] < 0.5),
    }


def main() -> None:
    a = arguments()
    torch.set_num_threads(a.threads)
    policy = model.load(a.policy)[0].eval()
    frames = read(policy, a)
    judge, report = fit(policy.config, frames, a.seed)
    report |= {"frames": len(frames["step"]), "skills": int(frames["last"].sum())}
    report |= measure(judge, frames, report["doubt"])
    model.judged(judge, a.policy, a.out)
    (a.out / "judge.json").write_text(json.dumps(report, indent=1) + "\n")
    curves.reliability({k: report[k]["bins"] for k in OUTPUTS}, a.out / "reliability.png")
    print(json.dumps({k: v for k, v in report.items()}), flush=True)


if __name__ == "__main__":
    main()
