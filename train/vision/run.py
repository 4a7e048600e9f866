"""From nothing to the towers that kuai comes with.

    python -m train.vision.run --kuai bin/kuai --data FOLDER --out FOLDER

Pictures of the simulated workbench, which kuai takes in a process of its own, then the
training. Both go on from where they were cut off. OUT/model gets the towers, OUT the
curves and result.json; --install copies the towers and the curves to where kuai has
its own, and writes what the Go test compares with.
"""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

PART = 1000  # pictures that are taken at once
PICTURES, UNSEEN = 9000, 1000
SEEDS = {"pictures": 1, "unseen": 2_000_000}
HOME = Path("fusion/embed")


def arguments() -> argparse.Namespace:
    p = argparse.ArgumentParser(description="train the towers from nothing")
    p.add_argument("--kuai", type=Path, default=Path("bin/kuai"))
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--steps", type=int, default=5000)
    p.add_argument("--pictures", type=int, default=PICTURES)
    p.add_argument("--unseen", type=int, default=UNSEEN)
    p.add_argument("--install", action="store_true", help="into this repository")
    return p.parse_args()


def take(a: argparse.Namespace, name: str, count: int) -> None:
    """Take pictures in parts, each of which is there whole or not at all."""
    for first in range(0, count, PART):
        folder = a.data / name / f"part-{first:06d}"
        if folder.exists():
            continue
        part = folder.with_name(f".{folder.name}")
        shutil.rmtree(part, ignore_errors=True)
        command = [a.kuai, "scenes", "--pictures", min(PART, count - first), "--out", part]
        # A part has less pictures than seeds between its first one and the next part's.
        command += ["--seed", SEEDS[name] + 100 * first]
        command += ["--unseen"] if name == "unseen" else []
        subprocess.run([str(c) for c in command], check=True)
        part.rename(folder)


def install(out: Path) -> None:
    names = ("config.json", "preprocessor_config.json", "model.safetensors")
    for name in (*names, "vocab.json", "merges.txt"):
        shutil.copyfile(out / "model" / name, HOME / "weights" / name)
    shutil.copyfile(out / "curves.png", HOME / "weights" / "curves.png")
    fixture = [sys.executable, "-m", "train.vision.fixture", str(HOME)]
    subprocess.run(fixture, check=True)


def main() -> None:
    a = arguments()
    take(a, "pictures", a.pictures)
    take(a, "unseen", a.unseen)
    command = [sys.executable, "-m", "train.vision.train", "--data", a.data, "--out", a.out]
    command += ["--seed", a.seed, "--steps", a.steps]
    subprocess.run([str(c) for c in command], check=True)
    if a.install:
        install(a.out)


if __name__ == "__main__":
    main()
