"""Shards of kuai scenes as pictures of the tower's size, with truths."""

import json
from pathlib import Path

import numpy as np
from PIL import Image
from safetensors import safe_open

NO, YES, UNKNOWN = 0, 1, 2
# Groups of relations that weigh the same in the losses; to be on the table is one of
# its own, for it is so often true that what stands on what would not count beside it.
GROUPS = [["there"], ["in"], ["on"], ["holds"], ["left", "right"], ["empty"], ["open", "shut"]]
TABLE = len(GROUPS)


def shrink(pictures: np.ndarray, size: int) -> np.ndarray:
    """Pictures resized as the tower's preprocessor does it, to squares."""
    if pictures.shape[1:3] == (size, size):
        return pictures
    rows = [Image.fromarray(p).resize((size, size), Image.BICUBIC) for p in pictures]
    return np.stack([np.asarray(r) for r in rows])


class Statements:
    """What can be said of a picture, as the shards list it."""

    def __init__(self, told: list[dict], things: list[str]):
        self.told, self.things = told, things
        self.held_out = np.array([s["held_out"] for s in told])
        self.relation = [s["relation"] for s in told]
        group = {r: i for i, g in enumerate(GROUPS) for r in g}
        rests = [s["relation"] == "on" and s.get("b") == "table" for s in told]
        self.group = np.where(rests, TABLE, [group[r] for r in self.relation])
        index = {t: i for i, t in enumerate(things)}
        # The things of a statement; -1: it is about no single one.
        self.a = np.array([index.get(s.get("a", ""), -1) for s in told])
        self.b = np.array([index.get(s.get("b", ""), -1) for s in told])

    def sentences(self, held_out: bool) -> list[str]:
        """Those of all statements, with or without those held out."""
        kept = [s for s in self.told if held_out or not s["held_out"]]
        return [x for s in kept for x in s["affirm"] + s["deny"]]


class Pictures:
    """Every shard below a folder; pictures that were resized are kept beside their shard."""

    def __init__(self, folder: Path, size: int):
        self.folder, self.size, self.paths = folder, size, []
        self.statements: Statements | None = None
        self.pixels = np.zeros((0, size, size, 3), np.uint8)
        self.truth = self.at = None
        self.refresh()

    def refresh(self) -> int:
        """Take shards that were written meanwhile; gives how many pictures there are."""
        for path in sorted(self.folder.glob("**/shard-*.safetensors")):
            if path not in self.paths:
                self.take(path)
                self.paths.append(path)
        return len(self.pixels)

    def take(self, path: Path) -> None:
        with safe_open(path, "np") as shard:
            meta = shard.metadata()
            if self.statements is None:
                self.statements = Statements(
                    json.loads(meta["statements"]), json.loads(meta["things"])
                )
            truth, at = shard.get_tensor("truth"), shard.get_tensor("at")
            small = path.with_suffix(f".{self.size}.npy")
            if not small.exists():
                part = small.with_suffix(".part.npy")
                np.save(part, shrink(shard.get_tensor("pictures"), self.size))
                part.rename(small)
        self.pixels = np.concatenate([self.pixels, np.load(small)])
        self.truth = truth if self.truth is None else np.concatenate([self.truth, truth])
        self.at = at if self.at is None else np.concatenate([self.at, at])

    def present(self) -> np.ndarray:
        """Which of the things are in which picture, [n, things]."""
        there = [i for i, r in enumerate(self.statements.relation) if r == "there"]
        return self.truth[:, there] == YES


def hard(present: np.ndarray, s: Statements) -> np.ndarray:
    """Which statements name only what is in the picture, [n, statements]."""
    n = len(present)
    named = np.concatenate([present, np.ones((n, 1), bool)], 1)  # -1 takes the last
    return named[:, s.a] & named[:, s.b]


def shifted(pixels: np.ndarray, at: np.ndarray, most: int, rng) -> tuple[np.ndarray, np.ndarray]:
    """The pictures moved by up to most pixels to any side, edges repeated."""
    n, size = len(pixels), pixels.shape[1]
    wide = np.pad(pixels, ((0, 0), (most, most), (most, most), (0, 0)), "edge")
    by = rng.integers(0, 2 * most + 1, (n, 2))
    rows = (by[:, :1] + np.arange(size))[:, :, None]
    columns = (by[:, 1:] + np.arange(size))[:, None]
    out = wide[np.arange(n)[:, None, None], rows, columns]
    return out, at + ((most - by[:, ::-1]) / size)[:, None].astype(np.float32)
