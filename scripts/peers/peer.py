"""One peer that computes once for each line of its standard input (see turns.py).

python peer.py THREADS onnxruntime MODEL.onnx PICTURE
python peer.py THREADS openvino MODEL.onnx PICTURE f32|bf16
python peer.py THREADS llama.cpp MODEL.gguf prefill|decode
python peer.py THREADS faster-whisper FOLDER CLIP float32|int8
python peer.py THREADS faster-whisper-recordings FOLDER RECORDINGS float32|int8
"""

import json
import re
import sys
import time
from collections.abc import Callable

# Sizes of a prompt and an answer, as in internal/turns.
PROMPT, ANSWER = 512, 64
CLIP_SECONDS, RATE = 3, 16000


def picture(path: str):
    import pathlib

    import tower

    pixels = pathlib.Path(path).read_bytes()
    return tower.prepare(pixels, round((len(pixels) / 3) ** 0.5))


def timed(compute: Callable) -> tuple[float, object]:
    start = time.perf_counter()
    result = compute()
    return (time.perf_counter() - start) * 1e3, result


def onnxruntime(threads: int, model: str, path: str) -> Callable[[], dict]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    pixels = {"pixels": picture(path)}

    def once() -> dict:
        ms, out = timed(lambda: session.run(None, pixels))
        return {"ms": ms, "embedding": out[0][0].tolist()}

    return once


def openvino(threads: int, model: str, path: str, precision: str) -> Callable[[], dict]:
    import openvino

    core = openvino.Core()
    settings = {
        "INFERENCE_NUM_THREADS": threads,
        "INFERENCE_PRECISION_HINT": precision,
        "PERFORMANCE_HINT": "LATENCY",
    }
    request = core.compile_model(core.read_model(model), "CPU", settings).create_infer_request()
    pixels = {"pixels": picture(path)}

    def once() -> dict:
        ms, out = timed(lambda: request.infer(pixels, share_inputs=True, share_outputs=True))
        return {"ms": ms, "embedding": out[0][0].tolist()}

    return once


def llama(threads: int, model: str, work: str) -> Callable[[], dict]:
    import llama_cpp

    # One pass reads the whole prompt.
    llm = llama_cpp.Llama(
        model,
        n_ctx=2048,
        n_batch=PROMPT,
        n_ubatch=PROMPT,
        n_threads=threads,
        n_threads_batch=threads,
        verbose=False,
    )
    count = 0

    def answer() -> None:
        for i in range(ANSWER):
            llm.eval([2000 + i])

    def once() -> dict:
        nonlocal count
        count += 1
        # Each prompt differs from the first token on, as in internal/turns.
        prompt = [(1000 + 37 * count + 7 * i) % llm.n_vocab() for i in range(PROMPT)]
        llm.reset()
        ms, _ = timed(lambda: llm.eval(prompt))
        if work == "decode":
            ms, _ = timed(answer)
        return {"ms": ms}

    return once


NUMBERS = {"10": "ten"}


def words(text: str) -> str:
    """Words alone, as fusion/speech.Words makes them of this recording."""
    found = re.findall(r"[a-z0-9']+", text.lower())
    return " ".join(NUMBERS.get(word, word) for word in found)


def load_whisper(threads: int, folder: str, compute: str):
    import faster_whisper

    return faster_whisper.WhisperModel(
        folder, device="cpu", compute_type=compute, cpu_threads=threads
    )


def transcribe(model, samples) -> str:
    # Greedy, English, no time stamps, no second try: what kuai does.
    parts, _ = model.transcribe(
        samples,
        language="en",
        beam_size=1,
        temperature=0,
        without_timestamps=True,
        condition_on_previous_text=False,
    )
    return " ".join(part.text for part in parts)


def whisper(threads: int, folder: str, path: str, compute: str) -> Callable[[], dict]:
    import numpy as np

    model = load_whisper(threads, folder, compute)
    samples = np.fromfile(path, dtype="<i2").astype(np.float32) / 32768
    samples = np.pad(samples, (0, CLIP_SECONDS * RATE - len(samples)))

    def once() -> dict:
        ms, text = timed(lambda: transcribe(model, samples))
        return {"ms": ms, "text": words(text)}

    return once


def recordings(threads: int, folder: str, root: str, compute: str) -> Callable[[], dict]:
    import pathlib

    import numpy as np
    from faster_whisper.audio import decode_audio

    model = load_whisper(threads, folder, compute)
    listed = pathlib.Path(__file__).parents[2] / "internal/turns/recordings.json"
    clips = []
    for r in json.loads(listed.read_text()):
        path = pathlib.Path(root) / r["file"]
        if path.suffix == ".raw":
            clips.append(np.fromfile(path, dtype="<i2").astype(np.float32) / 32768)
        else:
            clips.append(decode_audio(str(path), sampling_rate=RATE))

    def once() -> dict:
        ms, texts = timed(lambda: [transcribe(model, c) for c in clips])
        return {"ms": ms, "texts": texts}

    return once


PEERS = {
    "onnxruntime": onnxruntime,
    "openvino": openvino,
    "llama.cpp": llama,
    "faster-whisper": whisper,
    "faster-whisper-recordings": recordings,
}


def main() -> None:
    threads, name, *arguments = sys.argv[1:]
    once = PEERS[name](int(threads), *arguments)
    print("ready", flush=True)
    for _ in sys.stdin:
        print(json.dumps(once()), flush=True)


if __name__ == "__main__":
    main()
