"""The two towers, and the losses that they learn from.

The towers are those of CLIP as transformers has them, so that what is saved is the
public layout. Of a batch of pictures and some hundred statements, each affirmed and
denied in words that differ by one or two, it is known which are true. Three losses:

    clip    symmetric cross-entropy with a temperature: a picture finds each sentence
            that is true of it among all that are false, and a sentence each picture
            that it is true of among all others. As CLIP's, but for pictures having
            more than one true sentence.
    answer  of the two sentences about a statement the true one fits better
    local   both, for the patch in which a thing shows and the sentences about it
    facts   the picture alone, by linear layers that are left out of what is saved: which
            thing shows in which patch, lying in, on or held by what, and what is true of
            the whole. It has the image tower learn to see before the sentences mean much.
"""

import numpy as np
import torch
import torch.nn.functional as F
import transformers
from torch import nn

from . import data
from .words import TOKENS, Words

# The answers weigh most: they are what is asked for.
WEIGHTS = {"clip": 0.5, "answer": 1.0, "local": 0.5, "facts": 0.7}
SHAPE = dict(
    size=96, patch=12, width=160, layers=4, heads=4, hidden=640, text_width=128, text_layers=2,
    text_hidden=384, embedding=192,
)  # fmt: skip


def config(words: Words, shape: dict) -> transformers.CLIPConfig:
    common = dict(
        hidden_act="gelu", projection_dim=shape["embedding"], num_attention_heads=shape["heads"]
    )
    text = dict(
        vocab_size=words.size, hidden_size=shape["text_width"],
        intermediate_size=shape["text_hidden"], num_hidden_layers=shape["text_layers"],
        max_position_embeddings=TOKENS, bos_token_id=words.start, eos_token_id=words.end,
        pad_token_id=words.end, **common,
    )  # fmt: skip
    vision = dict(
        hidden_size=shape["width"], intermediate_size=shape["hidden"],
        num_hidden_layers=shape["layers"], image_size=shape["size"],
        patch_size=shape["patch"], **common,
    )  # fmt: skip
    return transformers.CLIPConfig(
        text_config=text, vision_config=vision, projection_dim=shape["embedding"]
    )


def make(words: Words, shape: dict) -> transformers.CLIPModel:
    model = transformers.CLIPModel._from_config(config(words, shape), attn_implementation="eager")
    for name, p in model.named_parameters():
        if "embedding" in name and p.dim() == 2:
            nn.init.normal_(p, std=0.05)
        elif p.dim() == 2:
            nn.init.normal_(p, std=p.shape[1] ** -0.5)
    blobs(model.vision_model.embeddings.patch_embedding.weight)
    return model.train()


@torch.no_grad()
def blobs(filters: torch.Tensor) -> None:
    """Filters of a patch begin as round spots somewhere in it that answer to a colour,
    three of four to one that grey does not have."""
    side = torch.arange(filters.shape[-1]).float()
    for i, f in enumerate(filters):
        y, x = torch.rand(2) * len(side) - 0.5
        wide = (0.15 + 0.2 * torch.rand(())) * len(side)
        spot = torch.exp(-((side[:, None] - y) ** 2 + (side - x) ** 2) / (2 * wide**2))
        colour = torch.randn(3)
        if i % 4:
            colour -= colour.mean()
        gain = (3.0 if i % 4 else 1.0) / colour.norm()
        f.copy_(gain * colour[:, None, None] * spot / spot.sum())


def unit(x: torch.Tensor) -> torch.Tensor:
    return F.normalize(x.float(), dim=-1)


EARLY = 2  # after so many layers it must be known what a patch shows


