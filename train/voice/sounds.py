"""Clips with what they are in words, as Whisper's encoder hears them.

    python -m train.voice.sounds --whisper FILE.bin --out FILE.npz --split train

writes sounds [N, 512] and texts: commands of the catalogue and the ways people say
them, other sentences, and sound events.
"""

import argparse
import itertools
import random
import time
from pathlib import Path

import numpy as np
import torch
import yaml

from . import noise, voices
from .bank import sentences
from .whisper import Encoder

CATALOGUE = Path(__file__).parents[2] / "policy" / "skill" / "tabletop.yaml"
BLOCKS = [f"{c} block" for c in ("red", "green", "blue", "yellow")]
BOWLS = [f"{c} bowl" for c in ("red", "green", "blue")]

# How a sound is called; the first is what kuai asks for.
EVENTS = {
    "clap": ("somebody claps their hands", "clapping", "applause of one person"),
    "knock": ("somebody knocks at the door", "knocking on wood", "knocks"),
    "glass": ("glass breaks", "shattering glass", "a bottle falls and breaks"),
    "beep": ("a machine beeps", "beeps", "an electronic beep"),
    "alarm": ("an alarm or a siren", "a siren goes up and down", "a fire alarm"),
    "ring": ("a bell or a telephone rings", "a doorbell", "a phone rings"),
    "motor": ("a motor runs", "the hum of an engine", "a drill or a motor"),
    "music": ("music plays", "a song with drums", "instruments play music"),
    "noise": ("noise like wind or running water", "water runs", "steady noise"),
    "silence": ("silence", "nothing can be heard", "a quiet room"),
}  # fmt: skip

# What speech is that is no option.
OTHER = "somebody talks about something else"

# Other ways to say a phrase of the catalogue: first words that are exchanged.
WAYS = {
    "pick up the": ("grab the", "take the", "lift the", "please pick up the", "pick the"),
    "place the": ("put the", "set the", "please place the", "put down the", "now place the"),
    "push the": ("shove the", "please push the", "move the", "slide the"),
    "move the arm home": ("go home", "home", "arm home please", "return home"),
    "done": ("that is all", "finished", "we are done"),
}


def options() -> list[str]:
    """Every phrase of the catalogue over the objects of the simulator's table."""
    out = []
    for skill in yaml.safe_load(CATALOGUE.read_text(encoding="utf-8"))["skills"]:
        slots = skill.get("slots", [])
        words = []
        for s in slots:
            kinds = s.get("kinds", [])
            words.append(
                s.get("words", [])
                + (BLOCKS if "block" in kinds else [])
                + (BOWLS if "bowl" in kinds else [])
            )
        for args in itertools.product(*words):
            if len(set(args)) == len(args):
                phrase = skill["phrase"]
                for s, a in zip(slots, args, strict=True):
                    phrase = phrase.replace("{" + s["name"] + "}", a)
                out.append(phrase)
    return list(dict.fromkeys(out))


def otherwise(phrase: str, draw: random.Random) -> str:
    """The same in other words, which mean the same option."""
    for first, ways in WAYS.items():
        if phrase.startswith(first):
            return draw.choice(ways) + phrase[len(first) :]
    return phrase


def voice(split: str, draw: random.Random, flite: bool = True):
    """A function from text to samples, by a voice of the split."""
    if flite and draw.random() < 0.25:
        name, stretch = (
            draw.choice(voices.FLITE_TRAINED if split == "train" else voices.FLITE_HELD_OUT),
            draw.uniform(0.8, 1.3),
        )
        return lambda text: voices.flite(text, name, stretch)
    variants = voices.TRAINED_VARIANTS if split == "train" else voices.HELD_OUT_VARIANTS
    name = f"{draw.choice(voices.ENGLISH)}+{draw.choice(variants)}"
    speed, pitch = draw.randint(115, 215), draw.randint(20, 80)
    return lambda text: voices.espeak(text, name, speed, pitch)


