"""The frame of the programs that run a toolkit in its own environment: read a job, time the stages, write a report.

A job is a JSON file: ``model`` (folder), ``out`` (folder to be made), ``method`` and ``options`` (the toolkit's own),
``dtype`` ("auto" or a torch dtype), ``calibration`` and ``prompt`` (JSON files of token ids, rows of equal length).
The report is ``out``.json: seconds of each stage, peak memory in bytes before the quantisation, after it and in all,
and versions. Needs only the standard library and torch, and nothing of acgym.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any


def peak_memory() -> int:
    """Return the largest resident memory that this process has had, in bytes.

    Linux's ru_maxrss also remembers the process that started this one, so the kernel's own mark is read first.
    """
    try:
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


class Job:
    """A job and what is measured of it."""

    def __init__(self, path: str) -> None:
        started = time.perf_counter()
        self.settings: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
        self.model: str = self.settings.get("model", "")
        self.method: str = self.settings.get("method", "")
        self.options: dict[str, Any] = self.settings.get("options", {})
        self.dtype: str = self.settings.get("dtype", "auto")
        self.out = Path(self.settings["out"])
        self.seconds: dict[str, float] = {}
        self.processor_seconds: dict[str, float] = {}
        self.peaks: dict[str, int] = {}
        self._started = started

    def rows(self, name: str) -> list[list[int]]:
        """Read the token ids of ``calibration`` or ``prompt``."""
        rows: list[list[int]] = json.loads(Path(self.settings[name]).read_text(encoding="utf-8"))
        return rows

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage, and note the peak memory of the process up to its end."""
        started, worked = time.perf_counter(), time.process_time()
        yield
        self.seconds[name] = time.perf_counter() - started
        self.processor_seconds[name] = time.process_time() - worked
        self.peaks[name] = peak_memory()

    def torch_dtype(self) -> Any:
        """Return "auto" or the torch dtype of the job."""
        import torch

        return "auto" if self.dtype == "auto" else getattr(torch, self.dtype)

    def logits(self, model: Any) -> Any:
        """Return what ``model`` answers to the prompts, (prompts, tokens, vocabulary) float32."""
        import torch

        with torch.no_grad():
            rows = [model(input_ids=torch.tensor([row]), use_cache=False).logits for row in self.rows("prompt")]
        return torch.cat(rows).float().cpu().contiguous()

    def write_logits(self, model: Any) -> None:
        """Write the prompts as ``ids`` and what ``model`` answers as ``logits`` into out/logits.safetensors."""
        import torch
        from safetensors.torch import save_file

        save_file(
            {"ids": torch.tensor(self.rows("prompt")), "logits": self.logits(model)}, self.out / "logits.safetensors"
        )

    def write_report(self, *packages: str, **more: Any) -> None:
        """Write the report, with the versions of ``packages`` and whatever else is said."""
        report = {
            "seconds": self.seconds,
            "processor_seconds": self.processor_seconds,
            "total_seconds": time.perf_counter() - self._started,
            "peak_bytes": self.peaks,
            "versions": {name: version(name) for name in ("torch", "transformers", *packages)},
            **more,
        }
        self.out.with_name(self.out.name + ".json").write_text(json.dumps(report, indent=1), encoding="utf-8")
