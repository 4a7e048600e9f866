"""Scenes of ten seconds: clips one after the other in a room with noise.

    python -m train.voice.scene --bank FOLDER --out FILE.npz --count N --seed S

A scene becomes features and a label for each step of 20 ms: a class where its
word has just ended, IGNORED around that, else background.
"""

import argparse
import time
import zlib
from pathlib import Path

import numpy as np

from . import features, noise
from .bank import LIKE, SPEECH, Bank
from .words import CLASSES, WORDS

RATE = 16000
SECONDS = 10.24
STEPS = 512
STEP = 2 * features.HOP
SAMPLES = STEP * STEPS + features.WINDOW - features.HOP
IGNORED = -1
# mined are no engine's, but what was taken for a word.
ENGINES = ("flite", "kokoro", "piper", "mined")
SHARES = {"espeak": 0.55, "flite": 0.12, "kokoro": 0.33, "piper": 0.3, "mined": 0.3}
SAID = 640  # numbers of what is said

# Seconds from the end of a word: its class from FROM to UNTIL, ignored around.
BEFORE, FROM, UNTIL, AFTER = -0.10, 0.03, 0.20, 0.36
# The same first syllable as another class: what was heard by then is either.
LONG = {CLASSES.index("停下"): -0.55, CLASSES.index("停止"): -0.55, CLASSES.index("hey kuai"): -0.2}


def heard_at(step: np.ndarray | int):
    """The sample at which all that a step has heard ends."""
    return STEP * step + features.WINDOW + features.HOP


def numbered(text: str) -> int:
    """A number for a text, the same whatever else is in the bank."""
    return len(CLASSES) + zlib.crc32(text.encode()) % (SAID - len(CLASSES))


