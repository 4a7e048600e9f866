"""The stop word detector: training, with its state kept from scene to scene as on
the robot, and export.

    python -m train.voice.detector --train FILE.npz… --test FILE.npz --out FOLDER

A run that was cut off goes on from its last checkpoint in OUT/checkpoint.pt.
"""

import argparse
import json
import math
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

from . import features
from .scene import IGNORED, SAID
from .words import CLASSES, STOPS

WIDTH, KERNELS = 96, (6, 5, 5)
DELAY = 4  # steps that a word is heard later than scenes ask for: more of what follows it is known
SAVED = 120  # seconds between checkpoints
PAST = 20  # rows before the two of a step that its convolutions see
QUIET = (math.log10(features.FLOOR) + 3) / 2  # a row without any sound


class Detector(nn.Module):
    """[lanes, rows, BANDS] and a state to logits [lanes, rows/2, classes]."""

    def __init__(self, said: int = 0, width: int = WIDTH):
        super().__init__()
        inputs = [features.BANDS, width, width]
        self.convs = nn.ModuleList(
            nn.Conv1d(n, width, k, stride=s)
            for n, k, s in zip(inputs, KERNELS, (2, 1, 1), strict=True)
        )
        self.norms = nn.ModuleList(nn.BatchNorm1d(width) for _ in KERNELS)
        self.lstm = nn.LSTM(width, width, batch_first=True)
        self.drop = nn.Dropout(0.25)
        self.out = nn.Linear(width, len(CLASSES))
        # Only for training: what is being said, of which there is more to learn from.
        self.said = nn.Linear(width, said) if said else None

    def begin(self, lanes: int):
        """The state before anything was heard: the last rows and the cell."""
        w = self.out.in_features
        return (
            torch.full((lanes, PAST, features.BANDS), QUIET),
            torch.zeros(1, lanes, w),
            torch.zeros(1, lanes, w),
        )

    def hidden(self, rows: torch.Tensor, state):
        past, h, c = state
        rows = torch.cat([past, rows], 1)
        x = rows.transpose(1, 2)
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = torch.relu(norm(conv(x)))
        x, (h, c) = self.lstm(self.drop(x.transpose(1, 2)), (h, c))
        return self.drop(x), (rows[:, -PAST:].detach(), h.detach(), c.detach())

    def forward(self, rows: torch.Tensor, state):
        x, state = self.hidden(rows, state)
        return self.out(x), state

    @torch.no_grad()
    def weights(self) -> dict[str, torch.Tensor]:
        """As kuai reads them: norms are folded into the convolutions before them."""
        state = {}
        for i, (conv, norm) in enumerate(zip(self.convs, self.norms, strict=True)):
            gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
            state[f"conv.{i}.weight"] = conv.weight * gain[:, None, None]
            state[f"conv.{i}.bias"] = (conv.bias - norm.running_mean) * gain + norm.bias
        for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            state[f"lstm.{kind}"] = getattr(self.lstm, f"{kind}_l0")
        return state | {"out.weight": self.out.weight, "out.bias": self.out.bias}


def load(paths: list[Path]) -> list[np.ndarray]:
    """Rows, labels and what is being said, of all scenes."""
    parts = [np.load(p) for p in paths]
    rows, labels, said = (np.concatenate([p[k] for p in parts]) for k in ("rows", "labels", "said"))
    late = np.zeros_like(labels)
    late[:, DELAY:] = labels[:, :-DELAY]
    return [rows, late, said]


def warp(by: float) -> torch.Tensor:
    """[BANDS, BANDS]: rows of somebody whose mouth is another size."""
    hz = features.mel_to_hz(np.linspace(0, features.TOP_MEL, features.BANDS + 2))[1:-1]
    at = np.interp(hz * by, hz, np.arange(features.BANDS))
    low = np.minimum(at.astype(int), features.BANDS - 2)
    w = np.zeros((features.BANDS, features.BANDS), np.float32)
    w[np.arange(features.BANDS), low] = 1 - (at - low)
    w[np.arange(features.BANDS), low + 1] = at - low
    return torch.from_numpy(w)


WARPS = torch.stack([warp(by) for by in np.linspace(0.84, 1.19, 15)])


