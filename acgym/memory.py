"""Gives memory that is no longer used back to the system."""

from __future__ import annotations

import ctypes
import gc
import sys


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
