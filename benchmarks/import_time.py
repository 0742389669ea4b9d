"""Seconds that ``import acgym`` takes in a fresh process, and that it loads neither torch nor transformers.

    python benchmarks/import_time.py

The floor is ``import gymnasium`` alone.
"""

from __future__ import annotations

import subprocess
import sys

RUNS = 7
PROGRAM = """
import sys, time
start = time.perf_counter()
import {module}
print(time.perf_counter() - start, 'torch' in sys.modules or 'transformers' in sys.modules)
"""


def measure(module: str) -> tuple[float, bool]:
    """Return the median of the import times in seconds, and whether torch or transformers were loaded."""
    rows = []
    for _ in range(RUNS):
        done = subprocess.run([sys.executable, "-c", PROGRAM.format(module=module)], capture_output=True, check=True)
        seconds, heavy = done.stdout.split()
        rows.append((float(seconds), heavy == b"True"))
    return sorted(rows)[RUNS // 2]


def main() -> None:
    floor, _ = measure("gymnasium")
    seconds, heavy = measure("acgym")
    print(f"import gymnasium  {floor:.3f} s")
    print(f"import acgym      {seconds:.3f} s, torch or transformers loaded: {heavy}  (median of {RUNS})")


if __name__ == "__main__":
    main()
