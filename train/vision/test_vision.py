"""Tests of the training of the towers: python -m unittest train.vision.test_vision"""

import argparse
import json
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from safetensors.numpy import save_file

from . import data, measure, model, train, words

THINGS = ["red block", "blue block", "red bowl"]


def told(relation: str, a: str, b: str, held_out: bool, text: str) -> dict:
    no = text.replace("a ", "no ", 1)
    sides = {"affirm": [text, "there is " + text], "deny": [no, "there is " + no]}
    return {"relation": relation, "a": a, "b": b, "held_out": held_out} | sides


STATEMENTS = [
    *(told("there", t, "", False, f"a {t}") for t in THINGS),
    told("in", "red block", "bowl", False, "a red block in a bowl"),
    told("in", "blue block", "bowl", True, "a blue block in a bowl"),
    told("left", "red block", "blue block", False, "a red block left of a blue block"),
]


def shard(path: Path, n: int, seed: int) -> None:
    """Pictures in which a thing is a spot of its colour, and the truth about them."""
    rng = np.random.default_rng(seed)
    pictures = np.full((n, 48, 64, 3), 200, np.uint8)
    at = np.full((n, len(THINGS), 2), np.nan, np.float32)
    truth = np.zeros((n, len(STATEMENTS)), np.uint8)
    for i in range(n):
        for thing in range(len(THINGS)):
            if rng.random() < 0.5:
                continue
            at[i, thing] = rng.uniform(0.15, 0.85, 2)
            x, y = int(at[i, thing, 0] * 64), int(at[i, thing, 1] * 48)
            colour = [(220, 20, 20), (20, 20, 220), (120, 0, 0)][thing]
            pictures[i, y - 5 : y + 5, x - 5 : x + 5] = colour
            truth[i, thing] = data.YES
        truth[i, 3:5] = rng.integers(0, 3, 2)
        truth[i, 5] = truth[i, 0] and truth[i, 1] and at[i, 0, 0] < at[i, 1, 0]
    path.parent.mkdir(parents=True, exist_ok=True)
    meta = {"statements": json.dumps(STATEMENTS), "things": json.dumps(THINGS)}
    save_file({"pictures": pictures, "truth": truth, "at": at}, path, meta)


def tiny(root: Path, steps: int, until: int = 0) -> train.Trainer:
    a = argparse.Namespace(
        data=root, out=root / "out", seed=1, steps=steps, until=until, every=steps, threads=1
    )
    return train.Trainer(a)


class Vision(unittest.TestCase):
    def setUp(self):
        self.root = Path(self.enterContext(tempfile.TemporaryDirectory()))
        shard(self.root / "pictures" / "shard-00000.safetensors", 200, 1)
        shard(self.root / "unseen" / "shard-00000.safetensors", 60, 2)
        shape = dict(
            size=32, patch=8, width=32, layers=2, heads=2, hidden=64, text_width=32,
            text_layers=1, text_hidden=32, embedding=16,
        )  # fmt: skip
        small = dict(batch=16, warmup=5, shift=1, sides=4, on=4, into=4)
        self.enterContext(mock.patch.dict(model.SHAPE, shape))
        self.enterContext(mock.patch.dict(train.RECIPE, small))

    def test_tokenizer(self):
        words.make(["a red block in a bowl", "there is no bowl"], self.root / "t")
        w = words.Words(self.root / "t")
        ids = w.encode("A red  block?")
        self.assertEqual(len(ids), words.TOKENS)
        self.assertEqual(ids[0], w.start)
        self.assertEqual(w.judge.tokenize("no bowl"), ["no</w>", "bowl</w>"])
        self.assertLess(max(w.encode("né 3!")), w.size)

    def test_shifted_keeps_things_where_they_are_said_to_be(self):
        pixels, at = np.zeros((8, 32, 32, 3), np.uint8), np.full((8, 1, 2), 0.5, np.float32)
        pixels[:, 15:17, 15:17] = 255
        moved, where = data.shifted(pixels, at, 4, np.random.default_rng(1))
        for picture, (x, y) in zip(moved, where[:, 0], strict=True):
            rows, columns = np.nonzero(picture[..., 0])
            self.assertAlmostEqual(rows.mean() + 0.5, y * 32, delta=0.6)
            self.assertAlmostEqual(columns.mean() + 0.5, x * 32, delta=0.6)
        self.assertGreater(len(np.unique(where)), 2)

    def test_what_is_held_out_is_never_drawn(self):
        batches = tiny(self.root, 10).batches
        for _ in range(5):
            b = batches.draw()
            self.assertNotIn(4, b["asked"].tolist())
            self.assertEqual(b["truth"].shape, (16, len(b["asked"])))
        self.assertTrue((batches.kinds != 4).all() or batches.s.held_out[4])

    def test_losses_are_small_where_all_is_right(self):
        truth = torch.tensor([[1, 0], [0, 1]])
        groups = torch.tensor([0, 0])
        good = torch.where(truth == 1, 20.0, -20.0)
        self.assertLess(float(model.contrast(good, -good, truth, groups)), 1e-6)
        self.assertGreater(float(model.contrast(-good, good, truth, groups)), 10)
        unknown = torch.full_like(truth, data.UNKNOWN)
        self.assertEqual(float(model.contrast(good, -good, unknown, groups)), 0)

    def test_train_resumes_and_learns(self):
        first = tiny(self.root, 120, until=60)
        first.run()
        again = tiny(self.root, 120)
        self.assertEqual(again.step, 60)
        again.run()
        result = json.loads((self.root / "out" / "result.json").read_text())
        self.assertEqual(result["steps"], 120)
        self.assertLess(again.history[-1]["answer"], 0.9 * again.history[0]["answer"])
        self.assertTrue((self.root / "out" / "curves.png").exists())
        # What is saved is CLIP's layout: transformers reads it, and gives the same.
        import transformers

        folder = self.root / "out" / "model"
        read = transformers.CLIPModel.from_pretrained(folder).eval()
        x = model.normalised(again.unseen.pixels[:4])
        mine = model.make(again.words, model.SHAPE).eval()
        mine.load_state_dict(again.average)
        with torch.no_grad():
            off = (model.see(read.float(), x) - model.see(mine, x)).abs().max()
        self.assertLess(float(off), 1e-2)

    def test_questions_are_balanced(self):
        pictures = data.Pictures(self.root / "unseen", 32)
        asked = measure.questions(pictures, False)
        self.assertEqual(sum(t for _, _, t in asked) * 2, len(asked))
        self.assertEqual(asked, measure.questions(pictures, False))
        self.assertTrue(all(pictures.truth[i, j] == (1 if t else 0) for i, j, t in asked))

    def test_wilson(self):
        low, high = measure.wilson(90, 100)
        self.assertAlmostEqual(low, 0.8256, places=3)
        self.assertAlmostEqual(high, 0.9448, places=3)
        self.assertEqual(measure.wilson(0, 0), (0.0, 1.0))

    def test_no_pictures_is_said(self):
        with self.assertRaisesRegex(SystemExit, "kuai scenes"):
            a = argparse.Namespace(data=self.root / "x", out=self.root, seed=1, steps=1, threads=1)
            train.Trainer(a)


if __name__ == "__main__":
    unittest.main()
