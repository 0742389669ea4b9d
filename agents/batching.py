"""Answers the prompts of many conversations with one model: who is ready is served, nobody waits for the slowest."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from acgym.agents.base import AgentFailure
from acgym.agents.cache import Memory
from acgym.agents.generate import Said, generate

REMEMBERED_BYTES = 3 << 28
"""Bytes of keys and values that are held of conversations between their turns."""
BATCH_BYTES = 3 << 26
"""Bytes of keys and values in one batch on a CPU, or a quarter of the weights' bytes if that is more. On other devices
a batch is bounded by ``max_batch`` alone, and halved when memory runs out."""
_STEPS_BETWEEN_PAUSES = 8


class Batcher:
    """Decodes greedily, in batches that form anew whenever as many prompts wait as are being answered.

    What one prompt is answered does not depend on what else is in the batch, up to the rounding of the model's
    arithmetic: each has its own room for a reply, and a batch that memory does not hold is halved until it does.

    Args:
        model: a transformers causal language model in eval mode.
        stop_ids: tokens that end a reply.
        max_batch: most prompts decoded at once.
    """

    def __init__(self, model: Any, stop_ids: Collection[int], max_batch: int) -> None:
        self.model = model
        self.stop_ids = frozenset(stop_ids)
        self.max_batch = max_batch
        self._memory = Memory(REMEMBERED_BYTES)
        self._positions = batch_positions(model)
        self._waiting: list[_Request] = []
        self._before = 0  # how many were left waiting when the batch under way was formed
        self._serving: asyncio.Task[None] | None = None

    async def answer(self, ids: list[int], room: int, seen: tuple[int, ...] = ()) -> list[int]:
        """Return the token ids generated after ``ids``: at most ``room``, the stop token included where one was said.

        Args:
            ids: the prompt, at least one token.
            room: most tokens to generate, at least 1.
            seen: prompt and reply of the turn before, with which ``ids`` begins; what is remembered of it is not read
                again.

        Raises:
            AgentFailure: if memory runs out even for this prompt alone.
        """
        loop = asyncio.get_running_loop()
        request = _Request(ids, room, seen, loop.create_future())
        self._waiting.append(request)
        if self._serving is None or self._serving.done():
            self._serving = loop.create_task(self._serve(loop))
            self._serving.add_done_callback(self._forget)
        return await request.done

    def _forget(self, task: asyncio.Task[None]) -> None:
        """Let the task go: a cancelled one holds this object, and with it the model, in a cycle."""
        if self._serving is task:
            self._serving = None

    async def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        """Answer until nobody waits. Who arrives meanwhile joins those still being answered in the next batch."""
        await asyncio.sleep(0)  # let every conversation that is ready ask before the first batch is closed
        while self._waiting:
            batch = self._next_batch()
            try:
                self._waiting += await asyncio.to_thread(self._decode, batch, loop)
            except Exception as error:  # a bug, raised where each reply is awaited
                for request in batch:
                    request.resolve(error)

    def _next_batch(self) -> list[_Request]:
        """Take the shortest conversations that wait: a batch is as wide as its longest row."""
        waiting = [request for request in self._waiting if not request.done.done()]  # others were given up
        waiting.sort(key=lambda request: request.length)
        most, count = self._positions, 0
        while count < min(len(waiting), self.max_batch) and (count == 0 or (count + 1) * waiting[count].length <= most):
            count += 1
        self._waiting = waiting[count:]
        self._before = len(self._waiting)
        return waiting[:count]

    def _decode(self, batch: list[_Request], loop: asyncio.AbstractEventLoop) -> list[_Request]:
        """Answer a batch; return the requests that are to go on in the next one. Runs in a thread."""

        def finished(row: int, said: Said) -> None:
            request = batch[row]
            request.answered = True
            if said.past is not None:
                self._memory.put((*request.ids, *request.said, *said.token_ids), said.past)
            loop.call_soon_threadsafe(request.resolve, [*request.said, *said.token_ids])

        steps = 0

        def pause(answering: int) -> bool:
            """Form a new batch when as many have come as are being answered, or when few are left of this one."""
            nonlocal steps
            steps += 1
            come = len(self._waiting) - self._before
            few = bool(self._waiting) and 4 * answering <= len(batch)
            return steps % _STEPS_BETWEEN_PAUSES == 0 and (come >= answering or few)

        pasts = [self._memory.pop(request.known) for request in batch]
        try:
            replies = generate(
                self.model,
                [[*request.ids, *request.said] for request in batch],
                [request.room - len(request.said) for request in batch],
                self.stop_ids,
                pasts=pasts,
                wanted=lambda row: not batch[row].done.done(),
                finished=finished,
                pause=pause,
            )
        except (MemoryError, RuntimeError) as error:
            if not _out_of_memory(error):
                raise
            return self._halve(batch, error, loop)
        going = []
        for request, said in zip(batch, replies, strict=True):
            if said.paused:
                request.said += said.token_ids
                if said.past is not None:
                    self._memory.put(request.known, said.past)
                going.append(request)
        return going

    def _halve(self, batch: list[_Request], error: Exception, loop: asyncio.AbstractEventLoop) -> list[_Request]:
        """Answer a batch that does not fit into memory in two parts; a request that is alone fails."""
        batch = [request for request in batch if not request.answered]
        if len(batch) == 1:
            failure = AgentFailure(f"out of memory with a prompt of {len(batch[0].ids)} tokens: {error}")
            loop.call_soon_threadsafe(batch[0].resolve, failure)
            return []
        middle = len(batch) // 2
        return [going for half in (batch[:middle], batch[middle:]) if half for going in self._decode(half, loop)]


@dataclass(slots=True)
class _Request:
    ids: list[int]
    room: int
    seen: tuple[int, ...]
    done: asyncio.Future[list[int]]
    said: list[int] = field(default_factory=list)
    """What was generated in batches that were paused."""
    answered: bool = False

    @property
    def known(self) -> tuple[int, ...]:
        """The tokens whose keys and values may be remembered."""
        return (*self.ids, *self.said) if self.said else self.seen

    @property
    def length(self) -> int:
        """Tokens of the prompt and of what was said so far."""
        return len(self.ids) + len(self.said)

    def resolve(self, outcome: list[int] | Exception) -> None:
        """Hand the reply over, unless nobody awaits it any more."""
        if self.done.done():
            return
        if isinstance(outcome, Exception):
            self.done.set_exception(outcome)
        else:
            self.done.set_result(outcome)


def batch_positions(model: Any) -> int:
    """Return how many positions (rows times tokens) one batch may have; see BATCH_BYTES.

    A position takes the keys and values of full attention in every layer; a model that names no attention heads (a
    state-space model) keeps none, and has no bound.
    """
    config = model.config.get_text_config()
    all_heads = getattr(config, "num_attention_heads", None)
    if model.device.type != "cpu" or not all_heads:
        return 1 << 62
    heads = getattr(config, "num_key_value_heads", None) or all_heads
    size = getattr(config, "head_dim", None) or config.hidden_size // all_heads
    weights = sum(parameter.numel() * parameter.itemsize for parameter in model.parameters())
    return int(max(BATCH_BYTES, weights // 4) // (2 * config.num_hidden_layers * heads * size * model.dtype.itemsize))


def _out_of_memory(error: Exception) -> bool:
    """Say whether memory is full; torch says so by a RuntimeError whose words depend on the device."""
    words = ("out of memory", "can't allocate memory", "ALLOC_FAILED")
    return isinstance(error, MemoryError) or any(word in str(error) for word in words)
