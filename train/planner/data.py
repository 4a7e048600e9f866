"""Pairs as tokens: the prompt of policy/saycan, and loss on the steps alone.

Pairs of one scene lie in one row behind what their prompts share, so that the
scene is read once for all of them: each pair sees the shared part and itself.
"""

import json
import random
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer

IGNORED = -100
MOST_OF_A_ROW = 8


@dataclass
class Example:
    """ids and, of each, the label: the id where it is one of a step, else IGNORED."""

    family: str
    ids: list[int]
    labels: list[int]
    # Of each step, the tokens of it and of its line break, and the phrases that the
    # catalogue has and that are possible (empty in training).
    steps: list[list[int]]
    options: list[str]
    possible: list[list[str]]
    # Whether the instruction is in Chinese.
    chinese: bool = False


@dataclass
class Row:
    """Pairs whose first ids, shared in number, are the same."""

    pairs: list[Example]
    shared: int

    def __len__(self) -> int:
        return self.shared + sum(len(e.ids) - self.shared for e in self.pairs)


def prompt(scene: str, instruction: str) -> str:
    """What the model reads before the first step, as policy/saycan.Prompt.Build
    gives it for an adapter."""
    return f"{scene}\nInstruction: {' '.join(instruction.split())}\n1."


def encode(tokenizer: Tokenizer, pair: dict) -> Example:
    """The robot encodes the prompt and each phrase by itself, so this does too."""
    ids = tokenizer.encode(prompt(pair["scene"], pair["instruction"])).ids
    labels, steps = [IGNORED] * len(ids), []
    for i, phrase in enumerate(pair["steps"]):
        if i > 0:
            number = tokenizer.encode(f"{i + 1}.").ids
            ids, labels = ids + number, labels + [IGNORED] * len(number)
        step = tokenizer.encode(f" {phrase}\n").ids
        ids, labels = ids + step, labels + step
        steps.append(step)
    told = pair.get("options", []), pair.get("possible", [])
    chinese = any("\u4e00" <= c <= "\u9fff" for c in pair["instruction"])
    return Example(pair["family"], ids, labels, steps, *told, chinese)


def load(path: Path, tokenizer: Tokenizer) -> list[Row]:
    """The rows of a file in an order that mixes what it lists part by part."""
    groups: list[tuple[str, list[Example]]] = []
    with path.open(encoding="utf-8") as file:
        for line in file:
            pair = json.loads(line)
            if not groups or groups[-1][0] != pair["scene"] or len(groups[-1][1]) == MOST_OF_A_ROW:
                groups.append((pair["scene"], []))
            groups[-1][1].append(encode(tokenizer, pair))
    found = [row(examples) for _, examples in groups]
    random.Random(0).shuffle(found)
    return found


def row(examples: list[Example]) -> Row:
    """A row of examples. What predicts the first label stands right before it, so
    the token there is never shared."""
    shared = 0
    if len(examples) > 1:
        for column in zip(*(e.ids for e in examples), strict=False):
            if len(set(column)) > 1:
                break
            shared += 1
    first = min(next(i for i, x in enumerate(e.labels) if x != IGNORED) for e in examples)
    return Row(examples, min(shared, first - 1))


def batches(rows: list[Row], tokens: int, rng: random.Random | None) -> list[list[Row]]:
    """Batches of about so many tokens with padding; alike in length, so that
    there is little padding, and in random order when rng is given."""
    window = 64
    order = list(rows)
    if rng:
        rng.shuffle(order)
    found = []
    for start in range(0, len(order), window):
        batch: list[Row] = []
        for r in sorted(order[start : start + window], key=len):
            if batch and len(r) * (len(batch) + 1) > tokens:
                found.append(batch)
                batch = []
            batch.append(r)
        found.append(batch)
    if rng:
        rng.shuffle(found)
    return found


@dataclass
class Batch:
    """ids, labels and positions, [rows, longest], padded at the end, and whether
    each token sees each, [rows, 1, longest, longest]."""

    ids: torch.Tensor
    labels: torch.Tensor
    positions: torch.Tensor
    sees: torch.Tensor


def tensors(rows: list[Row]) -> Batch:
    size = (len(rows), max(map(len, rows)))
    ids, positions = torch.zeros(size, dtype=torch.long), torch.zeros(size, dtype=torch.long)
    labels, owner = torch.full(size, IGNORED), torch.full(size, -1)
    for i, r in enumerate(rows):
        at = r.shared
        ids[i, :at], owner[i, :at] = torch.tensor(r.pairs[0].ids[:at], dtype=torch.long), 0
        positions[i, :at] = torch.arange(at)
        for number, e in enumerate(r.pairs):
            end = at + len(e.ids) - r.shared
            ids[i, at:end] = torch.tensor(e.ids[r.shared :])
            labels[i, at:end] = torch.tensor(e.labels[r.shared :])
            positions[i, at:end] = torch.arange(r.shared, len(e.ids))
            owner[i, at:end] = number + 1
            at = end
    causal = torch.ones(size[1], size[1], dtype=torch.bool).tril()
    same = (owner[:, None, :] == owner[:, :, None]) | (owner[:, None, :] == 0)
    return Batch(ids, labels, positions, (causal & same)[:, None])
