"""Writes silero.json: what Silero's detector hears in a recording and in a clip made by formula.

    python perception/vad/testdata/make_silero.py

It needs silero-vad 6.2, torch, safetensors and onnxruntime, and Debian's pocketsphinx-testdata.

The package's safetensors hold other weights than its ONNX and TorchScript files. The judge is
therefore the network below in f64: with the weights of the TorchScript file
it must give what the package's ONNX gives, and with those of the safetensors it writes the fixture.
"""

import json
import sys
from pathlib import Path

import numpy as np
import silero_vad
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from silero_vad import load_silero_vad

HERE = Path(__file__).parent
DATA = Path(silero_vad.__file__).parent / "data"
sys.path.append(str(HERE.parent.parent / "encoder" / "testdata"))
from common import sound  # noqa: E402


def hear(w, chunks):
    w = {k: v.double() for k, v in w.items()}
    h, c, before, out = torch.zeros(1, 128).double(), torch.zeros(1, 128).double(), np.zeros(64), []
    for chunk in chunks:
        x = torch.from_numpy(np.concatenate([before, chunk]).astype(np.float64))[None, None]
        before = chunk[-64:]
        x = F.conv1d(F.pad(x, (0, 64), mode="reflect"), w["stft_conv.weight"], stride=128)
        x = torch.hypot(x[:, :129], x[:, 129:])
        for i, stride in ((1, 1), (2, 2), (3, 2), (4, 1)):
            x = F.relu(
                F.conv1d(x, w[f"conv{i}.weight"], w[f"conv{i}.bias"], stride=stride, padding=1)
            )
        gates = (
            x[:, :, 0] @ w["lstm_cell.weight_ih"].T
            + w["lstm_cell.bias_ih"]
            + h @ w["lstm_cell.weight_hh"].T
            + w["lstm_cell.bias_hh"]
        )
        i, f, g, o = gates.chunk(4, 1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        out.append(
            float(
                F.conv1d(
                    h.relu()[:, :, None], w["final_conv.weight"], w["final_conv.bias"]
                ).sigmoid()
            )
        )
    return np.array(out)


def script_weights():
    state = torch.jit.load(str(DATA / "silero_vad.jit")).state_dict()
    names = {
        "stft_conv.weight": "stft.forward_basis_buffer",
        "final_conv.weight": "decoder.decoder.2.weight",
        "final_conv.bias": "decoder.decoder.2.bias",
    }
    for kind in ("weight", "bias"):
        names |= {f"conv{i + 1}.{kind}": f"encoder.{i}.reparam_conv.{kind}" for i in range(4)}
        names |= {f"lstm_cell.{kind}_{at}": f"decoder.rnn.{kind}_{at}" for at in ("ih", "hh")}
    return {ours: state["_model." + theirs] for ours, theirs in names.items()}


if __name__ == "__main__":
    recording = (
        np.fromfile("/usr/share/pocketsphinx/test/data/goforward.raw", dtype="<i2").astype(
            np.float32
        )
        / 32768
    )
    package, cases = load_silero_vad(onnx=True), {}
    for name, samples in (("goforward.raw", recording), ("sound", sound(1.5, 1))):
        chunks = samples[: len(samples) // 512 * 512].reshape(-1, 512)
        package.reset_states()
        theirs = np.array([float(package(torch.from_numpy(c), 16000)) for c in chunks])
        error = np.abs(hear(script_weights(), chunks) - theirs).max()
        print(f"{name}: the network is within {error:.2g} of the package's ONNX")
        assert error < 1e-4
        cases[name] = [
            round(float(p), 7) for p in hear(load_file(DATA / "silero_vad_16k.safetensors"), chunks)
        ]
    (HERE / "silero.json").write_text(json.dumps(cases, separators=(",", ":")) + "\n")
