"""The machine: what a result may hang on beside its settings, and memory that is given back to it."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import platform
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from acgym.types import Json

_CPU_INFO = Path("/proc/cpuinfo")


def machine() -> dict[str, Json]:
    """Return what the rounding of a floating-point sum can hang on.

    Returns:
        ``cpu`` (the model's name) and ``cores`` (those that this process may use); where torch is loaded by now (it is
        never loaded for this: environments and reports do without it) also ``torch``
        (its version), ``instruction_set`` (of torch's own kernels: ``DEFAULT``, ``AVX2``, ``AVX512``, ...), ``threads``
        (of one operation in this process) and ``blas`` (the library of its matrix products, with its version where
        torch says it).
    """
    found: dict[str, Json] = {"cpu": _cpu(), "cores": _cores()}
    torch: Any = sys.modules.get("torch")
    if torch is None:
        return found
    return found | {
        "torch": str(torch.__version__),
        "instruction_set": str(torch.backends.cpu.get_cpu_capability()),
        "threads": int(torch.get_num_threads()),
        "blas": _blas(torch.__config__.show()),
    }


def _cpu() -> str:
    """Return the processor's name; its architecture where the system does not tell more."""
    try:
        named = re.search(r"^model name\s*:\s*(\S.*)$", _CPU_INFO.read_text("utf-8", "replace"), re.MULTILINE)
    except OSError:  # no Linux
        named = None
    return named[1].strip() if named else platform.processor() or platform.machine()


def _cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _blas(built: str) -> str:
    """Return the BLAS that torch was built with, as its build report names it."""
    library = re.search(r"BLAS_INFO=(\w+)", built)
    version = re.search(r"Math Kernel Library Version (\S+)", built)
    name = library[1] if library else "unknown"
    return f"{name} {version[1]}" if version and name == "mkl" else name


def give_back() -> None:
    """Collect what stands in cycles, and :func:`trim`."""
    gc.collect()
    trim()


def trim() -> None:
    """Return free memory to the system where the C library can.

    glibc keeps what lies between blocks in use: after thousands of buffers of changing sizes that is more than half of
    the process.
    """
    if sys.platform == "linux":
        release = getattr(ctypes.CDLL(None), "malloc_trim", None)  # other C libraries have none
        if release is not None:
            release(0)


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Keep the garbage collector from looking through all that was made, again and again, while more is made.

    For what makes many objects that stay: reading a file of episodes, importing large libraries.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
