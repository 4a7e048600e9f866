"""Writes fusion/multimodal/testdata/tiny: projectors and gated cross-attention of random numbers on
the small Llama of fusion/testdata, and what the reference makes of mixed sequences in f64.

    python -m train.multimodal.make_fixtures

Run it from the repository's root; it needs what train/planner/requirements.txt lists.
"""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForCausalLM

from train.multimodal.reference import Multimodal

FUSION = Path(__file__).parents[2] / "fusion"
OUT = FUSION / "multimodal" / "testdata" / "tiny"
IMAGE, STATE, SOUND, FEATURES = 24, 7, 20, 12
PROJECTORS = {
    "image": {"inputs": IMAGE, "hidden": 40, "rows": 1},
    "sound": {"inputs": SOUND, "hidden": 0, "rows": 1},
    "state": {"inputs": STATE, "hidden": 12, "rows": 2},
}
CROSS = {
    "inputs": FEATURES,
    "every": 1,
    "layers": 2,
    "heads": 2,
    "head_dim": 8,
    "hidden": 32,
    "latents": 3,
    "depth": 2,
}
LIMITS = {"features": 9, "media": 3}


def language_model(family):
    folder = FUSION / "testdata" / "tiny" / family
    model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(folder))
    weights = {k: v.float() for k, v in load_file(folder / "model.safetensors").items()}
    model.load_state_dict(weights, strict=False)
    model.tie_weights()
    return model.float().eval()


def randomise(model):
    random = torch.Generator().manual_seed(9)
    for name, p in model.named_parameters():
        if name.startswith("model."):
            continue
        draw = torch.randn(p.shape, generator=random)
        if "norm" in name and name.endswith("weight"):
            p.data = 1 + 0.2 * draw
        elif p.dim() < 2:
            p.data = 0.5 * draw
        else:
            p.data = draw / p.shape[-1] ** 0.5


def rows(random, n, width):
    return [[round(float(x), 4) for x in r] for r in torch.randn(n, width, generator=random)]


def sequences():
    random = torch.Generator().manual_seed(10)

    def tokens(n):
        return {"tokens": torch.randint(10, 300, (n,), generator=random).tolist()}

    def project(name, n):
        return {"project": name, "rows": rows(random, n, PROJECTORS[name]["inputs"])}

    def medium(n):
        return {"medium": rows(random, n, FEATURES)}

    return [
        [tokens(5)],
        [tokens(3), project("image", 4), tokens(2)],
        [project("state", 1), tokens(4)],
        [tokens(2), project("sound", 6), tokens(3), project("image", 2), project("state", 1)],
        [medium(5), tokens(4)],
        [tokens(3), medium(9), tokens(2), medium(1), tokens(4)],
        [tokens(2), medium(4), project("image", 3), tokens(2), medium(2), medium(7), tokens(3)],
    ]


def main():
    model = Multimodal(language_model("llama"), PROJECTORS, CROSS).eval()
    randomise(model)
    OUT.mkdir(parents=True, exist_ok=True)
    config = {"model_type": "kuai_multimodal", "width": model.model.config.hidden_size}
    config |= {"projectors": PROJECTORS, "cross": CROSS | LIMITS}
    (OUT / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    save_file({k: v.clone() for k, v in model.weights().items()}, OUT / "model.safetensors")
    (OUT / "model.safetensors").chmod(0o644)
    cases, plain = [], 0.0
    for parts in sequences():
        with torch.no_grad():
            rough = model.float()(parts)[-1]
            exact = model.double()(parts)[-1]
        plain = max(plain, (exact - rough.double()).abs().max().item())
        cases.append({"parts": parts, "logits": [float(f"{x:.9g}") for x in exact.tolist()]})
    with torch.no_grad():
        opened = model(cases[4]["parts"])[-1]
        for layer in model.cross.layers.values():
            layer.gate.data.zero_()
            layer.attention_gate.data.zero_()
        change = (opened - model(cases[4]["parts"])[-1]).abs().max()
    print(f"{len(cases)} sequences, f32 within {plain:.2g}; gates change a logit by {change:.2f}")
    text = json.dumps({"plain": plain, "cases": cases}, separators=(",", ":"))
    (OUT / "parity.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
