"""Wall time and peak memory of ``acgym compare`` with its defaults, all of its processes together.

python benchmarks/main_job.py [RUNS]

Memory is the largest sum over the command and its descendants, sampled five times a second: of their resident sets, in
which what they share counts again for each, and of their proportional shares, in which it counts once. Linux only.
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
            resident, proportional = watch(process.pid)
            _, status, usage = os.wait4(process.pid, 0)
            wall = time.perf_counter() - start
        cpu = usage.ru_utime + usage.ru_stime
        print(
            f"acgym compare: {wall:.1f} s wall, {cpu:.1f} s of processor time on {os.cpu_count()} cores, peak memory "
            f"{proportional:.0f} MiB (resident sets: {resident:.0f} MiB), "
            f"exit status {os.waitstatus_to_exitcode(status)}"
        )


def watch(root: int) -> tuple[float, float]:
    """Wait until a process has ended; return the peaks of the resident and the proportional memory of its tree, MiB."""
    peaks = (0.0, 0.0)
    while os.waitid(os.P_PID, root, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        sizes = [memory(pid) for pid in tree(root)]
        peaks = (max(peaks[0], sum(size[0] for size in sizes)), max(peaks[1], sum(size[1] for size in sizes)))
        time.sleep(0.2)
    return peaks


def tree(root: int) -> list[int]:
    """Return a process and all its descendants."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue  # it has just ended
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


def memory(pid: int) -> tuple[float, float]:
    """Return the resident and the proportional memory of a process in MiB; nothing if it has just ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0, 0.0
    sizes = {line.split(":")[0]: int(line.split()[1]) / 1024 for line in lines if line.endswith("kB")}
    return sizes.get("Rss", 0.0), sizes.get("Pss", 0.0)


if __name__ == "__main__":
    main()
