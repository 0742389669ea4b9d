"""When memory that is no longer used is looked for, and when it goes back to the system."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import sys
from collections.abc import Iterator


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
