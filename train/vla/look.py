"""What a camera's pictures look like, so that the robot notices when it is another
camera's, or upside down.

A picture is cut into GRID cells; their mean colours, less the picture's mean and
divided by its spread, go into a linear classifier that was fitted (ridge regression)
to tell the camera's own pictures from turned ones and from the other camera's.
"""

import numpy as np

GRID = (6, 8)
SOFTEN = 4.0  # added to the spread of a picture's cells, so that a grey one is not noise
KEPT = 0.9995  # of the camera's own pictures pass, at least


def cells(pictures: np.ndarray) -> np.ndarray:
    """u8 [n, H, W, 3] → numbers [n, cells * 3], row by row."""
    n, height, width, _ = pictures.shape
    rows, columns = height // GRID[0], width // GRID[1]
    cut = pictures[:, : rows * GRID[0], : columns * GRID[1]].astype(np.float32)
    mean = cut.reshape(n, GRID[0], rows, GRID[1], columns, 3).mean((2, 4)).reshape(n, -1)
    middle, spread = mean.mean(1, keepdims=True), mean.std(1, keepdims=True)
    return (mean - middle) / (spread + SOFTEN)


def fit(own: np.ndarray, other: np.ndarray) -> dict:
    """The weights and the bias: above 0 a picture is not the camera's own. other are
    pictures of the other camera, resized by leaving out rows and columns."""
    good = cells(own)
    bad = np.concatenate([cells(own[:, ::-1, ::-1]), cells(other)])
    x = np.concatenate([good, bad])
    x = np.c_[x, np.ones(len(x))]
    y = np.r_[-np.ones(len(good)), np.ones(len(bad))]
    weight = np.r_[np.full(len(good), len(bad) / len(good)), np.ones(len(bad))]
    scaled = x * weight[:, None]
    solved = np.linalg.solve(scaled.T @ x + 1e-3 * len(x) * np.eye(x.shape[1]), scaled.T @ y)
    passes = np.quantile(np.c_[good, np.ones(len(good))] @ solved, KEPT)
    fails = np.quantile(np.c_[bad, np.ones(len(bad))] @ solved, 0.01)
    limit = max(passes, (passes + fails) / 2)
    return {
        "weights": [round(float(v), 5) for v in solved[:-1]],
        "bias": round(float(solved[-1] - limit), 5),
    }


def of(data, count: int = 3000) -> dict:
    """Both cameras' classifiers from the shards of a data.Data."""
    shards = [s for source in data.sources for s in source.ordered]
    rng = np.random.default_rng(0)
    pictures = {"front": [], "wrist": []}
    for shard in shards:
        at = np.sort(rng.integers(0, shard.n, -(-count // len(shards))))
        for name, kept in pictures.items():
            kept.append(np.array(shard[name][at]))
    front, wrist = (np.concatenate(pictures[name]) for name in ("front", "wrist"))
    return {"front": fit(front, wrist), "wrist": fit(wrist, front)}
