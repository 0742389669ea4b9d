"""Small words that several sentences and tables of the report share."""

from __future__ import annotations

from collections.abc import Sequence

EASIER = "an easier level, examples in the prompt or a first agent that solves more would make it measurable"
"""What to change where the first agent solves next to nothing."""


def short_env(env: str) -> str:
    """``ACB/ToolCall-v0`` -> ``ToolCall``; other people's ids keep their namespace."""
    return env.removeprefix("ACB/").removesuffix("-v0") if env.startswith("ACB/") else env


def join(words: Sequence[str]) -> str:
    """``a, b and c``."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