def augment(rows: torch.Tensor, draw: torch.Generator) -> torch.Tensor:
    """Other mouths, another level, and bands that are missing."""
    lanes = rows.shape[0]
    rows = rows @ WARPS[torch.randint(0, len(WARPS), (lanes,), generator=draw)].transpose(1, 2)
    rows = rows + (torch.rand(lanes, 1, 1, generator=draw) - 0.5) * 0.8
    for lane in range(lanes):
        if torch.rand(1, generator=draw) < 0.3:
            width = int(torch.randint(2, 12, (1,), generator=draw))
            low = int(torch.randint(0, features.BANDS - width, (1,), generator=draw))
            rows[lane, :, low : low + width] = rows[lane, :, low : low + width].mean()
    return rows.clamp(min=QUIET)


def stretch(rows: np.ndarray, labels: np.ndarray, said: np.ndarray, by: float):
    """Everybody speaks faster or slower, in scenes of the same length: what is then
    too much is cut, what is missing begins anew."""
    steps = labels.shape[1]
    at = (np.arange(2 * steps) * by).astype(int) % (2 * steps)
    half = (np.arange(steps) * by).astype(int) % steps
    return rows[:, at], labels[:, half], said[:, half]


class Trainer:
    def __init__(self, a: argparse.Namespace):
        torch.manual_seed(a.seed)
        torch.set_num_threads(a.threads)
        self.a = a
        self.model = Detector(SAID)
        with torch.no_grad():
            self.model.out.bias[0] = 3  # mostly nothing is said
            self.model.lstm.bias_ih_l0[WIDTH : 2 * WIDTH] = 1  # forget slowly at first
        if a.init:
            self.model.load_state_dict(torch.load(a.init, weights_only=True)["model"])
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=a.rate, weight_decay=0.01)
        self.step, self.seconds, self.losses = 0, 0.0, []
        weights = torch.full((len(CLASSES),), 2.0)
        weights[0] = 1
        self.loss = nn.CrossEntropyLoss(weight=weights, ignore_index=IGNORED)

    def part(self) -> float:
        return min(1.0, self.seconds / 60 / self.a.minutes)

    def train(
        self, rows: np.ndarray, labels: np.ndarray, said: np.ndarray, until: float = math.inf
    ) -> None:
        """until so many seconds of one core, in all, or all of a.minutes."""
        saved = time.monotonic()
        a, lanes, chunk = self.a, self.a.lanes, 128
        steps = labels.shape[1]
        numbers = np.random.default_rng(a.seed + self.step)
        draw = torch.Generator().manual_seed(a.seed + self.step)
        state = self.model.begin(lanes)
        self.model.train()
        while self.part() < 1 and self.seconds < until:
            start = time.process_time()
            chosen = numbers.choice(len(rows), lanes, replace=False)
            parts = stretch(rows[chosen], labels[chosen], said[chosen], numbers.uniform(0.85, 1.18))
            batch = augment(torch.from_numpy(parts[0].astype(np.float32)), draw)
            want, text = (torch.from_numpy(x.astype(np.int64)) for x in parts[1:])
            for at in range(0, steps, chunk):
                part = self.part()
                for g in self.optimizer.param_groups:
                    g["lr"] = (
                        a.rate
                        * min(1, (self.step + 1) / 100)
                        * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * part)))
                    )
                hidden, state = self.model.hidden(batch[:, 2 * at : 2 * (at + chunk)], state)
                loss = self.loss(
                    self.model.out(hidden).flatten(0, 1), want[:, at : at + chunk].flatten()
                )
                self.losses.append(loss.item())
                spoken = text[:, at : at + chunk]
                if (spoken > 0).any():
                    loss = loss + 0.3 * nn.functional.cross_entropy(
                        self.model.said(hidden[spoken > 0]), spoken[spoken > 0]
                    )
                self.optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
                self.optimizer.step()
                self.step += 1
            # Some lanes begin anew, as after a start of the program.
            fresh = torch.rand(lanes, generator=draw) < 0.1
            begin = self.model.begin(lanes)
            state = (
                torch.where(fresh[:, None, None], begin[0], state[0]),
                state[1] * ~fresh[None, :, None],
                state[2] * ~fresh[None, :, None],
            )
            self.seconds += time.process_time() - start
            if self.step % 200 == 0:
                print(
                    f"step {self.step} loss {np.mean(self.losses[-200:]):.4f} {self.seconds:.0f} s",
                    flush=True,
                )
            if time.monotonic() - saved > SAVED:
                self.save()
                saved = time.monotonic()
        self.save()

    def save(self) -> None:
        path = self.a.out / "checkpoint.pt"
        state = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
            "losses": self.losses,
        }
        torch.save(state, path.with_suffix(".next"))
        path.with_suffix(".next").replace(path)

    def resume(self) -> None:
        path = self.a.out / "checkpoint.pt"
        if path.exists():
            state = torch.load(path, weights_only=True)
            self.model.load_state_dict(state["model"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.step, self.seconds, self.losses = state["step"], state["seconds"], state["losses"]
            print(f"going on from step {self.step}")

    @torch.no_grad()
    def measure(self, rows: np.ndarray, labels: np.ndarray, _: np.ndarray) -> dict:
        """For each threshold: what part of the stop words is missed, and how many
        steps in a thousand hear one where there is none."""
        self.model.eval()
        logits, _ = self.model(
            torch.from_numpy(rows.astype(np.float32)), self.model.begin(len(rows))
        )
        p = smooth(logits.softmax(-1)[..., list(STOPS)].sum(-1).numpy())
        stop = np.isin(labels, STOPS)
        starts = stop & ~np.pad(stop, ((0, 0), (1, 0)))[:, :-1]
        near = np.zeros_like(stop)
        for shift in range(-12, 20):
            moved = np.roll(labels, shift, 1)
            near |= np.isin(moved, STOPS) | (moved == IGNORED)
        table = {}
        for threshold in (0.3, 0.5, 0.7, 0.85):
            found = []
            for lane, at in zip(*np.nonzero(starts), strict=True):
                found.append(bool((p[lane, max(0, at - 8) : at + 14] >= threshold).any()))
            over = (p >= threshold) & ~near
            false = int((over & ~np.pad(over, ((0, 0), (1, 0)))[:, :-1]).sum())
            table[threshold] = {
                "missed": 1 - float(np.mean(found)),
                "false_an_hour": false / (len(rows) * labels.shape[1] * 0.02 / 3600),
            }
        return table


def smooth(p: np.ndarray, over: int = 3) -> np.ndarray:
    """The mean of the last steps, as the Go package takes it."""
    padded = np.pad(p, ((0, 0), (over - 1, 0)))
    return sum(padded[:, i : i + p.shape[1]] for i in range(over)) / over


def export(model: Detector, path: Path) -> None:
    """safetensors, halves."""
    state = {name: w.half().contiguous() for name, w in model.weights().items()}
    save_file(state, path, metadata={"words": json.dumps(CLASSES[1:], ensure_ascii=False)})


def plot(losses: list[float], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axis = pyplot.subplots(figsize=(7, 4))
    width = max(1, len(losses) // 200)
    means = np.convolve(losses, np.ones(width) / width, "valid")
    axis.plot(means)
    axis.set(xlabel="step", ylabel="loss of a step, nats", yscale="log")
    figure.tight_layout()
    figure.savefig(path, dpi=90)


def main() -> None:
    p = argparse.ArgumentParser(description="train the stop word detector")
    p.add_argument("--train", type=Path, nargs="+", required=True)
    p.add_argument("--test", type=Path, required=True)
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--init", type=Path, help="a checkpoint to start from")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--minutes", type=float, default=8, help="of one core")
    p.add_argument("--lanes", type=int, default=24)
    p.add_argument("--rate", type=float, default=3e-3)
    p.add_argument("--threads", type=int, default=1)
    a = p.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(a)
    trainer.resume()
    trainer.train(*load(a.train))
    result = {
        "arguments": {k: str(v) for k, v in vars(a).items()},
        "steps": trainer.step,
        "loss": float(np.mean(trainer.losses[-200:])),
        "test": trainer.measure(*load([a.test])),
    }
    print(json.dumps(result, indent=1))
    (a.out / "result.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    export(trainer.model, a.out / "keyword.safetensors")
    plot(trainer.losses, a.out / "loss.png")


if __name__ == "__main__":
    main()
