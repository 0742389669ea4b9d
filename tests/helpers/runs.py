"""What two runs must have in common, whoever played them and however often they were stopped."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def lines(folder, agent):
    """Whole lines of an agent's episodes, as they are on the disk."""
    file = folder / agent / "episodes.jsonl"
    return file.read_bytes().splitlines(keepends=True) if file.exists() else []


def bare(row):
    """JSON without what differs from play to play: seconds."""
    if isinstance(row, dict):
        return {
            name: bare(value) for name, value in row.items() if name not in ("seconds", "play", "created", "sessions")
        }
    return [bare(value) for value in row] if isinstance(row, list) else row


def episodes(folder, agent):
    """An agent's episodes as bytes without seconds, sorted."""
    return sorted(json.dumps(bare(json.loads(line))).encode() for line in lines(folder, agent))


def content(folder, agents):
    """Everything in a run's folder that must be the same; names of files that should not be there included."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    sheets = {
        name: bare(json.loads((folder / name).read_bytes()))
        for name in names
        if name.endswith(".json") and "tmp" not in name
    }
    return names, sheets, {agent: episodes(folder, agent) for agent in agents}


def start(*arguments, workers=1):
    """Start the command line in a process (and a group) of its own."""
    paths = str(ROOT)
    return subprocess.Popen(
        [sys.executable, "-m", "acgym.cli", *map(str, arguments), "--workers", str(workers)],
        env={**os.environ, "PYTHONPATH": paths, "OMP_WAIT_POLICY": "passive"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def children(pid):
    """Processes whose parent is ``pid``; on Linux."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def alive(pid):
    """Whether a process runs; a dead one that nobody has asked about does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_for(condition, seconds=180.0):
    """Wait until something holds; return whether it does."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return bool(condition())


def kill_group(process):
    """End a process and all its children, as a test's last deed."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()


class Dies:
    """Ends its process as soon as something is asked for."""

    def __call__(self, listener, opener):
        os._exit(3)


class Raises:
    """Meets an error as soon as something is asked for."""

    def __init__(self, error):
        self.error = error

    def __call__(self, listener, opener):
        raise self.error
