"""The network.

Two small convolutional stems make 48 tokens of the front camera and 16 of the
wrist's. Before the last convolution a gaze looks in the front picture for each of
the two things that the phrase names: it attends to the cells of a grid that is
twice as fine, and training tells it which cell. Latents (the words, the body, two
that begin with what the gazes found, one for each action of the chunk) attend to
each other and to the pictures, layer after layer (as Perceiver does, arXiv
2103.03206): the pictures' tokens are never updated, so
a layer costs little. Everything here is an operator of kernels/, and the names of the
weights are those that fusion/vla reads.
"""

import json
import math
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import nn

from . import data, words

FORMAT = "kuai-vla-2"

# What the demonstrations teach; place_on is onto a block.
SKILLS = ["pick", "place_in", "place_on", "push", "press", "open", "close"]


ASKED = 3  # sums of words: of what is taken, of where it goes, and of all

JUDGED = 4  # latents that a judge looks at


@dataclass
class Config:
    width: int = 192
    layers: int = 4
    heads: int = 6
    hidden: int = 576
    stem: tuple[int, ...] = (48, 96, 96)  # channels before the last convolution's
    kernels: tuple[int, ...] = (6, 3, 3, 3)
    strides: tuple[int, ...] = (4, 2, 1, 2)
    front: tuple[int, int] = (96, 128)  # height, width
    wrist: tuple[int, int] = (64, 64)
    features: int = 20
    horizon: int = 12
    group: int = 3  # steps of the chunk that come from one latent
    action: int = 6
    flow: bool = False  # the chunk by flow matching instead of by regression

    def tokens(self, size: tuple[int, int]) -> int:
        shrink = math.prod(self.strides)
        return (size[0] // shrink) * (size[1] // shrink)

    def cells(self) -> tuple[int, int]:
        """Rows and columns of the grid that a gaze looks at."""
        shrink = math.prod(self.strides[:-1])
        return self.front[0] // shrink, self.front[1] // shrink


class Stem(nn.Module):
    """A picture, u8 [B, H, W, 3], as tokens [B, n, width]."""

    def __init__(self, c: Config, size: tuple[int, int]):
        super().__init__()
        channels = [3, *c.stem, c.width]
        self.convs = nn.ModuleList(
            nn.Conv2d(a, b, kernel, stride, 1)
            for (a, b), kernel, stride in zip(pairwise(channels), c.kernels, c.strides, strict=True)
        )
        # The phrase scales and shifts every channel but the first convolution's
        # (FiLM, arXiv 1709.07871): what is looked for shows before the tokens are made.
        self.tuned = nn.ModuleList(nn.Linear(ASKED * c.width, 2 * n) for n in c.stem[1:])
        for layer in self.tuned:
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
            layer.bias.data[: layer.out_features // 2] = 1.0
        self.place = nn.Parameter(0.02 * torch.randn(c.tokens(size), c.width))

    def forward(self, x: torch.Tensor, phrase: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The tokens, and the finer grid before the last convolution [B, cells, channels]."""
        fine = x
        for i, conv in enumerate(self.convs):
            fine, x = x, conv(x)
            if 0 < i < len(self.convs) - 1:
                gain, shift = self.tuned[i - 1](phrase)[:, :, None, None].chunk(2, 1)
                x = x * gain + shift
            if i + 1 < len(self.convs):
                x = F.relu(x)
        return x.flatten(2).transpose(1, 2) + self.place, fine.flatten(2).transpose(1, 2)


class Gaze(nn.Module):
    """Looks for what is asked for in the cells of a picture: gives what it saw and
    where, [B, asked, width], and how sure it is of each cell, as logits."""

    def __init__(self, c: Config):
        super().__init__()
        rows, columns = c.cells()
        channels = c.stem[-1]
        self.query = nn.Linear(c.width, channels)
        self.seen, self.at = nn.Linear(channels, c.width), nn.Linear(channels, c.width)
        y, x = torch.meshgrid(
            torch.linspace(-1, 1, rows), torch.linspace(-1, 1, columns), indexing="ij"
        )
        place = 0.02 * torch.randn(rows * columns, channels)
        place[:, 0], place[:, 1] = x.flatten(), y.flatten()
        self.place = nn.Parameter(place)

    def forward(self, asked: torch.Tensor, cells: torch.Tensor) -> tuple[torch.Tensor, ...]:
        sure = self.query(asked) @ cells.transpose(1, 2) * cells.shape[2] ** -0.5
        share = sure.softmax(-1).to(cells.dtype)
        return self.seen(share @ cells) + self.at(share @ self.place.to(cells.dtype)), sure


def split(x: torch.Tensor, heads: int) -> torch.Tensor:
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def attend(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """By hand: the fused kernel's way back takes half of a training step on a CPU."""
    a = (q @ k.transpose(2, 3) * q.shape[-1] ** -0.5).softmax(-1).to(v.dtype) @ v
    return a.transpose(1, 2).flatten(2)


class Layer(nn.Module):
    """Latents attend to each other, then to the pictures, whose keys and values are
    the same in every layer."""

    def __init__(self, c: Config):
        super().__init__()
        self.heads = c.heads
        self.norm_own, self.norm_see, self.norm_mlp = (nn.LayerNorm(c.width) for _ in range(3))
        self.qkv, self.own = nn.Linear(c.width, 3 * c.width), nn.Linear(c.width, c.width)
        self.q, self.see = nn.Linear(c.width, c.width), nn.Linear(c.width, c.width)
        self.up, self.down = nn.Linear(c.width, c.hidden), nn.Linear(c.hidden, c.width)

    def forward(self, x: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        q, k, v = (split(y, self.heads) for y in self.qkv(self.norm_own(x)).chunk(3, -1))
        x = x + self.own(attend(q, k, v))
        x = x + self.see(attend(split(self.q(self.norm_see(x)), self.heads), keys, values))
        return x + self.down(F.gelu(self.up(self.norm_mlp(x))))


class Policy(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.config = c
        self.front, self.wrist = Stem(c, c.front), Stem(c, c.wrist)
        self.norm_pictures = nn.LayerNorm(c.width)
        self.key, self.value = nn.Linear(c.width, c.width), nn.Linear(c.width, c.width)
        self.word = nn.Embedding(len(words.VOCABULARY), c.width)
        # What is taken, where it goes and what to do stand at other places of a phrase:
        # each is the sum of the words, weighed by their place.
        self.pool = nn.Parameter(torch.full((ASKED, words.SLOTS), 0.2))
        self.pool.data[0, 2:5] = self.pool.data[1, 5:] = self.pool.data[2] = 1.0
        self.said = nn.Linear(ASKED * c.width, c.width)
        self.body = nn.Linear(c.features, c.width)
        self.seek = nn.Parameter(0.02 * torch.randn(2, c.width))
        self.seek_word = nn.Linear(c.width, c.width)
        self.gaze = Gaze(c)
        self.act = nn.Parameter(0.02 * torch.randn(c.horizon // c.group, c.width))
        if c.flow:
            self.noisy = nn.Linear(c.group * c.action, c.width)
            self.time = nn.Linear(8, c.width)
        self.layers = nn.ModuleList(Layer(c) for _ in range(c.layers))
        self.norm = nn.LayerNorm(c.width)
        self.action = nn.Linear(c.width, c.group * c.action)
        self.done, self.where = nn.Linear(c.width, c.group), nn.Linear(c.width, 3)
        nn.init.normal_(self.word.weight, std=0.3)

    def latents(self, b: dict, noisy=None, time=None) -> tuple[torch.Tensor, torch.Tensor]:
        """The latents after the last layer [B, 4 + acts, width], and in which cell of
        the front picture each of the two things is (logits [B, 2, cells])."""
        said = self.word(b["words"])
        asked = self.pool.to(said.dtype) @ said
        phrase = asked.flatten(1)
        front, cells = self.front(image(b["front"]), phrase)
        wrist, _ = self.wrist(image(b["wrist"]), phrase)
        pictures = self.norm_pictures(torch.cat([front, wrist], 1))
        looked, sure = self.gaze(asked[:, :2], cells)
        seek = self.seek + self.seek_word(asked[:, :2]) + looked
        act = self.act.expand(len(pictures), -1, -1)
        if self.config.flow:
            noisy = noisy.unflatten(1, (-1, self.config.group)).flatten(2)
            act = act + self.noisy(noisy) + self.time(waves(time))[:, None]
        x = torch.cat([self.said(phrase)[:, None], self.body(b["features"])[:, None], seek, act], 1)
        heads = self.config.heads
        keys, values = split(self.key(pictures), heads), split(self.value(pictures), heads)
        for layer in self.layers:
            x = layer(x, keys, values)
        return self.norm(x), sure

    def forward(self, b: dict, noisy=None, time=None) -> tuple[torch.Tensor, ...]:
        """Actions [B, horizon, 6], whether the skill is over at each of them (as
        logits), where the two things are [B, 2, 3], and in which cell of the front
        picture (logits [B, 2, cells])."""
        x, sure = self.latents(b, noisy, time)
        acts = x[:, 4:]
        actions = self.action(acts).unflatten(2, (self.config.group, -1)).flatten(1, 2)
        return actions, self.done(acts).flatten(1), self.where(x[:, 2:4]), sure


class Judge(nn.Module):
    """From the latents of what is said, of the two things and of the next actions: how
    likely the skill is to succeed from here, and that what it is for is so now, as
    logits [B, 2]. It is trained after the policy, from what the policy did (judge.py)."""

    def __init__(self, c: Config, hidden: int):
        super().__init__()
        self.up, self.out = nn.Linear(JUDGED * c.width, hidden), nn.Linear(hidden, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(F.gelu(self.up(x)))

    @staticmethod
    def input(latents: torch.Tensor) -> torch.Tensor:
        return torch.cat([latents[:, i] for i in (0, 2, 3, 4)], 1)


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
        flow, done, where, sure = policy(b, mixed, time)
        action = (flow.float() - (b["actions"] - noise)).square().mean()
        return parts(b, action, done, where, sure)
    return parts(b, *policy(b))


def parts(b: dict, actions, done, where, sure) -> dict[str, torch.Tensor]:
    """What each output of the network misses of the batch; of a flow actions is that
    already."""
    action = actions if actions.dim() == 0 else (actions.float() - b["actions"]).abs().mean()
    known = b["known"][..., None]
    missed = ((where.float() - b["where"]).abs() * known).sum() / (3 * known.sum()).clamp(min=1)
    over = F.binary_cross_entropy_with_logits(done.float(), b["done"])
    told = b["cells"]
    cross = -(told * sure.float().log_softmax(-1)).sum(-1)
    gaze = cross.sum() / told.sum().clamp(min=1)
    return {"action": action, "where": missed, "done": over, "gaze": gaze}


WEIGHTS = {"action": 1.0, "where": 0.5, "done": 0.1, "gaze": 0.3}


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
    write(folder, described, state)


def write(folder: Path, described: dict, state: dict) -> None:
    tensors = {}
    for name, value in state.items():
        dtype = torch.float16 if value.dim() > 1 else torch.float32
        tensors[name] = value.detach().to(dtype).contiguous()
    folder.mkdir(parents=True, exist_ok=True)
    for name, save in (
        ("model.safetensors", lambda path: save_file(tensors, path)),
        ("config.json", lambda path: path.write_text(json.dumps(described, indent=1) + "\n")),
    ):
        part = folder / (name + ".part")
        save(part)
        part.rename(folder / name)


def judged(judge: Judge, policy: Path, folder: Path, doubt: float = 0.0) -> None:
    """Write the policy of a folder with a judge, likewise, into another or the same;
    doubt is the probability below which the judge doubts that a skill worked."""
    state = load_file(policy / "model.safetensors")
    state |= {f"judge.{name}": value for name, value in judge.state_dict().items()}
    described = json.loads((policy / "config.json").read_text())
    described["judge"] = judge.up.out_features
    if doubt:
        described["doubt"] = doubt
    write(folder, described, state)


def load(folder: Path) -> tuple[Policy, dict]:
    """The policy of a folder, without its judge, and its config.json."""
    described = json.loads((folder / "config.json").read_text())
    if described["model_type"] != FORMAT:
        raise SystemExit(f"{folder}: model_type {described['model_type']}, want {FORMAT}")
    fields = Config.__dataclass_fields__
    known = {k: tuple(v) if isinstance(v, list) else v for k, v in described.items() if k in fields}
    policy = Policy(Config(**known))
    state = {k: v.float() for k, v in load_file(folder / "model.safetensors").items()}
    policy.word = nn.Embedding(*state["word.weight"].shape)
    policy.load_state_dict({k: v for k, v in state.items() if not k.startswith("judge.")})
    return policy, described
