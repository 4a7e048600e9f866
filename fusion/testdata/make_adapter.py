"""Writes tiny/llama/adapter: a LoRA adapter of random numbers as peft saves it, and what peft's own
forward pass gives with it (parity.json, as make_parity.py writes it).

    python fusion/testdata/make_adapter.py

It needs what train/planner/requirements.txt lists. The decoder is the one that make_parity.py made.
"""

import json
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file
from transformers import LlamaConfig, LlamaForCausalLM

BASE = Path(__file__).parent / "tiny" / "llama"
OUT = BASE / "adapter"
TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
RANK, ALPHA, KEPT = 4, 6, 24


def base():
    config = json.loads((BASE / "config.json").read_text())
    model = LlamaForCausalLM(LlamaConfig(**config))
    weights = {k: v.float() for k, v in load_file(BASE / "model.safetensors").items()}
    missing, unexpected = model.load_state_dict(weights, strict=False)
    assert missing in ([], ["lm_head.weight"]) and not unexpected, (missing, unexpected)
    model.tie_weights()
    return model.float().eval()


def main():
    torch.manual_seed(5)
    plain = base()
    lora = LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=TARGETS, task_type="CAUSAL_LM")
    model = get_peft_model(base(), lora).eval()
    for name, p in model.named_parameters():
        if "lora_" in name:
            p.data = torch.randn_like(p) * 0.3
    model.save_pretrained(OUT)
    (OUT / "README.md").unlink(missing_ok=True)
    cases, changed = [], 0
    for case in json.loads((BASE / "parity.json").read_text())["cases"]:
        ids = torch.tensor([case["ids"]])
        with torch.no_grad():
            logits = model(ids).logits[0, -1].double()
            changed = max(changed, (logits - plain(ids).logits[0, -1]).abs().max().item())
        top = logits.argsort(descending=True)[:KEPT].tolist()
        exact = [round(logits[i].item(), 4) for i in top]
        cases.append({"text": case["text"], "ids": case["ids"], "tokens": top, "exact": exact})
    print(f"{len(cases)} prompts; the adapter changes a logit by up to {changed:.2f}")
    text = json.dumps({"cases": cases}, ensure_ascii=False, separators=(",", ":"))
    (OUT / "parity.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
