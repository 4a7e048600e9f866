"""Writes types.gguf: one tensor of every stored type, and beside each the values that the
reference implementation (package gguf) reads from it. Run: python make_types.py"""

import gguf
import numpy as np

ROWS, COLUMNS = 2, 512
Q = gguf.GGMLQuantizationType
rng = np.random.default_rng(1)
writer = gguf.GGUFWriter("types.gguf", "test")
writer.add_name("types")
writer.add_uint32("test.integer", 7)
writer.add_float32("test.float", 0.5)
writer.add_bool("test.bool", True)
writer.add_array("test.texts", ["a", "b c", "快"])
writer.add_array("test.integers", [1, -2, 3])


def halves_finite(rows, block, at):
    """Replaces the two bytes at `at` of every block by a sane half-precision scale."""
    blocks = rows.reshape(-1, block)
    scales = rng.uniform(0.01, 1, len(blocks)).astype(np.float16).view(np.uint8)
    blocks[:, at : at + 2] = scales.reshape(-1, 2)
    return rows


for kind in (Q.F32, Q.F16, Q.BF16, Q.Q4_0, Q.Q4_1, Q.Q5_0, Q.Q5_1, Q.Q8_0):
    values = rng.standard_normal((ROWS, COLUMNS)).astype(np.float32)
    stored = gguf.quants.quantize(values, kind)
    writer.add_tensor(f"{kind.name}.stored", stored, raw_dtype=kind)
    writer.add_tensor(f"{kind.name}.values", gguf.quants.dequantize(stored, kind))

for kind, halves in ((Q.Q4_K, (0, 2)), (Q.Q5_K, (0, 2)), (Q.Q6_K, (208,))):
    block = gguf.GGML_QUANT_SIZES[kind][1]
    stored = rng.integers(0, 256, (ROWS, COLUMNS // 256 * block), dtype=np.uint8)
    for at in halves:
        stored = halves_finite(stored, block, at)
    writer.add_tensor(f"{kind.name}.stored", stored, raw_dtype=kind)
    writer.add_tensor(f"{kind.name}.values", gguf.quants.dequantize(stored, kind))

writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
