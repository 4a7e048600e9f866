"""Small random policies and what PyTorch makes of an input, for the tests of
fusion/vla.

    python -m train.vla.fixture fusion/vla/testdata
"""

import json
import sys
from pathlib import Path

import torch

from . import model, words


def picture(height: int, width: int, seed: int) -> torch.Tensor:
    """A picture that the test draws likewise."""
    y = torch.arange(height)[:, None, None]
    x = torch.arange(width)[None, :, None]
    c = torch.arange(3)[None, None, :]
    return ((7 * x + 13 * y + 29 * c + x * y // 3 + 31 * seed) % 256).to(torch.uint8)


def write(folder: Path, flow: bool) -> None:
    torch.manual_seed(7)
    config = model.Config(
        width=32,
        layers=2,
        heads=4,
        hidden=48,
        stem=(8, 12),
        kernels=(6, 3, 3),
        strides=(4, 1, 2),
        front=(32, 40),
        wrist=(24, 24),
        flow=flow,
    )
    policy = model.Policy(config)
    with torch.no_grad():
        for p in policy.parameters():
            p.copy_((2.0 * p).half().float() if p.dim() > 1 else p + 0.1 * torch.randn_like(p))
        for stem in (policy.front, policy.wrist):
            for tuned in stem.tuned:
                tuned.weight.copy_((0.1 * torch.randn_like(tuned.weight)).half().float())
    judge = model.Judge(config, 16)
    with torch.no_grad():
        for p in judge.parameters():
            p.copy_(p.half().float())
    model.export(policy.state_dict(), config, folder, {})
    model.judged(judge, folder, folder)
    phrase = "place the red block in the shiny bowl"
    features = torch.linspace(-1, 1, config.features)
    noise = torch.linspace(-2, 2, config.horizon * config.action).reshape(1, config.horizon, -1)
    batch = {
        "front": picture(*config.front, 1)[None],
        "wrist": picture(*config.wrist, 2)[None],
        "words": torch.tensor([words.encode(phrase)]),
        "features": features[None],
    }
    with torch.no_grad():
        double = policy.double()
        for k in ("front", "wrist"):
            batch[k] = batch[k].double() / 127.5 - 1
        batch["features"] = batch["features"].double()
        extra = (noise.double(), torch.tensor([0.4]).double()) if flow else ()
        action, done, where, sure = double(batch, *extra)
        seen = model.Judge.input(double.latents(batch, *extra)[0])
        can, holds = judge.double()(seen)[0].sigmoid().tolist()
    expected = {
        "phrase": phrase,
        "words": words.encode(phrase),
        "time": 0.4,
        "action": action[0].flatten().tolist(),
        "done": done[0].sigmoid().tolist(),
        "where": where[0].flatten().tolist(),
        "sure": sure[0].softmax(-1).flatten().tolist(),
        "judge": [can, holds],
    }
    (folder / "expected.json").write_text(json.dumps(expected) + "\n")


def main() -> None:
    root = Path(sys.argv[1])
    write(root / "regression", False)
    write(root / "flow", True)


if __name__ == "__main__":
    main()
