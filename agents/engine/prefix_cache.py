"""What is kept of conversations between their turns, and what one conversation can take over from another.

Prompts share what they begin with in whole blocks of tokens, each found by a hash over it and all blocks before it (as
vLLM's automatic prefix caching does; SGLang, Zheng et al. 2312.07104, keeps a tree for the same end).
"""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Sequence

from acgym.agents.engine.request import Conversation

BLOCK = 32
"""A prefix is shared in whole blocks of so many tokens."""


class PrefixCache:
    """Conversations whose keys and values are held, the least recently used forgotten first.

    Nothing but speed depends on it: what is not remembered is read again.
    """

    def __init__(self) -> None:
        self._resting: OrderedDict[tuple[int, ...], tuple[Conversation, int]] = OrderedDict()
        self._prefixes: dict[int, Conversation] = {}

    def put(self, conversation: Conversation, step: int) -> None:
        """Let a conversation rest until its next turn, from a step of the engine on; steps only rise."""
        key = tuple(conversation.ids)
        before = self.take(key)
        if before is not None:
            self.forget(before)
        self._resting[key] = (conversation, step)

    def holds(self, seen: tuple[int, ...]) -> bool:
        """Say whether the conversation of exactly the tokens ``seen`` rests."""
        return seen in self._resting

    def bytes_since(self, step: int) -> int:
        """Return the bytes that conversations hold which have rested since ``step`` at the earliest."""
        latest = itertools.takewhile(lambda rest: rest[1] >= step, reversed(self._resting.values()))
        return sum(conversation.states.bytes for conversation, _ in latest)

    def take(self, seen: tuple[int, ...]) -> Conversation | None:
        """Return the conversation of exactly the tokens ``seen``, which rests no longer; None if it does not."""
        conversation, _ = self._resting.pop(seen, (None, 0))
        return conversation

    def forget_oldest(self) -> bool:
        """Forget the conversation that has rested longest; False if none rests."""
        if not self._resting:
            return False
        _, (conversation, _) = self._resting.popitem(last=False)
        self.forget(conversation)
        return True

    def share(self, conversation: Conversation) -> None:
        """Let others take over the blocks of a conversation's prompt; called when it has been read."""
        for key in _block_keys(conversation.ids[: conversation.states.length]):
            if key not in self._prefixes:
                self._prefixes[key] = conversation
                conversation.shared.append(key)

    def forget(self, conversation: Conversation) -> None:
        """Give up a conversation's states; it must not be used any more."""
        for key in conversation.shared:
            self._prefixes.pop(key, None)
        conversation.shared.clear()
        conversation.states.release()

    def prefix(self, ids: Sequence[int], long: bool) -> tuple[Conversation, int] | None:
        """Find the longest known beginning of ``ids`` in whole blocks, leaving at least one token to be read.

        Args:
            ids: the tokens of a conversation.
            long: what :attr:`acgym.agents.engine.kv_pool.States.long` of that conversation will be.

        Returns:
            The conversation that begins with it, and its length; None if there is none.
        """
        donor, length = None, 0
        for count, key in enumerate(_block_keys(ids[:-1]), start=1):
            known = self._prefixes.get(key)
            if known is None:
                break
            donor, length = known, count * BLOCK
        # Keys are hashes: the tokens themselves decide.
        if (
            donor is None
            or donor.states.long != long
            or donor.states.length < length
            or list(donor.ids[:length]) != list(ids[:length])
        ):
            return None
        return donor, length


def first_block(ids: Sequence[int]) -> int | None:
    """Return a key for the first block of a prompt that others could take over; None if it is too short."""
    return hash((0, *ids[:BLOCK])) if len(ids) > BLOCK else None


def _block_keys(ids: Sequence[int]) -> list[int]:
    """Return a key for each whole block, which stands for it and all blocks before it."""
    keys, key = [], 0
    for at in range(BLOCK, len(ids) + 1, BLOCK):
        key = hash((key, *ids[at - BLOCK : at]))
        keys.append(key)
    return keys
