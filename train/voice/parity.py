"""What PyTorch gives for the committed weights, in f64, for the test in Go.

python -m train.voice.parity WEIGHTS OUT.json
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn

from . import features
from .detector import Detector


def sound(seconds: float) -> np.ndarray:
    """Chirps in noise, the same numbers in any language."""
    i = np.arange(int(seconds * features.RATE), dtype=np.uint64)
    at = (i * 2654435761 + 40503) % 2**32
    at ^= at >> 15
    noise = (at * 2246822519 % 2**32 >> 16).astype(np.float64) / 32768 - 1
    t = i.astype(np.float64)
    loud = np.where(i // 4000 % 2 == 0, 0.05, 0.0005)
    tone = np.sin(2 * np.pi * (200 + 0.05 * t) * t / features.RATE) * 0.3
    return (tone + noise * loud).astype(np.float32)


class Folded(Detector):
    """The network that kuai runs, without norms."""

    def __init__(self, path: Path):
        super().__init__()
        self.norms = nn.ModuleList(nn.Identity() for _ in self.norms)
        state = {}
        for name, tensor in load_file(path).items():
            name = name.replace("conv.", "convs.")
            state[name + "_l0" if name.startswith("lstm.") else name] = tensor.double()
        self.double().load_state_dict(state)
        self.eval()


@torch.no_grad()
def probabilities(model: Detector, samples: np.ndarray) -> np.ndarray:
    rows = features.log_mel(samples)
    rows = torch.from_numpy(rows[: len(rows) // 2 * 2]).double()[None]
    state = tuple(s.double() for s in model.begin(1))
    return model(rows, state)[0].softmax(-1)[0].numpy()


def main() -> None:
    p = probabilities(Folded(Path(sys.argv[1])), sound(3))
    text = json.dumps([[round(float(x), 7) for x in step] for step in p[::10]])
    Path(sys.argv[2]).write_text(text.replace("], [", "],\n[") + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
