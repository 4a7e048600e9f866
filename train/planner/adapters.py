"""The kinds of adapters that kuai loads, to be trained on one frozen model.

Each has model (with the weights that train among its parameters), hidden and
head for a batch, and state, load and config for the files that kuai reads
(docs/models.md has their layouts).
"""

import torch
from peft import LoraConfig, get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
from torch import nn
from transformers import DynamicCache, LlamaForCausalLM

from .data import Batch

TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
PREFIX_TOKENS = 24
BOTTLENECK = 64


def additive(sees: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """What is added to the scores of attention: nothing, or the lowest number."""
    return torch.zeros(sees.shape, dtype=dtype).masked_fill(~sees, torch.finfo(dtype).min)


class Adapter:
    """What the kinds have in common."""

    model: nn.Module
    llama: LlamaForCausalLM

    def hidden(self, batch: Batch) -> torch.Tensor:
        """What the last layer gives, [rows, longest, width]."""
        return self.llama.model(
            input_ids=batch.ids,
            attention_mask=additive(batch.sees, self.llama.dtype),
            position_ids=batch.positions,
            use_cache=False,
        ).last_hidden_state

    def head(self, hidden: torch.Tensor) -> torch.Tensor:
        return self.llama.lm_head(hidden)


class Plain(Adapter):
    """The base model as it is."""

    def __init__(self, base: LlamaForCausalLM):
        self.llama = self.model = base


class Lora(Adapter):
    """arXiv 2106.09685, by peft."""

    PEFT = "LORA"

    def __init__(self, base: LlamaForCausalLM, rank: int, alpha: int, name: str):
        self.llama = base
        lora = LoraConfig(
            r=rank, lora_alpha=alpha, target_modules=TARGETS, task_type="CAUSAL_LM",
            base_model_name_or_path=name,
        )  # fmt: skip
        self.model = get_peft_model(base, lora)

    def state(self) -> dict[str, torch.Tensor]:
        return get_peft_model_state_dict(self.model)

    def load(self, state: dict[str, torch.Tensor]) -> None:
        set_peft_model_state_dict(self.model, state)

    def config(self) -> dict:
        config = self.model.peft_config["default"].to_dict()
        return {k: sorted(v) if isinstance(v, set) else v for k, v in config.items()}


class Prefix(Adapter):
    """arXiv 2101.00190: keys and values that every text begins with, in the layout
    of peft's PREFIX_TUNING without a projection."""

    PEFT = "PREFIX_TUNING"

    def __init__(self, base: LlamaForCausalLM, name: str):
        self.llama, self.name = base, name
        c = base.config
        self.shape = (c.num_hidden_layers * 2, c.num_key_value_heads, c.head_dim)
        width = self.shape[0] * self.shape[1] * self.shape[2]
        self.model = base
        base.prompt_embeddings = nn.Parameter(torch.randn(PREFIX_TOKENS, width) * 0.1)

    def hidden(self, batch: Batch) -> torch.Tensor:
        rows, longest = batch.ids.shape
        kv = self.llama.prompt_embeddings.to(self.llama.dtype)
        kv = kv.view(1, PREFIX_TOKENS, *self.shape).permute(2, 0, 3, 1, 4)
        kv = kv.expand(-1, rows, -1, -1, -1)
        cache = DynamicCache()
        for layer in range(self.shape[0] // 2):
            cache.update(kv[2 * layer], kv[2 * layer + 1], layer)
        prefix = torch.ones(rows, 1, longest, PREFIX_TOKENS, dtype=torch.bool)
        return self.llama.model(
            input_ids=batch.ids,
            attention_mask=additive(torch.cat([prefix, batch.sees], -1), self.llama.dtype),
            position_ids=batch.positions + PREFIX_TOKENS,
            past_key_values=cache,
        ).last_hidden_state

    def state(self) -> dict[str, torch.Tensor]:
        return {"prompt_embeddings": self.llama.prompt_embeddings.data}

    def load(self, state: dict[str, torch.Tensor]) -> None:
        self.llama.prompt_embeddings.data.copy_(state["prompt_embeddings"])

    def config(self) -> dict:
        return {
            "peft_type": self.PEFT, "task_type": "CAUSAL_LM",
            "base_model_name_or_path": self.name, "num_virtual_tokens": PREFIX_TOKENS,
            "num_layers": self.shape[0] // 2, "num_attention_heads": self.shape[1],
            "token_dim": self.shape[1] * self.shape[2], "prefix_projection": False,
        }  # fmt: skip


class Behind(nn.Module):
    """A linear layer and the small network behind it."""

    def __init__(self, inner: nn.Linear):
        super().__init__()
        self.inner = inner
        self.down = nn.Linear(inner.out_features, BOTTLENECK)
        self.up = nn.Linear(BOTTLENECK, inner.out_features)
        nn.init.zeros_(self.up.weight)  # at first the model is what it was
        nn.init.zeros_(self.up.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.inner(x)
        return y + self.up(nn.functional.gelu(self.down(y))).to(y.dtype)


class Bottleneck(Adapter):
    """arXiv 1902.00751: behind the last matrix of both branches of each layer."""

    PEFT = "BOTTLENECK"

    def __init__(self, base: LlamaForCausalLM, name: str):
        self.llama, self.model, self.name = base, base, name
        self.behind: dict[str, Behind] = {}
        for i, layer in enumerate(base.model.layers):
            layer.self_attn.o_proj = Behind(layer.self_attn.o_proj)
            layer.mlp.down_proj = Behind(layer.mlp.down_proj)
            self.behind[f"layers.{i}.attention"] = layer.self_attn.o_proj
            self.behind[f"layers.{i}.mlp"] = layer.mlp.down_proj

    def state(self) -> dict[str, torch.Tensor]:
        return {
            f"{where}.{part}": p.data
            for where, behind in self.behind.items()
            for part, p in behind.named_parameters()
            if not part.startswith("inner.")
        }

    def load(self, state: dict[str, torch.Tensor]) -> None:
        for name, p in self.state().items():
            p.copy_(state[name])

    def config(self) -> dict:
        return {
            "peft_type": self.PEFT, "base_model_name_or_path": self.name,
            "bottleneck_size": BOTTLENECK, "non_linearity": "gelu", "scale": 1.0, "bias": True,
            "targets": ["attention", "mlp"],
        }  # fmt: skip


KINDS: dict[str, type[Adapter]] = {"lora": Lora, "prefix": Prefix, "bottleneck": Bottleneck}


def make(kind: str, base: LlamaForCausalLM, rank: int, alpha: int, name: str) -> Adapter:
    """An adapter of a kind for base, whose own weights no longer train."""
    for p in base.parameters():
        p.requires_grad_(False)
    return Lora(base, rank, alpha, name) if kind == "lora" else KINDS[kind](base, name)
