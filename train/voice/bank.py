"""Clips of words and sentences by many voices.

    python -m train.voice.bank --out FOLDER [--engine espeak|flite|kokoro|piper]

writes FOLDER/ENGINE-SPLIT.npz. A clip begins and ends with what is said, so that
the end of its word is its own end. The same seed gives the same clips.
"""

import argparse
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import variants, voices
from .words import CLASSES, WORDS, holds_none

SPEECH, LIKE = 0, -1  # labels of clips without a word; others are of CLASSES


@dataclass
class Bank:
    """samples[starts[i]:starts[i+1]] is clip i."""

    samples: np.ndarray  # int16
    starts: np.ndarray
    labels: np.ndarray
    names: np.ndarray  # what is said, and by whom

    def clip(self, i: int) -> np.ndarray:
        return self.samples[self.starts[i] : self.starts[i + 1]].astype(np.float32) / 32768

    @staticmethod
    def load(*paths: Path) -> "Bank":
        parts = [np.load(p) for p in paths]
        starts, at = [np.zeros(1, np.int64)], 0
        for p in parts:
            starts.append(p["starts"][1:] + at)
            at += len(p["samples"])
        join = {k: np.concatenate([p[k] for p in parts]) for k in ("samples", "labels", "names")}
        return Bank(starts=np.concatenate(starts), **join)


def sentences(language: str, count: int, draw: random.Random) -> list[str]:
    """Words as often as they are used, without the detector's."""
    import wordfreq
    from pypinyin import Style, lazy_pinyin

    table = wordfreq.get_frequency_dict(language, wordlist="small")
    known = [(w, f) for w, f in table.items() if w.isalpha()][:8000]
    # Flattened, so that rarer words are heard too.
    weights = [f**0.6 for _, f in known]
    out = []
    while len(out) < count:
        words = [w for w, _ in draw.choices(known, weights, k=draw.randint(3, 11))]
        text = " ".join(words)
        if language == "zh":
            text = " ".join(
                lazy_pinyin(
                    "".join(words), style=Style.TONE3, neutral_tone_with_five=True, errors="ignore"
                )
            )
        if len(text) > 3 and holds_none(text):
            out.append(text)
    return out


def espeak_jobs(split: str, draw: random.Random, scale: float):
    names = voices.TRAINED_VARIANTS if split == "train" else voices.HELD_OUT_VARIANTS
    # Most of those who are trained on are drawn: what is learned is then the word.
    drawn = [variants.add(i, draw) for i in range(DRAWN)] if split == "train" else []

    def say(text: str, languages, label: int):
        language = draw.choice(languages)
        variant = draw.choice(drawn if drawn and draw.random() < 0.6 else names)
        speed, pitch = draw.randint(105, 250), draw.randint(15, 85)
        voice = f"{language}+{variant}"
        return (
            label,
            f"{text} / {voice} {speed} {pitch}",
            lambda: voices.espeak(text, voice, speed, pitch),
        )

    languages = {"en": voices.ENGLISH, "zh": voices.MANDARIN}
    for word in WORDS:
        label = CLASSES.index(word.name)
        for _ in range(int(TIMES.get(word.name, 1100) * scale)):
            plain = draw.random() < 0.45
            yield say(
                word.spellings[0] if plain else draw.choice(word.spellings),
                languages[word.language],
                label,
            )
        for _ in range(int(150 * scale) if word.accents else 0):
            yield say(word.spellings[0], word.accents, label)
        for like in word.like:
            for _ in range(max(1, int(30 * scale))):
                yield say(like, languages[word.language], LIKE)
    for language, names, count in (("en", voices.ENGLISH, 5000), ("zh", voices.MANDARIN, 2000)):
        for text in sentences(language, int(count * scale), draw):
            yield say(text, names, SPEECH)
    for language in voices.OTHERS:
        for text in sentences(language[:2], int(50 * scale), draw):
            yield say(text, (language,), SPEECH)


def flite_jobs(split: str, draw: random.Random, scale: float):
    names = voices.FLITE_TRAINED if split == "train" else voices.FLITE_HELD_OUT

    def say(text: str, label: int):
        voice, stretch = draw.choice(names), draw.uniform(0.7, 1.4)
        return (
            label,
            f"{text} / flite {voice} {stretch:.2f}",
            lambda: voices.flite(text, voice, stretch),
        )

    for word in WORDS:
        if word.language != "en" or "[[" in word.spellings[0]:
            continue
        for _ in range(int(160 * scale)):
            yield say(draw.choice(word.spellings), CLASSES.index(word.name))
        for like in word.like:
            for _ in range(max(1, int(3 * scale))):
                yield say(like, LIKE)
    for text in sentences("en", int(600 * scale), draw):
        yield say(text, SPEECH)


