"""Writes whisper_tokens.json: what Whisper's own tokenizer makes of some hundred texts.

    python fusion/testdata/make_whisper_tokens.py PATH/whisper-base/tokenizer.json

It needs tiktoken, with which the model was trained and which needs the vocabulary alone (the rank
of a merge is the id of what it makes), and the tokenizers library, which is what transformers
runs. The latter is given the merge that tokenizer.json lacks, and both must agree before anything
is written.
"""

import json
import random
import sys
from pathlib import Path

import tiktoken
from tokenizers import Tokenizer
from tokenizers.pre_tokenizers import ByteLevel

OUT = Path(__file__).parent / "whisper_tokens.json"
# The expression of GPT-2, as Whisper has it.
SPLIT = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"

VERBS = ["pick up", "put", "place", "push", "move", "take", "hand me", "bring", "open", "stop"]
THINGS = ["the red block", "the blue bowl", "a green apple", "the top drawer", "its box", "them"]
WHERE = ["", " in the bin", " to the left", " next to the blue bowl", " on the table", " at home"]
ENDS = ["", ".", "!", ", please.", " and then stop", "?"]
OTHERS = [
    "the", " the", "  the", "The", " THE", "t", " t", " to", "then the", "it's that that's the",
    "don't, won't, I'd, we've, they're, she'll, I'm", "10 meters", " 3.14 and 1,000 or 2026",
    "停", " 停下", "停下来。", "把红色的积木放进蓝色的碗里", "你好，世界！", "はい、止まれ",
    "Стой! Подними красный кубик",
    "Hör auf und leg den Würfel weg", "dépose-la à côté", "¿dónde está?", "naïve café", "ﬁ ½ ² ①",
    "a\n\nb", "\ttab", "trailing  ", "   ", "\r\n x", "e.g. [music] (applause) ♪♪", "...",
    "--- *** ---",
    "👍 ok 👩‍🔧", "\u00a0\u2003x", "'s 's'S", "ALL CAPITALS THERE", "tttttttttttt", "thethethe the",
    "<|endoftext|>", "x<|en|>y", "", "z" * 40, "\u0301\u0301", "a\u0301 á", "0123456789 " * 3,
]  # fmt: skip


def texts() -> list[str]:
    draw = random.Random(6)
    out = dict.fromkeys(OTHERS)
    for verb in VERBS:
        for thing in THINGS:
            text = f"{verb} {thing}{draw.choice(WHERE)}{draw.choice(ENDS)}"
            out[" " + text] = out[text.capitalize()] = None
    letters = "the bowl, TO'S t\n 7é积🙂\u00a0-"
    for length in range(1, 121):
        out["".join(draw.choice(letters) for _ in range(1 + length % 24))] = None
    return list(out)


def main() -> None:
    file = json.loads(Path(sys.argv[1]).read_text())
    vocabulary = {t: i for t, i in file["model"]["vocab"].items() if t and t != "<|endoftext|>"}
    # The alphabet that stands for bytes: the printable ones first, then the rest.
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [b for b in range(256) if b not in plain]
    byte = {chr(b): b for b in plain} | {chr(256 + i): b for i, b in enumerate(rest)}
    assert set(byte) == set(ByteLevel.alphabet())
    ranks = {bytes(byte[c] for c in token): i for token, i in vocabulary.items()}
    judge = tiktoken.Encoding("whisper", pat_str=SPLIT, mergeable_ranks=ranks, special_tokens={})
    file["model"]["merges"].insert(0, "Ġ t")
    file["added_tokens"] = []
    second = Tokenizer.from_str(json.dumps(file))
    cases = []
    for text in texts():
        ids = judge.encode_ordinary(text)
        other = second.encode(text, add_special_tokens=False).ids
        assert ids == other, (text, ids, other)
        cases.append({"text": text, "ids": ids})
    lines = ",\n".join(json.dumps(c, ensure_ascii=True) for c in cases)
    OUT.write_text(f"[\n{lines}\n]\n")
    print(len(cases), "texts")


if __name__ == "__main__":
    main()
