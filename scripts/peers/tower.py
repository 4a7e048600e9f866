"""Makes the ONNX files of an image tower of CLIP from its safetensors file.

The graph is what an export from PyTorch gives: products with separate weights for query, key
and value, LayerNormalization, Softmax. Three files: f32; int8 by weights per channel with
dynamic activations; int8 with QuantizeLinear and DequantizeLinear around each product,
calibrated, which is what OpenVINO reads.
"""

import json
import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime import quantization
from safetensors.numpy import load_file

MEAN = np.array([0.48145466, 0.4578275, 0.40821073], dtype=np.float32)
STD = np.array([0.26862954, 0.26130258, 0.27577711], dtype=np.float32)


def prepare(pixels: bytes, size: int) -> np.ndarray:
    """What the tower sees of a picture of its own size: [1, 3, size, size]."""
    rgb = np.frombuffer(pixels, dtype=np.uint8).reshape(size, size, 3).astype(np.float32) / 255
    return np.ascontiguousarray(((rgb - MEAN) / STD).transpose(2, 0, 1)[None])


class Builder:
    """Adds nodes whose outputs are named by their number."""

    def __init__(self, weights: dict[str, np.ndarray]):
        self.weights, self.nodes, self.constants = weights, [], {}

    def add(self, op: str, *inputs: str, **attributes) -> str:
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [name], name=f"{op}_{name}", **attributes))
        return name

    def constant(self, name: str, value: np.ndarray) -> str:
        self.constants[name] = numpy_helper.from_array(value.copy(order="C"), name)
        return name

    def weight(self, name: str, transpose: bool = False) -> str:
        value = self.weights[name]
        return self.constant(name, value.T if transpose else value)

    def shape(self, *dims: int) -> str:
        return self.constant("shape_" + "_".join(map(str, dims)), np.array(dims, dtype=np.int64))

    def number(self, value: float) -> str:
        return self.constant(f"number_{value}", np.array(value, dtype=np.float32))

    def linear(self, x: str, name: str) -> str:
        y = self.add("MatMul", x, self.weight(f"{name}.weight", transpose=True))
        return self.add("Add", y, self.weight(f"{name}.bias"))

    def norm(self, x: str, name: str) -> str:
        gain, bias = self.weight(f"{name}.weight"), self.weight(f"{name}.bias")
        return self.add("LayerNormalization", x, gain, bias, axis=-1, epsilon=1e-5)


def attention(b: Builder, x: str, at: str, tokens: int, width: int, heads: int) -> str:
    split = b.shape(1, tokens, heads, width // heads)

    def part(name: str, perm: list[int]) -> str:
        y = b.add("Reshape", b.linear(x, f"{at}self_attn.{name}_proj"), split)
        return b.add("Transpose", y, perm=perm)

    q, k, v = part("q", [0, 2, 1, 3]), part("k", [0, 2, 3, 1]), part("v", [0, 2, 1, 3])
    scores = b.add("Mul", b.add("MatMul", q, k), b.number((width // heads) ** -0.5))
    y = b.add("MatMul", b.add("Softmax", scores, axis=-1), v)
    y = b.add("Reshape", b.add("Transpose", y, perm=[0, 2, 1, 3]), b.shape(1, tokens, width))
    return b.linear(y, f"{at}self_attn.out_proj")


def quick_gelu(b: Builder, x: str) -> str:
    return b.add("Mul", x, b.add("Sigmoid", b.add("Mul", x, b.number(1.702))))


def build(folder: pathlib.Path) -> onnx.ModelProto:
    c = json.loads((folder / "config.json").read_text())["vision_config"]
    weights = load_file(folder / "model.safetensors")
    width, patch, size = c["hidden_size"], c["patch_size"], c["image_size"]
    patches = (size // patch) ** 2
    b, at = Builder(weights), "vision_model."
    kernel = b.weight(f"{at}embeddings.patch_embedding.weight")
    x = b.add("Conv", "pixels", kernel, strides=[patch, patch], kernel_shape=[patch, patch])
    x = b.add("Transpose", b.add("Reshape", x, b.shape(1, width, patches)), perm=[0, 2, 1])
    first = b.constant("class", weights[f"{at}embeddings.class_embedding"].reshape(1, 1, width))
    x = b.add("Concat", first, x, axis=1)
    x = b.add("Add", x, b.weight(f"{at}embeddings.position_embedding.weight"))
    x = b.norm(x, f"{at}pre_layrnorm")
    for i in range(c["num_hidden_layers"]):
        layer = f"{at}encoder.layers.{i}."
        h = b.norm(x, f"{layer}layer_norm1")
        h = attention(b, h, layer, patches + 1, width, c["num_attention_heads"])
        x = b.add("Add", x, h)
        h = b.linear(b.norm(x, f"{layer}layer_norm2"), f"{layer}mlp.fc1")
        x = b.add("Add", x, b.linear(quick_gelu(b, h), f"{layer}mlp.fc2"))
    x = b.add("Gather", x, b.constant("row", np.array(0, dtype=np.int64)), axis=1)
    x = b.norm(x, f"{at}post_layernorm")
    x = b.add("MatMul", x, b.weight("visual_projection.weight", transpose=True))
    length = b.add("ReduceL2", x, axes=[-1], keepdims=1)
    b.nodes.append(helper.make_node("Div", [x, length], ["embedding"], name="Div_embedding"))
    embedding = weights["visual_projection.weight"].shape[0]
    graph = helper.make_graph(
        b.nodes,
        "tower",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, [1, 3, size, size])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [1, embedding])],
        list(b.constants.values()),
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


class Pictures(quantization.CalibrationDataReader):
    """Pictures of noise, and the one that is measured, to find the ranges of activations."""

    def __init__(self, picture: bytes, size: int):
        random = np.random.default_rng(1)
        noise = [random.integers(0, 256, len(picture), dtype=np.uint8).tobytes() for _ in range(7)]
        self.left = [prepare(p, size) for p in [*noise, picture]]

    def get_next(self):
        return {"pixels": self.left.pop()} if self.left else None


def write(folder: pathlib.Path, picture: bytes) -> dict[str, pathlib.Path]:
    """Writes the three files, where they are missing, and gives their paths."""
    paths = {name: folder / f"{name}.onnx" for name in ("f32", "dynamic", "qdq")}
    if all(path.exists() for path in paths.values()):
        return paths
    onnx.save(build(folder), paths["f32"])
    quantization.quantize_dynamic(
        paths["f32"],
        paths["dynamic"],
        op_types_to_quantize=["MatMul"],
        per_channel=True,
        weight_type=quantization.QuantType.QInt8,
    )
    size = json.loads((folder / "config.json").read_text())["vision_config"]["image_size"]
    quantization.quantize_static(
        paths["f32"],
        paths["qdq"],
        Pictures(picture, size),
        quant_format=quantization.QuantFormat.QDQ,
        op_types_to_quantize=["MatMul"],
        per_channel=True,
        activation_type=quantization.QuantType.QUInt8,
        weight_type=quantization.QuantType.QInt8,
        extra_options={"MatMulConstBOnly": True},
    )
    return paths
