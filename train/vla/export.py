"""Write a checkpoint as the robot reads it.

python -m train.vla.export CHECKPOINT FOLDER
"""

import sys
from pathlib import Path

import torch

from . import model


def main() -> None:
    kept = torch.load(sys.argv[1], weights_only=False)
    more = {"step": kept["step"], "cpu_hours": round(kept["cpu_seconds"] / 3600, 2)}
    model.export(kept["average"], kept["config"], Path(sys.argv[2]), more)


if __name__ == "__main__":
    main()
