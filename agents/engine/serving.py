"""Brings many waiting prompts together in front of one model, whichever event loop they come from."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from threading import Lock

from acgym.agents.engine.reply_state import Rules, Said, Writing
from acgym.agents.engine.request import Request

_TURNS = 4
"""Turns of the event loop between two steps: conversations that were answered ask anew in the meantime."""


class Server(ABC):
    """Answers prompts step by step, in the thread of the event loop that waits for them.

    Between two steps the event loop goes on, during a step it stands still. A thread for the steps would let it go on,
    but OpenMP would then know of more threads than there are cores (those of the thread in which the model was loaded
    or compressed, and those of the new one), put them to sleep after every operation, and take a third more time.

    Args:
        rules: how replies are written.
    """

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self._arrived: deque[Request] = deque()
        self._lock = Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._serving: asyncio.Task[None] | None = None

    async def answer(self, ids: list[int], room: int, seen: tuple[int, ...] = ()) -> Said:
        """Return the reply to a prompt.

        Args:
            ids: the prompt, at least one token.
            room: most tokens to generate, at least 1.
            seen: prompt and reply of the turn before, with which ``ids`` begins; what is remembered of it is not read
                again.

        Raises:
            ValueError: if the prompt is empty or there is no room.
            AgentFailure: if memory runs out even for this prompt alone.
        """
        if not ids or room < 1:
            raise ValueError(
                f"a prompt needs at least one token and room for one more; got {len(ids)} tokens and room for {room}"
            )
        loop = asyncio.get_running_loop()
        request = Request(ids, Writing(self.rules, ids, room), seen, loop.create_future())
        if request.writing.over:
            return request.writing.outcome
        with self._lock:
            self._arrived.append(request)
        self._wake(loop)
        return await request.done

    @abstractmethod
    def _prepare(self, arrived: list[Request]) -> bool:
        """Take in new requests, let go of those that are :attr:`Request.gone`; False if nothing is left to do."""

    @abstractmethod
    def _step(self) -> list[Request]:
        """Do a part of the work; return the requests that are answered."""

    @abstractmethod
    def _unanswered(self) -> list[Request]:
        """Return all requests that were taken in and not answered."""

    def _wake(self, loop: asyncio.AbstractEventLoop) -> None:
        """Serve in this event loop, unless another one that runs does."""
        with self._lock:
            if self._loop is not None and self._loop.is_running():
                return
            self._loop = loop
            self._serving = loop.create_task(self._serve(loop))
            self._serving.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        """Let the task go: a cancelled one holds this object, and with it the model, in a cycle."""
        if self._serving is task:
            self._serving = None

    async def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        """Step until nobody waits. Conversations go on between two steps."""
        try:
            while self._loop is loop:
                for _ in range(_TURNS):
                    await asyncio.sleep(0)
                if self._prepare(self._collect()):
                    for request in self._step():
                        request.resolve()
                    continue
                with self._lock:
                    if not self._arrived:
                        self._loop = None
        except Exception as error:  # a bug, raised where each reply is awaited
            for request in [*self._collect(), *self._unanswered()]:
                request.resolve(error)
            self._prepare([])
        finally:
            self._hand_on(loop)

    def _collect(self) -> list[Request]:
        """Empty the letter box."""
        with self._lock:
            arrived = list(self._arrived)
            self._arrived.clear()
        return arrived

    def _hand_on(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let another event loop go on whose requests this one leaves behind."""
        with self._lock:
            if self._loop is loop:
                self._loop = None
            left = [*self._arrived, *self._unanswered()]
        for other in {request.loop for request in left if not request.gone and request.loop is not loop}:
            other.call_soon_threadsafe(self._wake, other)


def out_of_memory(error: Exception) -> bool:
    """Say whether memory is full; torch says so by a RuntimeError whose words depend on the device."""
    words = ("out of memory", "can't allocate memory", "ALLOC_FAILED")
    return isinstance(error, MemoryError) or any(word in str(error) for word in words)
