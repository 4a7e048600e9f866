"""Tests of the training of the policy: python -m unittest train.vla.test_vla"""

import argparse
import json
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from safetensors.torch import load_file

from . import data, fixture, judge, learn, model, student, train, words

PHRASE = "pick up the red block"
TINY = dict(width=32, layers=1, heads=2, hidden=32, stem=(8, 8, 8))


def write_shard(path: Path, n: int, seed: int, each: int = 0, phrase: str = PHRASE) -> None:
    """A shard as sim/demos writes it, of noise; episodes have each frames, or it is one.
    Of every other four episodes the skill works, in its last frames, and its pictures are
    bright."""
    each = each or n
    count = -(-n // each)
    rng = np.random.default_rng(seed)
    hand = rng.normal(0.1, 0.02, (n, 6)).astype(np.float32)
    place = np.full((n, 3), np.nan, np.float32)
    place[: n // 2] = [0.2, 0.1, 0.01]
    columns = {
        "features": rng.normal(0, 1, (n, 20)).astype(np.float32),
        "hand": hand,
        "ahead": (hand[:, None] + rng.normal(0, 0.01, (n, 12, 6))).astype(np.float32),
        "target": np.tile(np.float32([0.2, 0.0, 0.01]), (n, 1)),
        "place": place,
        "phrase": np.zeros(n, np.int32),
        "episode": np.arange(n, dtype=np.int32) // each,
        "step": np.arange(n, dtype=np.int32) % each,
        "front": rng.integers(0, 256, (n, 96, 128, 3), np.uint8),
        "wrist": rng.integers(0, 256, (n, 64, 64, 3), np.uint8),
        "done_at": rng.integers(0, 13, n).astype(np.uint8),
        "holds": np.zeros(n, np.uint8),
        "success": np.ones(n, np.uint8),
    }
    if count > 1:
        worked = columns["episode"] // 4 % 2 == 1
        columns["success"][:] = worked
        late = columns["step"] >= each - judge.LAST
        columns["holds"][:] = worked & late
        for name in ("front", "wrist"):
            columns[name] //= 4
            columns[name][worked] += 150
        columns["features"][:, 0] = 3.0 * late
    names = {np.dtype(np.uint8): "U8", np.dtype(np.float32): "F32", np.dtype(np.int32): "I32"}
    about = {"phrases": [phrase], "seeds": ["1"] * count, "things": [["red block"]] * count}
    header, body = {"__metadata__": {k: json.dumps(v) for k, v in about.items()}}, b""
    for name, values in columns.items():
        raw = values.tobytes()
        header[name] = {
            "dtype": names[values.dtype],
            "shape": list(values.shape),
            "data_offsets": [len(body), len(body) + len(raw)],
        }
        body += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(len(text).to_bytes(8, "little") + text + body)


class Words(unittest.TestCase):
    def test_encode(self):
        numbers = words.encode("Place the red block in the shiny bowl")
        self.assertEqual(len(numbers), words.SLOTS)
        self.assertEqual(numbers[6], 1)  # nobody taught shiny
        self.assertEqual(numbers[8:], [0, 0])
        self.assertEqual(words.VOCABULARY[numbers[2]], "red")
        self.assertEqual(len(set(words.VOCABULARY)), len(words.VOCABULARY))


class Data(unittest.TestCase):
    def test_batches(self):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            write_shard(root / "demos" / "shard-00000.safetensors", 40, 1)
            d = data.Data({"demos": 0.7, "dagger": 0.3}, root, 1)
            b = d.batch(16)
            self.assertEqual(b["front"].shape, (16, 96, 128, 3))
            self.assertTrue(np.isfinite(b["where"]).all())
            np.testing.assert_allclose(b["cells"].sum(-1), b["known"], atol=1e-6)
            write_shard(root / "dagger" / "round-0" / "shard-00000.safetensors", 20, 2)
            self.assertEqual(d.refresh(), 60)
            self.assertEqual(d.sources[1].frames, 20)

    def test_actions_are_relative(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "shard-00000.safetensors"
            write_shard(path, 8, 3)
            shard = data.Shard(path)
            b = data.collate([(shard, np.arange(8))])
            back = b["actions"] * data.SCALE
            back[..., :5] += shard["hand"][:, None, :5]
            back[..., 5] += data.MIDDLE_GRIP
            np.testing.assert_allclose(back, shard["ahead"], atol=1e-6)

    def test_cells_of_what_the_camera_looks_at(self):
        middle = data.CAMERA - data.BACK * 0.6
        nowhere = np.full(3, np.nan)
        cells = data.cells(np.stack([middle, data.CAMERA + data.BACK, nowhere]))
        np.testing.assert_allclose(cells.sum(-1), [1, 0, 0], atol=1e-6)
        grid = cells[0].reshape(data.GRID)
        # In the very middle of the picture: shared by the four cells there, evenly.
        rows, columns = data.GRID[0] // 2, data.GRID[1] // 2
        corner = grid[rows - 1 : rows + 1, columns - 1 : columns + 1]
        np.testing.assert_allclose(corner, 0.25, atol=1e-5)


class Model(unittest.TestCase):
    def batch(self, n: int = 4) -> dict:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "shard-00000.safetensors"
            write_shard(path, n, 5)
            raw = data.collate([(data.Shard(path), np.arange(n))])
        return {k: torch.from_numpy(v) for k, v in raw.items()}

    def test_learns_a_batch(self):
        for flow in (False, True):
            torch.manual_seed(1)
            policy = model.Policy(model.Config(**TINY, flow=flow))
            optimizer = torch.optim.Adam(policy.parameters(), 3e-3)
            b = self.batch()
            first = None
            for _ in range(60):
                parts = model.losses(policy, b)
                loss = sum(model.WEIGHTS[k] * v for k, v in parts.items())
                first = first or float(loss.detach())
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            self.assertLess(float(loss.detach()), (0.8 if flow else 0.6) * first)

    def test_export(self):
        policy = model.Policy(model.Config(**TINY))
        with tempfile.TemporaryDirectory() as folder:
            model.export(policy.state_dict(), policy.config, Path(folder), {"step": 3})
            config = json.loads((Path(folder) / "config.json").read_text())
            tensors = load_file(Path(folder) / "model.safetensors")
        self.assertEqual(config["model_type"], model.FORMAT)
        self.assertIn("gaze.place", tensors)
        self.assertEqual(tensors["front.convs.1.weight"].dtype, torch.float16)

    def test_fixture_is_the_same_each_time(self):
        with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
            for folder in (one, two):
                fixture.write(Path(folder), True)
            for name in ("model.safetensors", "expected.json"):
                self.assertEqual((Path(one) / name).read_bytes(), (Path(two) / name).read_bytes())


def settings(data: Path, out: Path, recipe: Path, **more) -> argparse.Namespace:
    """What the command line would say."""
    out.mkdir(exist_ok=True)
    a = train.arguments().parse_args(
        ["--data", str(data), "--out", str(out), "--recipe", str(recipe)]
    )
    for name, value in more.items():
        setattr(a, name, value)
    return a


def short_recipe(folder: Path, **values) -> Path:
    path = folder / "recipe.json"
    path.write_text(json.dumps(json.loads(train.RECIPE.read_text()) | values))
    return path


class Train(unittest.TestCase):
    def run_to(self, root: Path, out: Path, recipe: Path, until: int) -> dict:
        train.Trainer(settings(root, out, recipe, until=until)).run()
        return torch.load(out / "checkpoint.pt", weights_only=False)

    def test_a_run_that_was_cut_off_goes_on(self):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            write_shard(root / "demos" / "shard-00000.safetensors", 12, 1)
            recipe = short_recipe(root, steps=4, batch=2, every=2, warmup=2)
            whole = self.run_to(root, root / "whole", recipe, 0)
            self.run_to(root, root / "cut", recipe, 2)
            cut = self.run_to(root, root / "cut", recipe, 0)
            self.assertEqual(cut["step"], 4)
            for name, value in whole["average"].items():
                self.assertTrue(torch.equal(value, cut["average"][name]), name)
            self.assertTrue((root / "cut" / "policy" / "config.json").exists())


def tiny_policy(folder: Path) -> None:
    torch.manual_seed(3)
    policy = model.Policy(model.Config(**TINY))
    model.export(policy.state_dict(), policy.config, folder, {})


class Student(unittest.TestCase):
    def test_small_enough(self):
        count = [
            sum(p.numel() for p in model.Policy(c).parameters())
            for c in (model.Config(), student.SMALL)
        ]
        self.assertLess(count[1], 0.6 * count[0])

    def test_says_what_the_policy_says(self):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            write_shard(root / "demos" / "shard-00000.safetensors", 12, 1)
            tiny_policy(root / "teacher")
            recipe = short_recipe(root, steps=40, batch=8, every=40, warmup=2)
            a = settings(root, root / "out", recipe, teacher=root / "teacher")
            with mock.patch.object(student, "SMALL", model.Config(**TINY)):
                trainer = student.Student(a)
                b = trainer.tensors(trainer.data.batch(8))
                teacher = trainer.teacher(b)[0].detach()

                def apart() -> float:
                    return float((trainer.policy(b)[0] - teacher).abs().mean().detach())

                before = apart()
                trainer.run()
                self.assertLess(apart(), 0.7 * before)
            described = model.load(root / "out" / "policy")[1]
            self.assertEqual(described["width"], TINY["width"])

    def test_no_flow(self):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            write_shard(root / "demos" / "shard-00000.safetensors", 12, 1)
            fixture.write(root / "teacher", True)
            a = settings(root, root / "out", short_recipe(root), teacher=root / "teacher")
            with self.assertRaisesRegex(SystemExit, "flow"):
                student.Student(a)


class Judge(unittest.TestCase):
    def test_tells_what_works(self):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            tiny_policy(root / "policy")
            for i, name in enumerate(("rolled", "alone")):
                write_shard(root / name / "shard-00000.safetensors", 400, i, each=5)
            parts = {"data": [root / "rolled"], "alone": [root / "alone"], "demos": []}
            a = argparse.Namespace(**parts, every=1, seed=1)
            policy, _ = model.load(root / "policy")
            frames = judge.read(policy.eval(), a)
            made = judge.fit(policy.config, frames, 1)
            report = judge.measure(made, frames)
            self.assertGreater(report["failure"]["f1"], 0.75)
            self.assertLess(report["can_there"]["brier"], 0.1)
            # What is not there cannot be taken.
            absent = frames["known"][:, 0] * ~frames["real"] > 0
            self.assertTrue(absent.any())
            model.judged(made, root / "policy", root / "judged", 0.35)
            self.assertEqual(model.load(root / "judged")[1]["doubt"], 0.35)
            tensors = load_file(root / "judged" / "model.safetensors")
            self.assertEqual(tensors["judge.out.weight"].shape, (2, judge.HIDDEN))

    def test_asks_for_something_else(self):
        rng = np.random.default_rng(1)
        there = ["red block", "blue block", "green bowl"]
        for _ in range(50):
            phrase, known = judge.other("place the red block in the green bowl", there, rng)
            self.assertNotEqual(phrase, "place the red block in the green bowl")
            self.assertEqual(known, all(m[0] in there for m in judge.NAMED.finditer(phrase)))
            phrase, known = judge.other("push the red block to the left", there, rng)
            self.assertFalse(known)
        self.assertIsNone(judge.other("press the button", there, rng))

    def test_the_end_of_a_skill(self):
        last = np.array([0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 1], bool)
        step = np.array([0, 1, 2, 3, 0, 1, 0, 1, 2, 3, 4])
        want = [False, True, True, True, True, True, False, False, True, True, True]
        self.assertEqual(judge.before(last, step).tolist(), want)
        ends = {
            "sure": np.array([0.2, 0.6, 0.3, 0.95]),
            "broken": np.array([False, False, True, True]),
            "worked": np.array([False, True, False, True]),
        }
        # What was broken off has failed, unless the judge is sure that it worked.
        self.assertEqual(judge.noticed(ends, 0.4)["f1"], 1)
        self.assertEqual(judge.noticed(ends, 0.1)["missed"], 1)
        self.assertTrue(0.2 < judge.doubt_of(ends) <= 0.6)

    def test_platt(self):
        rng = np.random.default_rng(1)
        z = rng.normal(0, 2, 4000).astype(np.float32)
        y = rng.random(4000) < 1 / (1 + np.exp(-(0.5 * z - 1)))
        scale, shift = judge.platt(torch.from_numpy(z), torch.from_numpy(y.astype(np.float32)))
        self.assertAlmostEqual(scale, 0.5, delta=0.06)
        self.assertAlmostEqual(shift, -1, delta=0.12)

    def test_reliability(self):
        p = np.float32([0.1] * 10 + [0.8] * 10)
        y = np.float32([1] + [0] * 9 + [1] * 6 + [0] * 4)
        report = judge.reliability(p, y)
        self.assertAlmostEqual(report["ece"], 0.1, 4)
        self.assertEqual(
            judge.f1(p > 0.5, y > 0.5), {"f1": 0.7059, "hit": 6, "wrong": 4, "missed": 1}
        )


class Learn(unittest.TestCase):
    def arguments(self, root: Path, method: str) -> argparse.Namespace:
        return argparse.Namespace(
            new=root / "new",
            replay=root / "old",
            method=method,
            rank=2,
            ewc=10.0,
            share=0.5,
            steps=25,
            seed=1,
        )

    def test_each_method_learns(self):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            tiny_policy(root / "policy")
            phrase = "wave at the red block"
            write_shard(root / "new" / "shard-00000.safetensors", 100, 1, each=5, phrase=phrase)
            write_shard(root / "old" / "shard-00000.safetensors", 100, 2, each=5)
            for method in learn.METHODS:
                a = self.arguments(root, method)
                torch.manual_seed(1)
                policy, described = model.load(root / "policy")
                began = {k: v.clone() for k, v in policy.state_dict().items()}
                vocabulary = learn.widen(policy, words.split(phrase), described["vocabulary"])
                self.assertEqual(vocabulary[len(words.VOCABULARY) :], ["wave", "at"])
                new, old = (learn.Rows(f, vocabulary) for f in (a.new, a.replay))
                self.assertEqual((len(new.learn), len(new.aside)), (90, 10))
                before = learn.error(policy, new, new.learn)
                learn.train(policy, new, old, a, len(words.VOCABULARY))
                learn.merge(policy)
                self.assertLess(learn.error(policy, new, new.learn), before, method)
                state = policy.state_dict()
                self.assertEqual(set(state), set(began), method)
                same = torch.equal(state["front.convs.1.weight"], began["front.convs.1.weight"])
                self.assertEqual(same, method != "full")
                kept = state["word.weight"][: len(words.VOCABULARY)]
                self.assertEqual(torch.equal(kept, began["word.weight"]), method != "full")


if __name__ == "__main__":
    unittest.main()
