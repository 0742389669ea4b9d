"""Waits for a coroutine, also where an event loop is running already, as in a notebook."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")


def wait_for(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end and return what it returns.

    Where an event loop runs in this thread, the coroutine runs in a thread of its own; an interrupt (Ctrl-C, a
    notebook's stop button) then cancels it, and is raised when it has ended.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    under_way = _UnderWay()
    with ThreadPoolExecutor(1, thread_name_prefix="acgym") as thread:
        done = thread.submit(asyncio.run, under_way.run(coroutine))
        try:
            return done.result()
        except BaseException:
            under_way.cancel()
            raise


@dataclass
class _UnderWay:
    """The coroutine's task, once it has begun."""

    task: asyncio.Task[Any] | None = None

    async def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        self.task = asyncio.current_task()
        return await coroutine

    def cancel(self) -> None:
        """Cancel it from another thread; nothing happens if it has ended."""
        if self.task is not None:
            with suppress(RuntimeError):  # its loop is closed
                self.task.get_loop().call_soon_threadsafe(self.task.cancel)
