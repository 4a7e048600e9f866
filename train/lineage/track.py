"""Logs a version of a policy to MLflow and tracks it with DVC.

    python -m train.lineage.track --version policies/v3 [--mlflow URI] [--dvc]

The version's lineage.json says what it was made of. MLflow gets a run named after the
version: settings and hashes as parameters, what was measured as metrics, the code's
revision and where the data lies as tags, the files as artifacts. DVC gets the folder:
v3.dvc beside it holds its hash, and in its "meta" the lineage; where no repository of
DVC's is around the folder of the versions becomes one. Prints what it did, as JSON.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

EXPERIMENT = "kuai-learn"


def arguments() -> argparse.Namespace:
    p = argparse.ArgumentParser(description="log and track a version")
    p.add_argument("--version", type=Path, required=True, help="the folder of the version")
    p.add_argument("--mlflow", help="where MLflow keeps its runs")
    p.add_argument("--dvc", action="store_true")
    return p.parse_args()


def numbers(value, name: str = "") -> dict[str, float]:
    """Every number in what was measured, by its path: after.new."""
    if isinstance(value, dict):
        return {k: v for key, x in value.items() for k, v in numbers(x, f"{name}.{key}").items()}
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return {name.strip("."): float(value)} if is_number else {}


def parameters(record: dict) -> dict[str, str]:
    """What the version was made of and how."""
    found = {k: record[k] for k in ("from", "from_sha256", "data", "data_sha256")}
    return {k: str(v) for k, v in (found | record.get("settings", {})).items()}


def log(version: Path, record: dict, uri: str) -> dict:
    """A run of MLflow's."""
    if "://" not in uri and not uri.startswith(("file:", "databricks")):
        uri = Path(uri).resolve().as_uri()
    if uri.startswith("file:"):  # MLflow 3 wants to be told that plain files are meant
        os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
    import mlflow

    mlflow.set_tracking_uri(uri)
    mlflow.set_experiment(EXPERIMENT)
    with mlflow.start_run(run_name=version.name) as run:
        mlflow.log_params(parameters(record))
        mlflow.log_metrics(numbers(record.get("metrics") or {}))
        mlflow.set_tags({"code_revision": record["kuai"], "made": record["made"]})
        mlflow.log_artifacts(str(version))
    return {"uri": uri, "run": run.info.run_id}


def dvc(folder: Path, *words: str) -> str:
    """Run DVC in a folder; what it says of an error becomes the error."""
    command = [sys.executable, "-m", "dvc", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise SystemExit(f"dvc {' '.join(words)}: {lines[-1] if lines else done.returncode}")
    return done.stdout.strip()


def inside(folder: Path, mark: str) -> bool:
    return any((f / mark).exists() for f in (folder, *folder.parents))


def track(version: Path, record: dict) -> dict:
    """vN.dvc beside the version."""
    import yaml

    store = version.parent
    if not inside(store, ".dvc"):
        # Below a git repository DVC's own would have to be at its root, so it is alone.
        dvc(store, "init", "-q", "--no-scm")
    dvc(store, "add", "-q", version.name)
    path = store / f"{version.name}.dvc"
    told = yaml.safe_load(path.read_text())
    told["meta"] = {k: v for k, v in record.items() if k != "version"}
    part = path.with_suffix(".part")
    part.write_text(yaml.safe_dump(told, sort_keys=False))
    part.rename(path)
    return {"file": str(path), "md5": told["outs"][0]["md5"]}


def main() -> None:
    a = arguments()
    version = a.version.resolve()
    record = json.loads((version / "lineage.json").read_text())
    done = {}
    if a.mlflow:
        done["mlflow"] = log(version, record, a.mlflow)
    if a.dvc:
        done["dvc"] = track(version, record)
    print(json.dumps(done))


if __name__ == "__main__":
    main()
