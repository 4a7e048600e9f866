"""Train the planner's adapter on the steps of the plans.

    python -m train.planner.train --base FILE.gguf --data FOLDER --out FOLDER

A run that was cut off goes on from its last checkpoint in OUT/run when it is
started again with the same arguments. OUT gets the adapter in the layout that
kuai reads (f16), the curve of the loss and result.json.
"""

import argparse
import json
import math
import random
import time
from collections import defaultdict
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from . import adapters, checkpoint, data


def arguments() -> argparse.Namespace:
    p = argparse.ArgumentParser(description="train the planner's adapter")
    p.add_argument("--base", type=Path, required=True, help="the GGUF file that the robot runs")
    p.add_argument("--data", type=Path, required=True, help="what train.planner.generate wrote")
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--kind", choices=list(adapters.KINDS), default="lora")
    p.add_argument("--init", type=Path, help="an adapter to start from instead of from nothing")
    p.add_argument("--steps", type=int, default=400)
    p.add_argument("--minutes", type=float, default=math.inf, help="end by then, in fewer steps")
    p.add_argument("--tokens", type=int, default=1024, help="of a batch, with padding")
    p.add_argument("--rate", type=float, default=1e-3, help="largest learning rate")
    p.add_argument("--warmup", type=float, default=0.05, help="part of the steps")
    p.add_argument("--rank", type=int, default=16)
    p.add_argument("--alpha", type=int, default=32)
    p.add_argument("--every", type=int, default=100, help="steps between checkpoints")
    p.add_argument("--probe", type=int, default=48, help="validation rows at a checkpoint")
    p.add_argument("--measure", type=int, default=400, help="rows of each split in the end")
    p.add_argument("--threads", type=int, default=0, help="0: what PyTorch takes")
    p.add_argument("--f32", action="store_true", help="compute in f32 where bf16 is slow")
    return p.parse_args()


def rate(part: float, a: argparse.Namespace) -> float:
    """The learning rate after this part of the run: linear warm-up, then a
    cosine down to a twentieth."""
    if part < a.warmup:
        return a.rate * (part + 0.01) / (a.warmup + 0.01)
    turn = math.pi * (part - a.warmup) / (1 - a.warmup)
    return a.rate * (0.05 + 0.95 * 0.5 * (1 + math.cos(turn)))


