"""Trains the two towers; goes on from its checkpoint when it was cut off.

    python -m train.vision.train --data FOLDER --out FOLDER [--seed 1] [--steps 4000]

Below DATA lie pictures/ (what is trained with) and unseen/ (what is measured with).
OUT gets the checkpoint, the towers in CLIP's layout (model/) and the curves.
"""

import argparse
import json
import math
import time
from pathlib import Path

import numpy as np
import torch

from . import curves, data, export, measure, model
from .words import Words, make

RECIPE = dict(
    batch=64, rate=1.2e-3, warmup=80, decay=0.05, ema=0.998, shift=5, brightness=0.12,
    easy=0.3, sides=20, on=30, into=24,
)  # fmt: skip


def arguments() -> argparse.Namespace:
    p = argparse.ArgumentParser(description="train the towers for pictures and sentences")
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--steps", type=int, default=4000)
    p.add_argument("--until", type=int, default=0, help="stop after so many steps")
    p.add_argument("--every", type=int, default=250, help="steps between checkpoints")
    p.add_argument("--threads", type=int, default=1)
    return p.parse_args()


class Batches:
    """Draws pictures and statements."""

    def __init__(self, pictures: data.Pictures, words: Words, rng):
        self.pictures, self.rng = pictures, rng
        s = self.s = pictures.statements
        self.ids = [
            [torch.tensor([words.encode(x) for x in told[side]]) for told in s.told]
            for side in ("affirm", "deny")
        ]
        self.free = np.flatnonzero(~s.held_out)
        self.end = words.end
        # Of each thing the statements that it is there, in a bowl, on a block, held.
        self.kinds = np.full((len(s.things), model.Facts.KINDS), -1)
        for i, told in enumerate(s.told):
            kind = {("there", ""): 0, ("in", "bowl"): 1, ("on", "block"): 2, ("holds", ""): 3}.get(
                (told["relation"], told.get("b", ""))
            )
            if kind is not None and s.a[i] >= 0:
                self.kinds[s.a[i], kind] = i

    def statements(self) -> np.ndarray:
        """Which to ask about: all of most relations, some of those that are many."""
        relation = np.array(self.s.relation)[self.free]
        aside = np.isin(relation, ("left", "right"))
        on, into = relation == "on", relation == "in"
        some = [self.free[~aside & ~on & ~into]]
        for those, n in ((aside, RECIPE["sides"]), (on, RECIPE["on"]), (into, RECIPE["into"])):
            all_of = self.free[those]
            some.append(self.rng.choice(all_of, min(n, len(all_of)), replace=False))
        return np.concatenate(some)

    def draw(self) -> dict[str, torch.Tensor]:
        p, s = self.pictures, self.s
        rows = self.rng.integers(0, len(p.pixels), RECIPE["batch"])
        asked = self.statements()
        pixels, at = data.shifted(p.pixels[rows], p.at[rows], RECIPE["shift"], self.rng)
        truth = p.truth[rows]
        weigh = np.where(data.hard(p.present()[rows], s), 1.0, RECIPE["easy"])
        x = model.normalised(pixels)
        strength = RECIPE["brightness"]
        x = x * (1 + strength * (2 * torch.rand(len(x), 3, 1, 1) - 1))
        x = x + strength * (2 * torch.rand(len(x), 1, 1, 1) - 1)
        which = self.rng.integers(0, 6, len(asked))
        pick = [
            torch.stack([side[i][w % len(side[i])] for i, w in zip(asked, which, strict=True)])
            for side in self.ids
        ]
        b = {
            "pictures": x,
            "affirm": pick[0],
            "deny": pick[1],
            "truth": torch.from_numpy(truth[:, asked]),
            "weigh": torch.from_numpy(weigh[:, asked]).float(),
            "groups": torch.from_numpy(s.group[asked]),
            "asked": torch.from_numpy(asked),
        }
        # No longer than the longest sentence with its end.
        longest = int(max((b[k] != self.end).sum(1).max() for k in ("affirm", "deny"))) + 1
        b |= {k: b[k][:, :longest] for k in ("affirm", "deny")}
        return b | self.local(truth, at, asked) | self.facts(truth, at)

    def local(self, truth: np.ndarray, at: np.ndarray, asked: np.ndarray) -> dict:
        """What is true of the patch in which each thing shows: of its own statements what
        is true of it; that another thing is there is false, unless it is near."""
        s, side = self.s, model.SHAPE["size"] // model.SHAPE["patch"]
        with np.errstate(invalid="ignore"):
            seen = ((at > 0) & (at < 1)).all(-1)
        row, thing = np.nonzero(seen)
        where = at[row, thing]
        cell = np.minimum((where * side).astype(int), side - 1)
        own = s.a[asked][None] == thing[:, None]
        there = np.array(s.relation)[asked] == "there"
        with np.errstate(invalid="ignore"):
            near = np.linalg.norm(at[row] - where[:, None], axis=-1) < 0.1
        far = ~near[:, s.a[asked]] & there
        local = np.where(own, truth[row][:, asked], np.where(far, data.NO, data.UNKNOWN))
        return {
            "rows": torch.from_numpy(row),
            "patches": torch.from_numpy(cell[:, 1] * side + cell[:, 0]),
            "things": torch.from_numpy(thing),
            "local_truth": torch.from_numpy(local),
            "local_own": torch.from_numpy(own & (local != data.UNKNOWN)),
        }

    def facts(self, truth: np.ndarray, at: np.ndarray) -> dict:
        """The state of each thing that shows, and the patches that are far from it."""
        s, side = self.s, model.SHAPE["size"] // model.SHAPE["patch"]
        with np.errstate(invalid="ignore"):
            seen = ((at > 0) & (at < 1)).all(-1)
        row, thing = np.nonzero(seen)
        kinds = self.kinds[thing]
        held = np.append(s.held_out, True)[kinds]  # of a bowl nothing of this is said
        states = np.where(held, data.UNKNOWN, truth[row[:, None], kinds])
        middle = (np.arange(side) + 0.5) / side
        with np.errstate(invalid="ignore"):
            across = np.abs(at[:, :, 0, None] - middle) < 1.2 / side  # [n, things, side]
            down = np.abs(at[:, :, 1, None] - middle) < 1.2 / side
        free = ~(down[:, :, :, None] & across[:, :, None])
        free = free.reshape(len(at), len(s.things), -1).transpose(0, 2, 1)
        return {
            "states": torch.from_numpy(states),
            "free": torch.from_numpy(free.astype(np.float32)),
        }


