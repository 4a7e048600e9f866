"""python -m unittest train.planner.test_adapters; needs requirements.txt."""

import json
import tempfile
import unittest
from pathlib import Path

import torch
from peft import PeftModel
from safetensors import safe_open
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM

from . import adapters, data, measure

TINY = Path(__file__).parents[2] / "fusion" / "testdata" / "tiny" / "llama"
SHARED = [1, 2, 3, 4, 5]


def base() -> LlamaForCausalLM:
    torch.manual_seed(3)
    shape = LlamaConfig(
        vocab_size=40, hidden_size=32, intermediate_size=48, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=128,
    )  # fmt: skip
    return LlamaForCausalLM(shape).eval()


def some(kind: str) -> adapters.Adapter:
    """An adapter that changes what the model says."""
    adapter = adapters.make(kind, base(), 4, 8, "")
    torch.manual_seed(4)
    for p in adapter.model.parameters():
        if p.requires_grad:
            p.data = torch.randn_like(p) * 0.3
    return adapter


def example(*rest: int, labels: int = 2) -> data.Example:
    ids = [*SHARED, *rest]
    return data.Example("f", ids, [data.IGNORED] * (len(ids) - labels) + ids[-labels:], [], [], [])


def loss(adapter: adapters.Adapter, rows: list[data.Row]) -> torch.Tensor:
    batch = data.tensors(rows)
    want = batch.labels[:, 1:]
    logits = adapter.head(adapter.hidden(batch)[:, :-1][want != data.IGNORED])
    return torch.nn.functional.cross_entropy(logits, want[want != data.IGNORED], reduction="none")


class Rows(unittest.TestCase):
    def test_pairs_of_a_row_do_not_see_each_other(self):
        pairs = [example(6, 7, 8), example(9, 10, labels=1), example(11, 12, 13, 14)]
        row = data.row(pairs)
        self.assertEqual((row.shared, len(row)), (5, 14))
        self.assertEqual(data.row([example(6), example(6), example(7)]).shared, 3)
        for kind in adapters.KINDS:
            adapter = some(kind)
            with torch.no_grad():
                together = loss(adapter, [row, data.row(pairs[:1])])
                alone = torch.cat([loss(adapter, [data.row([p])]) for p in [*pairs, pairs[0]]])
            torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-4, msg=kind)


class Kinds(unittest.TestCase):
    def test_each_learns_and_the_base_stays(self):
        rows = [data.row([example(6, 7, 8), example(9, 10, 11)])]
        for kind in adapters.KINDS:
            adapter = adapters.make(kind, base(), 4, 8, "")
            weights = [p for p in adapter.model.parameters() if p.requires_grad]
            before = adapter.llama.model.embed_tokens.weight.clone()
            optimizer = torch.optim.AdamW(weights, lr=0.02)
            first = loss(adapter, rows).mean().item()
            for _ in range(30):
                optimizer.zero_grad()
                now = loss(adapter, rows).mean()
                now.backward()
                optimizer.step()
            self.assertLess(now.item(), first - 0.1, kind)
            self.assertTrue(torch.equal(before, adapter.llama.model.embed_tokens.weight), kind)

    def test_what_is_saved_is_what_is_loaded(self):
        rows = [data.row([example(6, 7, 8)])]
        for kind in adapters.KINDS:
            one, other = some(kind), adapters.make(kind, base(), 4, 8, "")
            other.load({k: v.clone() for k, v in one.state().items()})
            with torch.no_grad():
                self.assertTrue(torch.equal(loss(one, rows), loss(other, rows)), kind)

    def test_names_are_those_that_kuai_reads(self):
        folders = {"lora": "adapter", "prefix": "prefix", "bottleneck": "bottleneck"}
        for kind, folder in folders.items():
            with safe_open(TINY / folder / "adapter_model.safetensors", "pt") as file:
                known = {layer_free(k): len(file.get_slice(k).get_shape()) for k in file.keys()}  # noqa: SIM118
            ours = {layer_free(k): v.dim() for k, v in some(kind).state().items()}
            self.assertEqual(ours, known, kind)
            config = json.loads((TINY / folder / "adapter_config.json").read_text())
            self.assertEqual(some(kind).config()["peft_type"], config["peft_type"])

    def test_a_prefix_is_that_of_peft(self):
        adapter = some("prefix")
        ids = torch.tensor([[*SHARED, 6, 7, 8]])
        with tempfile.TemporaryDirectory() as folder, torch.no_grad():
            save_file(adapter.state(), f"{folder}/adapter_model.safetensors")
            Path(folder, "adapter_config.json").write_text(json.dumps(adapter.config()))
            theirs = PeftModel.from_pretrained(base(), folder)(ids).logits
            ours = adapter.head(adapter.hidden(data.tensors([data.row([example(6, 7, 8)])])))
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


def layer_free(name: str) -> str:
    return ".".join("N" if part.isdigit() else part for part in name.split("."))


class Measuring(unittest.TestCase):
    def test_only_what_phrases_continue_with_competes(self):
        self.assertEqual(
            measure.follows([5, 6, 9], [[5, 6, 9], [5, 7, 9], [4, 6, 9]]), [[4, 5], [6, 7], [9]]
        )

    def test_a_plan_is_right_with_fewer_options(self):
        steps = [[1, 2], [3]]
        e = data.Example("f", [], [], steps, ["a", "b", "c"], [["a"], ["b", "c"]])
        known = {"a": [1, 2], "b": [3], "c": [7]}
        logits = torch.zeros(3, 9)
        logits[0, 7], logits[1, 2], logits[2, 3] = 1, 1, 1  # the first step's first is wrong
        self.assertEqual(
            measure.right(e, logits, known.get), {"free": False, "options": False, "possible": True}
        )


if __name__ == "__main__":
    unittest.main()
