"""From nothing to the weights that kuai comes with.

    python -m train.vla.run --kuai bin/kuai --data FOLDER --out FOLDER

Demonstrations by the teacher, training, and in between rounds of DAgger: the
policy as it is then moves the hand, and the teacher says what it should have done.
Simulation is kuai's, in a process of its own. Everything goes on from where it
was cut off. In the end the policy acts alone, and what judges it is trained. OUT gets
the policy, the curves of losses and of success, judged/ with the judge, and
result.json.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from . import curves

RECIPE = Path(__file__).with_name("recipe.json")
PART = 100  # episodes of demonstrations between two notes of how far they are


def arguments() -> argparse.Namespace:
    p = argparse.ArgumentParser(description="train the policy that sees, from nothing")
    p.add_argument("--kuai", type=Path, default=Path("bin/kuai"))
    p.add_argument("--data", type=Path, required=True, help="where demonstrations are kept")
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--recipe", type=Path, default=RECIPE)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--init", type=Path, help="a checkpoint whose weights to begin with")
    return p.parse_args()


class Notes:
    """How far the run is, in a file."""

    def __init__(self, path: Path):
        self.path = path
        self.values = json.loads(path.read_text()) if path.exists() else {}

    def set(self, key: str, value) -> None:
        self.values[key] = value
        part = self.path.with_suffix(".part")
        part.write_text(json.dumps(self.values, indent=1) + "\n")
        part.rename(self.path)

    def get(self, key: str, default):
        return self.values.get(key, default)


def demos(a: argparse.Namespace, *more: str) -> dict:
    """Run kuai demos and give its report."""
    command = [str(a.kuai), "demos", "--json", *more]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def demonstrate(a: argparse.Namespace, recipe: dict, notes: Notes, source: str) -> None:
    """The teacher's demonstrations, or what it was asked besides, a part at a time."""
    want = recipe[source]
    before = children_seconds()
    while (done := notes.get(source, 0)) < want["episodes"]:
        count = min(PART, want["episodes"] - done)
        folder = a.data / source / f"part-{done:06d}"
        report = demos(
            a,
            *("--episodes", str(count), "--seed", str(want["seed"] + done)),
            *("--mix", want["mix"], "--ask", str(want.get("others", 0)), "--cache", str(folder)),
        )
        notes.set(source, done + count)
        print(f"{source} {done + count}: {report['frames']} frames", flush=True)
    add_cpu(notes, children_seconds() - before)


def children_seconds() -> float:
    """The processor time of programs that were run and have ended."""
    times = os.times()
    return times.children_user + times.children_system


def add_cpu(notes: Notes, seconds: float) -> None:
    notes.set("simulation_cpu_seconds", notes.get("simulation_cpu_seconds", 0.0) + seconds)


def train(a: argparse.Namespace, until: int) -> None:
    command = [sys.executable, "-m", "train.vla.train", "--data", str(a.data), "--out", str(a.out)]
    command += ["--recipe", str(a.recipe), "--seed", str(a.seed), "--threads", str(a.threads)]
    command += ["--until", str(until)] + (["--init", str(a.init)] if a.init else [])
    subprocess.run(command, check=True)


def practise(a: argparse.Namespace, recipe: dict, notes: Notes, number: int, at: int) -> None:
    """A round of DAgger, and how often the policy succeeded in it."""
    key = f"round-{number}"
    if notes.get(key, None):
        return
    want = recipe["rounds"]
    folder = a.data / "dagger" / key
    for old in folder.glob("shard-*"):  # of a round that was cut off
        old.unlink()
    before = children_seconds()
    report = demos(
        a,
        *("--policy", str(a.out / "policy"), "--episodes", str(want["episodes"])),
        *("--seed", str(want["seed"] + 100_000 * number)),
        *("--mix", want["mix"], "--cache", str(folder)),
    )
    add_cpu(notes, children_seconds() - before)
    notes.set(key, {"step": at, **report})
    print(f"round {number} at step {at}: {report['families']}", flush=True)
    rounds = [notes.get(k, None) for k in notes.values if k.startswith("round-")]
    curves.success(sorted(rounds, key=lambda r: r["step"]), a.out / "success.png")


def judge(a: argparse.Namespace, recipe: dict, notes: Notes) -> None:
    """What the policy does alone, and its judge."""
    want, folder = recipe["judge"], a.data / "alone" / f"seed-{a.seed}"
    if not notes.get("alone", None):
        for old in folder.glob("shard-*"):
            old.unlink()
        before = children_seconds()
        report = demos(
            a,
            *("--policy", str(a.out / "policy"), "--alone", "--episodes", str(want["episodes"])),
            *("--seed", str(want["seed"]), "--mix", want["mix"], "--cache", str(folder)),
        )
        add_cpu(notes, children_seconds() - before)
        notes.set("alone", report)
        print(f"alone: {report['families']}", flush=True)
    command = [sys.executable, "-m", "train.vla.judge", "--policy", str(a.out / "policy")]
    command += ["--data", str(a.data / "dagger"), "--alone", str(folder)]
    command += ["--out", str(a.out / "judged"), "--threads", str(a.threads)]
    subprocess.run(command, check=True)


def main() -> None:
    a = arguments()
    recipe = json.loads(a.recipe.read_text())
    a.out.mkdir(parents=True, exist_ok=True)
    a.data.mkdir(parents=True, exist_ok=True)
    kept = Notes(a.data / "notes.json")
    notes = Notes(a.out / "notes.json")
    for source in ("demos", "asked"):
        demonstrate(a, recipe, kept, source)
    for number, at in enumerate(recipe["rounds"]["at"]):
        train(a, at)
        practise(a, recipe, notes, number, at)
    train(a, recipe["steps"])
    judge(a, recipe, notes)
    hours = kept.get("simulation_cpu_seconds", 0.0) + notes.get("simulation_cpu_seconds", 0.0)
    config = json.loads((a.out / "policy" / "config.json").read_text())
    result = {
        "simulation_cpu_hours": round(hours / 3600, 2),
        "training": config["training"],
        "alone": notes.get("alone", None),
        "judge": json.loads((a.out / "judged" / "judge.json").read_text()),
    }
    (a.out / "result.json").write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
