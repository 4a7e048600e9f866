"""Writes the parity fixtures of hearing: spectrograms, a small Whisper of random weights in both
layouts, and what transformers makes of it.

    python perception/encoder/testdata/make_whisper.py

It needs torch, transformers, tokenizers and ctranslate2, whose converter writes the second layout.
Outputs are computed in f64, tokens chosen greedily.
"""

import json
from pathlib import Path

import ctranslate2
import numpy as np
import torch
import transformers
from common import CORPUS, agree, dump, numbers, randomise, run, sound
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

HERE = Path(__file__).parent


def logmel():
    cases = []
    for seconds, chunk, bands, seed in ((2.0, 2, 80, 1), (0.7, 3, 80, 2), (1.0, 1, 128, 3)):
        extractor = transformers.WhisperFeatureExtractor(feature_size=bands, chunk_length=chunk)
        x = extractor(sound(seconds, seed), sampling_rate=16000, return_tensors="np")[
            "input_features"
        ][0].T
        rows = [*range(0, len(x), 17), len(x) - 1]
        cases.append(
            {
                "seconds": seconds,
                "frames": len(x),
                "bands": bands,
                "seed": seed,
                "rows": rows,
                "values": [round(float(v), 5) for v in x[rows].ravel()],
            }
        )
    dump(HERE.parent.parent / "audio" / "testdata" / "logmel.json", cases)


SPECIAL = [
    "<|endoftext|>",
    "<|startoftranscript|>",
    "<|en|>",
    "<|zh|>",
    "<|de|>",
    "<|translate|>",
    "<|transcribe|>",
    "<|startoflm|>",
    "<|startofprev|>",
    "<|nospeech|>",
    "<|notimestamps|>",
]


def whisper():
    folder = HERE / "whisper"
    folder.mkdir(exist_ok=True)
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    t.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    t.train_from_iterator(
        CORPUS, trainers.BpeTrainer(vocab_size=300, initial_alphabet=alphabet, show_progress=False)
    )
    t.add_special_tokens(SPECIAL)
    words = t.get_vocab_size() - len(SPECIAL)
    first = {s: words + i for i, s in enumerate(SPECIAL)}
    vocab = words + len(SPECIAL) + 31  # time stamps come last and are no tokens of the tokenizer
    dump(folder / "tokenizer.json", json.loads(t.to_str()))
    suppress = [
        1,
        2,
        7,
        first["<|translate|>"],
        first["<|transcribe|>"],
        first["<|startoftranscript|>"],
        first["<|startoflm|>"],
        first["<|startofprev|>"],
        first["<|nospeech|>"],
        first["<|notimestamps|>"],
        first["<|en|>"],
        first["<|zh|>"],
        first["<|de|>"],
    ]
    begin = [220 % words, first["<|endoftext|>"]]
    config = transformers.WhisperConfig(
        vocab_size=vocab,
        num_mel_bins=80,
        d_model=32,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=48,
        decoder_ffn_dim=48,
        max_source_positions=60,
        max_target_positions=40,
        pad_token_id=first["<|endoftext|>"],
        bos_token_id=first["<|endoftext|>"],
        eos_token_id=first["<|endoftext|>"],
        decoder_start_token_id=first["<|startoftranscript|>"],
        suppress_tokens=suppress,
        begin_suppress_tokens=begin,
    )
    model = randomise(transformers.WhisperForConditionalGeneration(config), 1.5)
    model.tie_weights()
    model.generation_config = transformers.GenerationConfig(
        suppress_tokens=suppress, begin_suppress_tokens=begin
    )
    model.save_pretrained(folder)
    (folder / "model.safetensors").chmod(0o644)
    (folder / "preprocessor_config.json").unlink(missing_ok=True)
    cases, plain = [], 0
    for seconds, frames, seed in ((1.2, 120, 1), (0.5, 61, 2), (0.9, 104, 3)):
        extractor = transformers.WhisperFeatureExtractor(feature_size=80, chunk_length=30)
        extractor.n_samples = frames * 160
        mel = torch.from_numpy(
            extractor(sound(seconds, seed), sampling_rate=16000, return_tensors="np")[
                "input_features"
            ]
        )
        assert mel.shape[-1] == frames
        case, error = whisper_case(model, mel, first, suppress, begin, words)
        plain = max(plain, error)
        cases.append({"seconds": seconds, "frames": frames, "seed": seed} | case)
    print("whisper logits: f32 is within", plain)
    dump(folder / "parity.json", {"cases": cases, "plain": plain})
    converted = HERE / "whisper-ctranslate2"
    converter = ctranslate2.converters.TransformersConverter(str(folder))
    converter.convert(str(converted), force=True)
    (converted / "vocabulary.json").unlink(missing_ok=True)
    (converted / "tokenizer.json").write_bytes((folder / "tokenizer.json").read_bytes())


def encode(model, mel, dtype):
    """The encoder on fewer frames than it was made for, which transformers refuses."""
    e = model.model.encoder
    x = torch.nn.functional.gelu(e.conv1(mel.to(dtype)))
    x = torch.nn.functional.gelu(e.conv2(x)).permute(0, 2, 1)
    x = x + e.embed_positions.weight[: x.shape[1]]
    for layer in e.layers:
        x = layer(x, None)
        x = x[0] if isinstance(x, tuple) else x
    return e.layer_norm(x)


def whisper_case(model, mel, first, suppress, begin, words):
    hidden, plain_hidden = run(model, lambda m, t: encode(m, mel, t))
    agree("  hidden", hidden, plain_hidden)
    prompt = [
        first[s] for s in ("<|startoftranscript|>", "<|en|>", "<|transcribe|>", "<|notimestamps|>")
    ]

    def logits(m, t, ids):
        out = m(encoder_outputs=(encode(m, mel, t),), decoder_input_ids=torch.tensor([ids]))
        return out.logits[0]

    exact, plain = run(model, lambda m, t: logits(m, t, prompt))
    error = float((exact - plain.double()).abs().max())
    languages = [first["<|en|>"], first["<|zh|>"], first["<|de|>"]]
    start = exact[0]
    ids, logp = list(prompt), []
    model.double()
    with torch.no_grad():
        while len(ids) < 24:
            row = logits(model, torch.float64, ids)[-1].clone()
            row[suppress] = -np.inf
            row[words + len(SPECIAL) :] = -np.inf
            if len(ids) == len(prompt):
                row[begin] = -np.inf
            row = row.log_softmax(-1)
            ids.append(int(row.argmax()))
            logp.append(float(row.max()))
            if ids[-1] == first["<|endoftext|>"]:
                break
    model.float()
    return {
        "hidden": numbers(hidden[0, -1]),
        "language": int(languages[int(start[languages].argmax())]),
        "nospeech": float(start.softmax(-1)[first["<|nospeech|>"]]),
        "logits": numbers(exact[-1]),
        "ids": ids[len(prompt) :],
        "logp": logp,
    }, error


if __name__ == "__main__":
    logmel()
    whisper()