class Trainer:
    def __init__(self, a: argparse.Namespace):
        self.a = a
        torch.set_num_threads(a.threads)
        torch.manual_seed(a.seed)
        size = model.SHAPE["size"]
        self.pictures = data.Pictures(a.data / "pictures", size)
        self.unseen = data.Pictures(a.data / "unseen", size)
        if not len(self.pictures.pixels) or not len(self.unseen.pixels):
            raise SystemExit(f"{a.data}: no pictures or unseen: run kuai scenes first")
        self.folder = a.out / "model"
        if not (self.folder / "vocab.json").exists():
            make(self.pictures.statements.sentences(True), self.folder)
        self.words = Words(self.folder)
        self.model = model.make(self.words, model.SHAPE)
        self.average = {k: v.clone() for k, v in self.model.state_dict().items()}
        told = self.pictures.statements
        self.facts = model.Facts(model.SHAPE["width"], len(told.things), len(told.told))
        self.parameters = [*self.model.parameters(), *self.facts.parameters()]
        self.optimizer = torch.optim.AdamW(
            self.parameters, 1e-3, betas=(0.9, 0.98), weight_decay=RECIPE["decay"]
        )
        self.batches = Batches(self.pictures, self.words, np.random.default_rng(a.seed))
        self.step, self.cpu_seconds, self.history = 0, 0.0, []
        self.path = a.out / "checkpoint.pt"
        if self.path.exists():
            self.load()

    def load(self) -> None:
        kept = torch.load(self.path, weights_only=False)
        self.model.load_state_dict(kept["model"])
        self.facts.load_state_dict(kept["facts"])
        self.optimizer.load_state_dict(kept["optimizer"])
        self.average, self.step = kept["average"], kept["step"]
        self.cpu_seconds, self.history = kept["cpu_seconds"], kept["history"]
        torch.set_rng_state(kept["torch_rng"])
        self.batches.rng.bit_generator.state = kept["data_rng"]
        print(f"going on from step {self.step}", flush=True)

    def save(self) -> None:
        kept = {
            "model": self.model.state_dict(),
            "facts": self.facts.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": self.average,
            "step": self.step,
            "cpu_seconds": self.cpu_seconds,
            "history": self.history,
            "torch_rng": torch.get_rng_state(),
            "data_rng": self.batches.rng.bit_generator.state,
        }
        part = self.path.with_suffix(".part")
        torch.save(kept, part)
        part.rename(self.path)
        towers = model.make(self.words, model.SHAPE)
        towers.load_state_dict(self.average)
        export.write(towers, self.folder)
        result = measure.measure(towers.eval(), self.words, self.unseen)
        self.history[-1] |= {"unseen": result["unseen"]["rate"], "seen": result["seen"]["rate"]}
        told = {"steps": self.step, "seed": self.a.seed, "pictures": len(self.pictures.pixels)}
        told |= {"cpu_minutes": round(self.cpu_seconds / 60, 1), "questions": result}
        (self.a.out / "result.json").write_text(json.dumps(told, indent=1) + "\n")
        print("  " + measure.line(result), flush=True)
        curves.draw(self.history, self.a.out / "curves.png")

    def rate(self) -> float:
        """Linear warm-up, then a cosine down to a fiftieth."""
        if self.step < RECIPE["warmup"]:
            return RECIPE["rate"] * (self.step + 1) / RECIPE["warmup"]
        part = (self.step - RECIPE["warmup"]) / max(1, self.a.steps - RECIPE["warmup"])
        return RECIPE["rate"] * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1.0, part))))

    def one(self) -> dict[str, float]:
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate()
        with torch.autocast("cpu", torch.bfloat16):
            parts = model.losses(self.model, self.facts, self.batches.draw())
        loss = sum(model.WEIGHTS[k] * v for k, v in parts.items())
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimizer.step()
        self.step += 1
        keep = min(RECIPE["ema"], (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for k, v in self.model.state_dict().items():
                if v.dtype.is_floating_point:
                    self.average[k].lerp_(v, 1 - keep)
        return {k: float(v.detach()) for k, v in parts.items()}

    def run(self) -> None:
        until = min(self.a.until or self.a.steps, self.a.steps)
        sums: dict[str, float] = {}
        began, cpu, count = time.monotonic(), time.process_time(), 0
        while self.step < until:
            for k, v in self.one().items():
                sums[k] = sums.get(k, 0.0) + v
            count += 1
            if self.step % 50 and self.step % self.a.every and self.step != until:
                continue
            self.cpu_seconds += time.process_time() - cpu
            row = {"step": self.step, "cpu_minutes": self.cpu_seconds / 60}
            row |= {k: v / count for k, v in sums.items()}
            self.history.append(row)
            speed = count * RECIPE["batch"] / (time.monotonic() - began)
            text = "  ".join(f"{k} {sums[k] / count:.4f}" for k in sums)
            print(
                f"step {self.step}/{self.a.steps}  {text}  {speed:.0f} pictures/s  "
                f"{row['cpu_minutes']:.1f} CPU min  {self.pictures.refresh()} pictures",
                flush=True,
            )
            if self.step % self.a.every == 0 or self.step == until:
                self.save()
            sums, count, began, cpu = {}, 0, time.monotonic(), time.process_time()


def main() -> None:
    a = arguments()
    a.out.mkdir(parents=True, exist_ok=True)
    Trainer(a).run()


if __name__ == "__main__":
    main()