class Maker:
    def __init__(self, bank: Bank, seed: int):
        self.bank = bank
        self.words = 0.36  # share of what is said that is a word of the detector
        self.draw = np.random.default_rng(seed)
        self.rooms = [noise.room(self.draw) for _ in range(150)]
        labels = bank.labels
        engine = np.array(
            [next((e for e in ENGINES if f"/ {e}" in str(n)), "espeak") for n in bank.names]
        )
        # Indices by label and engine.
        self.clips = {
            label: [
                (e, found)
                for e in ("espeak", *ENGINES)
                if len(found := np.nonzero((labels == label) & (engine == e))[0])
            ]
            for label in (LIKE, SPEECH, *range(1, len(CLASSES)))
        }
        spoken = [w.spellings[0] for w in WORDS]
        # What a clip says: its class, or a number that what is like a word always has.
        texts = [str(n).split(" / ")[0] for n in bank.names]
        self.said = [
            int(label) if label != LIKE else numbered(t)
            for t, label in zip(texts, labels, strict=True)
        ]
        # Clips that say a word more than once, or another one before it.
        self.twice = {
            i for i in np.nonzero(labels > 0)[0]
            if sum(str(bank.names[i]).split(" / ")[0].count(s) for s in spoken) > 1
        }  # fmt: skip

    def pick(self, label: int) -> int:
        """A clip of a label; voices that sound more like people more often than
        there are clips of them."""
        engines = self.clips[label]
        shares = np.array([SHARES[e] for e, _ in engines])
        return int(
            self.draw.choice(engines[self.draw.choice(len(engines), p=shares / shares.sum())][1])
        )

    def clip(self, i: int, most_seconds: float = 4) -> np.ndarray:
        """A clip, by a taller or smaller person."""
        x = self.bank.clip(i)
        if len(x) > most_seconds * RATE:
            at = self.draw.integers(0, len(x) - int(most_seconds * RATE))
            x = x[at : at + int(most_seconds * RATE)]
        if self.draw.random() < 0.6:
            size = int(len(x) * self.draw.uniform(0.84, 1.2))
            x = np.interp(np.linspace(0, len(x) - 1, size), np.arange(len(x)), x).astype(np.float32)
        return x / (np.sqrt((x**2).mean()) + 1e-9)

    def talk(self, n: int) -> np.ndarray:
        """Somebody who talks all the time."""
        parts, size = [], 0
        while size < n:
            parts += [
                self.clip(self.pick(SPEECH)),
                np.zeros(int(self.draw.uniform(0, 0.4) * RATE), np.float32),
            ]
            size += len(parts[-1]) + len(parts[-2])
        return np.concatenate(parts)[:n]

    def background(self, n: int) -> np.ndarray:
        """Noise of power 1."""
        draw = self.draw
        makers = [noise.coloured, noise.gusts, noise.motor, noise.music, noise.hiss]
        x = np.zeros(n)
        for _ in range(1 + (draw.random() < 0.4)):
            kind = draw.random()
            if kind < 0.2:
                y = sum(draw.uniform(0.4, 1) * self.talk(n) for _ in range(draw.integers(2, 7)))
            elif kind < 0.32:
                one = noise.SOUNDS[draw.choice(["clap", "knock", "glass", "beep", "alarm", "ring"])]
                y = np.concatenate(
                    [one(draw, 2 * RATE) * draw.uniform(0, 1) for _ in range(n // RATE // 2 + 1)]
                )[:n]
            else:
                y = makers[draw.integers(len(makers))](draw, n)
            x = x + draw.uniform(0.2, 1) * y / (np.sqrt((y**2).mean()) + 1e-9)
        return (x / (np.sqrt((x**2).mean()) + 1e-9)).astype(np.float32)

    def scene(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Samples, labels, and what is being said, which helps training begin."""
        draw = self.draw
        x, labels, said = (
            np.zeros(SAMPLES, np.float32),
            np.zeros(STEPS, np.int8),
            np.zeros(STEPS, np.int16),
        )
        if draw.random() > 0.1:
            self.speak(x, labels, said)
        if draw.random() < 0.6:
            x = noise.reverberate(x, self.rooms[draw.integers(len(self.rooms))])
        kind = draw.random()
        snr = 50 if kind < 0.1 else draw.uniform(-3, 10) if kind < 0.55 else draw.uniform(10, 30)
        x = x + self.background(SAMPLES) * 10 ** (-snr / 20)
        if draw.random() < 0.6:
            x = noise.colour(draw, x)
        x = x * 10 ** (draw.uniform(-48, -8) / 20) / max(1, 10 ** (-snr / 20))
        if draw.random() < 0.06:
            x = x * 10 ** (draw.uniform(6, 24) / 20)  # clipped below
        if draw.random() < 0.15:
            x = noise.telephone(x)
        if draw.random() < 0.1:
            x = x + draw.uniform(-0.1, 0.1)
        return x.clip(-1, 1).astype(np.float32), labels, said

    def speak(self, x: np.ndarray, labels: np.ndarray, said: np.ndarray) -> None:
        draw = self.draw
        ends = heard_at(np.arange(STEPS)) / RATE
        at = int(draw.uniform(0, 0.8) * RATE)
        voice = 1.0
        while at < SAMPLES:
            kind = draw.random()
            label = SPEECH
            if kind < self.words:
                label = 1 if draw.random() < 0.2 else int(draw.integers(1, len(CLASSES)))
            like = self.words + 0.375 * (1 - self.words)
            i = self.pick(label if kind < self.words else LIKE if kind < like else SPEECH)
            y = self.clip(i) * voice * 10 ** (draw.uniform(-4, 4) / 20)
            end = at + len(y)
            if end > SAMPLES:
                # Only its beginning is heard, which is no word.
                labels[(ends > at / RATE)] = IGNORED if label > 0 else SPEECH
                x[at:] += y[: SAMPLES - at]
                break
            x[at:end] += y
            said[(ends > (at + 0.5 * len(y)) / RATE) & (ends < end / RATE + 0.12)] = self.said[i]
            if label > 0:
                e = end / RATE
                before = min(BEFORE, LONG.get(label, BEFORE))
                if i in self.twice:
                    before = -len(y) / RATE
                # What the word before is heard for stays.
                quiet = (ends >= e + before) & (ends < e + AFTER) & (labels <= 0)
                labels[quiet] = IGNORED
                labels[(ends >= e + FROM) & (ends <= e + UNTIL)] = label
            at = end + int(
                RATE * (draw.uniform(0, 0.06) if draw.random() < 0.35 else draw.uniform(0.06, 0.9))
            )


def main() -> None:
    p = argparse.ArgumentParser(description="make scenes of the clips")
    p.add_argument("--bank", type=Path, required=True)
    p.add_argument("--split", default="train")
    p.add_argument("--engines", nargs="*", default=["espeak", "flite", "kokoro", "piper"])
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--count", type=int, default=4000)
    p.add_argument("--seed", type=int, default=1)
    a = p.parse_args()
    if a.out.exists():
        return
    paths = [a.bank / f"{e}-{a.split}.npz" for e in a.engines]
    bank = Bank.load(*[p for p in paths if a.split == "train" or p.exists()])
    maker, start = Maker(bank, a.seed), time.monotonic()
    rows = np.zeros((a.count, 2 * STEPS, features.BANDS), np.float16)
    labels, said = np.zeros((a.count, STEPS), np.int8), np.zeros((a.count, STEPS), np.int16)
    for i in range(a.count):
        x, labels[i], said[i] = maker.scene()
        rows[i] = features.log_mel(x)
        if i % 500 == 499:
            print(f"{a.out}: {i + 1} scenes, {time.monotonic() - start:.0f} s", flush=True)
    a.out.parent.mkdir(parents=True, exist_ok=True)
    part = a.out.with_suffix(".part.npz")
    np.savez(part, rows=rows, labels=labels, said=said)
    part.replace(a.out)


if __name__ == "__main__":
    main()
