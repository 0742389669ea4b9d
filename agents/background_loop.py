"""An event loop in a thread of its own, for what must outlive the caller's loop: connections, an engine."""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class BackgroundLoop:
    """Runs coroutines in a thread, whatever loop (or none) their caller is in.

    A conversation in a script and each call of ``play`` have event loops of their own, which end; a pool of connections
    is bound to the loop that it was opened in. The thread ends with this object, and with the process.
    """

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._attached: set[asyncio.Task[None]] = set()
        thread = threading.Thread(target=_run, args=(self._loop, self._attached), name=name, daemon=True)
        thread.start()
        self.close = weakref.finalize(self, _stop, self._loop, thread)
        """Ends the thread now; what still runs in it is cancelled."""

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Await ``work`` from another loop; cancelling this cancels it."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    def attach(self, work: Coroutine[Any, Any, None]) -> None:
        """Let ``work`` run until the thread ends, which cancels it; to be called inside the loop."""
        self._attached.add(self._loop.create_task(work))

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Block until ``work`` is done."""
        done = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return done.result()
        finally:
            done.cancel()  # an interrupt must not leave it running


def _run(loop: asyncio.AbstractEventLoop, attached: set[asyncio.Task[None]]) -> None:
    # ``attached`` is held here too: a loop alone holds its tasks weakly, and these must outlive their owner.
    asyncio.set_event_loop(loop)
    loop.run_forever()
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


def _stop(loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(loop.stop)
        if thread is not threading.current_thread():  # the last reference may go inside the loop itself
            thread.join(timeout=5)
