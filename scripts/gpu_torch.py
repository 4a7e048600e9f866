"""Times CLIP ViT-B/32's image tower, batch 1 in bf16, in torch on the GPU.

Prints one figure as kuai bench does, or says why not and prints nothing.
"""

import json
import sys

WIDTH, HIDDEN, LAYERS, HEADS, TOKENS, RUNS = 768, 3072, 12, 12, 50, 200


def main():
    try:
        import torch
    except ImportError:
        sys.exit("torch is not installed: no comparison")
    if not torch.cuda.is_available():
        sys.exit("this torch does not see the GPU: no comparison")
    layer = torch.nn.TransformerEncoderLayer(
        WIDTH, HEADS, HIDDEN, activation="gelu", batch_first=True, norm_first=True
    )
    tower = torch.nn.TransformerEncoder(layer, LAYERS, enable_nested_tensor=False)
    tower = tower.cuda().bfloat16().eval()
    x = torch.randn(1, TOKENS, WIDTH, device="cuda", dtype=torch.bfloat16)
    with torch.inference_mode():
        for _ in range(10):
            tower(x)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            tower(x)
        begin = torch.cuda.Event(enable_timing=True)
        end = torch.cuda.Event(enable_timing=True)
        begin.record()
        for _ in range(RUNS):
            graph.replay()
        end.record()
        torch.cuda.synchronize()
    milliseconds = begin.elapsed_time(end) / RUNS
    row = {"name": "cuda.torch.clip-vit-b32.bf16", "value": milliseconds, "unit": "ms"}
    print(json.dumps(row | {"bar": "", "peer": "", "ratio": 0}))


if __name__ == "__main__":
    main()
