"""Holds the first interrupt (Ctrl-C) back until a safe moment; the second one comes through at once."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any


class Held:
    """A context in which the first SIGINT only raises at :meth:`check`. Outside the main thread it changes nothing."""

    def __init__(self) -> None:
        self._came = False
        self._before: Any = None

    def __enter__(self) -> Held:
        """Begin to hold."""
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *error: object) -> None:
        """Let interrupts through as before."""
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
            self._before = None

    def check(self) -> None:
        """Raise KeyboardInterrupt if an interrupt has come."""
        if self._came:
            raise KeyboardInterrupt

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self._came:
            raise KeyboardInterrupt
        self._came = True
