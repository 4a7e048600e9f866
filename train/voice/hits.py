"""What the detector takes for a stop word at a low threshold, rightly and wrongly,
as Whisper's encoder hears it: what the verifier learns from.

    python -m train.voice.hits --checkpoint FILE --bank FOLDER --whisper FILE --out FOLDER

writes OUT/N.npz, a file for so many scenes, and goes on after those that are there.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from . import features
from .bank import Bank
from .detector import DELAY, Detector, smooth
from .scene import IGNORED, STEPS, Maker, heard_at
from .whisper import Encoder
from .words import STOPS

LOW = 0.1  # threshold of the detector's smoothed probability
HEARD = 22400  # samples up to a hit that are heard again, 1.4 s
BUCKET, WIDTH = 5, 512  # rows that are averaged, numbers in one


def hits(p: np.ndarray, threshold: float) -> list[int]:
    """Steps at which perception/keyword's listener would hit."""
    found, armed = [], True
    for step, x in enumerate(p):
        if x >= threshold and armed:
            found.append(step)
        armed = x < threshold / 2 if x < threshold and not armed else armed and x < threshold
    return found


def judge(labels: np.ndarray, step: int) -> int:
    """1: a stop word ended; 0: none; -1: not clear."""
    around = labels[max(0, step - 3) : step + 1 + DELAY]
    if np.isin(around, STOPS).any():
        return 1
    wide = labels[max(0, step - 12) : step + 12]
    return -1 if (wide == IGNORED).any() or np.isin(wide, STOPS).any() else 0


def listen(model: Detector, x: np.ndarray) -> np.ndarray:
    """The probability of a stop at each step of a scene."""
    with torch.no_grad():
        logits, _ = model(torch.from_numpy(features.log_mel(x))[None], model.begin(1))
        return smooth(logits.softmax(-1)[..., list(STOPS)].sum(-1).numpy())[0]


def embed(encoder: Encoder, x: np.ndarray, end: int) -> np.ndarray:
    """[HEARD/320/BUCKET, WIDTH] for the samples before end."""
    clip = np.zeros(HEARD, np.float32)
    part = x[max(0, end - HEARD) : end]
    clip[HEARD - len(part) :] = part
    return encoder.rows(clip).view(-1, BUCKET, WIDTH).mean(1).numpy()


def load(path: Path) -> Detector:
    state = torch.load(path, weights_only=True)["model"]
    model = Detector(len(state["said.bias"]))
    model.load_state_dict(state)
    return model.eval()


def main() -> None:
    p = argparse.ArgumentParser(description="collect hits for the verifier")
    p.add_argument("--checkpoint", type=Path, required=True)
    p.add_argument("--bank", type=Path, required=True)
    p.add_argument("--whisper", type=Path, required=True)
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--split", default="train")
    p.add_argument("--files", type=int, default=40)
    p.add_argument("--scenes", type=int, default=20, help="a file")
    p.add_argument("--seed", type=int, default=1)
    a = p.parse_args()
    torch.set_num_threads(1)
    a.out.mkdir(parents=True, exist_ok=True)
    maker = Maker(Bank.load(*sorted(a.bank.glob(f"*-{a.split}.npz"))), a.seed)
    model, encoder = load(a.checkpoint), Encoder(a.whisper)
    for number in range(a.files):
        path = a.out / f"{number}.npz"
        if path.exists():
            continue
        maker.draw = np.random.default_rng([a.seed, number])
        rows, labels, scores = [], [], []
        for i in range(a.scenes):
            maker.words = 0.45 if i % 2 else 0.0
            x, want, _ = maker.scene()
            heard = listen(model, x)
            for step in hits(heard, LOW):
                label = judge(want, step)
                if label < 0 or step >= STEPS:
                    continue
                rows.append(embed(encoder, x, heard_at(step)).astype(np.float16))
                labels.append(label)
                # What the detector says next, as far as it may be waited for.
                scores.append(heard[step : step + 3].max())
        part = path.with_suffix(".part.npz")
        np.savez(part, rows=np.array(rows), labels=np.array(labels), scores=np.array(scores))
        part.replace(path)
        print(f"{path}: {len(labels)} hits, {sum(labels)} right", flush=True)


if __name__ == "__main__":
    main()
