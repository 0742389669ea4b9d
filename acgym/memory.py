"""Gives memory that is no longer used back to the system."""

from __future__ import annotations

import ctypes
import gc
import sys


def give_back() -> None:
    """Collect what stands in cycles and, where the C library can, return free memory to the system.

    glibc keeps what lies between blocks in use: after thousands of buffers of changing sizes that is more than half of
    the process. Elsewhere only the cycles are collected.
    """
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # other C libraries have none
        if trim is not None:
            trim(0)
