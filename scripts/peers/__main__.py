"""Measures kuai beside what a user would otherwise pick, on the same inputs and threads.

make bench-peers, or: .venv-peers/bin/python scripts/peers [--only encode] [--rounds 20]

Each group of work runs all its programs in turns within one run. Figures go to
build/peers.jsonl, one object a line as `kuai bench --json` prints them, and as a table to
standard output; the samples they are made of to build/peers/samples.jsonl.
"""

import argparse
import json
import pathlib
import subprocess
import sys

import rows
from turns import Entrant, alternate

HERE = pathlib.Path(__file__).parent
FOLDER = pathlib.Path("build/peers")
TURNS = "build/turns"
MODELS = pathlib.Path.home() / ".local/share/kuai/models"
GGUF = MODELS / "smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf"
WHISPER = MODELS / "whisper-base"
RECORDINGS = pathlib.Path("/usr/share/pocketsphinx/test/data")
CLIP = RECORDINGS / "goforward.raw"
TOWER = "clip-vit-b32"
SIDE = 224
PROMPT, ANSWER = 512, 64


class Plan:
    """The programs of each group."""

    def __init__(self, threads: int):
        self.threads = str(threads)

    def ours(self, item: str, *arguments, precision: str = "stored", **options) -> Entrant:
        command = [TURNS, "-threads", self.threads, "-precision", precision, *map(str, arguments)]
        return Entrant(item, rows.OURS, command, **options)

    def peer(self, item: str, program: str, *arguments, **options) -> Entrant:
        library = options.pop("library", program.split(" ")[0])
        command = [sys.executable, str(HERE / "peer.py"), self.threads, library]
        return Entrant(item, program, command + [str(a) for a in arguments], **options)

    def encode(self) -> list[Entrant]:
        import tower

        folder, picture = FOLDER / TOWER, FOLDER / "picture.rgb"
        picture.write_bytes(scene())
        onnx = tower.write(folder, picture.read_bytes())
        out = []
        for precision in ("f32", "bf16", "int8"):
            item = f"encode.{TOWER}.{precision}"
            out.append(self.ours(item, "encode", folder, picture, precision=precision))
            if precision == "int8":
                out += [
                    self.peer(item, "onnxruntime dynamic", onnx["dynamic"], picture),
                    self.peer(item, "onnxruntime qdq", onnx["qdq"], picture),
                    self.peer(item, "openvino", onnx["qdq"], picture, "bf16"),
                ]
                continue
            out.append(self.peer(item, "openvino", onnx["f32"], picture, precision))
            if precision == "f32":
                out.append(self.peer(item, "onnxruntime", onnx["f32"], picture))
        return out

    def lm(self, work: str, tokens: int) -> list[Entrant]:
        item = f"lm.{GGUF.parent.name}.{work}"
        return [
            self.ours(item, work, GGUF, work=tokens, burst=1),
            self.peer(item, "llama.cpp", GGUF, work, work=tokens, burst=1),
        ]

    def prefill(self) -> list[Entrant]:
        return self.lm("prefill", PROMPT)

    def decode(self) -> list[Entrant]:
        return self.lm("decode", ANSWER)

    def asr(self) -> list[Entrant]:
        item = "asr.whisper-base.clip3s"
        return [
            self.ours(item, "asr", WHISPER, CLIP, burst=1),
            self.peer(item, "faster-whisper float32", WHISPER, CLIP, "float32", burst=1),
            self.peer(item, "faster-whisper int8", WHISPER, CLIP, "int8", burst=1),
        ]

    def wer(self) -> list[Entrant]:
        out = []
        for precision, compute in (("stored", "float32"), ("int8", "int8")):
            name = f"faster-whisper {compute}"
            item = f"wer.whisper-base.{precision}"
            out.append(self.ours(item, "wer", WHISPER, RECORDINGS, precision=precision, burst=1))
            peer = [WHISPER, RECORDINGS, compute]
            out.append(self.peer(item, name, *peer, library="faster-whisper-recordings", burst=1))
        return out


def score(sample: dict) -> dict:
    """Counts the errors of the recordings' texts, ours and a peer's alike."""
    if texts := sample.get("texts"):
        counted = subprocess.run(
            [TURNS, "score"], input=json.dumps(texts), capture_output=True, text=True, check=True
        )
        sample |= json.loads(counted.stdout)
    return sample


def scene() -> bytes:
    """A picture with slopes, edges and grain."""
    out, noise = bytearray(), 1
    for y in range(SIDE):
        for x in range(SIDE):
            noise = (noise * 1664525 + 1013904223) % 2**32
            block = 80 if 60 < x < 120 and 90 < y < 160 else 0
            grain = noise >> 28
            out += bytes(min(v + grain, 255) for v in (x // 2 + block, y, 200 - y // 2 - block))
    return bytes(out)


def table(figures: list[dict]) -> None:
    for r in figures:
        beside = f"{r['ratio']:.3g} × {r['peer']}" if r["peer"] else ""
        value = f"{r['value']:.5g} {r['unit']}".strip()
        print(f"{r['name']:44} {value:>12}  {r['bar']:10} {beside}")


def given(path: str) -> list[tuple[str, list[Entrant]]]:
    """Groups of a JSON file: {"group": [{"item", "program", "command", …}, …]}."""
    groups = json.loads(pathlib.Path(path).read_text())
    return [(name, [Entrant(**e) for e in entrants]) for name, entrants in groups.items()]


# The groups and how often each program has its turn.
ROUNDS = {"encode": 25, "prefill": 15, "decode": 15, "asr": 15, "wer": 3}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=0, help="0: as usual for each group")
    parser.add_argument("--only", choices=ROUNDS, action="append", help="this group alone")
    parser.add_argument("--json", action="store_true", help="one object a line instead of a table")
    parser.add_argument("--plan", help="a JSON file of other programs to measure")
    parser.add_argument("--out", default="build/peers.jsonl", help="where the figures go")
    o = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    plan = Plan(o.threads)
    groups = given(o.plan) if o.plan else [(g, getattr(plan, g)()) for g in o.only or ROUNDS]
    samples = []
    for name, entrants in groups:
        samples += map(score, alternate(entrants, o.rounds or ROUNDS.get(name, 15)))
    out = pathlib.Path(o.out)
    (FOLDER / "samples.jsonl").write_text("".join(json.dumps(s) + "\n" for s in samples))
    figures = rows.rows(samples)
    text = "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in figures)
    out.write_text(text)
    if o.json:
        print(text, end="")
        return
    table(figures)


if __name__ == "__main__":
    main()
