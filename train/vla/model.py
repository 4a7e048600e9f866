"""The network.

Two small convolutional stems make 48 tokens of the front camera and 16 of the
wrist's. Latents (the words, the body, two that look for things, one for each
action of the chunk) attend to each other and to the pictures, layer after layer
(as Perceiver does, arXiv 2103.03206): the pictures' tokens are never updated, so
a layer costs little. Everything here is an operator of kernels/, and the names of
the weights are those that fusion/vla reads.
"""

import json
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

from . import data, words

FORMAT = "kuai-vla-1"

# What the demonstrations teach; place_on is onto a block.
SKILLS = ["pick", "place_in", "place_on", "push", "press", "open", "close"]


@dataclass
class Config:
    width: int = 192
    layers: int = 4
    heads: int = 6
    hidden: int = 576
    stem: tuple[int, ...] = (32, 64, 96)
    front: tuple[int, int] = (96, 128)  # height, width
    wrist: tuple[int, int] = (64, 64)
    features: int = 20
    horizon: int = 12
    action: int = 6
    flow: bool = False  # the chunk by flow matching instead of by regression

    def tokens(self, size: tuple[int, int]) -> int:
        shrink = 2 ** (len(self.stem) + 1)
        return (size[0] // shrink) * (size[1] // shrink)


class Stem(nn.Module):
    """A picture, u8 [B, H, W, 3], as tokens [B, n, width]."""

    def __init__(self, c: Config, size: tuple[int, int]):
        super().__init__()
        channels = [3, *c.stem, c.width]
        self.convs = nn.ModuleList(nn.Conv2d(a, b, 3, 2, 1) for a, b in pairwise(channels))
        # The phrase scales and shifts every channel but the first convolution's
        # (FiLM, arXiv 1709.07871): what is looked for shows before the tokens are made.
        self.tuned = nn.ModuleList(nn.Linear(2 * c.width, 2 * n) for n in c.stem[1:])
        for layer in self.tuned:
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
            layer.bias.data[: layer.out_features // 2] = 1.0
        self.place = nn.Parameter(0.02 * torch.randn(c.tokens(size), c.width))

    def forward(self, x: torch.Tensor, phrase: torch.Tensor) -> torch.Tensor:
        for i, conv in enumerate(self.convs):
            x = conv(x)
            if 0 < i < len(self.convs) - 1:
                gain, shift = self.tuned[i - 1](phrase)[:, :, None, None].chunk(2, 1)
                x = x * gain + shift
            if i + 1 < len(self.convs):
                x = F.relu(x)
        return x.flatten(2).transpose(1, 2) + self.place


class Attention(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.heads = c.heads
        self.q, self.k, self.v, self.o = (nn.Linear(c.width, c.width) for _ in range(4))

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        def split(z):
            return z.unflatten(-1, (self.heads, -1)).transpose(1, 2)

        # By hand: the fused kernel's way back takes half of a training step on a CPU.
        q, k, v = split(self.q(x)), split(self.k(y)), split(self.v(y))
        a = (q @ k.transpose(2, 3) * q.shape[-1] ** -0.5).softmax(-1).to(v.dtype) @ v
        return self.o(a.transpose(1, 2).flatten(2))


class Layer(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.norm_own, self.norm_see, self.norm_mlp = (nn.LayerNorm(c.width) for _ in range(3))
        self.own, self.see = Attention(c), Attention(c)
        self.up, self.down = nn.Linear(c.width, c.hidden), nn.Linear(c.hidden, c.width)

    def forward(self, x: torch.Tensor, pictures: torch.Tensor) -> torch.Tensor:
        y = self.norm_own(x)
        x = x + self.own(y, y)
        x = x + self.see(self.norm_see(x), pictures)
        return x + self.down(F.gelu(self.up(self.norm_mlp(x))))


class Policy(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.config = c
        self.front, self.wrist = Stem(c, c.front), Stem(c, c.wrist)
        self.norm_pictures = nn.LayerNorm(c.width)
        self.word = nn.Embedding(len(words.VOCABULARY), c.width)
        self.slot = nn.Parameter(0.02 * torch.randn(words.SLOTS, c.width))
        self.body = nn.Linear(c.features, c.width)
        # What is taken and where it goes stand at other places of a phrase, so each of
        # the two that look for them weighs the words by their place.
        self.pool = nn.Parameter(torch.full((2, words.SLOTS), 0.5))
        self.seek = nn.Parameter(0.02 * torch.randn(2, c.width))
        self.seek_word = nn.Linear(c.width, c.width)
        self.act = nn.Parameter(0.02 * torch.randn(c.horizon, c.width))
        if c.flow:
            self.noisy = nn.Linear(c.action, c.width)
            self.time = nn.Linear(8, c.width)
        self.layers = nn.ModuleList(Layer(c) for _ in range(c.layers))
        self.norm = nn.LayerNorm(c.width)
        self.action, self.done = nn.Linear(c.width, c.action), nn.Linear(c.width, 1)
        self.where = nn.Linear(c.width, 3)
        # Which token of the front picture a thing is in: only training asks.
        self.find_query, self.find_key = nn.Linear(c.width, c.width), nn.Linear(c.width, c.width)
        self.find_word = nn.Linear(c.width, c.width)
        nn.init.normal_(self.word.weight, std=0.3)

    def forward(self, b: dict, noisy=None, time=None) -> tuple[torch.Tensor, ...]:
        """Actions [B, horizon, 6], whether the skill is over at each of them (as
        logits), where the two things are [B, 2, 3], and in which token of the front
        picture (logits [B, 2 ways to tell, 2, tokens])."""
        said = self.word(b["words"])
        asked = self.pool.to(said.dtype) @ said
        phrase = asked.flatten(1)
        front, wrist = self.front(image(b["front"]), phrase), self.wrist(image(b["wrist"]), phrase)
        pictures = torch.cat([front, wrist], 1)
        pictures = self.norm_pictures(pictures)
        rows = len(pictures)
        act = self.act.expand(rows, -1, -1)
        if self.config.flow:
            act = act + self.noisy(noisy) + self.time(waves(time))[:, None]
        x = torch.cat(
            [
                said + self.slot,
                self.body(b["features"])[:, None],
                self.seek + self.seek_word(asked),
                act,
            ],
            1,
        )
        for layer in self.layers:
            x = layer(x, pictures)
        x = self.norm(x)
        n = words.SLOTS + 1
        acts, seeks = x[:, n + 2 :], x[:, n : n + 2]
        tokens = pictures[:, : front.shape[1]]
        # Once by what the words ask for alone, once by what the layers made of it.
        keys = self.find_key(tokens).transpose(1, 2) * self.config.width**-0.5
        found = torch.stack([self.find_word(asked) @ keys, self.find_query(seeks) @ keys], 1)
        return self.action(acts), self.done(acts)[..., 0], self.where(seeks), found


def image(x: torch.Tensor) -> torch.Tensor:
    """u8 [B, H, W, 3] as the convolutions take it, about −1 to 1."""
    if x.dtype == torch.uint8:
        x = x.float() / 127.5 - 1
    return x.permute(0, 3, 1, 2)


def waves(time: torch.Tensor) -> torch.Tensor:
    """The time of a flow, [B], as sines and cosines [B, 8]."""
    angles = time[:, None] * torch.tensor([1.0, 2.0, 4.0, 8.0], device=time.device) * torch.pi
    return torch.cat([angles.sin(), angles.cos()], 1)


def losses(policy: Policy, b: dict) -> dict[str, torch.Tensor]:
    """The parts of the loss of a batch."""
    if policy.config.flow:
        noise = torch.randn_like(b["actions"])
        # More of the times near noise, as pi0 does (arXiv 2410.24164).
        time = torch.distributions.Beta(1.0, 1.5).sample((len(noise),)).clamp(max=0.999)
        mixed = time[:, None, None] * b["actions"] + (1 - time[:, None, None]) * noise
        flow, done, where, found = policy(b, mixed, time)
        action = (flow.float() - (b["actions"] - noise)).square().mean()
    else:
        actions, done, where, found = policy(b)
        action = (actions.float() - b["actions"]).abs().mean()
    known = b["known"][..., None]
    missed = ((where.float() - b["where"]).abs() * known).sum() / (3 * known.sum()).clamp(min=1)
    over = F.binary_cross_entropy_with_logits(done.float(), b["done"])
    tokens = b["token"][:, None].expand(-1, found.shape[1], -1)
    token = F.cross_entropy(found.float().flatten(0, 2), tokens.flatten(), ignore_index=-1)
    return {"action": action, "where": missed, "done": over, "token": token}


WEIGHTS = {"action": 1.0, "where": 0.5, "done": 0.1, "token": 0.2}

# What only training asks for.
UNUSED = ("find_query.", "find_key.", "find_word.")


def export(state: dict, config: Config, folder: Path, more: dict, look: dict | None = None) -> None:
    """Write config.json and model.safetensors as fusion/vla reads them. Matrices
    are f16, which rounds less than bf16 and is decoded when they are packed;
    vectors are f32: they are few, and norms and biases are where rounding shows."""
    described = {
        "model_type": FORMAT,
        "robot": "so101",
        **{k: list(v) if isinstance(v, tuple) else v for k, v in asdict(config).items()},
        "vocabulary": words.VOCABULARY,
        "slots": words.SLOTS,
        "scale": [float(v) for v in data.SCALE],
        "middle_grip": data.MIDDLE_GRIP,
        "place_scale": data.PLACE_SCALE,
        "skills": SKILLS,
        **({"look": look} if look else {}),
        "training": more,
    }
    tensors = {}
    for name, value in state.items():
        if name.startswith(UNUSED):
            continue
        dtype = torch.float16 if value.dim() > 1 else torch.float32
        tensors[name] = value.detach().to(dtype).contiguous()
    folder.mkdir(parents=True, exist_ok=True)
    for name, write in (
        ("model.safetensors", lambda path: save_file(tensors, path)),
        ("config.json", lambda path: path.write_text(json.dumps(described, indent=1) + "\n")),
    ):
        part = folder / (name + ".part")
        write(part)
        part.rename(folder / name)
