"""Writes tiny/FAMILY/transformers.json: the logits of transformers for the small decoders that
make_parity.py made, in f64, and how far its own f32 is from that.

    python fusion/testdata/make_transformers.py

It needs torch and transformers.
"""

import json
from pathlib import Path

import torch
from make_adapter import base

HERE = Path(__file__).parent / "tiny"
PROMPTS = 8


def main():
    for family in ("llama", "qwen2", "gemma3"):
        model, cases, plain = base(family), [], 0.0
        prompts = json.loads((HERE / family / "parity.json").read_text())["cases"]
        # Some long ones: windows and positions matter there.
        prompts.sort(key=lambda case: -len(case["ids"]))
        for case in prompts[:PROMPTS]:
            ids = torch.tensor([case["ids"]])
            with torch.no_grad():
                rough = model.float()(ids).logits[0, -1]
                # Rotary tables are buffers that transformers computes in f32 in any case.
                exact = model.double()(ids).logits[0, -1]
            plain = max(plain, (exact - rough.double()).abs().max().item())
            logits = [float(f"{x:.9g}") for x in exact.tolist()]
            cases.append({"ids": case["ids"], "logits": logits})
        print(f"{family}: {len(cases)} prompts, f32 is within {plain:.2g} of f64")
        text = json.dumps({"plain": plain, "cases": cases}, separators=(",", ":"))
        (HERE / family / "transformers.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