def look(model, pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """What the image tower gives for a picture and each of its patches, and what its
    first layers give for the patches."""
    tower = model.vision_model
    out = tower(pixel_values=pictures, output_hidden_states=True)
    return tower.post_layernorm(out.last_hidden_state), out.hidden_states[EARLY][:, 1:]


def see(model, pictures: torch.Tensor) -> torch.Tensor:
    """Embeddings of pictures [n, d]."""
    return unit(model.visual_projection(look(model, pictures)[0][:, 0]))


def read(model, ids: torch.Tensor) -> torch.Tensor:
    return unit(model.text_projection(model.text_model(input_ids=ids).pooler_output))


def normalised(pixels: np.ndarray) -> torch.Tensor:
    """[n, h, w, 3] bytes as the tower sees them."""
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float().div_(127.5).sub_(1)


def balanced(loss, truth, weigh, groups) -> torch.Tensor:
    """The mean of the losses, in which each group of relations counts the same, and in
    it the true as much as the false. truth and weigh [n, statements]; a weight of 0
    leaves out."""
    parts = []
    for g in groups.unique():
        columns = groups == g
        for value in (data.YES, data.NO):
            w = weigh[:, columns] * (truth[:, columns] == value)
            if w.sum() > 0:
                parts.append((w * loss[:, columns]).sum() / w.sum())
    return torch.stack(parts).mean() if parts else loss.sum() * 0


def contrast(affirm, deny, truth, groups, both: bool = True) -> torch.Tensor:
    """CLIP's loss where pictures have several true sentences: logits [n, statements]."""
    yes, no = truth == data.YES, truth == data.NO
    weigh = yes.float()
    none = torch.full_like(affirm, -1e4)
    false = torch.cat([torch.where(no, affirm, none), torch.where(yes, deny, none)], 1)
    rows = F.softplus(false.logsumexp(1, keepdim=True) - affirm)
    loss = balanced(rows, truth, weigh, groups)
    if both:
        columns = F.softplus(torch.where(no, affirm, none).logsumexp(0, keepdim=True) - affirm)
        loss = 0.5 * (loss + balanced(columns, truth, weigh, groups))
    return loss


class Facts(nn.Module):
    """Linear layers that tell facts from what the image tower gives."""

    KINDS = 4  # it is here; in a bowl; on a block; held

    def __init__(self, width: int, things: int, statements: int):
        super().__init__()
        self.patch = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, self.KINDS * things))
        self.whole = nn.Linear(width, statements)
        self.things = things

    def forward(self, whole: torch.Tensor, early: torch.Tensor, b: dict) -> torch.Tensor:
        whole = self.whole(whole).float()[:, b["asked"]]
        right = torch.where(b["truth"] == data.YES, whole, -whole)
        loss = balanced(F.softplus(-right), b["truth"], b["weigh"], b["groups"])
        told = self.patch(early).float()
        told = told.reshape(*told.shape[:2], self.KINDS, self.things)
        own = told[b["rows"], b["patches"], :, b["things"]]  # [k, kinds]
        free = told[:, :, 0] * b["free"] - 1e4 * (1 - b["free"])
        here = (F.softplus(-own[:, 0]).sum() + 0.2 * F.softplus(free).sum()) / len(own)
        state, known = b["states"][:, 1:], b["states"][:, 1:] != data.UNKNOWN
        right = torch.where(state == data.YES, own[:, 1:], -own[:, 1:])
        return loss + 0.3 * here + (F.softplus(-right) * known).sum() / known.sum().clamp(min=1)


def losses(model, facts: Facts, b: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """b: pictures [n, 3, h, w]; affirm, deny [statements, TOKENS]; truth [n, statements];
    weigh likewise; groups, asked [statements]; rows, patches, things [k]: where a thing
    shows, with local_truth and local_own [k, statements], states [k, kinds]; free [n,
    patches, things]: where it does not."""
    hidden, early = look(model, b["pictures"])
    seen = unit(model.visual_projection(hidden))
    whole, patches = seen[:, 0], seen[:, 1:]
    sentences = read(model, torch.cat([b["affirm"], b["deny"]]))
    scale = model.logit_scale.exp().clamp(max=100.0)
    half = len(b["affirm"])

    def logits(x):
        both = scale * x @ sentences.T
        return both[:, :half], both[:, half:]

    affirm, deny = logits(whole)
    right = torch.where(b["truth"] == data.YES, affirm - deny, deny - affirm)
    parts = {
        "clip": contrast(affirm, deny, b["truth"], b["groups"]),
        "answer": balanced(F.softplus(-right), b["truth"], b["weigh"], b["groups"]),
    }
    affirm, deny = logits(patches[b["rows"], b["patches"]])
    truth, known = b["local_truth"], (b["local_own"]).float()
    right = torch.where(truth == data.YES, affirm - deny, deny - affirm)
    parts["local"] = contrast(affirm, deny, truth, b["groups"], both=False) + balanced(
        F.softplus(-right), truth, known, b["groups"]
    )
    parts["facts"] = facts(hidden[:, 0], early, b)
    return parts
