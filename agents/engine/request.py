"""One prompt on its way to a reply."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from acgym.agents.engine.conversation import Conversation
from acgym.agents.engine.reply_state import Said, Writing


@dataclass(slots=True, eq=False)
class Request:
    """A prompt whose reply is awaited.

    Args:
        ids: the prompt.
        writing: the reply.
        seen: prompt and reply of the turn before, with which ``ids`` begins; empty if there was none.
        done: awaits the reply.
    """

    ids: list[int]
    writing: Writing
    seen: tuple[int, ...]
    done: asyncio.Future[Said]
    conversation: Conversation | None = None
    """Its tokens and states; None while it waits."""
    known: tuple[int, ...] = ()
    """What another agent replied to the same prompt."""
    failure: Exception | None = None
    answered: bool = False

    @property
    def length(self) -> int:
        """Tokens of the prompt and of what was said so far."""
        return len(self.ids) + len(self.writing.said)

    @property
    def bytes(self) -> int:
        """Bytes of its keys and values."""
        return 0 if self.conversation is None else self.conversation.states.bytes

    @property
    def to_read(self) -> int:
        """How many tokens are to be read before the next one can be said."""
        return self.length - (0 if self.conversation is None else self.conversation.states.length)

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """Where the reply is awaited."""
        return self.done.get_loop()

    @property
    def gone(self) -> bool:
        """Whether nobody awaits the reply any more, or it is on its way."""
        return self.answered or self.done.done() or self.loop.is_closed()

    def resolve(self, failure: Exception | None = None) -> None:
        """Hand the reply or the failure over, unless nobody awaits it any more; inside any running event loop."""
        self.failure, self.answered = failure or self.failure, True
        if self.loop is asyncio.get_running_loop():
            self._settle()
        elif not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self._settle)

    def _settle(self) -> None:
        if self.done.done():
            return
        if self.failure is not None:
            self.done.set_exception(self.failure)
        else:
            self.done.set_result(self.writing.outcome)
