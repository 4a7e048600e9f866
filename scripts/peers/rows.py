"""Turns samples into the figures of `kuai bench --json`.

python3 scripts/peers/rows.py < samples.jsonl > rows.jsonl

A sample is what one program did with one item:

    {"item": "encode.x.int8", "program": "kuai", "ms": [7.1, 7.3, …], "work": 1,
     "text": "…", "embedding": […], "peak_mb": 200, "weights_mb": 90, "sessions_mb": 3}

"errors" and "words" are those of a set of recordings: their ratio is the word error rate.
work above 1 is the tokens of one turn: such an item is a rate. The program "kuai" is ours,
all others are peers. A row is one of internal/bench: value is ours; ratio is our time over
the peer's, or the peer's rate over ours. The first row of an item is beside its fastest
peer, with the bar, which follows from that peer's figure.
"""

import json
import math
import sys

OURS = "kuai"

# How often faster than the best peer an item should be, by the start of its name and its end.
FACTORS = [
    ("encode.", "", 1.0),
    ("lm.", ".prefill", 3.0),
    ("lm.", ".decode", 1.1),
    ("asr.", "", 4.0),
]
INT8_SPEEDUP = 3.0
COSINE = 0.999
MEMORY = 1.2


def percentile(values: list[float], share: float) -> float:
    """The smallest value that at least `share` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]


def cosine(a: list[float], b: list[float]) -> float:
    dot = sum(x * y for x, y in zip(a, b, strict=True))
    return dot / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))


def row(name: str, value: float, unit: str = "", bar: str = "", peer: str = "", ratio: float = 0):
    return {"name": name, "value": value, "unit": unit, "bar": bar, "peer": peer, "ratio": ratio}


def factor(item: str) -> float | None:
    for start, end, times in FACTORS:
        if item.startswith(start) and item.endswith(end):
            return times
    return None


def figure(sample: dict, share: float) -> float:
    """Milliseconds, or tokens a second where a turn is more than one piece of work."""
    ms = percentile(sample["ms"], share)
    return ms if sample["work"] == 1 else sample["work"] / ms * 1e3


def bar(ours: dict, peer: dict) -> str:
    times = factor(ours["item"])
    if times is None:
        return ""
    if ours["work"] == 1:
        return f"<={figure(peer, 0.5) / times:.4g}"
    return f">={figure(peer, 0.5) * times:.4g}"


def compared(ours: dict, peers: list[dict]) -> list[dict]:
    """Medians and 99th percentiles beside each peer, the fastest first."""
    name, unit = ours["item"], "ms" if ours["work"] == 1 else "/s"
    if not peers:
        return [row(name, figure(ours, 0.5), unit), row(f"{name}.p99", figure(ours, 0.99), unit)]
    out = []
    for i, peer in enumerate(sorted(peers, key=lambda p: percentile(p["ms"], 0.5))):
        for suffix, share in (("", 0.5), (".p99", 0.99)):
            ratio = percentile(ours["ms"], share) / percentile(peer["ms"], share)
            goal = bar(ours, peer) if i == 0 and not suffix else ""
            value = figure(ours, share)
            out.append(row(name + suffix, value, unit, goal, peer["program"], ratio))
    return out


def equal(ours: dict, exact: dict | None, peers: list[dict]) -> list[dict]:
    """Whether what came out is what should."""
    name, out = ours["item"], []
    if exact is not None and exact is not ours:
        out.append(row(f"{name}.cosine", cosine(ours["embedding"], exact["embedding"])))
        out[0]["bar"] = f">={COSINE}"
        if name.endswith(".int8"):
            speedup = percentile(exact["ms"], 0.5) / percentile(ours["ms"], 0.5)
            out.append(row(f"{name}.speedup", speedup, bar=f">={INT8_SPEEDUP:g}"))
    if exact is not None and exact is ours:
        for peer in peers:
            near = cosine(ours["embedding"], peer["embedding"])
            out.append(row(f"{name}.agrees", near, bar=">=0.99999", peer=peer["program"], ratio=1))
    if ours.get("text"):
        for peer in peers:
            same = float(ours["text"] == peer["text"])
            out.append(row(f"{name}.same_words", same, bar=">=1", peer=peer["program"], ratio=1))
    return out


def word_errors(ours: dict, peers: list[dict]) -> list[dict]:
    """The word error rate beside each peer's; one error stands for none, which has no ratio."""
    if "errors" not in ours:
        return []
    rate = ours["errors"] / ours["words"]
    out = []
    for peer in peers:
        ratio = max(ours["errors"], 1) / max(peer["errors"], 1)
        goal = f"<={math.ceil(peer['errors'] / peer['words'] * 1e4) / 1e4:.4f}"
        out.append(row(f"{ours['item']}.errors", rate, "", goal, peer["program"], ratio))
    return out or [row(f"{ours['item']}.errors", rate)]


def memory(ours: dict) -> list[dict]:
    held = ours.get("weights_mb", 0) + ours.get("sessions_mb", 0)
    # Recordings lie in memory beside the weights.
    if not held or not ours.get("peak_mb") or "errors" in ours:
        return []
    return [row(f"memory.{ours['item']}", ours["peak_mb"] / held, bar=f"<={MEMORY:g}")]


def rows(samples: list[dict]) -> list[dict]:
    ours = {s["item"]: s for s in samples if s["program"] == OURS}
    out = []
    for item, sample in ours.items():
        peers = [s for s in samples if s["item"] == item and s["program"] != OURS]
        exact = ours.get(item.rsplit(".", 1)[0] + ".f32") if sample.get("embedding") else None
        out += compared(sample, peers) + equal(sample, exact, peers) + word_errors(sample, peers)
        out += memory(sample)
    return out


def main() -> None:
    for figure_row in rows([json.loads(line) for line in sys.stdin if line.strip()]):
        print(json.dumps(figure_row, ensure_ascii=False))


if __name__ == "__main__":
    main()
