"""What the scripts that make fixtures share: clips and pictures by formula, comparisons."""

import json

import numpy as np
import torch
from PIL import Image

CORPUS = [
    "a red block on the table",
    "a blue bowl",
    "the green cup beside the yellow block",
    "a photo of a cat",
    "put the red block in the blue bowl",
    "it's 12 o'clock; don't we'll they've I'd",
    "a robot's gripper holds a sponge!",
    "is that a block? yes, that's one",
    "pick and place: 3 blocks, 2 bowls",
    "naïve café über straße",
]
TEXTS = [
    "a red block",
    "a bowl",
    "A  Photo of\tthe   CAT!",
    "it's don't WE'LL they've I'd",
    "12 blocks, 3.5 bowls",
    "naïve café Straße",
    "你好 robot",
    "",
    "  spaces  ",
    "emoji 🤖 and <end> inside",
    "a" * 40,
    "the green cup beside the yellow block on the table in the blue bowl of the robot's gripper, "
    "twice and again and again",
]


def noise(width, height, seed):
    """A picture of all frequencies, by whole numbers alone: fine noise, coarse blocks, a ramp."""
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")

    def draw(at):
        at = (at * 2654435761 + seed * 40503) & 0xFFFFFFFF
        at ^= at >> 15
        at = (at * 2246822519) & 0xFFFFFFFF
        return at >> 24

    fine, coarse = draw((y * width + x) * 3 + c), draw((y // 16 * 1000 + x // 16) * 3 + c)
    return ((fine + 2 * coarse + (x * 255) // width) // 4).astype(np.uint8)


def picture(width, height, seed):
    return Image.fromarray(noise(width, height, seed))


def sound(seconds, seed):
    """A clip that both sides make: a rising tone, a hum, and noise that comes and goes."""
    n = int(seconds * 16000)
    i = np.arange(n)
    at = (i * 2654435761 + seed * 40503) & 0xFFFFFFFF
    at ^= at >> 15
    noise = ((at * 2246822519 & 0xFFFFFFFF) >> 16) / 32768 - 1
    tone = (
        np.sin(2 * np.pi * (200 + 0.05 * i) * i / 16000) * 0.3
        + np.sin(2 * np.pi * 50 * i / 16000) * 0.1
    )
    return (tone + noise * np.where(i // 4000 % 2 == 0, 0.05, 0.0005)).astype(np.float32)


def dump(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")


def numbers(x):
    return [float(f"{v:.9g}") for v in np.asarray(x, dtype=np.float64).ravel()]


def unit(x):
    return x / x.norm(dim=-1, keepdim=True)


def randomise(model, scale=1.0):
    """Weights with a spread that makes every part matter, exact in f32."""
    random = torch.Generator().manual_seed(7)
    for name, p in model.named_parameters():
        draw = torch.randn(p.shape, generator=random, dtype=torch.float32)
        if p.dim() < 2:
            p.data = draw * 0.1 + (1.0 if "norm" in name and "weight" in name else 0.0)
        else:
            p.data = draw * scale / np.sqrt(p.shape[-1] if p.dim() == 2 else p[0].numel())
    return model.eval()


def save(model, folder):
    model.save_pretrained(folder)
    (folder / "model.safetensors").chmod(0o644)
    (folder / "generation_config.json").unlink(missing_ok=True)


def agree(name, exact, plain):
    error = float((exact - plain.double()).abs().max())
    print(f"{name}: f32 is within {error:.2g} of f64")
    return error


def run(model, call):
    """The same call in f64 and in f32."""
    with torch.no_grad():
        plain = call(model.float(), torch.float32)
        exact = call(model.double(), torch.float64)
    model.float()
    return exact, plain
