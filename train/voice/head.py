"""The sound head: two projections into one space, trained contrastively (CLAP, arXiv
2206.04769), in the layout that fusion/embed documents.

    python -m train.voice.head --text FOLDER --train FILE.npz --test FILE.npz --out FOLDER
"""

import argparse
import json
import math
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional

from .sounds import EVENTS, OTHER, options

WIDTH = 256


class Projection(nn.Module):
    def __init__(self, width: int, layers: int):
        super().__init__()
        self.linear1 = nn.Linear(width, WIDTH)
        if layers == 2:
            self.linear2 = nn.Linear(WIDTH, WIDTH)
            self.layer_norm = nn.LayerNorm(WIDTH)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.linear1(x)
        if hasattr(self, "linear2"):
            x = self.layer_norm(
                x + functional.dropout(self.linear2(functional.gelu(x)), 0.1, self.training)
            )
        return functional.normalize(x, dim=-1)


class Head(nn.Module):
    def __init__(self, sound: int, text: int):
        super().__init__()
        self.sound_projection, self.text_projection = Projection(sound, 2), Projection(text, 1)
        self.logit_scale = nn.Parameter(torch.tensor(math.log(15.0)))

    def forward(self, sounds: torch.Tensor, texts: torch.Tensor) -> torch.Tensor:
        return (
            self.logit_scale.exp() * self.sound_projection(sounds) @ self.text_projection(texts).T
        )


@torch.no_grad()
def embed(folder: Path, texts: list[str]) -> torch.Tensor:
    """Sentence embeddings as fusion/embed's Text gives them."""
    from safetensors.torch import load_file
    from transformers import BertConfig, BertModel, BertTokenizerFast

    tokenizer = BertTokenizerFast(str(folder / "vocab.txt"), do_lower_case=True)
    model = BertModel(BertConfig.from_pretrained(folder), add_pooling_layer=False).eval()
    state = {
        k: v
        for k, v in load_file(folder / "model.safetensors").items()
        if not k.startswith("pooler.")
    }
    model.load_state_dict(state, strict=False)
    out = []
    for at in range(0, len(texts), 64):
        batch = tokenizer(texts[at : at + 64], padding=True, truncation=True, return_tensors="pt")
        hidden, mask = model(**batch).last_hidden_state, batch["attention_mask"][..., None]
        out.append(functional.normalize((hidden * mask).sum(1) / mask.sum(1), dim=-1))
    return torch.cat(out)


def evaluate(head: Head, data, names: list[str], texts: torch.Tensor) -> dict:
    """Recall at 1 over the catalogue, over the sound events, and over both."""
    head.eval()
    index = {n: i for i, n in enumerate(names)}
    catalogue, events = options(), [EVENTS[k][0] for k in EVENTS]
    result = {}
    with torch.no_grad():
        logits = head(torch.from_numpy(data["sounds"]), texts)
    for kind, candidates in (
        ("option", catalogue),
        ("way", catalogue),
        ("event", events),
        ("option of all", [*catalogue, *events, OTHER]),
        ("event of all", [*catalogue, *events, OTHER]),
    ):
        rows = np.nonzero(data["kinds"] == kind.split(" ")[0])[0]
        columns = [index[c] for c in candidates]
        want = [
            EVENTS[t][0] if k == "event" else t
            for t, k in zip(data["texts"][rows], data["kinds"][rows], strict=True)
        ]
        got = [candidates[i] for i in logits[rows][:, columns].argmax(1)]
        right = [g == w for g, w in zip(got, want, strict=True)]
        result[kind] = [round(float(np.mean(right)), 4), len(right)]
        if kind == "option":
            same = [g.split(" ")[:2] == w.split(" ")[:2] for g, w in zip(got, want, strict=True)]
            result["skill of option"] = [round(float(np.mean(same)), 4), len(same)]
        if kind == "event":
            result["each event"] = {
                k: round(
                    float(
                        np.mean([r for r, w in zip(right, want, strict=True) if w == EVENTS[k][0]])
                    ),
                    3,
                )
                for k in EVENTS
            }
    # What the best option gets for speech that is none of them.
    other = logits[np.nonzero(data["kinds"] == "speech")[0]][
        :, [index[c] for c in [*catalogue, *events, OTHER]]
    ].softmax(-1)
    best = other[:, : len(catalogue)].max(1).values
    mine = (
        logits[np.nonzero(data["kinds"] == "option")[0]][
            :, [index[c] for c in [*catalogue, *events, OTHER]]
        ]
        .softmax(-1)[:, : len(catalogue)]
        .max(1)
        .values
    )
    result["other speech above 0.5"] = round(float((best > 0.5).float().mean()), 3)
    result["options above 0.5"] = round(float((mine > 0.5).float().mean()), 3)
    return result


