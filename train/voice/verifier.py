"""The verifier: whether Whisper's encoder, too, heard a stop word where the
detector did.

    python -m train.voice.verifier --train FOLDER… --test FOLDER… --out FOLDER

FOLDERs are of train.voice.hits. A minute of one core is enough.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

from .hits import BUCKET, HEARD, WIDTH

ROWS, EACH, HIDDEN = HEARD // 320 // BUCKET, 24, 24


class Verifier(nn.Module):
    """[clips, ROWS, WIDTH] to logits of its being a stop word."""

    def __init__(self):
        super().__init__()
        self.each = nn.Linear(WIDTH, EACH)
        self.all = nn.Linear(ROWS * EACH, HIDDEN)
        self.out = nn.Linear(HIDDEN, 1)
        self.drop = nn.Dropout(0.3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.drop(torch.relu(self.each(self.drop(x))).flatten(1))
        return self.out(self.drop(torch.relu(self.all(x))))[:, 0]


def load(folders: list[Path]) -> tuple[torch.Tensor, ...]:
    """Embeddings, labels and the detector's scores of all hits."""
    parts = [np.load(f) for folder in folders for f in sorted(folder.glob("[0-9]*.npz"))]
    parts = [p for p in parts if len(p["labels"])]
    return tuple(
        torch.from_numpy(np.concatenate([p[k] for p in parts]).astype(np.float32))
        for k in ("rows", "labels", "scores")
    )


def table(p: torch.Tensor, labels: torch.Tensor, scores: torch.Tensor) -> dict:
    """For each threshold: which part of the right hits is lost, and of the false
    ones kept, also among those of which the detector was sure."""
    right, out = labels > 0.5, {}
    for threshold in (0.02, 0.05, 0.1, 0.2, 0.35, 0.5):
        kept = p >= threshold
        out[threshold] = {
            "lost": round(1 - float(kept[right].float().mean()), 4),
            "false kept": round(float(kept[~right].float().mean()), 4),
            "lost of sure": round(1 - float(kept[right & (scores > 0.5)].float().mean()), 4),
            "false kept of sure": round(float(kept[~right & (scores > 0.5)].float().mean()), 4),
        }
    return out


def main() -> None:
    p = argparse.ArgumentParser(description="train the verifier of stop words")
    p.add_argument("--train", type=Path, nargs="+", required=True)
    p.add_argument("--test", type=Path, nargs="+", required=True)
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--epochs", type=int, default=60)
    a = p.parse_args()
    torch.manual_seed(a.seed)
    torch.set_num_threads(1)
    rows, labels, _ = load(a.train)
    model = Verifier()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, a.epochs)
    # A stop that is missed costs more than a false one.
    loss_of = nn.BCEWithLogitsLoss(pos_weight=2 * (labels < 0.5).sum() / labels.sum())
    for epoch in range(a.epochs):
        model.train()
        losses = []
        for chosen in torch.randperm(len(rows)).split(64):
            # Words come at slightly different times.
            x = rows[chosen] + 0.1 * torch.randn(len(chosen), ROWS, WIDTH)
            loss = loss_of(model(x), labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        schedule.step()
        if epoch % 10 == 9:
            print(f"epoch {epoch + 1} loss {np.mean(losses):.4f}", flush=True)
    model.eval()
    result = {"train": [len(labels), int(labels.sum())]}
    with torch.no_grad():
        for name, data in (("of train", load(a.train)), ("test", load(a.test))):
            result[name] = table(model(data[0]).sigmoid(), *data[1:])
        result["test hits"] = [len(data[1]), int(data[1].sum())]
    a.out.mkdir(parents=True, exist_ok=True)
    print(json.dumps(result["test"]), result["test hits"], result["train"])
    (a.out / "verifier.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    save_file(
        {k: v.half().contiguous() for k, v in model.state_dict().items()},
        a.out / "verifier.safetensors",
    )


if __name__ == "__main__":
    main()
