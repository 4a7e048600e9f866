"""Pairs as tokens: the prompt of policy/saycan, and loss on the steps alone."""

import json
import random
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer

IGNORED = -100


@dataclass
class Example:
    """ids and, of each, the label: the id where it is one of a step, else IGNORED."""

    family: str
    ids: list[int]
    labels: list[int]


def prompt(scene: str, instruction: str) -> str:
    """What the model reads before the first step, as policy/saycan.Prompt.Build
    gives it for an adapter."""
    return f"{scene}\nInstruction: {' '.join(instruction.split())}\n1."


def encode(tokenizer: Tokenizer, pair: dict) -> Example:
    """The robot encodes the prompt and each phrase by itself, so this does too."""
    ids = tokenizer.encode(prompt(pair["scene"], pair["instruction"])).ids
    labels = [IGNORED] * len(ids)
    for i, phrase in enumerate(pair["steps"]):
        if i > 0:
            number = tokenizer.encode(f"{i + 1}.").ids
            ids, labels = ids + number, labels + [IGNORED] * len(number)
        step = tokenizer.encode(f" {phrase}\n").ids
        ids, labels = ids + step, labels + step
    return Example(pair["family"], ids, labels)


def load(path: Path, tokenizer: Tokenizer) -> list[Example]:
    with path.open(encoding="utf-8") as file:
        return [encode(tokenizer, json.loads(line)) for line in file]


def batches(examples: list[Example], tokens: int, rng: random.Random | None) -> list[list[Example]]:
    """Batches of about so many tokens with padding; alike in length, so that
    there is little padding, and in random order when rng is given."""
    window = 64
    order = list(examples)
    if rng:
        rng.shuffle(order)
    found = []
    for start in range(0, len(order), window):
        batch = []
        for e in sorted(order[start : start + window], key=lambda e: len(e.ids)):
            if batch and len(e.ids) * (len(batch) + 1) > tokens:
                found.append(batch)
                batch = []
            batch.append(e)
        found.append(batch)
    if rng:
        rng.shuffle(found)
    return found


def tensors(batch: list[Example]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """ids, mask and labels, [batch, longest], padded at the end."""
    longest = max(len(e.ids) for e in batch)
    ids = torch.zeros(len(batch), longest, dtype=torch.long)
    labels = torch.full((len(batch), longest), IGNORED)
    mask = torch.zeros(len(batch), longest, dtype=torch.long)
    for i, e in enumerate(batch):
        n = len(e.ids)
        ids[i, :n], labels[i, :n], mask[i, :n] = torch.tensor(e.ids), torch.tensor(e.labels), 1
    return ids, mask, labels