def call(draw: np.random.Generator, text: str, kind: str) -> str:
    """What a clip is called this time."""
    if kind == "event":
        return str(draw.choice(EVENTS[text]))
    return OTHER if kind == "speech" and draw.random() < 0.5 else text


def main() -> None:
    p = argparse.ArgumentParser(description="train the sound head")
    p.add_argument("--text", type=Path, required=True)
    p.add_argument("--train", type=Path, nargs="+", required=True)
    p.add_argument("--test", type=Path, required=True)
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--steps", type=int, default=2500)
    p.add_argument("--rate", type=float, default=1e-3)
    a = p.parse_args()
    torch.manual_seed(a.seed)
    torch.set_num_threads(1)
    parts = [np.load(t) for t in a.train]
    train = {k: np.concatenate([x[k] for x in parts]) for k in ("sounds", "texts", "kinds")}
    test = dict(np.load(a.test))
    # Half of other speech is what it says, half is only other.
    calls = [OTHER, *(c for ways in EVENTS.values() for c in ways)]
    names = list(
        dict.fromkeys(
            [
                *options(),
                *calls,
                *(t for t, k in zip(train["texts"], train["kinds"], strict=True) if k == "speech"),
            ]
        )
    )
    texts = embed(a.text, names)
    index = {n: i for i, n in enumerate(names)}
    head = Head(train["sounds"].shape[1], texts.shape[1])
    with torch.no_grad():  # sounds come in unlike sizes: begin with each as large
        deviation = torch.from_numpy(train["sounds"].std(0)) + 1e-3
        mean = torch.from_numpy(train["sounds"].mean(0))
        first = head.sound_projection.linear1
        first.weight.copy_(
            torch.randn_like(first.weight) / math.sqrt(first.in_features) / deviation
        )
        first.bias.copy_(-(first.weight @ mean))
    optimizer = torch.optim.AdamW(head.parameters(), lr=a.rate, weight_decay=0.05)
    draw = np.random.default_rng(a.seed)
    x = torch.from_numpy(train["sounds"])
    losses = []
    for step in range(a.steps):
        for g in optimizer.param_groups:
            g["lr"] = a.rate * 0.5 * (1 + math.cos(math.pi * step / a.steps))
        rows = draw.integers(0, len(x), 256)
        want = torch.tensor([
            index[call(draw, text, kind)]
            for text, kind in zip(train["texts"][rows], train["kinds"][rows], strict=True)
        ])  # fmt: skip
        sounds = x[rows] + 0.25 * deviation * torch.randn(len(rows), x.shape[1])
        # Two clips between each other are no clip; only noise and drop-outs are.
        sounds = torch.where(torch.rand_like(sounds) < 0.1, mean, sounds)
        head.train()
        loss = functional.cross_entropy(head(sounds, texts), want, label_smoothing=0.02)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        head.logit_scale.data.clamp_(max=math.log(60))
        losses.append(loss.item())
        if step % 500 == 499:
            print(
                f"step {step + 1} loss {np.mean(losses[-100:]):.3f}",
                json.dumps(evaluate(head, test, names, texts)),
                flush=True,
            )
    a.out.mkdir(parents=True, exist_ok=True)
    save_file(
        {k: v.detach().half().contiguous() for k, v in head.state_dict().items()},
        a.out / "model.safetensors",
    )
    config = {
        "model_type": "kuai_sound_head",
        "sound_encoder": "whisper-base", "text_encoder": "all-minilm-l6-v2",
        "sound_width": 512, "text_width": 384, "projection_dim": WIDTH,
        "sound_layers": 2, "text_layers": 1, "layer_norm_eps": 1e-5,
    }  # fmt: skip
    (a.out / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    result = {
        "clips": len(x),
        "texts": len(names),
        "loss": float(np.mean(losses[-100:])),
        "train": evaluate(head, train, names, texts),
        "test": evaluate(head, test, names, texts),
    }
    (a.out / "result.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
