"""Time until `classify --help` has printed, beside a bare interpreter and trafilatura's own --help.

python benchmarks/startup.py [--runs 9]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

BIN = Path(sys.executable).parent
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "classify --help": [str(BIN / "classify"), "--help"],
    "classify queue --help": [str(BIN / "classify"), "queue", "--help"],
    "trafilatura --help": [str(BIN / "trafilatura"), "--help"],
}


def seconds(command: list[str]) -> float:
    begun = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=9)
    wanted = parser.parse_args()
    print("| command | median s | min s |\n|---|---|---|")
    for name, command in COMMANDS.items():
        seconds(command)
        times = [seconds(command) for _ in range(wanted.runs)]
        print(f"| `{name}` | {statistics.median(times):.2f} | {min(times):.2f} |")


if __name__ == "__main__":
    main()
