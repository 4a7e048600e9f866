"""Tests of logging and tracking versions: python -m unittest train.lineage.test_lineage

What needs MLflow or DVC is skipped where it is not installed."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from . import track

RECORD = {
    "version": 3,
    "made": "2026-01-02T03:04:05Z",
    "kuai": "v1-test",
    "from": "auto",
    "from_sha256": "aa",
    "data": "/data/mine",
    "data_sha256": "bb",
    "settings": {"method": "lora", "steps": 400, "ewc": 0},
    "metrics": {"episodes": 50, "before": {"new": 0.5}, "after": {"new": 0.2}, "words": ["x"]},
}


def has(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


class Tracking(unittest.TestCase):
    def setUp(self):
        self.root = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.version = self.root / "policies" / "v3"
        self.version.mkdir(parents=True)
        (self.version / "lineage.json").write_text(json.dumps(RECORD))
        (self.version / "model.safetensors").write_bytes(b"weights")

    def run_track(self, *more: str) -> subprocess.CompletedProcess:
        command = [sys.executable, "-m", "train.lineage.track", "--version", str(self.version)]
        return subprocess.run([*command, *more], capture_output=True, text=True)

    def test_numbers(self):
        want = {"episodes": 50.0, "before.new": 0.5, "after.new": 0.2}
        self.assertEqual(track.numbers(RECORD["metrics"]), want)
        self.assertEqual(track.numbers({"worked": True, "none": None}), {})

    def test_parameters(self):
        got = track.parameters(RECORD)
        self.assertEqual(got["data_sha256"], "bb")
        self.assertEqual(got["method"], "lora")

    @unittest.skipUnless(has("mlflow"), "mlflow is not installed")
    def test_mlflow(self):
        runs = self.root / "runs"
        done = self.run_track("--mlflow", str(runs))
        self.assertEqual(done.returncode, 0, done.stderr)
        told = json.loads(done.stdout.splitlines()[-1])["mlflow"]
        os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
        import mlflow

        client = mlflow.MlflowClient(told["uri"])
        run = client.get_run(told["run"])
        self.assertEqual(run.data.params["data_sha256"], "bb")
        self.assertEqual(run.data.params["method"], "lora")
        self.assertEqual(run.data.metrics["after.new"], 0.2)
        self.assertEqual(run.data.tags["code_revision"], "v1-test")
        self.assertEqual(run.info.run_name, "v3")
        files = {f.path for f in client.list_artifacts(told["run"])}
        self.assertEqual(files, {"lineage.json", "model.safetensors"})

    @unittest.skipUnless(has("dvc"), "dvc is not installed")
    def test_dvc(self):
        done = self.run_track("--dvc")
        self.assertEqual(done.returncode, 0, done.stderr)
        told = json.loads(done.stdout.splitlines()[-1])["dvc"]
        import yaml

        tracked = yaml.safe_load(Path(told["file"]).read_text())
        self.assertEqual(tracked["meta"]["data_sha256"], "bb")
        self.assertEqual(tracked["meta"]["metrics"]["after"]["new"], 0.2)
        self.assertEqual(tracked["outs"][0]["path"], "v3")
        # What is lost comes back by DVC, so it is DVC's file.
        shutil.rmtree(self.version)
        track.dvc(self.version.parent, "checkout", "-q", "v3.dvc")
        self.assertEqual((self.version / "model.safetensors").read_bytes(), b"weights")
        # What is changed is noticed.
        self.assertIn("up to date", track.dvc(self.version.parent, "status"))
        (self.version / "model.safetensors").write_bytes(b"others")
        self.assertIn("modified", track.dvc(self.version.parent, "status"))

    @unittest.skipUnless(has("dvc"), "dvc is not installed")
    def test_error_is_said(self):
        with self.assertRaisesRegex(SystemExit, "dvc add"):
            track.dvc(self.version.parent, "add", "nothing")


if __name__ == "__main__":
    unittest.main()
