"""Writes docs/figures.md from the JSON lines of `kuai bench` and `kuai eval`.

(bin/kuai bench --json; bin/kuai eval --json) | python3 scripts/figures.py > docs/figures.md
"""

import datetime
import json
import operator
import os
import pathlib
import platform
import sys

COMPARE = {"<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt}


def number(value: float) -> str:
    """Three significant digits; whole numbers in full."""
    if value == int(value) and abs(value) < 1e9:
        return str(int(value))
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def verdict(row: dict) -> str:
    """The bar and whether the value is within it."""
    for sign, holds in COMPARE.items():
        if row["bar"].startswith(sign):
            met = holds(row["value"], float(row["bar"].removeprefix(sign)))
            return f"{sign} {row['bar'].removeprefix(sign)}: {'met' if met else '**missed**'}"
    return ""


def value(row: dict) -> str:
    """The value with its unit, and the Wilson interval of a rate."""
    text = f"{number(row['value'])} {row['unit'] if row['unit'] != 'fraction' else ''}".strip()
    if "low" in row:
        text += f" ({number(row['low'])}–{number(row['high'])}, n = {row['n']})"
    return text


def processor() -> str:
    """The processor's name, where the system tells."""
    cpuinfo = pathlib.Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor()


def merged(rows: list[dict]) -> list[dict]:
    """Leaves out what was measured alone where it was measured beside a peer too."""
    beside = {row["name"] for row in rows if row["peer"]}
    return [row for row in rows if row["peer"] or row["name"] not in beside]


def main() -> None:
    rows = merged([json.loads(line) for line in sys.stdin if line.strip()])
    if not rows:
        sys.exit("figures: no JSON lines on standard input")
    system = f"{platform.system()} {platform.machine()}"
    print("# Figures\n")
    print("`make figures` measures them and writes this page. Times move with the machine and with")
    print("what else it does; no test depends on them.\n")
    print(
        f"Measured on {datetime.date.today()}: {processor()}, {os.cpu_count()} cores, {system}.\n"
    )
    print("| figure | value | bar | beside |")
    print("| --- | --- | --- | --- |")
    for row in rows:
        peer = f"{number(row['ratio'])} × {row['peer']}" if row["peer"] else ""
        print(f"| `{row['name']}` | {value(row)} | {verdict(row)} | {peer} |")


if __name__ == "__main__":
    main()
