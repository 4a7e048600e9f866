"""All of the stop word detector in one run that can be cut off and goes on.

    python -m train.voice.run --out FOLDER --minutes N

Rounds follow each other until the detector was trained for N minutes of one core.
Each makes new scenes, of which the newest ones are kept, and trains on all that are
kept. Before that it listens to sentences and scenes that hold no word: what it
takes for a stop there is trained on as well. OUT has the clips (bank), the scenes,
and the run's checkpoint, curves and weights (detector).
"""

import argparse
import functools
import json
import random
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch

from . import bank, detector, voices
from .bank import SPEECH, Bank, sentences
from .hits import hits, listen
from .scene import SAMPLES, STEP, STEPS, Maker, heard_at
from .scene import features as mel
from .words import STOPS

SHARD, KEPT, FIRST = 1000, 10, 4  # scenes of a file, files that are trained on, at first
ROUND = 4.0  # minutes of training between new scenes
MINED = 150  # sentences that are listened to in a round
HARD = 400  # and scenes without a word, of which those with a false stop are kept
TAKEN = 0.25  # threshold of what is a false stop then
SPAN = int(1.6 * voices.RATE)  # samples that are kept of each, up to it


def make_banks(a: argparse.Namespace) -> None:
    """The clips of each engine and split that are missing."""
    folder = a.out / "bank"
    folder.mkdir(parents=True, exist_ok=True)
    for engine in a.engine:
        for split in ("test", "train"):
            path = folder / f"{engine}-{split}.npz"
            if path.exists() or (engine, split) == ("piper", "test"):
                continue
            save_bank(path, bank.make(engine, split, a.seed, a.threads))
            print(f"{path} is made", flush=True)


def save_bank(path: Path, clips: Bank) -> None:
    part = path.with_suffix(".part")
    with open(part, "wb") as out:
        np.savez(
            out, samples=clips.samples, starts=clips.starts, labels=clips.labels, names=clips.names
        )
    part.replace(path)


def clips(a: argparse.Namespace, split: str) -> Bank:
    paths = sorted((a.out / "bank").glob(f"*-{split}.npz"))
    if split == "train":
        paths += sorted((a.out / "mined").glob("[0-9]*.npz"))
    return loaded(*paths)


@functools.lru_cache(maxsize=1)
def loaded(*paths: Path) -> Bank:
    return Bank.load(*paths)


def make_scenes(path: Path, clips: Bank, count: int, seed: int) -> None:
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    maker = Maker(clips, seed)
    rows = np.zeros((count, 2 * STEPS, mel.BANDS), np.float16)
    labels, said = np.zeros((count, STEPS), np.int8), np.zeros((count, STEPS), np.int16)
    for i in range(count):
        # A quarter holds no word: false stops come from hours of those.
        maker.words = 0.36 if i % 4 else 0.0
        x, labels[i], said[i] = maker.scene()
        rows[i] = mel.log_mel(x)
    save_scenes(path, rows, labels, said)


def save_scenes(path: Path, rows: np.ndarray, labels: np.ndarray, said: np.ndarray) -> None:
    part = path.with_suffix(".part")
    with open(part, "wb") as out:
        np.savez(out, rows=rows, labels=labels, said=said)
    part.replace(path)


def say(draw: random.Random, language: str, text: str) -> np.ndarray:
    """One of the voices that are trained on; most are espeak-ng's."""
    if language == "en" and draw.random() < 0.25:
        return voices.flite(text, draw.choice(voices.FLITE_TRAINED), draw.uniform(0.7, 1.4))
    names = voices.ENGLISH if language == "en" else voices.MANDARIN
    voice = f"{draw.choice(names)}+{draw.choice(voices.TRAINED_VARIANTS)}"
    return voices.espeak(text, voice, draw.randint(105, 250), draw.randint(15, 85))


