"""Who plays and what is played, as a script says it: agents, functions, environments and their specs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec

from acgym.agents.base import Agent
from acgym.agents.function import FunctionAgent
from acgym.assemble.spec import given_spec
from acgym.suites import Entry
from acgym.types import Json

AgentLike: TypeAlias = str | Agent | Callable[..., Any]
"""A spec, an agent, or a function ``(messages, tools) -> text`` (:class:`acgym.agents.function.FunctionAgent`)."""
EnvLike: TypeAlias = str | tuple[str, Mapping[str, Json]] | EnvSpec | gym.Env[Any, Any]
"""An id or a short name, alone or with arguments of ``gym.make``; a spec, or an environment whose spec is meant."""
_OF_MAKE = ("disable_env_checker", "render_mode")
"""Arguments in an environment's spec that change no task."""


def handed_over(agents: AgentLike | Sequence[AgentLike]) -> tuple[list[str], dict[str, Agent]]:
    """Return the specs of agents, and those that are no specs by theirs.

    Raises:
        TypeError: for what is no agent.
        ValueError: if two have the same name.
    """
    names: list[str] = []
    given: dict[str, Agent] = {}
    for each in [agents] if isinstance(agents, str | Agent) or callable(agents) else agents:
        if isinstance(each, str):
            names.append(each)
            continue
        if isinstance(each, type) or not (isinstance(each, Agent) or callable(each)):
            raise TypeError(
                f"an agent is a spec such as 'reference', an acgym agent or a function (messages, tools) -> text, got "
                f"{'the class ' if isinstance(each, type) else ''}{getattr(each, '__name__', type(each).__name__)}"
            )
        agent = each if isinstance(each, Agent) else FunctionAgent(each)
        spec = given_spec(agent.name).text
        if spec in given:
            raise ValueError(
                f"two agents are named {agent.name!r}; give each a name of its own: acgym.FunctionAgent(function, NAME)"
            )
        names.append(spec)
        given[spec] = agent
    return names, given


def entries(envs: EnvLike | Sequence[EnvLike]) -> list[Entry]:
    """Return environments as ids, alone or with arguments.

    Raises:
        TypeError: for what is no environment.
    """
    several = isinstance(envs, Sequence) and not isinstance(envs, str) and not _with_arguments(envs)
    found: list[Entry] = []
    each: Any
    for each in envs if several else [envs]:  # type: ignore[union-attr]
        spec: Any = each.spec if isinstance(each, gym.Env) else each
        if isinstance(spec, EnvSpec):
            found.append((spec.id, {name: value for name, value in spec.kwargs.items() if name not in _OF_MAKE}))
        elif isinstance(spec, str):
            found.append(spec)
        elif _with_arguments(spec):
            found.append((spec[0], dict(spec[1])))
        else:
            raise TypeError(
                f"an environment is an id such as 'ACB/Needle-v0', (id, {{'level': 2}}) or a spec, got {str(each)[:80]}"
            )
    return found


def _with_arguments(value: object) -> bool:
    """Say whether it is ``(id, kwargs)``."""
    return isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], Mapping)
