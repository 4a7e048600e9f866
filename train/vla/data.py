"""Shards of demonstrations as batches.

A source is a folder of shards that kuai demos wrote (sim/demos/shard.go says what
is in them). Shards are mapped, not read; new ones are found while training runs.
"""

import json
from pathlib import Path

import numpy as np

from . import words

DTYPES = {"U8": np.uint8, "F32": np.float32, "I32": np.int32}

# What a number of the network's output means: m, rad, m. The gripper's is
# absolute, the others are differences to where the hand is.
SCALE = np.array([0.05, 0.05, 0.05, 0.2, 0.5, 0.0175], np.float32)
MIDDLE_GRIP = 0.0175
PLACE_SCALE = 0.1  # m, of where things are


class Shard:
    """One file, mapped. Columns are attributes."""

    def __init__(self, path: Path):
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(size))
        meta = header.pop("__metadata__")
        self.path = path
        self.columns = {}
        for name, entry in header.items():
            begin, end = entry["data_offsets"]
            dtype = DTYPES[entry["dtype"]]
            count = (end - begin) // np.dtype(dtype).itemsize
            column = np.memmap(path, dtype, "r", 8 + size + begin, (count,))
            self.columns[name] = column.reshape(entry["shape"])
        self.words = np.array([words.encode(p) for p in json.loads(meta["phrases"])], np.int64)
        self.phrases = json.loads(meta["phrases"])
        # What stands there, by episode; shards of recorded demonstrations have none.
        self.things = json.loads(meta.get("things", "[]"))
        self.n = len(self.columns["step"])

    def __getitem__(self, name: str) -> np.ndarray:
        return self.columns[name]


class Source:
    """The shards of a folder."""

    def __init__(self, folder: Path, share: float):
        self.folder, self.share = folder, share
        self.shards: dict[Path, Shard] = {}
        self.refresh()

    def refresh(self) -> None:
        for path in sorted(self.folder.glob("**/shard-*.safetensors")):
            if path not in self.shards:
                self.shards[path] = Shard(path)
        self.ordered = list(self.shards.values())
        self.ends = np.cumsum([s.n for s in self.ordered])

    @property
    def frames(self) -> int:
        return int(self.ends[-1]) if len(self.ends) else 0

    def draw(self, count: int, rng: np.random.Generator) -> list[tuple[Shard, np.ndarray]]:
        at = np.sort(rng.integers(0, self.frames, count))
        which = np.searchsorted(self.ends, at, side="right")
        parts = []
        for i in np.unique(which):
            first = self.ends[i - 1] if i else 0
            parts.append((self.ordered[i], at[which == i] - first))
        return parts


class Data:
    """Batches from several sources in fixed shares; a source that has nothing yet
    leaves its share to the others."""

    def __init__(self, sources: dict[str, float], root: Path, seed: int, stale: float = 0.0):
        self.sources = [Source(root / name, share) for name, share in sources.items()]
        self.rng = np.random.default_rng(seed)
        # How often a frame has the pictures of the one before: a camera is late.
        self.stale = stale

    def refresh(self) -> int:
        for source in self.sources:
            source.refresh()
        return sum(s.frames for s in self.sources)

    def batch(self, size: int) -> dict[str, np.ndarray]:
        filled = [s for s in self.sources if s.frames]
        shares = np.array([s.share for s in filled])
        counts = self.rng.multinomial(size, shares / shares.sum())
        parts = []
        for source, count in zip(filled, counts, strict=True):
            if count:
                parts += source.draw(count, self.rng)
        late = [self.rng.random(len(rows)) < self.stale for _, rows in parts]
        return collate(parts, late)


# The front camera as sim/world/tabletop.xml has it: where it is, its axes, and the
# angle that its picture spans from top to bottom. Episodes move it a little, which
# makes the cell of a thing a guess by no more than a cell.
CAMERA = np.array([0.58, -0.2, 0.42])
RIGHT = np.array([0.2, 0.5, 0.0]) / np.hypot(0.2, 0.5)
UP = np.array([-0.185, 0.074, 0.29])
UP = UP - RIGHT * (RIGHT @ UP)
UP = UP / np.linalg.norm(UP)
BACK = np.cross(RIGHT, UP)
FOVY = np.radians(43.0)
GRID = (12, 16)  # rows and columns of the cells that a gaze looks at


def cells(where: np.ndarray) -> np.ndarray:
    """In which cells of the front picture points are: [n, 3] → [n, cells]. A point
    between the middles of four is shared among them, so that the mean of the cells is
    the point; one outside of the picture or unknown is in none."""
    out = np.zeros((len(where), GRID[0] * GRID[1]), np.float32)
    with np.errstate(invalid="ignore"):
        seen = np.stack([(where - CAMERA) @ axis for axis in (RIGHT, UP, BACK)], -1)
        reach = -seen[:, 2] * np.tan(FOVY / 2)
        row = (1 - seen[:, 1] / reach) / 2 * GRID[0]
        column = (1 + seen[:, 0] / reach * GRID[0] / GRID[1]) / 2 * GRID[1]
        inside = (row >= 0) & (row < GRID[0]) & (column >= 0) & (column < GRID[1]) & (reach > 0)
    at = np.flatnonzero(inside)
    row = np.clip(row[at] - 0.5, 0, GRID[0] - 1)
    column = np.clip(column[at] - 0.5, 0, GRID[1] - 1)
    top, left = np.floor(row).astype(int), np.floor(column).astype(int)
    for down in (0, 1):
        for right in (0, 1):
            y, x = np.minimum(top + down, GRID[0] - 1), np.minimum(left + right, GRID[1] - 1)
            share = np.abs(1 - down - (row - top)) * np.abs(1 - right - (column - left))
            np.add.at(out, (at, y * GRID[1] + x), share.astype(np.float32))
    return out


def collate(
    parts: list[tuple[Shard, np.ndarray]], late: list[np.ndarray] | None = None
) -> dict[str, np.ndarray]:
    """A batch of the rows of shards; where late says so, with the pictures of the
    frame before."""
    if late is None:
        late = [np.zeros(len(rows), bool) for _, rows in parts]
    seen = [
        (shard, rows - (behind & (shard["step"][rows] > 0)))
        for (shard, rows), behind in zip(parts, late, strict=True)
    ]

    def pictures(name):
        return np.concatenate([shard[name][rows] for shard, rows in seen])

    def column(name):
        return np.concatenate([shard[name][rows] for shard, rows in parts])

    hand, ahead = column("hand"), column("ahead")
    actions = ahead - hand[:, None]
    actions[..., 5] = ahead[..., 5] - MIDDLE_GRIP
    target, place = column("target"), column("place")
    where = np.stack([target, place], 1)
    done_at = column("done_at").astype(np.int64)
    steps = np.arange(ahead.shape[1])
    return {
        "front": pictures("front"),
        "wrist": pictures("wrist"),
        "features": column("features"),
        "words": np.concatenate([shard.words[shard["phrase"][rows]] for shard, rows in parts]),
        "actions": (actions / SCALE).astype(np.float32),
        "done": (steps[None] >= done_at[:, None]).astype(np.float32),
        "where": np.nan_to_num(where / PLACE_SCALE).astype(np.float32),
        "known": np.isfinite(where[..., 0]).astype(np.float32),
        "cells": cells(where.reshape(-1, 3)).reshape(len(where), 2, -1),
        "holds": column("holds").astype(np.float32),
    }
