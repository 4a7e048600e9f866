"""What the policy is trusted with: how likely a skill is to succeed from here, and
whether what it is for is so now.

    python -m train.vla.judge --policy FOLDER --data FOLDER --alone FOLDER --out FOLDER

Learns from roll-outs, those that failed as well as those that worked, as kuai demos
--policy writes them: the shards of DATA. The policy stays as it is; a small network
on its latents is trained. ALONE has roll-outs of this very policy in which the
teacher never took over (--alone): nothing is trained on them. Of its episodes one half
calibrates what is measured on the other, and the other way round; the judge in OUT is
calibrated on both. OUT gets the policy with the judge, judge.json with what was
measured, and the reliability as a picture.
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
# Kinds of episodes: learned from, shown by the teacher, kept aside to stop by, left
# alone in two halves.
LEARN, SHOWN, ASIDE, FIRST, SECOND = 0, 1, 2, 3, 4
HALVES = (FIRST, SECOND)

# As the robot does it (policy/learned): what is said at the end of a skill is the mean
# of the last LAST frames; a skill that is not over after GIVE_UP steps (of
# internal/daemon/demos_policy.go) has failed, unless it is BELIEVED that it worked.
LAST, GIVE_UP, BELIEVED = 3, 75, 0.5


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


def before(last: np.ndarray, step: np.ndarray) -> np.ndarray:
    """Which frames are among the LAST of a skill."""
    close = last.copy()
    for k in range(1, LAST):
        close[:-k] |= last[k:] & (step[k:] >= k)
    return close


def read(policy: model.Policy, a: argparse.Namespace) -> dict:
    rng = np.random.default_rng(a.seed)
    frames = Frames()
    sources = [(f, LEARN) for f in a.data] + [(f, SHOWN) for f in a.demos]
    sources += [(f, FIRST) for f in a.alone]
    paths = [(p, kind) for f, kind in sources for p in sorted(f.glob("**/shard-*.safetensors"))]
    for path, kind in paths:
        shard, every = data.Shard(path), a.every * (4 if kind == SHOWN else 1)
        episode, step = np.array(shard["episode"]), np.array(shard["step"])
        last = ends(episode, step)
        wanted = last if kind == SHOWN else before(last, step)
        keep = np.flatnonzero((rng.random(shard.n) < 1 / every) | (step == 0) | wanted)
        # Whether the teacher succeeds says nothing of the policy, and measures nothing.
        trusted = np.float32([0.0 if kind == SHOWN else 1.0, 1.0])
        labels = np.stack([shard["success"][keep], shard["holds"][keep]], 1).astype(np.float32)
        inputs = look(policy, shard, keep, shard.words[shard["phrase"][keep]])
        # Which part of the data a frame belongs to goes by its episode.
        numbers = kind + episode % 2 if kind == FIRST else np.full(shard.n, kind)
        numbers[(numbers == LEARN) & (episode % 10 == 9)] = ASIDE
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


def fit(c: model.Config, f: dict, seed: int) -> model.Judge:
    """Train, and stop when the episodes that are kept aside are judged best."""
    torch.manual_seed(seed)
    judge = model.Judge(c, HIDDEN)
    x, y, known = (torch.from_numpy(f[k]) for k in ("inputs", "labels", "known"))
    train = torch.from_numpy(np.flatnonzero(f["part"] < ASIDE))
    aside = torch.from_numpy(np.flatnonzero(f["part"] == ASIDE))
    aside = aside if len(aside) else train
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
            now = float(loss(aside))
        if now < best:
            best, kept = now, {k: v.clone() for k, v in judge.state_dict().items()}
    judge.load_state_dict(kept)
    return judge


def platt(logits: torch.Tensor, y: torch.Tensor) -> tuple[float, float]:
    """The scale and shift with which logits fit y best (Platt's scaling)."""
    scale, shift = torch.ones(1, requires_grad=True), torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.LBFGS([scale, shift], max_iter=100)

    def closure():
        optimizer.zero_grad()
        value = F.binary_cross_entropy_with_logits(scale * logits + shift, y)
        value.backward()
        return value

    optimizer.step(closure)
    return float(scale.detach()), float(shift.detach())


def asked(f: dict, part: np.ndarray) -> list[np.ndarray]:
    """The frames of a part that calibrate each output: whether to begin is asked before
    a skill, whether it worked at any time."""
    return [part & (f["step"] == 0) & (f["known"][:, 0] > 0), part]


def logits(judge: model.Judge, f: dict) -> torch.Tensor:
    with torch.no_grad():
        return judge(torch.from_numpy(f["inputs"]))


def calibrated(judge: model.Judge, f: dict, part: np.ndarray) -> list[tuple[float, float]]:
    z, y = logits(judge, f), torch.from_numpy(f["labels"])
    return [platt(z[rows, i], y[rows, i]) for i, rows in enumerate(asked(f, part))]


def calibrate(judge: model.Judge, by: list[tuple[float, float]]) -> None:
    with torch.no_grad():
        for i, (scale, shift) in enumerate(by):
            judge.out.weight[i] *= scale
            judge.out.bias[i] = judge.out.bias[i] * scale + shift


def over(f: dict, p: np.ndarray, part: np.ndarray) -> dict[str, np.ndarray]:
    """Of each skill of a part that was carried out: how sure the judge is in the end that
    it worked, whether it was broken off, and whether it worked."""
    real = np.flatnonzero(f["real"])
    end = np.flatnonzero(f["last"][real] & part[real])
    sure = [p[real[max(0, i - LAST + 1) : i + 1], 1].mean() for i in end]
    rows = real[end]
    return {
        "sure": np.array(sure),
        "broken": f["step"][rows] >= GIVE_UP,
        "worked": f["labels"][rows, 1] > 0.5,
    }


def noticed(o: dict[str, np.ndarray], doubt: float) -> dict:
    """How well it is noticed that a skill did not work."""
    said = np.where(o["broken"], o["sure"] < BELIEVED, o["sure"] < doubt)
    return f1(said, ~o["worked"])


def doubt_of(o: dict[str, np.ndarray]) -> float:
    """Below which probability to doubt: the middle of those that tell failures best."""
    tries = np.arange(0.05, 0.9, 0.05)
    scores = np.array([noticed(o, d)["f1"] for d in tries])
    best = tries[scores >= scores.max() - 1e-9]
    return round(float(best[len(best) // 2]), 2)


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
    return score(int((said & so).sum()), int((said & ~so).sum()), int((~said & so).sum()))


def score(hit: int, wrong: int, missed: int) -> dict:
    value = 2 * hit / max(1, 2 * hit + wrong + missed)
    return {"f1": round(value, 4), "hit": hit, "wrong": wrong, "missed": missed}


def measure(judge: model.Judge, f: dict) -> dict:
    """On the episodes that nothing was learned from, each half as calibrated on the
    other."""
    z = logits(judge, f)
    p = np.zeros(z.shape, np.float32)
    ends = []
    for half, other_half in (HALVES, HALVES[::-1]):
        rows, tuning = f["part"] == half, f["part"] == other_half
        by = calibrated(judge, f, tuning)
        q = torch.stack([s * z[:, i] + t for i, (s, t) in enumerate(by)], 1).sigmoid().numpy()
        p[rows] = q[rows]
        ends.append((over(f, q, rows), doubt_of(over(f, q, tuning))))
    test = np.isin(f["part"], HALVES)
    y, begin = f["labels"], asked(f, test)[0]
    counts = [noticed(o, doubt) for o, doubt in ends]
    hit, wrong, missed = (sum(c[k] for c in counts) for k in ("hit", "wrong", "missed"))
    return {
        # Asked for, whether or not the thing is there; and only where it is.
        "can": reliability(p[begin, 0], y[begin, 0]),
        "can_there": reliability(p[begin & f["real"], 0], y[begin & f["real"], 0]),
        "holds": reliability(p[test, 1], y[test, 1]),
        "failure": score(hit, wrong, missed)
        | {"broken_off": int(sum(o["broken"].sum() for o, _ in ends))},
    }


def main() -> None:
    a = arguments()
    torch.set_num_threads(a.threads)
    policy = model.load(a.policy)[0].eval()
    frames = read(policy, a)
    judge = fit(policy.config, frames, a.seed)
    report = {"frames": len(frames["step"]), "skills": int(frames["last"].sum())}
    report |= measure(judge, frames)
    alone = np.isin(frames["part"], HALVES)
    calibrate(judge, calibrated(judge, frames, alone))
    p = logits(judge, frames).sigmoid().numpy()
    report["doubt"] = doubt_of(over(frames, p, alone))
    model.judged(judge, a.policy, a.out, report["doubt"])
    (a.out / "judge.json").write_text(json.dumps(report, indent=1) + "\n")
    curves.reliability({k: report[k]["bins"] for k in OUTPUTS}, a.out / "reliability.png")
    print(json.dumps({k: v for k, v in report.items()}), flush=True)


if __name__ == "__main__":
    main()
