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

ROWS, EACH, HIDDEN = HEARD // 320 // BUCKET, 16, 32
KEPT = (0.995, 0.99, 0.98, 0.95, 0.9)  # parts of the right ones that stay
TRUST = (0, 0.25, 0.5, 1)  # how much the detector's own opinion counts
BATCH = 128


class Verifier(nn.Module):
    """[clips, ROWS, WIDTH] to logits of its being a stop word."""

    def __init__(self):
        super().__init__()
        self.each = nn.Linear(WIDTH, EACH)
        self.all = nn.Linear(ROWS * EACH, HIDDEN)
        self.out = nn.Linear(HIDDEN, 1)
        self.drop = nn.Dropout(0.4)
        self.heard = nn.Dropout(0.3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.drop(torch.relu(self.each(self.heard(x))).flatten(1))
        return self.out(self.drop(torch.relu(self.all(x))))[:, 0]


def load(folders: list[Path]) -> tuple[torch.Tensor, ...]:
    """Embeddings, in halves, labels and the detector's scores of all hits."""
    parts = [np.load(f) for folder in folders for f in sorted(folder.glob("[0-9]*.npz"))]
    parts = [p for p in parts if len(p["labels"])]
    return tuple(
        torch.from_numpy(np.concatenate([p[k] for p in parts]).astype(kind))
        for k, kind in (("rows", np.float16), ("labels", np.float32), ("scores", np.float32))
    )


def mixed(x: torch.Tensor, want: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Words come at slightly different times, and some hits are two at once."""
    x = torch.roll(x, int(torch.randint(-1, 2, ())), 1)
    part = float(torch.distributions.Beta(0.3, 0.3).sample())
    other = torch.randperm(len(x))
    return part * x + (1 - part) * x[other], part * want + (1 - part) * want[other]


@torch.no_grad()
def nats(model: Verifier, rows: torch.Tensor) -> torch.Tensor:
    return torch.cat([model(part.float()) for part in rows.split(256)])


def table(x: torch.Tensor, labels: torch.Tensor, scores: torch.Tensor) -> dict:
    """For each trust in the detector: from how many nats on which part of the right
    hits is kept, and which part of the false ones then is; "alone" is the detector."""
    right, p = labels > 0.5, scores.clamp(1e-4, 1 - 1e-4)
    own, out = torch.log(p / (1 - p)), {}
    for name, y in [("alone", own), *((trust, x + trust * own) for trust in TRUST)]:
        out[name] = {}
        for kept in KEPT:
            least = torch.quantile(y[right], 1 - kept)
            out[name][kept] = {
                "nats": round(float(least), 3),
                "false kept": round(float((y[~right] >= least).float().mean()), 4),
            }
    return out


def main() -> None:
    p = argparse.ArgumentParser(description="train the verifier of stop words")
    p.add_argument("--train", type=Path, nargs="+", required=True)
    p.add_argument("--test", type=Path, nargs="+", required=True)
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--epochs", type=int, default=14)
    a = p.parse_args()
    torch.manual_seed(a.seed)
    torch.set_num_threads(1)
    rows, labels, _ = load(a.train)
    model = Verifier()
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3, weight_decay=0.1)
    batches = len(rows) // BATCH + 1
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=a.epochs * batches)
    # A stop that is missed costs more than a false one.
    loss_of = nn.BCEWithLogitsLoss(pos_weight=1.5 * (labels < 0.5).sum() / labels.sum())
    for epoch in range(a.epochs):
        model.train()
        losses = []
        for chosen in torch.randperm(len(rows)).split(BATCH):
            x, want = mixed(rows[chosen].float(), labels[chosen])
            loss = loss_of(model(x), want)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
        print(f"epoch {epoch + 1} loss {np.mean(losses):.4f}", flush=True)
    model.eval()
    result = {"train": [len(labels), int(labels.sum())]}
    for name, data in (("of train", load(a.train)), ("test", load(a.test))):
        result[name] = table(nats(model, data[0]), *data[1:])
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