class Maker:
    def __init__(self, split: str, seed: int):
        self.split = split
        self.draw = random.Random(f"sounds {split} {seed}")
        self.numbers = np.random.default_rng(self.draw.getrandbits(32))
        self.rooms = [noise.room(self.numbers) for _ in range(40)]

    def spoken(self, text: str) -> np.ndarray:
        x = voices.trim(voice(self.split, self.draw)(text))
        if self.draw.random() < 0.5:
            size = int(len(x) * self.draw.uniform(0.88, 1.15))
            x = np.interp(np.linspace(0, len(x) - 1, size), np.arange(len(x)), x)
        return self.heard(x, self.draw.uniform(5, 35))

    def event(self, kind: str) -> np.ndarray:
        x = noise.SOUNDS[kind](self.numbers, int(self.draw.uniform(1, 3) * voices.RATE))
        if kind == "silence":
            return (x * 10 ** self.draw.uniform(-1.5, 0.3)).astype(np.float32)
        return self.heard(x, self.draw.uniform(8, 40))

    def heard(self, x: np.ndarray, snr: float) -> np.ndarray:
        """In a room with some noise, at some level, with silence around."""
        x = np.pad(x, [int(self.draw.uniform(0.05, 0.4) * voices.RATE) for _ in range(2)])
        if self.draw.random() < 0.5:
            x = noise.reverberate(x, self.rooms[self.numbers.integers(len(self.rooms))])
        x = x / (np.sqrt((x**2).mean()) + 1e-9)
        y = [noise.coloured, noise.gusts, noise.motor][self.numbers.integers(3)](
            self.numbers, len(x)
        )
        x = x + y / (np.sqrt((y**2).mean()) + 1e-9) * 10 ** (-snr / 20)
        if self.draw.random() < 0.5:
            x = noise.colour(self.numbers, x, 6)
        return (x * 10 ** (self.draw.uniform(-40, -14) / 20)).clip(-1, 1).astype(np.float32)

    def jobs(self, scale: float):
        """Kind, text and a function that makes a clip."""
        for phrase in options():
            for _ in range(max(3, int(18 * scale))):
                yield "option", phrase, lambda p=phrase: self.spoken(p)
            for _ in range(max(1, int(5 * scale))):
                other = otherwise(phrase, self.draw)
                # What is said is one thing, what it means is the option.
                yield "way", phrase, lambda t=other: self.spoken(t)
        for text in sentences("en", int(350 * scale), self.draw):
            yield "speech", text, lambda t=text: self.spoken(t)
        for kind in EVENTS:
            for _ in range(int(60 * scale)):
                yield "event", kind, lambda k=kind: self.event(k)


def main() -> None:
    p = argparse.ArgumentParser(description="embed sounds with Whisper's encoder")
    p.add_argument("--whisper", type=Path, required=True)
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--split", choices=("train", "test"), required=True)
    p.add_argument("--scale", type=float, default=1)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--minutes", type=float, default=15, help="end by then, with fewer clips")
    a = p.parse_args()
    torch.set_num_threads(1)
    encoder, maker = Encoder(a.whisper), Maker(a.split, a.seed)
    jobs = list(maker.jobs(a.scale))
    maker.draw.shuffle(jobs)
    kinds, texts, sounds, start = [], [], [], time.monotonic()
    for i, (kind, text, make) in enumerate(jobs):
        kinds.append(kind)
        texts.append(text)
        sounds.append(encoder(make()))
        if i % 250 == 249:
            print(
                f"{a.out}: {i + 1} of {len(jobs)} clips, {time.monotonic() - start:.0f} s",
                flush=True,
            )
        if time.monotonic() - start > a.minutes * 60:
            break
    a.out.parent.mkdir(parents=True, exist_ok=True)
    np.savez(
        a.out, sounds=np.array(sounds, np.float32), texts=np.array(texts), kinds=np.array(kinds)
    )


if __name__ == "__main__":
    main()
