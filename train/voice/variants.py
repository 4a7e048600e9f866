"""Speakers for espeak-ng that nobody made by hand: variants drawn at random.

Its own variants are some eighty, of which a part must stay for measuring. A
variant is a small file of formants, pitch and the way to voice
(espeak-ng's docs/voices.md); drawn ones are kept in copies of its data folder, since
it looks for them nowhere else.
"""

import functools
import os
import random
import subprocess
import tempfile
from pathlib import Path

NAME = "drawn"  # what the name of a drawn one begins with; its number follows
TOGETHER = 120  # variants of a folder: espeak-ng knows 350 voices at most


@functools.cache
def folder(group: int) -> Path:
    """A data folder of espeak-ng with room for the variants of a group."""
    told = subprocess.run(["espeak-ng", "--version"], capture_output=True, check=True, text=True)
    data = Path(told.stdout.split("Data at:")[1].strip())
    root = Path(tempfile.gettempdir()) / f"kuai-espeak-{os.getuid()}" / str(group)
    root /= "espeak-ng-data"
    (root / "voices" / "!v").mkdir(parents=True, exist_ok=True)
    for found in data.iterdir():
        if found.name != "voices":
            link(root / found.name, found)
    return root


def options(voice: str) -> list[str]:
    """What tells espeak-ng where the variant of a voice is, if it is a drawn one."""
    _, _, variant = voice.partition("+")
    if not variant.startswith(NAME):
        return []
    return [f"--path={folder(int(variant[len(NAME) :]) // TOGETHER).parent}"]


def link(path: Path, to: Path) -> None:
    if not path.is_symlink():
        path.symlink_to(to)


def drawn(draw: random.Random) -> str:
    """The text of a variant: a mouth of some size, a throat of some pitch."""
    size = draw.uniform(78, 140)
    low = draw.uniform(55, 150) * (1 if size < 100 else draw.uniform(1, 2.2))
    lines = [
        "language variant",
        "name drawn",
        f"pitch {low:.0f} {low * draw.uniform(1.03, 1.7):.0f}",
    ]
    for k in range(9):
        hz, loud = size * draw.uniform(0.88, 1.12), draw.uniform(55, 130)
        wide = draw.uniform(60, 180)
        if k > 3 and draw.random() < 0.15:
            loud = 0
        lines.append(f"formant {k} {hz:.0f} {loud:.0f} {wide:.0f}")
    if draw.random() < 0.3:
        lines.append(f"klatt {draw.randint(1, 5)}")
    for name, share, least, most in (
        ("voicing", 0.5, 45, 160),
        ("consonants", 0.5, 60, 150),
        ("flutter", 0.5, 0, 8),
        ("roughness", 0.4, 0, 5),
    ):
        if draw.random() < share:
            lines.append(f"{name} {draw.uniform(least, most):.0f}")
    if draw.random() < 0.2:
        lines.append(f"echo {draw.uniform(30, 200):.0f} {draw.uniform(5, 30):.0f}")
    if draw.random() < 0.2:
        lines.append(
            "breath " + " ".join(f"{draw.uniform(0, 90):.0f}" for _ in range(draw.randint(3, 8)))
        )
    if draw.random() < 0.4:
        bass, middle, treble = (draw.uniform(60, 255) for _ in range(3))
        lines.append(f"tone 600 {bass:.0f} 1200 {middle:.0f} 2000 {treble:.0f}")
    if draw.random() < 0.3:
        lines.append("stressAmp " + " ".join(f"{draw.uniform(10, 28):.0f}" for _ in range(8)))
    if draw.random() < 0.3:
        lines.append("stressAdd " + " ".join(f"{draw.uniform(-30, 150):.0f}" for _ in range(8)))
    if draw.random() < 0.3:
        lines.append(f"intonation {draw.randint(1, 4)}")
    return "\n".join(lines) + "\n"


def add(number: int, draw: random.Random) -> str:
    """Makes a variant and gives its name, which voices.espeak knows."""
    path = folder(number // TOGETHER) / "voices" / "!v" / f"{NAME}{number}"
    part = path.with_suffix(f".{os.getpid()}")
    part.write_text(drawn(draw), encoding="utf-8")
    part.replace(path)
    return path.name
