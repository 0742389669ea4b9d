"""One prompt on its way to a reply, and the conversation that it goes on with."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from acgym.agents.engine.kv_pool import States
from acgym.agents.engine.reply_state import Said, Writing
from acgym.agents.engine.speculation import Index

FIRST_DRAFT = 8
LONGEST_DRAFT = 32


@dataclass(slots=True, eq=False)
class Conversation:
    """Tokens said and heard so far."""

    ids: list[int]
    states: States
    own: Index = field(default_factory=dict)
    """The index of its own text; see :class:`acgym.agents.engine.speculation.Drafts`."""
    learnt: int = 0
    """How many of its tokens are in the index."""
    draft: int = FIRST_DRAFT
    """How many tokens to draft next: more after good guesses, fewer after bad ones."""
    shared: list[int] = field(default_factory=list)
    """Keys under which others find its beginning."""

    def judge(self, drafted: int, right: int) -> None:
        """Adjust the length of drafts: ``right`` of ``drafted`` tokens were what the model chose."""
        if not drafted:
            return
        self.draft = min(2 * self.draft, LONGEST_DRAFT) if right == drafted else max(right + 1, self.draft // 2, 1)


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
