"""The encoder of Whisper from CTranslate2's model.bin, in PyTorch, as fusion/embed
runs it: over the clip alone, then the mean over its rows."""

import struct
from pathlib import Path

import numpy as np
import torch
from scipy import fft
from torch.nn import functional

from .features import slaney

TYPES = ["<f4", "i1", "<i2", "<i4", "<f2"]


def read(path: Path) -> dict[str, np.ndarray]:
    """All tensors of a model.bin of binary version 6."""
    data, at, tensors = path.read_bytes(), 0, {}

    def take(form: str):
        nonlocal at
        value = struct.unpack_from("<" + form, data, at)[0]
        at += struct.calcsize(form)
        return value

    def text() -> str:
        nonlocal at
        size = take("H")
        at += size
        return data[at - size : at - 1].decode()

    if take("I") != 6:
        raise ValueError(f"{path}: not binary version 6 of CTranslate2")
    text()
    take("I")
    for _ in range(take("I")):
        name = text()
        shape = [take("I") for _ in range(take("B"))]
        kind, size = TYPES[take("B")], take("I")
        tensors[name] = np.frombuffer(data, kind, size // np.dtype(kind).itemsize, at).reshape(
            shape
        )
        at += size
    return tensors


class Encoder:
    def __init__(self, path: Path):
        self.w = {
            k: torch.from_numpy(v.astype(np.float32))
            for k, v in read(path).items()
            if k.startswith("encoder/")
        }
        self.heads = int(self.w["encoder/num_heads"])
        self.layers = sum(k.endswith("ffn/linear_0/weight") for k in self.w)

    def linear(self, x: torch.Tensor, at: str) -> torch.Tensor:
        return functional.linear(x, self.w[at + "/weight"], self.w[at + "/bias"])

    def norm(self, x: torch.Tensor, at: str) -> torch.Tensor:
        return functional.layer_norm(
            x, x.shape[-1:], self.w[at + "/gamma"], self.w[at + "/beta"], 1e-5
        )

    def __call__(self, samples: np.ndarray) -> np.ndarray:
        """The mean over the rows for a clip at 16 kHz."""
        return self.rows(samples).mean(0).numpy()

    def rows(self, samples: np.ndarray) -> torch.Tensor:
        """[rows, width], a row each 20 ms."""
        return self.batch([samples])[0]

    @torch.no_grad()
    def batch(self, clips: list[np.ndarray]) -> torch.Tensor:
        """[clips, rows, width] for clips of one length."""
        x = torch.from_numpy(np.stack([log_mel(c) for c in clips])).transpose(1, 2)
        for i, stride in ((1, 1), (2, 2)):
            x = functional.gelu(
                functional.conv1d(
                    x, self.w[f"encoder/conv{i}/weight"], self.w[f"encoder/conv{i}/bias"], stride, 1
                )
            )
        x = x.transpose(1, 2)
        n, rows = x.shape[:2]
        x = x + self.w["encoder/position_encodings/encodings"][:rows]
        for i in range(self.layers):
            at = f"encoder/layer_{i}/"
            h = self.norm(x, at + "self_attention/layer_norm")
            q, k, v = (
                self.linear(h, at + "self_attention/linear_0")
                .view(n, rows, 3, self.heads, -1)
                .permute(2, 0, 3, 1, 4)
            )
            a = functional.scaled_dot_product_attention(q, k, v)
            a = a.permute(0, 2, 1, 3).reshape(n, rows, -1)
            x = x + self.linear(a, at + "self_attention/linear_1")
            h = functional.gelu(
                self.linear(self.norm(x, at + "ffn/layer_norm"), at + "ffn/linear_0")
            )
            x = x + self.linear(h, at + "ffn/linear_1")
        return self.norm(x, "encoder/layer_norm")


def log_mel(samples: np.ndarray) -> np.ndarray:
    """Whisper's spectrogram, [frames, 80], of whole hops."""
    frames = -(-len(samples) // 160)
    x = np.pad(samples.astype(np.float32), (0, frames * 160 - len(samples)))
    x = np.pad(x, 200, mode="reflect")
    hann = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)).astype(np.float32)
    z = fft.rfft(np.lib.stride_tricks.sliding_window_view(x, 400)[::160][:frames] * hann, axis=1)
    x = np.log10(np.maximum((z.real**2 + z.imag**2) @ slaney(80).T, 1e-10))
    return ((np.maximum(x, x.max() - 8) + 4) / 4).astype(np.float32)
