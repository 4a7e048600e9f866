"""The training loop.

    python -m train.vla.train --data FOLDER --out FOLDER [--recipe FILE]

FOLDER of the data has a folder for each source of the recipe's mixture. A run
that was cut off goes on from OUT/checkpoint.pt when it is started again. OUT gets
policy/ (the moving average, as the robot reads it) at every export, and the curves of
the losses.
"""

import argparse
import json
import math
import os
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from . import curves, data, look, model

RECIPE = Path(__file__).with_name("recipe.json")


def arguments() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(description="train the policy that sees")
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--recipe", type=Path, default=RECIPE)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--steps", type=int, default=0, help="0: those of the recipe")
    p.add_argument("--until", type=int, default=0, help="stop here for now, and go on later")
    p.add_argument("--init", type=Path, help="a checkpoint whose weights to begin with")
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--flow", action="store_true", help="flow matching instead of regression")
    return p


class Trainer:
    def __init__(self, a: argparse.Namespace):
        self.recipe = json.loads(a.recipe.read_text())
        self.a = a
        self.total = a.steps or self.recipe["steps"]
        torch.manual_seed(a.seed)
        self.config = self.configured()
        self.policy = model.Policy(self.config).to(memory_format=torch.channels_last)
        decay = [p for p in self.policy.parameters() if p.dim() > 1]
        rest = [p for p in self.policy.parameters() if p.dim() <= 1]
        self.optimizer = torch.optim.AdamW(
            [
                {"params": decay, "weight_decay": self.recipe["weight_decay"]},
                {"params": rest, "weight_decay": 0.0},
            ],
            lr=self.recipe["rate"],
            betas=(0.9, 0.98),
            fused=True,
        )
        self.average = {k: v.clone() for k, v in self.policy.state_dict().items()}
        self.step, self.cpu_seconds, self.history = 0, 0.0, []
        self.data = data.Data(self.recipe["mixture"], a.data, a.seed, self.recipe["stale"])
        self.path, self.look = a.out / "checkpoint.pt", None
        if self.path.exists():
            self.load(self.path)
        elif a.init:
            kept = torch.load(a.init, weights_only=False)
            # What the checkpoint does not have, or has otherwise, begins as it is made.
            own = self.policy.state_dict()
            fits = {k: v for k, v in kept["average"].items() if own[k].shape == v.shape}
            self.policy.load_state_dict(fits, strict=False)
            self.average = {k: v.clone() for k, v in self.policy.state_dict().items()}

    def configured(self) -> model.Config:
        return model.Config(flow=self.a.flow)

    def losses(self, b: dict) -> dict[str, torch.Tensor]:
        return model.losses(self.policy, b)

    def load(self, path: Path) -> None:
        kept = torch.load(path, weights_only=False)
        self.policy.load_state_dict(kept["policy"])
        self.optimizer.load_state_dict(kept["optimizer"])
        self.average, self.step = kept["average"], kept["step"]
        self.cpu_seconds, self.history = kept["cpu_seconds"], kept["history"]
        torch.set_rng_state(kept["torch_rng"])
        self.data.rng.bit_generator.state = kept["data_rng"]
        print(f"going on from step {self.step}", flush=True)

    def save(self) -> None:
        kept = {
            "policy": self.policy.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": self.average,
            "step": self.step,
            "cpu_seconds": self.cpu_seconds,
            "history": self.history,
            "torch_rng": torch.get_rng_state(),
            "data_rng": self.data.rng.bit_generator.state,
            "config": self.config,
        }
        part = self.path.with_suffix(".part")
        torch.save(kept, part)
        part.rename(self.path)
        more = {
            "step": self.step,
            "seed": self.a.seed,
            "cpu_hours": round(self.cpu_seconds / 3600, 2),
        }
        self.look = self.look or look.of(self.data)
        model.export(self.average, self.config, self.a.out / "policy", more, self.look)
        curves.draw(self.history, self.a.out / "loss.png")

    def rate(self) -> float:
        """Linear warm-up, then a cosine down to a fiftieth."""
        warm = self.recipe["warmup"]
        if self.step < warm:
            return self.recipe["rate"] * (self.step + 1) / warm
        part = min(1.0, (self.step - warm) / max(1, self.total - warm))
        return self.recipe["rate"] * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * part)))

    def tensors(self, raw: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
        """The batch, its pictures a little brighter or darker, or less sharp."""
        b = {k: torch.from_numpy(v) for k, v in raw.items()}
        strength = self.recipe["brightness"]
        for name in ("front", "wrist"):
            rows = len(b[name])
            x = b[name].float().div_(127.5).sub_(1)
            gain = 1 + strength * (2 * torch.rand(rows, 1, 1, 3) - 1)
            shift = strength * (2 * torch.rand(rows, 1, 1, 1) - 1)
            x = x.mul_(gain).add_(shift)
            b[name] = self.soften(x)
        return b

    def soften(self, x: torch.Tensor) -> torch.Tensor:
        """A quarter of the time pictures less sharp: a camera's are averaged down from
        larger ones, the simulator's are not."""
        if torch.rand(()) < 0.75:
            return x
        y = F.avg_pool2d(x.permute(0, 3, 1, 2), 3, 1, 1, count_include_pad=False)
        return x.lerp_(y.permute(0, 2, 3, 1), float(self.recipe["soften"] * torch.rand(())))

    def one(self) -> dict[str, float]:
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate()
        b = self.tensors(self.data.batch(self.recipe["batch"]))
        with torch.autocast("cpu", torch.bfloat16):
            parts = self.losses(b)
        loss = sum(model.WEIGHTS[k] * v for k, v in parts.items())
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.policy.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        keep = min(self.recipe["ema"], (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for k, v in self.policy.state_dict().items():
                self.average[k].lerp_(v, 1 - keep)
        return {k: float(v.detach()) for k, v in parts.items()}

    def run(self) -> None:
        until = min(self.a.until or self.total, self.total)
        sums: dict[str, float] = {}
        began, cpu, count = time.monotonic(), time.process_time(), 0
        frames = self.data.refresh()
        while self.step < until:
            if not frames:
                raise SystemExit(f"no shards in {self.a.data}: run kuai demos --cache first")
            for k, v in self.one().items():
                sums[k] = sums.get(k, 0.0) + v
            count += 1
            if self.step % 100 == 0 or self.step == until:
                self.cpu_seconds += time.process_time() - cpu
                cpu = time.process_time()
                row = {"step": self.step, "cpu_hours": self.cpu_seconds / 3600, "frames": frames}
                row |= {k: v / count for k, v in sums.items()}
                self.history.append(row)
                speed = count * self.recipe["batch"] / (time.monotonic() - began)
                text = "  ".join(f"{k} {sums[k] / count:.4f}" for k in sums)
                print(
                    f"step {self.step}/{self.total}  {text}  {speed:.0f} samples/s  "
                    f"{row['cpu_hours']:.2f} CPU h  {frames} frames",
                    flush=True,
                )
                sums, count, began = {}, 0, time.monotonic()
                frames = self.data.refresh()
            if self.step % self.recipe["every"] == 0 or self.step == until:
                self.save()


def start(a: argparse.Namespace, trainer: type[Trainer]) -> None:
    torch.set_num_threads(a.threads)
    if os.nice(0) == 0:  # nobody chose: be out of the way
        os.nice(15)
    a.out.mkdir(parents=True, exist_ok=True)
    trainer(a).run()


def main() -> None:
    start(arguments().parse_args(), Trainer)


if __name__ == "__main__":
    main()
