"""What PyTorch makes of a few pictures and sentences with the towers that kuai comes
with, for the test of fusion/embed.

    python -m train.vision.fixture fusion/embed
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
import transformers

from . import model
from .words import Words

SENTENCES = [
    "there is a red block in a bowl",
    "there is no red block in a bowl",
    "an orange block on a green block",
    "the gripper holds nothing",
    "the purple bowl is not left of the yellow bowl",
    "What do you see? 3 robots!",
]


def noise(width: int, height: int, seed: int) -> np.ndarray:
    """The picture that the test makes by the same whole numbers."""
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")

    def draw(at):
        at = (at * 2654435761 + seed * 40503) & 0xFFFFFFFF
        at ^= at >> 15
        return ((at * 2246822519) & 0xFFFFFFFF) >> 24

    fine, coarse = draw((y * width + x) * 3 + c), draw((y // 16 * 1000 + x // 16) * 3 + c)
    return ((fine + 2 * coarse + (x * 255) // width) // 4).astype(np.uint8)


def numbers(x: torch.Tensor) -> list[float]:
    return [float(f"{v:.9g}") for v in x.flatten().tolist()]


def main() -> None:
    home = Path(sys.argv[1])
    words = Words(home / "weights")
    towers = transformers.CLIPModel.from_pretrained(
        home / "weights", dtype=torch.float64, attn_implementation="eager"
    ).eval()
    size = towers.config.vision_config.image_size
    texts, pictures = [], []
    with torch.no_grad():
        for text in SENTENCES:
            ids = words.judge(text)["input_ids"]
            out = towers.text_model(input_ids=torch.tensor([ids])).pooler_output
            out = towers.text_projection(out)
            texts.append({"text": text, "ids": ids, "embedding": numbers(out / out.norm())})
        for seed in (1, 2, 3):
            x = model.normalised(noise(size, size, seed)[None]).double()
            hidden = towers.vision_model(pixel_values=x).pooler_output
            out = towers.visual_projection(hidden)
            told = {"width": size, "height": size, "seed": seed}
            pictures.append(told | {"embedding": numbers(out / out.norm())})
    scale = float(towers.logit_scale.exp())
    told = {"scale": scale, "bias": 0, "plain": 1e-6, "texts": texts, "pictures": pictures}
    path = home / "testdata" / "own.json"
    path.write_text(json.dumps(told, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
