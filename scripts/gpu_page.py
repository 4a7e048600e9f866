"""Writes docs/gpu/<name>.md from the JSON lines of `kuai bench cuda`.

gpu_page.py CARD CASES SANITIZER < figures
"""

import datetime
import json
import sys


def main():
    card, cases, sanitizer = sys.argv[1:]
    rows = [json.loads(line) for line in sys.stdin if line.strip()]
    values = {row["name"]: row["value"] for row in rows}
    print(f"# {card}\n\nMeasured with `make gpu-check` on {datetime.date.today()}.\n")
    print(f"- Cases and whole models on the card: {cases}.")
    print(f"- compute-sanitizer: {sanitizer or 'not run'}.\n")
    print(
        "## Models\n\n| model | ms | roofline ms | times roofline | launches |"
        "\n| --- | --- | --- | --- | --- |"
    )
    for name, value in values.items():
        if not name.startswith("cuda.forward.") or name.endswith((".roofline", ".launches")):
            continue
        least = values.get(name + ".roofline", 0)
        times = f"{value / least:.2f}" if least else ""
        model = name.removeprefix("cuda.forward.")
        launches = values.get(name + ".launches", 0)
        print(f"| {model} | {value:.3f} | {least:.3f} | {times} | {launches:.0f} |")
    torch = values.get("cuda.torch.clip-vit-b32.bf16")
    ours = values.get("cuda.forward.clip-vit-b32.bf16")
    if torch and ours:
        print(
            f"\ntorch, the same tower in a CUDA graph: {torch:.3f} ms; "
            f"kuai is {torch / ours:.2f} times as fast."
        )
    print("\n## Kernels\n\nOver one run of each model.\n")
    print("| kernel | ms | roofline ms | times roofline |\n| --- | --- | --- | --- |")
    for name, value in sorted(values.items()):
        if name.startswith("cuda.kernel.") and not name.endswith(".roofline"):
            least = values.get(name + ".roofline", 0)
            times = f"{value / least:.2f}" if least else ""
            print(f"| {name.removeprefix('cuda.kernel.')} | {value:.4f} | {least:.4f} | {times} |")


if __name__ == "__main__":
    main()
