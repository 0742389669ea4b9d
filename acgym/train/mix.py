"""What a pretrained model is trained on: environments with their arguments, each with a share of the conversations."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import gymnasium as gym

from acgym.suites import Suite, environment_class
from acgym.types import Json, canonical_json


@dataclass(frozen=True, slots=True)
class Part:
    """An environment with arguments, and its share."""

    env: str
    """Gymnasium id."""
    kwargs: Mapping[str, Json] = field(default_factory=dict)
    """Arguments of ``gym.make``."""
    share: float = 1.0
    """Weight among the conversations of the mix; the weights need not sum to one."""

    @property
    def name(self) -> str:
        """Name the part in curves: ``ACB/Needle-v0 {"level":1}``."""
        return f"{self.env} {canonical_json(dict(self.kwargs))}" if self.kwargs else self.env

    def to_dict(self) -> dict[str, Json]:
        """Return the part as JSON, as :func:`read_mix` reads it."""
        return {"env": self.env, "kwargs": dict(self.kwargs), "share": self.share}


def plain_mix(suites: Sequence[Suite]) -> tuple[Part, ...]:
    """Make a mix in which every environment has the same share, divided among its arguments.

    Args:
        suites: environment id -> arguments of ``gym.make``; several for several levels.
    """
    found = {canonical_json([env, kwargs]): Part(env, kwargs) for suite in suites for env, kwargs in suite.items()}
    count = Counter(part.env for part in found.values())
    return tuple(replace(part, share=1 / count[part.env]) for part in found.values())


def read_mix(rows: Json) -> tuple[Part, ...]:
    """Read a mix from JSON: a list of ``{"env": ID, "kwargs": {...}, "share": 0.5}``, the last two optional.

    Raises:
        ValueError: naming the row and what was expected.
    """
    if not isinstance(rows, list) or not rows:
        raise ValueError('a mix must be a list such as [{"env": "ACB/Needle-v0", "kwargs": {"level": 1}, "share": 2}]')
    return tuple(_read_part(row) for row in rows)


def _read_part(row: Json) -> Part:
    wanted = 'expected {"env": ID, "kwargs": {...}, "share": NUMBER}'
    if not isinstance(row, dict) or not isinstance(row.get("env"), str) or set(row) - {"env", "kwargs", "share"}:
        raise ValueError(f"a mix cannot have the part {row!r}; {wanted}")
    kwargs, share = row.get("kwargs", {}), row.get("share", 1.0)
    if not isinstance(kwargs, dict):
        raise ValueError(f"the arguments of {row['env']} in a mix are {kwargs!r}; {wanted}")
    if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 < share < math.inf:
        raise ValueError(f"the share of {row['env']} in a mix must be above 0, got {share!r}")
    return Part(row["env"], kwargs, float(share))


def check_mix(parts: Iterable[Part]) -> None:
    """Refuse what nothing can be learnt from, before any model is loaded.

    Raises:
        ValueError: for an environment that is not registered, does not take its arguments, has no training split or no
            oracle; or a part that comes twice.
    """
    seen: set[str] = set()
    for part in parts:
        if part.name in seen:
            raise ValueError(f"{part.name} comes twice in the mix; give it one share")
        seen.add(part.name)
        try:
            made: Any = _made(part).unwrapped
        except gym.error.Error as error:
            raise ValueError(f"there is no environment {part.env!r}: {error}") from None
        except (TypeError, FileNotFoundError) as error:
            raise ValueError(f"{part.env} cannot be made with {dict(part.kwargs)}: {error}") from None
        if "train" not in getattr(made, "splits", ("eval", "train")) or not callable(getattr(made, "oracle", None)):
            raise ValueError(f"{part.env} has no training split with an oracle, so there is nothing to learn from it")


def _made(part: Part) -> gym.Env[str, str]:
    environment_class(part.env)
    made: gym.Env[str, str] = gym.make(part.env, disable_env_checker=True, **part.kwargs)
    return made
