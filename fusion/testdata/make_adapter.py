"""Writes adapters of random numbers for the decoders that make_parity.py made, and what independent
forward passes give with them (parity.json, as make_parity.py writes it):

- tiny/llama/adapter: LoRA, as peft saves and computes it;
- tiny/FAMILY/prefix: prefix tuning, as peft saves and computes it, that of llama through
  prefix_projection, which peft runs when it saves;
- tiny/FAMILY/bottleneck: the layout of package transformer; PyTorch computes it, as hooks on the
  last matrices of both branches of transformers' own model.

    python fusion/testdata/make_adapter.py

It needs what train/planner/requirements.txt lists.
"""

import json
from pathlib import Path

import torch
from peft import LoraConfig, PrefixTuningConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForCausalLM

HERE = Path(__file__).parent / "tiny"
TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
RANK, ALPHA, KEPT, VIRTUAL, SIZE, SCALE = 4, 6, 24, 5, 6, 0.7


def base(family):
    config = AutoConfig.from_pretrained(HERE / family)
    model = AutoModelForCausalLM.from_config(config)
    weights = {k: v.float() for k, v in load_file(HERE / family / "model.safetensors").items()}
    missing, unexpected = model.load_state_dict(weights, strict=False)
    assert missing in ([], ["lm_head.weight"]) and not unexpected, (missing, unexpected)
    model.tie_weights()
    model.name_or_path = ""  # else peft writes this machine's path into the file
    return model.float().eval()


def write_parity(family, kind, model, room=0):
    """Logits of model for the prompts of the family, which leave room in the context."""
    plain, cases, changed = base(family), [], 0
    for case in json.loads((HERE / family / "parity.json").read_text())["cases"]:
        case["ids"] = case["ids"][: plain.config.max_position_embeddings - room]
        ids = torch.tensor([case["ids"]])
        with torch.no_grad():
            logits = model(ids).logits[0, -1].double()
            changed = max(changed, (logits - plain(ids).logits[0, -1]).abs().max().item())
        top = logits.argsort(descending=True)[:KEPT].tolist()
        exact = [round(logits[i].item(), 4) for i in top]
        cases.append({"text": case["text"], "ids": case["ids"], "tokens": top, "exact": exact})
    print(f"{family} {kind}: {len(cases)} prompts; a logit changes by up to {changed:.2f}")
    text = json.dumps({"cases": cases}, ensure_ascii=False, separators=(",", ":"))
    (HERE / family / kind / "parity.json").write_text(text + "\n")


def lora(family):
    torch.manual_seed(5)
    config = LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=TARGETS, task_type="CAUSAL_LM")
    model = get_peft_model(base(family), config).eval()
    for name, p in model.named_parameters():
        if "lora_" in name:
            p.data = torch.randn_like(p) * 0.3
    save(model, family, "adapter")
    write_parity(family, "adapter", model)


def save(model, family, kind):
    folder = HERE / family / kind
    model.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    (folder / "adapter_model.safetensors").chmod(0o644)


def prefix(family, projection):
    torch.manual_seed(6)
    plain = base(family)
    c = plain.config
    heads = c.num_key_value_heads
    # peft takes the width of a head to be hidden_size/num_attention_heads, which it is not here.
    config = PrefixTuningConfig(
        num_virtual_tokens=VIRTUAL,
        task_type="CAUSAL_LM",
        token_dim=heads * c.head_dim,
        num_attention_heads=heads,
        num_layers=c.num_hidden_layers,
        prefix_projection=projection,
        encoder_hidden_size=12 if projection else None,
    )
    model = get_peft_model(plain, config).eval()
    for p in model.prompt_encoder.parameters():
        p.data = torch.randn_like(p) * (0.6 if projection else 1.5)
    got = model.peft_config["default"]
    assert got.token_dim == heads * c.head_dim and got.num_attention_heads == heads, got
    save(model, family, "prefix")
    write_parity(family, "prefix", model, VIRTUAL)


def bottleneck(family, bias):
    torch.manual_seed(7)
    model = base(family)
    folder = HERE / family / "bottleneck"
    folder.mkdir(exist_ok=True)
    config = {
        "peft_type": "BOTTLENECK",
        "bottleneck_size": SIZE,
        "non_linearity": "gelu",
        "scale": SCALE,
        "bias": bias,
        "targets": ["attention", "mlp"],
    }
    (folder / "adapter_config.json").write_text(json.dumps(config, indent=2) + "\n")
    weights = {}
    for i, layer in enumerate(model.model.layers):
        width = model.config.hidden_size
        for target, last in (("attention", layer.self_attn.o_proj), ("mlp", layer.mlp.down_proj)):
            down = torch.nn.Linear(width, SIZE, bias=bias)
            up = torch.nn.Linear(SIZE, width, bias=bias)
            for name, part in (("down", down), ("up", up)):
                for kind, p in part.named_parameters():
                    p.data = torch.randn_like(p) * 0.4
                    weights[f"layers.{i}.{target}.{name}.{kind}"] = p.data.clone()

            def behind(_module, _inputs, y, down=down, up=up):
                return y + SCALE * up(torch.nn.functional.gelu(down(y)))

            last.register_forward_hook(behind)
    save_file(weights, folder / "adapter_model.safetensors")
    (folder / "adapter_model.safetensors").chmod(0o644)
    write_parity(family, "bottleneck", model)


if __name__ == "__main__":
    lora("llama")
    prefix("llama", projection=True)
    prefix("qwen2", projection=False)
    prefix("gemma3", projection=False)
    bottleneck("llama", bias=True)
    bottleneck("gemma3", bias=False)
