"""Projectors and gated cross-attention as fusion/multimodal builds them, in PyTorch: the reference
that the Go code is compared with, and modules to train. Names of parameters are those of the files.

PaLM-E: arXiv 2303.03378. Flamingo: arXiv 2204.14198. Perceiver: arXiv 2103.03206.
"""

import torch
from torch import nn
from torch.nn import functional as F


class Projector(nn.Module):
    """Rows of an encoder [n, inputs] to rows of the decoder [n * rows, width]."""

    def __init__(self, width, inputs, hidden=0, rows=1):
        super().__init__()
        self.width = width
        self.linear1 = nn.Linear(inputs, hidden or rows * width)
        if hidden:
            self.linear2 = nn.Linear(hidden, rows * width)

    def forward(self, x):
        x = self.linear1(x)
        if hasattr(self, "linear2"):
            x = self.linear2(F.gelu(x))
        return x.reshape(-1, self.width)


class Attention(nn.Module):
    """Queries of one width, keys and values of another, no bias."""

    def __init__(self, width, inputs, heads, head_dim):
        super().__init__()
        self.heads = heads
        self.q = nn.Linear(width, heads * head_dim, bias=False)
        self.k = nn.Linear(inputs, heads * head_dim, bias=False)
        self.v = nn.Linear(inputs, heads * head_dim, bias=False)
        self.out = nn.Linear(heads * head_dim, width, bias=False)

    def attend(self, x, y, mask=None):
        """x [n, width] looks at y [m, inputs]; mask [n, m] says who sees whom. Who sees nobody
        gets zeros."""
        q, k, v = (
            t.reshape(len(t), self.heads, -1).transpose(0, 1)
            for t in (self.q(x), self.k(y), self.v(y))
        )
        scores = q @ k.transpose(1, 2) / q.shape[-1] ** 0.5
        if mask is not None:
            scores = scores.masked_fill(~mask, -torch.inf)
        p = torch.nan_to_num(scores.softmax(-1))
        return self.out((p @ v).transpose(0, 1).reshape(len(x), -1))


class PerceiverLayer(Attention):
    def __init__(self, inputs, heads, head_dim):
        super().__init__(inputs, inputs, heads, head_dim)
        self.norm_media, self.norm_latents = nn.LayerNorm(inputs), nn.LayerNorm(inputs)
        self.norm = nn.LayerNorm(inputs)
        self.up = nn.Linear(inputs, 4 * inputs, bias=False)
        self.down = nn.Linear(4 * inputs, inputs, bias=False)

    def forward(self, latents, media):
        own = self.norm_latents(latents)
        latents = latents + self.attend(own, torch.cat([own, self.norm_media(media)]))
        return latents + self.down(F.gelu(self.up(self.norm(latents))))


class CrossLayer(Attention):
    def __init__(self, width, inputs, heads, head_dim, hidden):
        super().__init__(width, inputs, heads, head_dim)
        self.norm, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.up = nn.Linear(width, hidden, bias=False)
        self.down = nn.Linear(hidden, width, bias=False)
        self.attention_gate, self.gate = nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))

    def forward(self, x, latents, mask):
        x = x + self.attention_gate.tanh() * self.attend(self.norm(x), latents, mask)
        return x + self.gate.tanh() * self.down(F.gelu(self.up(self.norm2(x))))


class Cross(nn.Module):
    def __init__(self, width, inputs, every, layers, heads, head_dim, hidden, latents, depth):
        super().__init__()
        self.latents = nn.Parameter(torch.randn(latents, inputs))
        self.perceiver = nn.ModuleList(
            PerceiverLayer(inputs, heads, head_dim) for _ in range(depth)
        )
        self.norm = nn.LayerNorm(inputs)
        self.layers = nn.ModuleDict(
            {
                str(i): CrossLayer(width, inputs, heads, head_dim, hidden)
                for i in range(0, layers, every)
            }
        )

    def perceive(self, features):
        latents = self.latents
        for layer in self.perceiver:
            latents = layer(latents, features)
        return self.norm(latents)


class Multimodal(nn.Module):
    """A language model of transformers with projectors, gated cross-attention, or both."""

    def __init__(self, model, projectors=None, cross=None):
        super().__init__()
        width = model.config.hidden_size
        self.model = model
        self.projectors = nn.ModuleDict(
            {name: Projector(width, **c) for name, c in (projectors or {}).items()}
        )
        self.cross = Cross(width, **cross) if cross else None
        if cross:
            for i, layer in enumerate(model.model.layers):
                if str(i) in self.cross.layers:
                    layer.register_forward_pre_hook(self.before(i), with_kwargs=True)
        self.latents, self.mask = None, None

    def before(self, i):
        def hook(_module, args, kwargs):
            if self.latents is None:
                return args, kwargs
            x = self.cross.layers[str(i)](args[0][0], self.latents, self.mask)
            return (x[None], *args[1:]), kwargs

        return hook

    def forward(self, parts):
        """Logits [n, vocabulary] of parts: {"tokens": [...]}, {"medium": [n, inputs]}, or
        {"project": name, "rows": [n, inputs]}."""
        dtype = self.model.dtype
        rows, media, seen = [], [], []
        for part in parts:
            if "medium" in part:
                media.append(self.cross.perceive(torch.tensor(part["medium"], dtype=dtype)))
                continue
            if "tokens" in part:
                x = self.model.get_input_embeddings()(torch.tensor(part["tokens"]))
            else:
                x = self.projectors[part["project"]](torch.tensor(part["rows"], dtype=dtype))
            rows.append(x)
            seen += [len(media) - 1] * len(x)
        if self.cross:
            self.watch(media, seen)
        return self.model(inputs_embeds=torch.cat(rows)[None]).logits[0]

    def watch(self, media, seen):
        """Text sees the last medium before it."""
        n = len(self.cross.latents)
        self.latents = torch.cat(media) if media else torch.zeros_like(self.cross.latents)
        of = torch.arange(len(self.latents)) // n
        self.mask = (of == torch.tensor(seen)[:, None]) & bool(media)

    def weights(self):
        """What is saved: everything but the language model."""
        return {k: v for k, v in self.state_dict().items() if not k.startswith("model.")}
