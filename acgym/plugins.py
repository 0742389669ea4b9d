"""Plugins: installed packages whose modules register environments, methods or agents, found by their entry points."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec

ENVIRONMENTS = "acgym.environments"
"""Entry points of modules that register environments or suites: loaded with ``import acgym``, so they are light."""
METHODS = "acgym.methods"
"""Of those that register compression methods: loaded when the first recipe is read."""
AGENTS = "acgym.agents"
"""Of those that register agents: loaded when the first agent spec is read."""
GROUPS = (ENVIRONMENTS, METHODS, AGENTS)
SWITCH = "ACGYM_PLUGINS"
"""Environment variable; ``0`` leaves all plugins out."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """What became of one entry point."""

    name: str
    module: str
    """Its value: ``module``, or ``module:function`` to be called without arguments."""
    package: str
    """Name and version of the package that it comes with."""
    fault: str | None
    """Why it could not be loaded, in one line; None if it was."""


_LOADED: dict[str, list[Plugin]] = {}


def load_plugins(group: str) -> list[Plugin]:
    """Import the plugins of a group, once in a process; worker processes do the same by themselves.

    One that fails is left out with a warning that names it, and is never fatal.

    Args:
        group: one of GROUPS.

    Returns:
        All of the group in the order of their names, those that failed too.
    """
    if group not in _LOADED:
        _LOADED[group] = []  # known before it is full: a plugin may read a recipe while it is imported
        found = [] if os.environ.get(SWITCH) == "0" else entry_points(group=group)
        _LOADED[group] += [_loaded(point) for point in sorted(found, key=lambda point: (point.name, point.value))]
    return _LOADED[group]


def _loaded(point: EntryPoint) -> Plugin:
    """Import what an entry point names."""
    package = "unknown" if point.dist is None else f"{point.dist.name} {point.dist.version}"
    fault = None
    before = dict(gym.registry)
    try:
        found = point.load()
        if callable(found):
            found()
        fault = _put_back(before)
    except (Exception, SystemExit) as error:
        fault = " ".join(f"{type(error).__name__}: {error}".split())
    if fault is not None:
        warnings.warn(
            f"the plugin {point.name!r} ({package}) cannot be loaded and is left out: {fault}. Mend or uninstall it, "
            f"or set {SWITCH}=0",
            stacklevel=2,
        )
    return Plugin(point.name, point.value, package, fault)


def _put_back(before: dict[str, EnvSpec]) -> str | None:
    """Give ids that were registered before their environments back; say which a plugin had taken."""
    taken = [name for name, spec in before.items() if gym.registry.get(name) is not spec]
    gym.registry.update({name: before[name] for name in taken})
    return f"it registers {', '.join(taken)}, which is there already, and was given back" if taken else None
