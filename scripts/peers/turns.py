"""Runs programs in turns, so that what else the machine does meets all of them alike.

A program prints "ready" once it has loaded, and then, for each line of its standard input,
computes once and prints one line of JSON with "ms" and what came out.
"""

import json
import pathlib
import subprocess
import sys
import time
from dataclasses import dataclass, field

# Threads of a program that has just computed may wait busily for more work; they park within
# this time, s.
PARK = 0.03


@dataclass
class Entrant:
    """One program with one item of work."""

    item: str
    program: str
    command: list[str]
    # Turns in a row, of which the first is not counted: it warms the caches that the program
    # before has taken.
    burst: int = 3
    # Pieces of work in a turn: tokens.
    work: int = 1
    ms: list[float] = field(default_factory=list)
    last: dict = field(default_factory=dict)
    peak_mb: float = 0

    def start(self) -> None:
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.expect("ready")

    def expect(self, start: str) -> str:
        """The next line that starts so; libraries print their own lines between."""
        for line in self.process.stdout:
            if line.startswith(start):
                return line
        self.process.wait()
        command = " ".join(self.command)
        raise RuntimeError(
            f"{self.program}, {self.item}: ended with status {self.process.returncode} ({command})"
        )

    def turn(self) -> None:
        for i in range(self.burst + 1):
            self.process.stdin.write("\n")
            self.process.stdin.flush()
            self.last = json.loads(self.expect("{"))
            if i > 0:
                self.ms.append(self.last["ms"])
        time.sleep(PARK)

    def stop(self) -> None:
        """Ends the program; its peak memory is read before."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status")
        if self.process.poll() is None and status.exists():
            for line in status.read_text().splitlines():
                if line.startswith("VmHWM:"):
                    self.peak_mb = int(line.split()[1]) * 1024 / 1e6
        self.process.stdin.close()
        self.process.wait()

    def sample(self) -> dict:
        kept = {k: v for k, v in self.last.items() if k != "ms"}
        return kept | {
            "item": self.item,
            "program": self.program,
            "ms": self.ms,
            "work": self.work,
            "peak_mb": self.peak_mb,
        }


def alternate(entrants: list[Entrant], rounds: int) -> list[dict]:
    """Each program in turn, `rounds` times; the first round only warms up."""
    started = []
    try:
        for entrant in entrants:
            print(f"loading {entrant.program}: {entrant.item}", file=sys.stderr)
            started.append(entrant)
            entrant.start()
        for i in range(rounds + 1):
            for entrant in entrants:
                entrant.turn()
                if i == 0:
                    entrant.ms.clear()
    finally:
        for entrant in started:
            entrant.stop()
    return [entrant.sample() for entrant in entrants]