def mine(a: argparse.Namespace, model: detector.Detector, number: int) -> None:
    """Listens to new sentences and keeps what was taken for a stop."""
    path = a.out / "mined" / f"{number}.npz"
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    draw = random.Random(f"mined {a.seed} {number}")
    texts = [("en", t) for t in sentences("en", MINED * 2 // 3, draw)]
    texts += [("zh", t) for t in sentences("zh", MINED // 3, draw)]
    with ThreadPoolExecutor(1) as pool:
        spoken = list(pool.map(lambda t: voices.trim(say(draw, *t)), texts))
    found = Bank(np.zeros(0, np.int16), np.zeros(1, np.int64), np.zeros(0, np.int16), np.zeros(0))
    names, parts = [], []
    for (_, text), clip in zip(texts, spoken, strict=True):
        if len(clip) < voices.RATE // 2:
            continue
        x = np.zeros(SAMPLES, np.float32)
        clip = clip[: SAMPLES - 4 * STEP] / (np.abs(clip).max() + 1e-9)
        x[2 * STEP : 2 * STEP + len(clip)] = clip * 10 ** (-draw.uniform(2, 30) / 20)
        for step in hits(listen(model, x), TAKEN):
            end = heard_at(step)
            part = x[max(0, end - SPAN) : end]
            parts.append((part / (np.abs(part).max() + 1e-9) * 30000).astype(np.int16))
            names.append(f"{text} / mined")
    found.samples = np.concatenate([found.samples, *parts])
    found.starts = np.concatenate([[0], np.cumsum([len(p) for p in parts])]).astype(np.int64)
    found.labels, found.names = np.full(len(parts), SPEECH, np.int16), np.array(names, str)
    if parts:
        save_bank(path, found)
    print(f"mined {len(parts)} false stops of {len(texts)} sentences", flush=True)


def mine_scenes(a: argparse.Namespace, model: detector.Detector, path: Path, seed: int) -> None:
    """Listens to new scenes without a word and keeps those with false stops."""
    if path.exists():
        return
    maker, kept = Maker(clips(a, "train"), seed), []
    maker.words = 0.0
    for _ in range(HARD):
        x, labels, said = maker.scene()
        rows = mel.log_mel(x).astype(np.float16)
        with torch.no_grad():
            logits, _ = model(torch.from_numpy(rows.astype(np.float32))[None], model.begin(1))
        p = detector.smooth(logits.softmax(-1)[..., list(STOPS)].sum(-1).numpy())
        if p.max() >= TAKEN:
            kept.append((rows, labels, said))
    if kept:
        rows, labels, said = (np.stack(x) for x in zip(*kept, strict=True))
    else:
        rows = np.zeros((0, 2 * STEPS, mel.BANDS), np.float16)
        labels, said = np.zeros((0, STEPS), np.int8), np.zeros((0, STEPS), np.int16)
    save_scenes(path, rows, labels, said)
    print(f"kept {len(kept)} of {HARD} scenes for their false stops", flush=True)


def main() -> None:
    p = argparse.ArgumentParser(description="train the stop word detector, round by round")
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--minutes", type=float, default=240, help="of training, of one core")
    p.add_argument("--init", type=Path, help="a checkpoint to start from")
    p.add_argument("--engine", choices=bank.ENGINES, nargs="*", default=list(bank.ENGINES))
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--lanes", type=int, default=32)
    p.add_argument("--rate", type=float, default=2e-3)
    p.add_argument("--threads", type=int, default=1)
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    make_banks(a)
    scenes, test = a.out / "rounds", a.out / "rounds" / "test.npz"
    make_scenes(test, clips(a, "test"), 400, 99)
    options = argparse.Namespace(**vars(a))
    options.out = a.out / "detector"
    options.out.mkdir(parents=True, exist_ok=True)
    trainer = detector.Trainer(options)
    trainer.resume()
    while trainer.part() < 1:
        number, begun = int(trainer.seconds / 60 // ROUND), time.monotonic()
        if number > 0:
            mine(a, trainer.model.eval(), number)
            mine_scenes(a, trainer.model, scenes / f"hard{number}.npz", 1000 * a.seed - number)
        # The first round starts with some files, each later one adds one.
        last = number + FIRST
        for k in range(last - KEPT):
            (scenes / f"{k}.npz").unlink(missing_ok=True)
        kept = [scenes / f"{k}.npz" for k in range(max(0, last - KEPT), last)]
        for k, path in enumerate(kept, last - len(kept)):
            if not path.exists():
                make_scenes(path, clips(a, "train"), SHARD, 1000 * a.seed + k)
        kept += sorted(scenes.glob("hard*.npz"))
        print(f"round {number}: {time.monotonic() - begun:.0f} s for scenes", flush=True)
        trainer.train(*detector.load(kept), until=min(a.minutes, (number + 1) * ROUND) * 60)
        result = {
            "minutes": trainer.seconds / 60,
            "step": trainer.step,
            "loss": float(np.mean(trainer.losses[-400:])),
            "test": trainer.measure(*detector.load([test])),
        }
        with open(options.out / "rounds.jsonl", "a", encoding="utf-8") as out:
            out.write(json.dumps(result) + "\n")
        print(json.dumps(result), flush=True)
        detector.export(trainer.model, options.out / "keyword.safetensors")
        detector.plot(trainer.losses, options.out / "loss.png")


if __name__ == "__main__":
    main()
