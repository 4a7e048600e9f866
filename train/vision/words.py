"""A tokenizer of our own sentences, in the two files of CLIP's: vocab.json, merges.txt.

Every byte alone and at the end of a word comes first, then merges, then the two
specials, so any text has tokens; a word of the sentences that are trained with is one.
"""

import json
from pathlib import Path

import transformers
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

START, END = "<|startoftext|>", "<|endoftext|>"
PATTERN = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
TOKENS = 24  # of a sentence at most, with the specials
# Words that people say and no sentence of the training has, so that they are one token.
MORE = "what which where does do can you see are and or of robot arm hand cube dish picture photo"


def make(sentences: list[str], folder: Path) -> None:
    """Write the files for these sentences."""
    t = Tokenizer(
        models.BPE(end_of_word_suffix="</w>", continuing_subword_prefix="", unk_token=END)
    )
    t.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    t.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PATTERN), "removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=2000,
        min_frequency=1,
        end_of_word_suffix="</w>",
        initial_alphabet=alphabet,
        show_progress=False,
    )
    t.train_from_iterator([*sorted(set(sentences)), MORE], trainer)
    merges = json.loads(t.to_str())["model"]["merges"]
    merges = [" ".join(m) if isinstance(m, list) else m for m in merges]
    vocab = {s: i for i, s in enumerate(alphabet + [s + "</w>" for s in alphabet])}
    for token in [m.replace(" ", "") for m in merges] + [START, END]:
        vocab.setdefault(token, len(vocab))
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(vocab, ensure_ascii=False, separators=(",", ":"))
    (folder / "vocab.json").write_text(text + "\n")
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")


class Words:
    """The tokenizer of a folder."""

    def __init__(self, folder: Path):
        self.judge = transformers.CLIPTokenizer(
            vocab=str(folder / "vocab.json"), merges=str(folder / "merges.txt")
        )
        vocab = json.loads((folder / "vocab.json").read_text())
        self.size, self.end = len(vocab), vocab[END]
        self.start = vocab[START]

    def encode(self, sentence: str) -> list[int]:
        """The tokens, filled up with the one that ends a sentence."""
        ids = self.judge(sentence, truncation=True, max_length=TOKENS)["input_ids"]
        return ids + [self.end] * (TOKENS - len(ids))
