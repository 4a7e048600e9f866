"""The curves of a training as a PNG."""

from pathlib import Path


def draw(history: list[dict], path: Path) -> None:
    """Losses, and how many zero-shot questions are answered right, over the steps."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4))
    for name in ("clip", "answer", "local", "facts"):
        left.plot([h["step"] for h in history], [h[name] for h in history], label=name)
    left.set(xlabel="step", ylabel="loss", yscale="log")
    measured = [h for h in history if "unseen" in h]
    for name in ("unseen", "seen"):
        rates = [h[name] for h in measured]
        right.plot([h["step"] for h in measured], rates, marker=".", label=f"{name} combinations")
    right.set(xlabel="step", ylabel="questions answered right", ylim=(0.5, 1.0))
    for axes in (left, right):
        axes.legend()
        axes.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(path, dpi=100)
    plt.close(figure)
