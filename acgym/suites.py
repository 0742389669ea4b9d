"""Suites: named groups of environments that are played together; ``quick`` is the first environment of each capability.

``full`` is every environment that generates its tasks and needs nothing but acgym; ``context`` is long context,
``world`` real-world applications.

A suite is one line in anybody's module: ``register_suite("mine", ["ACB/Needle-v0", ("Mine/Farm-v0", {"size": 3})])``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any, TypeAlias

import gymnasium as gym

from acgym.types import Json

Suite: TypeAlias = dict[str, dict[str, Json]]
"""Environment id -> arguments of ``gym.make`` that the suite sets, in the order of play."""

QUICK = "quick"
"""The suite of every comparison that names none."""
FULL = "full"
"""The suite of all environments that generate their tasks and need nothing but acgym."""

_NAMESPACE = "ACB"
_SUITES: dict[str, Callable[[], Suite]] = {}


Entry: TypeAlias = str | tuple[str, Mapping[str, Json]]
"""Gymnasium id with its version, alone or with arguments of ``gym.make``."""


def register_suite(name: str, entries: Iterable[Entry] | Callable[[], Iterable[Entry]]) -> None:
    """Give a group of environments a name, for ``acgym compare --suite NAME``.

    Args:
        name: letters, digits, ``-``, ``_`` and ``.``; a name that is taken is given anew.
        entries: what is played, each id once; ids need not be registered yet. Or a function that says it when it is
            asked, such as by what is on this machine.

    Raises:
        ValueError: for a name that no command line could say, an id that comes twice, or no entries.
    """
    if re.fullmatch(r"[\w.-]+", name, re.ASCII) is None:
        raise ValueError(f"a suite's name is made of letters, digits, '-', '_' and '.', got {name!r}")
    if callable(entries):
        _SUITES[name] = lambda: _suite(name, entries())
        return
    suite = _suite(name, entries)
    _SUITES[name] = lambda: suite


def _suite(name: str, entries: Iterable[Entry]) -> Suite:
    suite: Suite = {}
    for entry in entries:
        env, kwargs = (entry, {}) if isinstance(entry, str) else entry
        if env in suite:
            raise ValueError(f"the suite {name!r} names {env!r} twice; a comparison plays each environment once")
        suite[env] = dict(kwargs)
    if not suite:
        raise ValueError(f"the suite {name!r} names no environment")
    return suite


def suite_named(name: str) -> Suite:
    """Return a suite by its name.

    Raises:
        ValueError: for a name that nobody registered, with the nearest one.
    """
    if name not in _SUITES:
        near = get_close_matches(name, _SUITES, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ValueError(
            f"unknown suite {name!r}; {hint}Known: {', '.join(sorted(_SUITES))}. "
            "For one of your own write 'module:NAME', with the module that registers it"
        )
    return {env: dict(kwargs) for env, kwargs in _SUITES[name]().items()}


def environment_ids() -> list[str]:
    """List the ids of acgym's own environments in the order in which they were registered."""
    return [spec.id for spec in gym.registry.values() if spec.namespace == _NAMESPACE]


def environment_class(env_id: str) -> Any:
    """Return what an id's environments are made by, a class or a function; makes none.

    Raises:
        gymnasium.error.Error: for an id that is not registered.
    """
    maker: Any = gym.spec(env_id).entry_point
    return gym.envs.registration.load_env_creator(maker) if isinstance(maker, str) else maker


def capability_of(env_id: str) -> str | None:
    """Return the capability that an environment's class names; None if it names none."""
    found = getattr(environment_class(env_id), "capability", None)
    return found if isinstance(found, str) else None


def default_envs(defaults: Mapping[str, Json]) -> Suite:
    """Return what a model plays for its own calibration tokens: the suite ``quick`` with these arguments."""
    return {env: {**defaults, **kwargs} for env, kwargs in suite_named(QUICK).items()}


def _first_of_each_capability() -> Suite:
    first: dict[str | None, str] = {}
    for env in _all_generated():
        first.setdefault(capability_of(env), env)
    return {env: {} for env in first.values()}


def _all_generated() -> Suite:
    """Return every environment of acgym that needs nothing but acgym: no files of a user, no simulator."""
    return {env: {} for env in environment_ids() if not getattr(environment_class(env), "needs", "")}


_SUITES[QUICK] = _first_of_each_capability
_SUITES[FULL] = _all_generated
_ABILITIES = ("Instruct", "Plan", "Reason", "Retrieve", "Understand", "Review", "Query", "Operation")
register_suite("tools", ["ACB/ToolCall-v0", *(f"ACB/Tool{ability}-v0" for ability in _ABILITIES)])
register_suite("context", ["ACB/Needle-v0", "ACB/LongQA-v0", "ACB/LongGen-v0", "ACB/LongAgent-v0"])
_WORLDS = ("Household", "WebShop", "GridNav", "Lab", "Adventure", "Desk")
register_suite("world", [f"ACB/{world}-v0" for world in _WORLDS])
