"""A policy learns from new demonstrations without forgetting what it can do.

    python -m train.vla.learn --policy FOLDER --new SHARDS --out FOLDER [--replay SHARDS]

The new episodes are mixed with old ones (--replay). What may change is to be chosen:
matrices of low rank beside the linear layers, which are added to them at the end
(lora, arXiv 2106.09685); the last layer and the heads (head: everything before is
frozen); or all of it (full). With --ewc what matters for the old episodes is held
where it is (elastic weight consolidation, arXiv 1612.00796). Words that were never
heard get numbers of their own. Prints what it measured, as JSON: losses on the
episodes kept aside, before and after, of the new and of the old.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn.utils import parametrize

from . import data, model, words

METHODS = ("lora", "head", "full")
RATE = {"lora": 1e-3, "head": 5e-4, "full": 2e-4}
BATCH = 32
EACH = 10  # of so many episodes one is kept aside


def arguments() -> argparse.Namespace:
    p = argparse.ArgumentParser(description="learn from new demonstrations")
    p.add_argument("--policy", type=Path, required=True)
    p.add_argument("--new", type=Path, required=True)
    p.add_argument("--replay", type=Path)
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--method", choices=METHODS, default="lora")
    p.add_argument("--rank", type=int, default=8)
    p.add_argument("--ewc", type=float, default=0.0, help="how firmly old weights are held")
    p.add_argument("--share", type=float, default=0.5, help="of a batch that is new")
    p.add_argument("--steps", type=int, default=400)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--threads", type=int, default=1)
    return p.parse_args()


class Rows:
    """Frames of shards: (shard, row) in two arrays."""

    def __init__(self, folder: Path | None, vocabulary: list[str]):
        paths = sorted(folder.glob("**/shard-*.safetensors")) if folder else []
        self.shards = [data.Shard(p) for p in paths]
        learn, aside, first = [], [], 0
        for i, shard in enumerate(self.shards):
            shard.words = np.array([words.encode(p, vocabulary) for p in shard.phrases], np.int64)
            episode = np.array(shard["episode"]) + first
            first = int(episode.max()) + 1
            pairs = np.stack([np.full(shard.n, i), np.arange(shard.n)], 1)
            kept = episode % EACH == EACH - 1
            learn.append(pairs[~kept])
            aside.append(pairs[kept])
        none = np.zeros((0, 2), int)
        self.learn, self.aside = np.concatenate([none, *learn]), np.concatenate([none, *aside])
        self.episodes = first

    def batch(self, pairs: np.ndarray) -> list[tuple[data.Shard, np.ndarray]]:
        return [(self.shards[i], pairs[pairs[:, 0] == i, 1]) for i in np.unique(pairs[:, 0])]


def tensors(parts: list) -> dict[str, torch.Tensor]:
    return {k: torch.from_numpy(v) for k, v in data.collate(parts).items()}


class Low(nn.Module):
    """A matrix and one of low rank beside it."""

    def __init__(self, rows: int, columns: int, rank: int):
        super().__init__()
        self.a = nn.Parameter(torch.randn(rank, columns) / columns**0.5)
        self.b = nn.Parameter(torch.zeros(rows, rank))

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        return weight + self.b @ self.a


def free(policy: model.Policy, method: str, rank: int) -> list[nn.Parameter]:
    """The parameters that may change; all others are frozen."""
    if method == "full":
        return list(policy.parameters())
    policy.requires_grad_(False)
    policy.word.weight.requires_grad_(True)
    if method == "head":
        for part in (policy.layers[-1], policy.norm, policy.action, policy.done, policy.where):
            part.requires_grad_(True)
    else:
        for module in [m for m in policy.modules() if isinstance(m, nn.Linear)]:
            low = Low(module.out_features, module.in_features, rank)
            parametrize.register_parametrization(module, "weight", low)
    return [p for p in policy.parameters() if p.requires_grad]


def merge(policy: model.Policy) -> None:
    for module in list(policy.modules()):
        if parametrize.is_parametrized(module):
            parametrize.remove_parametrizations(module, "weight", leave_parametrized=True)


def total(policy: model.Policy, b: dict) -> torch.Tensor:
    with torch.autocast("cpu", torch.bfloat16):
        parts = model.losses(policy, b)
    return sum(model.WEIGHTS[k] * v for k, v in parts.items())


def error(policy: model.Policy, rows: Rows, pairs: np.ndarray) -> float:
    """The mean L1 of the actions on at most 512 frames, evenly chosen."""
    pairs = pairs[np.linspace(0, len(pairs) - 1, min(len(pairs), 512)).astype(int)]
    sums = 0.0
    with torch.no_grad():
        for i in range(0, len(pairs), BATCH):
            part = pairs[i : i + BATCH]
            with torch.autocast("cpu", torch.bfloat16):
                value = model.losses(policy, tensors(rows.batch(part)))["action"]
            sums += float(value) * len(part)
    return sums / max(1, len(pairs))


def importance(policy, rows: Rows, free: list, rng) -> list[torch.Tensor]:
    """How much the old episodes' loss depends on each parameter: the mean square of
    its gradient."""
    sums = [torch.zeros_like(p) for p in free]
    batches = 16
    for _ in range(batches):
        policy.zero_grad()
        part = rows.learn[rng.integers(0, len(rows.learn), BATCH)]
        total(policy, tensors(rows.batch(part))).backward()
        for s, p in zip(sums, free, strict=True):
            if p.grad is not None:
                s += p.grad.square() / batches
    return sums


def widen(policy: model.Policy, heard: list[str], vocabulary: list[str]) -> list[str]:
    """The vocabulary with the words that it does not have, which begin as an average
    one."""
    extra = [w for w in dict.fromkeys(heard) if w not in vocabulary]
    if extra:
        old = policy.word.weight.data
        rows = old.mean(0, keepdim=True) + 0.1 * torch.randn(len(extra), old.shape[1])
        policy.word = nn.Embedding(len(old) + len(extra), old.shape[1])
        policy.word.weight.data = torch.cat([old, rows])
    return vocabulary + extra


def train(policy: model.Policy, new: Rows, old: Rows, a: argparse.Namespace, known: int) -> None:
    """known words keep their meaning, unless everything may change."""
    rng = np.random.default_rng(a.seed)
    params = free(policy, a.method, a.rank)
    hold = a.ewc > 0 and len(old.learn)
    matters = importance(policy, old, params, rng) if hold else []
    began = [p.detach().clone() for p in params] if hold else []
    optimizer = torch.optim.AdamW(params, RATE[a.method], weight_decay=0.0)
    fresh = BATCH if not len(old.learn) else max(1, round(a.share * BATCH))
    for step in range(a.steps):
        for group in optimizer.param_groups:
            warm = min(1.0, (step + 1) / 20)
            group["lr"] = RATE[a.method] * warm * 0.5 * (1 + np.cos(np.pi * step / a.steps))
        parts = new.batch(new.learn[rng.integers(0, len(new.learn), fresh)])
        if fresh < BATCH:
            parts += old.batch(old.learn[rng.integers(0, len(old.learn), BATCH - fresh)])
        loss = total(policy, tensors(parts))
        for p, was, much in zip(params, began, matters, strict=False):
            loss = loss + a.ewc * (much * (p - was).square()).sum()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if a.method != "full" and policy.word.weight.grad is not None:
            policy.word.weight.grad[:known] = 0
        nn.utils.clip_grad_norm_(params, 1.0)
        optimizer.step()


def main() -> None:
    a = arguments()
    torch.set_num_threads(a.threads)
    torch.manual_seed(a.seed)
    policy, described = model.load(a.policy)
    policy = policy.to(memory_format=torch.channels_last)
    known = len(described["vocabulary"])
    phrases = [p for f in sorted(a.new.glob("**/shard-*")) for p in data.Shard(f).phrases]
    vocabulary = widen(
        policy, [w for p in phrases for w in words.split(p)], described["vocabulary"]
    )
    new, old = Rows(a.new, vocabulary), Rows(a.replay, vocabulary)
    if not len(new.learn) or not len(new.aside):
        raise SystemExit(f"{a.new}: {new.episodes} episodes, at least {EACH} are needed")
    report = {"episodes": new.episodes, "replayed": old.episodes, "phrases": sorted(set(phrases))}
    report["before"] = {"new": error(policy, new, new.aside), "old": error(policy, old, old.aside)}
    train(policy, new, old, a, known)
    merge(policy)
    report["after"] = {"new": error(policy, new, new.aside), "old": error(policy, old, old.aside)}
    report |= {"words": vocabulary[known:], "method": a.method, "steps": a.steps}
    described |= {"vocabulary": vocabulary, "training": {"learned": report}}
    described.pop("judge", None)  # it judged another policy
    model.write(a.out, described, policy.state_dict())
    print(json.dumps(report), flush=True)


if __name__ == "__main__":
    main()
