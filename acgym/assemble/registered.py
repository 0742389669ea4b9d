"""Agents of one's own that a spec can name: ``register_agent``."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from acgym.assemble.spec import GIVEN, KINDS, REGISTERED

if TYPE_CHECKING:
    from acgym.agents.base import Agent


def register_agent(kind: str, make: Callable[[str | None], Agent]) -> None:
    """Let specs name an agent: ``kind`` or ``kind:SOURCE``, on the command line and in scripts.

    Args:
        kind: letters, digits, ``-`` and ``_``, starting with a letter.
        make: ``make(source) -> Agent``; the source is None where none was written. It raises ValueError or
            FileNotFoundError for one that makes no sense. Called in every process that plays.

    Raises:
        ValueError: if the kind is taken, or cannot stand in a spec.
    """
    if re.fullmatch(r"[A-Za-z][\w-]*", kind, re.ASCII) is None:
        raise ValueError(f"an agent's kind is letters, digits, '-' and '_', starting with a letter, got {kind!r}")
    if kind in (*KINDS, GIVEN, *REGISTERED):
        raise ValueError(f"there is an agent of the kind {kind!r} already; choose another name")
    REGISTERED[kind] = make