def kokoro_jobs(split: str, draw: random.Random, scale: float):
    names = voices.KOKORO_TRAINED if split == "train" else voices.KOKORO_HELD_OUT

    def say(phonemes: str, label: int):
        shares = np.array([draw.gammavariate(0.5, 1) + 1e-3 for _ in names])
        mix = dict(zip(names, shares / shares.sum(), strict=True))
        speed = draw.uniform(0.75, 1.35)
        about = " ".join(f"{v} {w:.2f}" for v, w in mix.items())
        return (
            label,
            f"{phonemes} / kokoro {about} {speed:.2f}",
            lambda: voices.kokoro(phonemes, mix, speed),
        )

    for word in WORDS:
        for ipa in word.ipa:
            for _ in range(max(1, int(54 / len(word.ipa) * scale))):
                yield say(ipa, CLASSES.index(word.name))
        for ipa in word.like_ipa:
            for _ in range(max(1, int(4 * scale))):
                yield say(ipa, LIKE)
    for text in sentences("en", int(180 * scale), draw):
        yield say(voices.kokoro_ipa(text), SPEECH)


def piper_jobs(split: str, draw: random.Random, scale: float):
    if split != "train":  # one voice, which is trained on
        return

    def say(text: str, label: int):
        speed = draw.uniform(0.75, 1.35)
        return label, f"{text} / piper joe {speed:.2f}", lambda: voices.piper(text, speed)

    for word in WORDS:
        if word.language != "en" or "[[" in word.spellings[0]:
            continue
        for _ in range(int(100 * scale)):
            yield say(draw.choice(word.spellings), CLASSES.index(word.name))
        for like in word.like:
            yield say(like, LIKE)
    for text in sentences("en", int(200 * scale), draw):
        yield say(text, SPEECH)


ENGINES = {"espeak": espeak_jobs, "flite": flite_jobs, "kokoro": kokoro_jobs, "piper": piper_jobs}
TEST_SCALE = 0.12
DRAWN = 1500  # variants of espeak-ng's voice that are drawn
# How often each word is said by all voices of espeak-ng's; those that stop most.
TIMES = {"wait": 400, "kuai": 400, "hey kuai": 500, "hey robot": 500, "停": 800}


def make(engine: str, split: str, seed: int, threads: int) -> Bank:
    draw = random.Random(f"{engine} {split} {seed}")
    jobs = list(ENGINES[engine](split, draw, 1 if split == "train" else TEST_SCALE))
    with ThreadPoolExecutor(threads) as pool:
        clips = list(pool.map(lambda job: voices.trim(job[2]()), jobs))
    labels, names, kept = [], [], []
    for (label, name, _), clip in zip(jobs, clips, strict=True):
        if len(clip) < voices.RATE // 10 or not np.isfinite(clip).all():
            continue
        kept.append((clip / np.abs(clip).max() * 30000).astype(np.int16))
        labels.append(label)
        names.append(name)
    starts = np.concatenate([[0], np.cumsum([len(c) for c in kept])]).astype(np.int64)
    return Bank(
        np.concatenate(kept) if kept else np.zeros(0, np.int16),
        starts,
        np.array(labels, np.int16),
        np.array(names, str),
    )


def main() -> None:
    p = argparse.ArgumentParser(description="synthesize the clips")
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--engine", choices=ENGINES, nargs="*", default=list(ENGINES))
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--threads", type=int, default=2)
    a = p.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    for engine in a.engine:
        for split in ("test", "train"):
            path = a.out / f"{engine}-{split}.npz"
            if path.exists() or (engine, split) == ("piper", "test"):
                continue
            bank = make(engine, split, a.seed, a.threads)
            part = path.with_suffix(".part.npz")
            np.savez(
                part, samples=bank.samples, starts=bank.starts, labels=bank.labels, names=bank.names
            )
            part.replace(path)
            print(
                f"{path}: {len(bank.labels)} clips, {len(bank.samples) / voices.RATE / 60:.0f} min",
                flush=True,
            )


if __name__ == "__main__":
    main()
