"""Writes sound: a sound head of random numbers, as the package comment lays it out, and what
PyTorch makes of it behind the small Whisper and the small BERT of perception/encoder/testdata.

    python fusion/embed/testdata/make_sound.py

It needs torch, transformers and safetensors. Outputs are computed in f64.
"""

import sys
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file

HERE = Path(__file__).parent
ENCODERS = HERE.parents[2] / "perception" / "encoder" / "testdata"
sys.path.insert(0, str(ENCODERS))

from common import TEXTS, agree, dump, numbers, run, sound, unit  # noqa: E402
from make_whisper import encode  # noqa: E402

D, SCALE = 24, 2.5
CONFIG = {
    "model_type": "kuai_sound_head",
    "sound_encoder": "./whisper",
    "text_encoder": "./bert",
    "sound_width": 32,
    "text_width": 0,
    "projection_dim": D,
    "sound_layers": 2,
    "text_layers": 1,
    "layer_norm_eps": 1e-5,
}
CLIPS = ((1.2, 1), (0.5, 2), (0.9037, 3), (0.0301, 5))


class Projection(torch.nn.Module):
    def __init__(self, width, layers):
        super().__init__()
        self.linear1 = torch.nn.Linear(width, D)
        if layers == 2:
            self.linear2 = torch.nn.Linear(D, D)
            self.layer_norm = torch.nn.LayerNorm(D)

    def forward(self, x):
        x = self.linear1(x)
        if hasattr(self, "linear2"):
            x = self.layer_norm(x + self.linear2(torch.nn.functional.gelu(x)))
        return unit(x)


class Head(torch.nn.Module):
    def __init__(self, text_width):
        super().__init__()
        self.sound_projection = Projection(CONFIG["sound_width"], CONFIG["sound_layers"])
        self.text_projection = Projection(text_width, CONFIG["text_layers"])
        self.logit_scale = torch.nn.Parameter(torch.tensor(SCALE))


def spectrogram(seconds, seed):
    """Whisper's, as transformers computes it in f32, and its formula in f64."""
    clip = sound(seconds, seed)
    hops = -(-len(clip) // 160)
    extractor = transformers.WhisperFeatureExtractor(feature_size=80, chunk_length=30)
    extractor.n_samples = hops * 160
    plain = extractor(clip, sampling_rate=16000, return_tensors="np")["input_features"]
    assert plain.shape[-1] == hops
    wave = torch.nn.functional.pad(torch.from_numpy(clip).double(), (0, hops * 160 - len(clip)))
    window = torch.hann_window(400, dtype=torch.float64)
    power = torch.stft(wave, 400, 160, window=window, return_complex=True)[:, :-1].abs() ** 2
    mel = torch.from_numpy(extractor.mel_filters).double().T @ power
    mel = mel.clamp(min=1e-10).log10()
    mel = (mel.clamp(min=mel.max() - 8) + 4) / 4
    return {torch.float32: torch.from_numpy(plain), torch.float64: mel[None]}


def sentence(model, tokenizer, text):
    tokens = tokenizer(text, return_tensors="pt", truncation=True, max_length=24)
    return unit(model(**tokens).last_hidden_state.mean(1))


def main():
    whisper = transformers.WhisperForConditionalGeneration.from_pretrained(ENCODERS / "whisper")
    bert = transformers.BertModel.from_pretrained(ENCODERS / "bert").eval()
    tokenizer = transformers.BertTokenizerFast(vocab=str(ENCODERS / "bert" / "vocab.txt"))
    whisper.eval()
    width = bert.config.hidden_size
    random = torch.Generator().manual_seed(11)
    head = Head(width)
    for name, p in head.named_parameters():
        if name != "logit_scale":
            p.data = torch.randn(p.shape, generator=random) * (0.5 if p.dim() > 1 else 0.2)
            p.data += 1.0 if name.endswith("layer_norm.weight") else 0.0
    out = HERE / "sound"
    out.mkdir(exist_ok=True)
    dump(out / "config.json", CONFIG | {"text_width": width})
    save_file(
        {k: v.detach().clone() for k, v in head.state_dict().items()}, out / "model.safetensors"
    )
    (out / "model.safetensors").chmod(0o644)

    both = torch.nn.ModuleList([whisper, bert, head])
    plain, clips, texts = 0.0, [], []
    for seconds, seed in CLIPS:
        mel = spectrogram(seconds, seed)
        exact, rough = run(
            both, lambda m, t, x=mel: m[2].sound_projection(encode(m[0], x[t], t).mean(1))
        )
        plain = max(plain, agree(f"{seconds} s", exact, rough))
        clips.append({"seconds": seconds, "seed": seed, "embedding": numbers(exact)})
    for text in TEXTS[:6]:
        exact, rough = run(
            both, lambda m, t, x=text: m[2].text_projection(sentence(m[1], tokenizer, x))
        )
        plain = max(plain, agree(repr(text), exact, rough))
        texts.append({"text": text, "embedding": numbers(exact)})
    dump(out / "parity.json", {"plain": plain, "scale": SCALE, "clips": clips, "texts": texts})


if __name__ == "__main__":
    main()
