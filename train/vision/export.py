"""The towers in CLIP's public layout: config.json, preprocessor_config.json,
model.safetensors in f16, beside the tokenizer's vocab.json and merges.txt."""

import json
from pathlib import Path

from safetensors.torch import save_file


def write(towers, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    size = towers.config.vision_config.image_size
    config = towers.config.to_dict() | {"architectures": ["CLIPModel"], "dtype": "float16"}
    preprocess = {
        "do_resize": True, "size": {"height": size, "width": size}, "resample": 3,
        "do_center_crop": False, "do_rescale": True, "do_normalize": True,
        "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5],
        "image_processor_type": "CLIPImageProcessor",
    }  # fmt: skip
    for name, value in (("config", config), ("preprocessor_config", preprocess)):
        (folder / f"{name}.json").write_text(json.dumps(value, indent=1, default=str) + "\n")
    weights = {
        # The temperature is one number: f32 costs nothing.
        k: v.half().contiguous() if v.dim() else v.float()
        for k, v in towers.state_dict().items()
        if not k.endswith("position_ids")
    }
    part = folder / "model.safetensors.part"
    save_file(weights, part, {"format": "pt"})
    part.rename(folder / "model.safetensors")
