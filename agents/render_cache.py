"""Remembers how conversations were written out, until their next turn asks for it once more."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TypeAlias

from acgym.types import Message, ToolSpec

_MOST = 512
"""Most texts remembered; conversations that are under way at once are fewer."""

_Key: TypeAlias = tuple[object, ...]


class RenderCache:
    """The last text of each conversation under way, the oldest forgotten first. Nothing but speed depends on it."""

    def __init__(self) -> None:
        self._texts: OrderedDict[_Key, tuple[Sequence[Message], Sequence[ToolSpec], str]] = OrderedDict()

    def put(self, messages: Sequence[Message], tools: Sequence[ToolSpec], cut: str, text: str) -> None:
        """Remember what a conversation was written as; ``cut`` says how its words were guarded."""
        # The objects are kept, so that no other can get their identity.
        self._texts[_key(messages, tools, cut)] = (tuple(messages), tuple(tools), text)
        while len(self._texts) > _MOST:
            self._texts.popitem(last=False)

    def take(self, messages: Sequence[Message], tools: Sequence[ToolSpec], cut: str, render: Callable[[], str]) -> str:
        """Return the text of these very messages and forget it; one that is not remembered is written anew."""
        known = self._texts.pop(_key(messages, tools, cut), None)
        return render() if known is None else known[2]


def _key(messages: Sequence[Message], tools: Sequence[ToolSpec], cut: str) -> _Key:
    return (cut, *map(id, tools), *map(id, messages))
