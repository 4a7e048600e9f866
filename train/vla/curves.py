"""Curves as PNG, without a plotting package's weight in the loop."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def plot(path: Path, x: str, y: str, size: tuple[float, float] = (7, 4)) -> Iterator:
    """Axes to draw on, which become the PNG at path."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=size)
    yield axes
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.legend()
    axes.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def draw(history: list[dict], path: Path) -> None:
    """Each loss over the steps, on a logarithmic axis."""
    if len(history) < 2:
        return
    steps = [h["step"] for h in history]
    with plot(path, "step", "loss") as axes:
        for name in ("action", "where", "done", "gaze"):
            axes.plot(steps, [h.get(name, float("nan")) for h in history], label=name, linewidth=1)
        axes.set_yscale("log")


def success(rounds: list[dict], path: Path) -> None:
    """How often the policy succeeded in each round of DAgger, by family."""
    with plot(path, "step", "episodes that succeeded") as axes:
        for family in sorted({name for r in rounds for name in r["families"]}):
            those = [r for r in rounds if family in r["families"]]
            rates = [r["families"][family][0] / max(1, r["families"][family][1]) for r in those]
            axes.plot([r["step"] for r in those], rates, marker="o", label=family)
        axes.set_ylim(0, 1.02)


def reliability(bins: dict[str, list], path: Path) -> None:
    """How often it was so against how likely it was said to be; bins of each kind are
    rows of a number, a mean of what was said, and a rate."""
    with plot(path, "said", "was so", (4.5, 4.5)) as axes:
        axes.plot([0, 1], [0, 1], color="grey", linewidth=1)
        for name, rows in bins.items():
            axes.plot([r[1] for r in rows], [r[2] for r in rows], marker="o", label=name)
