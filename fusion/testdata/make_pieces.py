"""Writes pieces: a SentencePiece vocabulary as Gemma has it, in both forms that kuai reads, and the
tokens that sentencepiece itself gives.

    python fusion/testdata/make_pieces.py

It needs sentencepiece, tokenizers and what make_parity.py needs. model.gguf is metadata alone.
The tokenizers library, which runs the second form, must agree before anything is written.
"""

import io
import json
from pathlib import Path

import numpy as np
import sentencepiece
from make_parity import PROMPTS, SEAMS, dump, write_gguf
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers

OUT = Path(__file__).parent / "pieces"
CONTROL = ["<start_of_turn>", "<end_of_turn>"]
DEFINED = ["\n" * n for n in range(1, 5)] + ["▁" * n for n in range(2, 5)] + ["\t", "<table>"]
TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}{{ '<start_of_turn>' + message['role'] + '\n' +"
    " message['content'] | trim + '<end_of_turn>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}"
)


def train():
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(PROMPTS[:-1]),
        model_writer=model,
        model_type="bpe",
        vocab_size=520,
        character_coverage=0.98,
        byte_fallback=True,
        control_symbols=CONTROL,
        user_defined_symbols=DEFINED,
        add_dummy_prefix=False,
        remove_extra_whitespaces=False,
        normalization_rule_name="identity",
        split_digits=True,
        allow_whitespace_only_pieces=True,
        pad_id=0,
        eos_id=1,
        bos_id=2,
        unk_id=3,
        minloglevel=2,
    )
    return sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())


def kind(sp, i):
    if sp.is_byte(i):
        return 6
    if sp.is_unknown(i):
        return 2
    if sp.is_control(i):
        return 3
    return 4 if sp.id_to_piece(i) in DEFINED else 1


def hub(sp, tokens, kinds):
    """The same vocabulary for the tokenizers library: scores become merges."""
    vocab = {t: i for i, t in enumerate(tokens)}
    merges = []
    for token, k in zip(tokens, kinds, strict=True):
        if k != 1:
            continue
        for cut in range(1, len(token)):
            a, b = token[:cut], token[cut:]
            if all(p in vocab and kinds[vocab[p]] == 1 for p in (a, b)):
                merges.append((sp.get_score(vocab[token]), vocab[a], vocab[b], a, b))
    merges.sort(key=lambda m: (-m[0], m[1], m[2]))
    bpe = models.BPE(vocab, [m[3:] for m in merges], byte_fallback=True, unk_token="<unk>")
    t = Tokenizer(bpe)
    t.normalizer = normalizers.Replace(" ", "▁")
    t.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    special = [AddedToken(x, normalized=False) for x in ["<pad>", "<eos>", "<bos>", *CONTROL]]
    t.add_special_tokens(special)
    # Spaces as they come, for what the library matches before it normalises.
    t.add_tokens([AddedToken(x, normalized="▁" in x) for x in DEFINED])
    return t


def main():
    sp = train()
    tokens = [sp.id_to_piece(i) for i in range(len(sp))]
    tokens[:3] = ["<pad>", "<eos>", "<bos>"]
    kinds = [kind(sp, i) for i in range(len(sp))]
    meta = {
        "general.architecture": "gemma3",
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.pre": "default",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.scores": [float(sp.get_score(i)) for i in range(len(sp))],
        "tokenizer.ggml.token_type": kinds,
        "tokenizer.ggml.bos_token_id": 2,
        "tokenizer.ggml.eos_token_id": 1,
        "tokenizer.ggml.unknown_token_id": 3,
        "tokenizer.ggml.add_bos_token": True,
        "tokenizer.ggml.add_space_prefix": False,
        "tokenizer.chat_template": TEMPLATE,
    }
    library = hub(sp, tokens, kinds)
    random = np.random.default_rng(3)
    seams = [*SEAMS, "\n\n", "   ", "<table>", "robot", " the"]
    texts = PROMPTS[:-1] + [
        "".join(random.choice(seams, random.integers(1, 24))) for _ in range(200)
    ]
    cases, other = [], 0
    for text in texts:
        ids = sp.encode(text)
        other += ids != library.encode(text, add_special_tokens=False).ids
        cases.append({"text": text, "ids": ids})
    print(f"{len(cases)} texts, {len(tokens)} tokens; the library differs on {other}")
    assert other == 0
    OUT.mkdir(exist_ok=True)
    write_gguf(OUT / "model.gguf", meta, {})
    dump(OUT / "tokenizer.json", json.loads(library.to_str()))
    config = {"bos_token": "<bos>", "eos_token": "<eos>", "add_bos_token": True}
    dump(OUT / "tokenizer_config.json", config | {"chat_template": TEMPLATE})
    dump(OUT / "parity.json", {"cases": cases})


if __name__ == "__main__":
    main()