class Trainer:
    """The model with its adapter, and how far it has come."""

    def __init__(self, a: argparse.Namespace):
        torch.manual_seed(a.seed)
        if a.threads:
            torch.set_num_threads(a.threads)
        self.a = a
        self.tokenizer = checkpoint.tokenizer(a.base)
        base = checkpoint.load(a.base)
        self.fingerprint = checkpoint.fingerprint(base)
        self.dtype = torch.float32 if a.f32 else torch.bfloat16
        self.adapter = adapters.make(a.kind, base.to(self.dtype), a.rank, a.alpha, a.base.stem)
        self.model = self.adapter.model
        if a.init:
            self.adapter.load(load_file(a.init / "adapter_model.safetensors"))
        self.weights = [p for p in self.model.parameters() if p.requires_grad]
        for p in self.weights:
            p.data = p.data.float()
        self.optimizer = torch.optim.AdamW(self.weights, betas=(0.9, 0.99), weight_decay=0)
        self.step, self.seconds = 0, 0.0
        self.losses: list[float] = []
        self.probes: list[tuple[int, float, float]] = []  # step, loss, plans right

    def loss(self, rows: list[data.Row]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The mean loss, the loss of each label and whether it was the best token;
        the head, a quarter of the model, is computed where there are labels."""
        batch = data.tensors(rows)
        with torch.autocast("cpu", torch.bfloat16, enabled=not self.a.f32):
            hidden = self.adapter.hidden(batch)[:, :-1]
            want = batch.labels[:, 1:]
            logits = self.adapter.head(hidden[want != data.IGNORED]).float()
        each = torch.nn.functional.cross_entropy(
            logits, want[want != data.IGNORED], reduction="none"
        )
        right = logits.detach().argmax(-1) == want[want != data.IGNORED]
        return each.mean(), each.detach(), right

    def train(self, examples: list[data.Row], probe: list[data.Row]) -> None:
        """Go on to the last step; a checkpoint and a probe on the way."""
        queue: list[list[data.Row]] = []
        epoch, done = 0, 0
        while self.part() < 1:
            if not queue:
                queue = data.batches(
                    examples, self.a.tokens, random.Random(f"{self.a.seed} {epoch}")
                )
                epoch += 1
            batch = queue.pop()
            done += 1
            if done <= self.step:
                continue  # seen before the run was cut off
            self.advance(batch)
            if self.step % self.a.every == 0 or self.part() >= 1:
                self.probe(probe)
                self.save_run()

    def part(self) -> float:
        """How much of the run is over, by steps or by time."""
        return min(1, max(self.step / self.a.steps, self.seconds / 60 / self.a.minutes))

    def advance(self, batch: list[data.Row]) -> None:
        start = time.monotonic()
        self.model.train()
        for group in self.optimizer.param_groups:
            group["lr"] = rate(self.part(), self.a)
        loss, _, _ = self.loss(batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.weights, 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.step += 1
        self.losses.append(loss.item())
        self.seconds += time.monotonic() - start
        if self.step % 10 == 0:
            recent = sum(self.losses[-10:]) / 10
            print(
                f"step {self.step}/{self.a.steps} loss {recent:.4f} {self.seconds:.0f} s",
                flush=True,
            )

    @torch.no_grad()
    def measure(self, examples: list[data.Row]) -> dict:
        """Loss, and by family the part of plans whose every token is the best one,
        which is what greedy decoding would write."""
        self.model.eval()
        total, count, right = 0.0, 0, defaultdict(list)
        for batch in data.batches(examples, 2 * self.a.tokens, None):
            _, each, best = self.loss(batch)
            total, count = total + each.sum().item(), count + len(each)
            at = 0
            # Labels come out row by row, the pairs of a row in order.
            for e in (e for r in batch for e in r.pairs):
                n = sum(label != data.IGNORED for label in e.labels)
                right[e.family].append(bool(best[at : at + n].all()))
                at += n
        everything = [r for family in right.values() for r in family]
        worlds = defaultdict(list)
        for family, found in right.items():
            worlds["household" if family.startswith("house ") else "tabletop"] += found
        return {
            "loss": total / count,
            "plans": sum(everything) / len(everything),
            "worlds": {w: [sum(r), len(r)] for w, r in sorted(worlds.items())},
            "families": {f: [sum(r), len(r)] for f, r in sorted(right.items())},
        }

    def probe(self, examples: list[data.Row]) -> None:
        result = self.measure(examples)
        self.probes.append((self.step, result["loss"], result["plans"]))
        print(f"validation loss {result['loss']:.4f} plans right {result['plans']:.3f}", flush=True)

    def save_run(self) -> None:
        folder = self.a.out / "run"
        folder.mkdir(parents=True, exist_ok=True)
        state = {
            "arguments": key(self.a), "adapter": self.adapter.state(),
            "optimizer": self.optimizer.state_dict(), "step": self.step, "seconds": self.seconds,
            "losses": self.losses, "probes": self.probes,
        }  # fmt: skip
        torch.save(state, folder / "next.pt")
        (folder / "next.pt").replace(folder / "checkpoint.pt")
        self.save_adapter()

    def resume(self) -> None:
        path = self.a.out / "run" / "checkpoint.pt"
        if not path.exists():
            return
        state = torch.load(path, weights_only=True)
        if state["arguments"] != key(self.a):
            raise SystemExit(
                f"{path} is of a run with other arguments: remove it or choose another --out"
            )
        self.adapter.load(state["adapter"])
        self.optimizer.load_state_dict(state["optimizer"])
        for name in ("step", "seconds", "losses", "probes"):
            setattr(self, name, state[name])
        print(f"going on from step {self.step}")

    def save_adapter(self) -> None:
        """The adapter in peft's layout, halves, with what tells its base model."""
        state = {k: v.half().contiguous() for k, v in self.adapter.state().items()}
        save_file(state, self.a.out / "adapter_model.safetensors", metadata={"format": "pt"})
        config = self.adapter.config() | {"kuai_base": self.fingerprint}
        text = json.dumps(config, indent=2, sort_keys=True, default=str)
        (self.a.out / "adapter_config.json").write_text(text + "\n", encoding="utf-8")

    def plot(self) -> None:
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot

        figure, axis = pyplot.subplots(figsize=(7, 4))
        smooth, mean = [], self.losses[0]
        for x in self.losses:
            mean += 0.05 * (x - mean)
            smooth.append(mean)
        axis.plot(self.losses, alpha=0.25, color="tab:blue")
        axis.plot(smooth, color="tab:blue", label="training loss")
        steps, losses, plans = zip(*self.probes, strict=True)
        axis.plot(steps, losses, "o-", color="tab:orange", label="validation loss")
        axis.set(xlabel="step", ylabel="loss of a step's tokens, nats", yscale="log")
        other = axis.twinx()
        other.plot(steps, plans, "s--", color="tab:green", label="validation plans right")
        other.set(ylim=(0, 1))
        figure.legend(loc="upper right", bbox_to_anchor=(0.9, 0.88))
        figure.tight_layout()
        figure.savefig(self.a.out / "loss.png", dpi=90)


def key(a: argparse.Namespace) -> dict:
    return {k: str(v) for k, v in vars(a).items()}


def main() -> None:
    a = arguments()
    trainer = Trainer(a)
    examples = {
        s: data.load(a.data / f"{s}.jsonl", trainer.tokenizer)
        for s in ("train", "validation", "test")
    }
    rows = examples["train"]
    pairs, tokens = sum(len(r.pairs) for r in rows), sum(map(len, rows))
    print(f"{pairs} pairs in {len(rows)} rows of {tokens / len(rows):.0f} tokens", flush=True)
    trainer.resume()
    trainer.train(examples["train"], examples["validation"][: a.probe])
    result = {
        "arguments": key(a),
        "minutes": trainer.seconds / 60,
        "loss": sum(trainer.losses[-20:]) / 20,
    }
    for split in ("validation", "test"):
        result[split] = trainer.measure(examples[split][: a.measure])
        print(split, json.dumps(result[split]), flush=True)
    text = json.dumps(result, indent=1)
    (a.out / "result.json").write_text(text + "\n", encoding="utf-8")
    trainer.plot()


if __name__ == "__main__":
    main()
