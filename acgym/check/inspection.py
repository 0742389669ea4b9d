"""Plays episodes of an environment under check, and notes the clauses of the contract that they break."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, get_args

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec

from acgym.check import contract as c
from acgym.types import FailureClass


@dataclass(frozen=True, slots=True)
class Played:
    """One episode: everything that was heard, and how it ended."""

    trace: list[Any]
    progress: float
    success: bool
    terminated: bool
    malformed: str | None
    """The first reply that was answered as malformed."""


class Stop(Exception):
    """A part of the check cannot go on; the clause that stopped it has been noted."""


class Inspection:
    """One check under way: plays episodes, holds clauses, keeps the first case of each broken one."""

    def __init__(self, spec: EnvSpec, seeds: int) -> None:
        self.spec = spec
        self.n = seeds
        self.seeds = range(seeds)
        self.broken: dict[str, str] = {}
        self.not_asked: set[str] = set()
        self.steps = 0
        self.known: Collection[str] | None = None
        """Kinds of decision error that the environment may name; None if it states none."""

    def hold(self, clause: str, kept: bool, *case: object) -> None:
        """Note ``clause`` as broken by ``case`` unless it is kept."""
        if not kept:
            self.broken.setdefault(clause, clause.format(*case))

    def need(self, clause: str, kept: bool, *case: object) -> None:
        """Hold a clause without which the part of the check cannot go on."""
        self.hold(clause, kept, *case)
        if not kept:
            raise Stop

    def silence_may_score(self, env: gym.Env[Any, Any]) -> bool:
        """Say whether doing nothing can be right in the task under way, and note that it is not held against it."""
        may = bool(getattr(env.unwrapped, "silence_may_score", False))
        if may:
            self.not_asked.add(c.NOT_ASKED["SILENCE"])
        return may

    def make(self, **kwargs: Any) -> gym.Env[Any, Any]:
        """Make a new instance."""
        return gym.make(self.spec, disable_env_checker=True, **kwargs)

    def play(self, env: gym.Env[Any, Any], seed: int, say: Callable[[Any], str]) -> Played:
        """Play one evaluation episode, holding the clauses that any episode must keep."""
        observation, info = env.reset(seed=seed, options={"split": "eval"})
        self.need(c.RESET_INFO, set(info) == c.RESET_KEYS, ", ".join(sorted(info)))
        self.hold(c.OBSERVATION, observation in env.observation_space, seed, type(observation).__name__)
        trace: list[Any] = [observation, info["task"], info["tools"], info["progress"]]
        total, malformed, done, left = 0.0, None, False, self.spec.max_episode_steps or 1000
        while not done and left:
            action = say(env.unwrapped)
            observation, reward, terminated, truncated, info = env.step(action)
            self.steps += 1
            left -= 1
            self.need(c.STEP_INFO, set(info) - {"found"} == c.STEP_KEYS, ", ".join(sorted(info)))
            self.hold(c.OBSERVATION, observation in env.observation_space, seed, type(observation).__name__)
            self._hold_error(info["error"])
            self.hold(c.PROGRESS, 0.0 <= info["progress"] <= 1.0, seed, info["progress"])
            trace.append((action, observation, reward, terminated, truncated, sorted(info.items())))
            total += float(reward)
            malformed = action if info["malformed"] and malformed is None else malformed
            done = terminated or truncated
        self.hold(c.REWARDS, math.isclose(total, info["progress"], abs_tol=1e-9), seed, total, info["progress"])
        return Played(trace, float(info["progress"]), bool(info["success"]), bool(terminated), malformed)

    def _hold_error(self, error: object) -> None:
        """An environment that states its kinds of error may name those and the failure classes."""
        known = self.known is None or error is None or error in self.known or error in get_args(FailureClass)
        self.hold(c.ERROR_KIND, known, error)
