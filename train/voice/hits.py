"""What the detector takes for a stop word at a low threshold, rightly and wrongly,
and the words that it did not hear, as Whisper's encoder hears them: what the verifier
learns from.

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
from .words import CLASSES, STOPS

LOW = 0.06  # threshold of the detector's smoothed probability
HEARD = 22400  # samples that are heard again, 1.4 s
BUCKET, WIDTH = 2, 512  # rows that are averaged, numbers in one
WAITED = (4, 12)  # steps after a hit at which they end: what follows a word tells much
ALONE = CLASSES.index("停")  # told from others by its tone alone: nobody asks about it
ASKED = tuple(c for c in STOPS if c != ALONE)
BATCH = 16


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
    if np.isin(around, ASKED).any():
        return 1
    wide = labels[max(0, step - 12) : step + 12]
    return -1 if (wide == IGNORED).any() or np.isin(wide, STOPS).any() else 0


def unheard(labels: np.ndarray, found: list[int]) -> list[int]:
    """Steps at which words ended that have no hit near."""
    stop = np.isin(labels, ASKED)
    ends = np.nonzero(stop & ~np.pad(stop, (1, 0))[:-1])[0]
    return [int(e) + 3 for e in ends if not any(-8 < f - e < 16 for f in found)]


def listen(model: Detector, x: np.ndarray) -> np.ndarray:
    """The probability of a stop at each step of a scene."""
    with torch.no_grad():
        logits, _ = model(torch.from_numpy(features.log_mel(x))[None], model.begin(1))
        return smooth(logits.softmax(-1)[..., list(ASKED)].sum(-1).numpy())[0]


def window(x: np.ndarray, end: int) -> np.ndarray:
    """HEARD samples before end."""
    clip = np.zeros(HEARD, np.float32)
    part = x[max(0, end - HEARD) : end]
    clip[HEARD - len(part) :] = part
    return clip


def embed(encoder: Encoder, clips: list[np.ndarray]) -> np.ndarray:
    """[clips, HEARD/320/BUCKET, WIDTH]."""
    parts = [encoder.batch(clips[i : i + BATCH]) for i in range(0, len(clips), BATCH)]
    return torch.cat(parts).view(len(clips), -1, BUCKET, WIDTH).mean(2).numpy().astype(np.float16)


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
        found, labels, scores = [], [], []
        for i in range(a.scenes):
            maker.words = 0.45 if i % 2 else 0.0
            x, want, _ = maker.scene()
            heard = listen(model, x)
            steps = hits(heard, LOW)
            for step in steps + unheard(want, steps):
                label, end = judge(want, step), step + int(maker.draw.integers(*WAITED))
                if label < 0 or end >= STEPS:
                    continue
                found.append(window(x, heard_at(end)))
                labels.append(label)
                # What the detector says until then.
                scores.append(heard[step : end + 1].max())
        if not found:
            continue
        rows = embed(encoder, found)
        part = path.with_suffix(".part.npz")
        np.savez(part, rows=rows, labels=np.array(labels), scores=np.array(scores))
        part.replace(path)
        print(f"{path}: {len(labels)} hits, {sum(labels)} right", flush=True)


if __name__ == "__main__":
    main()
