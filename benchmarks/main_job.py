"""Wall time and peak memory of ``acgym compare`` with its defaults, as a whole process.

python benchmarks/main_job.py [RUNS]
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "acgym.cli", "compare", "--out", str(Path(folder) / "run")]
            start = time.perf_counter()
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            _, status, usage = os.wait4(process.pid, 0)
            wall = time.perf_counter() - start
        cpu = usage.ru_utime + usage.ru_stime
        print(
            f"acgym compare: {wall:.1f} s wall, {cpu:.1f} s of processor time on {os.cpu_count()} cores, "
            f"peak memory {usage.ru_maxrss / 1024:.0f} MiB, exit status {os.waitstatus_to_exitcode(status)}"
        )


if __name__ == "__main__":
    main()
