"""Measure an adapter, or the base model as it is, on pairs it was not trained on.

    python -m train.planner.measure --base FILE.gguf --data FOLDER [--adapter FOLDER]

A plan is right when the most probable token is the plan's at every position, which
is what greedy decoding would write. That is counted three times: free, when only
phrases of the catalogue can be written (options), and when only those of skills
whose needs are met can (possible: the hard facts of affordance).
"""

import argparse
import json
from collections import defaultdict
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer

from . import adapters, checkpoint, data

WAYS = ("free", "options", "possible")


class Phrases:
    """The tokens of phrases, each encoded once."""

    def __init__(self, tokenizer: Tokenizer):
        self.tokenizer, self.known = tokenizer, {}

    def __call__(self, phrase: str) -> list[int]:
        if phrase not in self.known:
            self.known[phrase] = self.tokenizer.encode(f" {phrase}\n").ids
        return self.known[phrase]


def follows(step: list[int], phrases: list[list[int]]) -> list[list[int]]:
    """At each token of a step, the tokens that some phrase has there."""
    found, left = [], phrases
    for i, token in enumerate(step):
        found.append(sorted({p[i] for p in left if len(p) > i}))
        left = [p for p in left if len(p) > i and p[i] == token]
    return found


def right(example: data.Example, logits: torch.Tensor, phrases: Phrases) -> dict[str, bool]:
    """Whether the plan would be written; logits, [labels, vocabulary]."""
    labels = [t for step in example.steps for t in step]
    found = {"free": logits.argmax(-1).tolist() == labels}
    for way in WAYS[1:]:
        at, good = 0, True
        for i, step in enumerate(example.steps):
            some = example.options if way == "options" else example.possible[i]
            for token, ways in zip(step, follows(step, [phrases(p) for p in some]), strict=True):
                best = logits[at, ways].argmax()
                good, at = good and ways[best] == token, at + 1
        found[way] = good
    return found


@torch.no_grad()
def measure(adapter: adapters.Adapter, rows: list[data.Row], tokenizer: Tokenizer) -> dict:
    """Plans right by way, in each world and family: [right, of]."""
    phrases, found = Phrases(tokenizer), defaultdict(lambda: defaultdict(list))
    for some in data.batches(rows, 1024, None):
        batch = data.tensors(some)
        hidden = adapter.hidden(batch)[:, :-1]
        logits = adapter.head(hidden[batch.labels[:, 1:] != data.IGNORED]).float()
        at = 0
        for e in (e for r in some for e in r.pairs):
            n = sum(map(len, e.steps))
            world = "household" if e.family.startswith("house ") else "tabletop"
            for way, good in right(e, logits[at : at + n], phrases).items():
                for key in ("all", "chinese" if e.chinese else "english", world, e.family):
                    found[key][way].append(good)
            at += n
    return {
        key: {way: [sum(g), len(g)] for way, g in ways.items()}
        for key, ways in sorted(found.items())
    }


def main() -> None:
    p = argparse.ArgumentParser(description="measure an adapter on pairs it was not trained on")
    p.add_argument("--base", type=Path, required=True)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--adapter", type=Path, help="without it, the base model as it is")
    p.add_argument("--split", default="test")
    p.add_argument("--rows", type=int, default=10**6)
    p.add_argument("--threads", type=int, default=1)
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    tokenizer = checkpoint.tokenizer(a.base)
    base = checkpoint.load(a.base).to(torch.bfloat16)
    adapter = adapters.Plain(base)
    if a.adapter:
        config = json.loads((a.adapter / "adapter_config.json").read_text(encoding="utf-8"))
        kind = {k.PEFT: name for name, k in adapters.KINDS.items()}[config["peft_type"]]
        adapter = adapters.make(kind, base, config.get("r", 0), config.get("lora_alpha", 0), "")
        adapter.load(load_file(a.adapter / "adapter_model.safetensors"))
        adapter.model.to(torch.bfloat16)
    adapter.model.eval()
    rows = data.load(a.data / f"{a.split}.jsonl", tokenizer)[: a.rows]
    for key, ways in measure(adapter, rows, tokenizer).items():
        print(f"{key:24}", *(f"{way} {g}/{n}" for way, (g, n) in ways.items()), sep="  ")


if __name__ == "__main__":
    main()
