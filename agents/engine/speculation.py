"""Guesses what a conversation will say next, so that one forward pass can check many tokens instead of adding one."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Sequence
from typing import TypeAlias

OWN = 3
"""Tokens that are looked up in the conversation's own text."""
COMMON = 4
"""Tokens that are looked up in what all conversations said; more than OWN, since others' values rarely fit."""
_MOST = 1 << 18
"""Most entries of the table that all conversations share."""

Index: TypeAlias = dict[tuple[int, ...], int]
"""A few consecutive tokens -> the token that followed them last."""


class Drafts:
    """Drafts replies from known replies to the same prompt, from the conversation's own text and from what was said.

    A draft changes no reply: each drafted token is kept only where the model chooses the same (speculative decoding
    with a deterministic draft, Leviathan et al. 2211.17192; looking drafts up in the text as in Saxena's prompt lookup
    decoding). Compressed agents mostly say what the dense one said: known replies are its replies.
    """

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[int, ...]] = {}
        self._common: Index = {}

    def know(self, prompt: Sequence[int], reply: Sequence[int]) -> None:
        """Remember what another agent said to a prompt."""
        self._known[_digest(prompt)] = tuple(reply)

    def reply_to(self, prompt: Sequence[int]) -> tuple[int, ...]:
        """Return the known reply to a prompt; empty where none is known."""
        return self._known.get(_digest(prompt), ()) if self._known else ()

    def learn(self, ids: Sequence[int], start: int, own: Index) -> None:
        """Note the tokens of a conversation from ``start`` on, in its ``own`` index and for all conversations."""
        if len(self._common) > _MOST:
            self._common.clear()
        for at in range(max(start, OWN), len(ids)):
            own[tuple(ids[at - OWN : at])] = ids[at]
        for at in range(max(start, COMMON), len(ids)):
            self._common[tuple(ids[at - COMMON : at])] = ids[at]

    def guess(self, ids: Sequence[int], own: Index, most: int) -> list[int]:
        """Continue ``ids`` by at most ``most`` tokens, each looked up by the tokens before it."""
        context = list(ids[-COMMON:])
        known = len(context)
        while len(context) - known < most:
            token = own.get(tuple(context[-OWN:]))
            if token is None:
                token = self._common.get(tuple(context[-COMMON:]))
            if token is None:
                break
            context.append(token)
        return context[known:]


def _digest(ids: Sequence[int]) -> bytes:
    """Stand for a prompt: the prompts of a large run would fill the memory, and a wrong draft does no harm."""
    return hashlib.blake2b(array("q", ids).tobytes(), digest_size=16).digest()
