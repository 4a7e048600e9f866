"""The base model: a GGUF file of the Llama family as a PyTorch model.

The file stays what the robot runs. Here its weights are only made floats again,
so that the adapter is trained against the very numbers that it will meet.
"""

import functools
import hashlib
from pathlib import Path

import numpy as np
import torch
from gguf import GGUFReader, dequantize
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM

BLOCK = {
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
TOP = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}


@functools.lru_cache(maxsize=1)
def read(path: Path) -> GGUFReader:
    """The file, mapped."""
    return GGUFReader(path)


@functools.lru_cache(maxsize=64)
def field(reader: GGUFReader, key: str):
    """The value of a metadata key; a KeyError names it."""
    if key not in reader.fields:
        raise KeyError(f"metadata {key} is missing")
    return reader.fields[key].contents()


def config(reader: GGUFReader) -> LlamaConfig:
    """The shape of the model from the file's metadata."""
    family = field(reader, "general.architecture")
    if family != "llama":
        raise ValueError(f"general.architecture is {family}, only llama is trained here")
    heads = field(reader, "llama.attention.head_count")
    return LlamaConfig(
        vocab_size=len(field(reader, "tokenizer.ggml.tokens")),
        hidden_size=field(reader, "llama.embedding_length"),
        intermediate_size=field(reader, "llama.feed_forward_length"),
        num_hidden_layers=field(reader, "llama.block_count"),
        num_attention_heads=heads,
        num_key_value_heads=field(reader, "llama.attention.head_count_kv"),
        max_position_embeddings=field(reader, "llama.context_length"),
        rms_norm_eps=field(reader, "llama.attention.layer_norm_rms_epsilon"),
        rope_parameters={
            "rope_type": "default",
            "rope_theta": field(reader, "llama.rope.freq_base"),
        },
        tie_word_embeddings=not any(t.name == "output.weight" for t in reader.tensors),
    )


def unpermute(rows: np.ndarray, heads: int) -> np.ndarray:
    """Undo llama.cpp's order of q and k rows: pairs that RoPE turns lie side by
    side there, half a head apart here."""
    size = rows.shape[0] // heads
    return rows.reshape(heads, size // 2, 2, -1).swapaxes(1, 2).reshape(rows.shape)


def load(path: Path) -> LlamaForCausalLM:
    """The model with f32 weights; every tensor of the file has its place."""
    reader = read(path)
    shape = config(reader)
    state = {}
    for tensor in reader.tensors:
        numbers = np.array(dequantize(tensor.data, tensor.tensor_type), dtype=np.float32)
        parts = tensor.name.removesuffix(".weight").split(".")
        if parts[0] != "blk":
            state[TOP[parts[0]] + ".weight"] = torch.from_numpy(numbers)
            continue
        if parts[2] == "attn_q":
            numbers = unpermute(numbers, shape.num_attention_heads)
        if parts[2] == "attn_k":
            numbers = unpermute(numbers, shape.num_key_value_heads)
        state[f"model.layers.{parts[1]}.{BLOCK[parts[2]]}.weight"] = torch.from_numpy(numbers)
    model = LlamaForCausalLM(shape)
    missing, unexpected = model.load_state_dict(state, strict=False)
    missing = [m for m in missing if not (m == "lm_head.weight" and shape.tie_word_embeddings)]
    if missing or unexpected:
        raise ValueError(f"{path}: missing {missing}, unexpected {unexpected}")
    model.tie_weights()
    return model


def tokenizer(path: Path) -> Tokenizer:
    """The byte-level BPE of the file, with the pre-tokenizer called smollm."""
    reader = read(path)
    kind = field(reader, "tokenizer.ggml.pre")
    if kind != "smollm":
        raise ValueError(f"tokenizer.ggml.pre is {kind}, only smollm is trained here")
    tokens = field(reader, "tokenizer.ggml.tokens")
    merges = [tuple(m.split(" ")) for m in field(reader, "tokenizer.ggml.merges")]
    bpe = Tokenizer(models.BPE({t: i for i, t in enumerate(tokens)}, merges))
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    bpe.decoder = decoders.ByteLevel()
    return bpe


def fingerprint(model: LlamaForCausalLM) -> str:
    """What tells base models apart: SHA-256 of the last norm's f32 numbers, which
    every file format keeps. It must be taken before the weights become bf16."""
    gain = model.model.norm.weight.detach().float().numpy().astype("<f4")
    return hashlib.sha256(gain.tobytes()).hexdigest()
