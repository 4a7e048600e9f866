"""Write a checkpoint as the robot reads it.

python -m train.vla.export CHECKPOINT FOLDER DATA
"""

import json
import sys
from pathlib import Path

import torch

from . import data, look, model, train


def main() -> None:
    kept = torch.load(sys.argv[1], weights_only=False)
    more = {"step": kept["step"], "cpu_hours": round(kept["cpu_seconds"] / 3600, 2)}
    sources = json.loads(train.RECIPE.read_text())["mixture"]
    seen = look.of(data.Data(sources, Path(sys.argv[3]), 0))
    model.export(kept["average"], kept["config"], Path(sys.argv[2]), more, seen)


if __name__ == "__main__":
    main()
