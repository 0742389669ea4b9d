"""The contract of an environment, clause by clause, for ours and for anybody's: ``check("ACB/ToolCall-v0")``."""

from __future__ import annotations

import random
import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env

from acgym.check import contract as c
from acgym.check.contract import CheckReport, ContractError, agrees, global_random, refusal, uncoloured
from acgym.check.inspection import Inspection, Played, Stop
from acgym.space import Utf8
from acgym.text import excerpt
from acgym.types import Anchor, stated_anchor


def check(
    env: str | gym.Env[Any, Any] | Callable[..., gym.Env[Any, Any]], *, seeds: int = 20, **kwargs: Any
) -> CheckReport:
    """Check every clause of the contract of an environment (see :class:`acgym.env.TextEnv`).

    Args:
        env: a Gymnasium id; an environment made by ``gym.make``; or a class (give ``max_episode_steps`` with it).
        seeds: how many seeds the clauses are tried on, at least 2; the random policy plays five times as many.
        **kwargs: arguments of the environment, such as ``level=2``.

    Returns:
        What was seen, if no clause is broken.

    Raises:
        ContractError: naming all broken clauses, each with the first case that broke it.
        TypeError: if an environment object was not made by ``gym.make``.
    """
    if seeds < 2:
        raise ValueError(f"at least 2 seeds are needed to compare episodes, got {seeds}")
    inspection = _Check(_spec(env, kwargs), seeds)
    for part in inspection.parts():
        try:
            part()
        except Stop:
            continue
        except Exception as error:
            name = part.__name__.strip("_")
            inspection.hold(c.RAISES, False, f"the part '{name}' of the check", f"{type(error).__name__}: {error}")
    if inspection.broken:
        raise ContractError(inspection.spec.id, list(inspection.broken.values()))
    asked = (inspection.spec.id, inspection.steps, inspection.random, 5 * seeds)
    return CheckReport(*asked, not_asked=tuple(sorted(inspection.not_asked)))


def _spec(env: str | gym.Env[Any, Any] | Callable[..., gym.Env[Any, Any]], kwargs: dict[str, Any]) -> EnvSpec:
    """Return what makes further instances of ``env``."""
    if isinstance(env, str):
        env = gym.make(env, disable_env_checker=True, **kwargs)
    if isinstance(env, gym.Env):
        if env.spec is None:
            raise TypeError(
                f"{type(env).__name__} object: the check needs further instances and cannot make them; "
                "give the class, the registered id, or the result of gym.make"
            )
        return env.spec
    steps = kwargs.pop("max_episode_steps", None)
    return EnvSpec(f"{getattr(env, '__name__', 'Env')}-v0", env, max_episode_steps=steps, kwargs=kwargs)


class _Check(Inspection):
    """One check under way: the parts of the contract, each with its clauses."""

    def __init__(self, spec: EnvSpec, seeds: int) -> None:
        super().__init__(spec, seeds)
        self.random = Anchor(0.0, 0.0)
        self.heuristic: Anchor | None = None

    def parts(self) -> list[Callable[[], None]]:
        """Return the parts of the check; without the members, the others make no sense."""
        self.hold(c.LIMIT, self.spec.max_episode_steps is not None)
        inside = self.make().unwrapped
        missing = [name for name in ("oracle", "random_reply", "task") if not hasattr(type(inside), name)]
        self.hold(c.MEMBERS, not missing, " and no ".join(missing))
        self.known = getattr(inside, "error_kinds", None)
        episodes: list[Callable[[], None]] = [self._experts, self._same_seed, self._policies, self._hostile]
        others: list[Callable[[], None]] = [self._gymnasium, self._splits, self._arguments, self._render, self._vector]
        return others if missing else episodes + others

    def _experts(self) -> None:
        env = self.make()
        spaces = (env.observation_space, env.action_space)
        self.hold(c.SPACES, all(isinstance(space, Utf8) for space in spaces), *(type(s).__name__ for s in spaces))
        before = global_random()
        for seed in self.seeds:
            end = self.play(env, seed, lambda inside: inside.oracle())
            how = "termination" if end.terminated else "no termination"
            won = end.terminated and end.success and end.progress == 1.0
            self.hold(c.ORACLE, won, seed, how, "success" if end.success else "no success", end.progress)
            end = self.play(env, seed, lambda inside: "")
            word = "success" if end.success else "no success"
            if not self.silence_may_score(env):
                self.hold(c.SILENCE, not end.success and end.progress == 0.0, seed, word, end.progress)
        for name, state in global_random().items():
            self.hold(c.RANDOM_STATE, state == before[name], name)

    def _same_seed(self) -> None:
        one, other = self.make(), self.make()
        order = random.Random(0).sample(self.seeds, len(self.seeds))
        first = {seed: self.play(one, seed, _random_reply(seed)).trace for seed in self.seeds}
        for env in (one, other):
            for seed in order:
                self.hold(c.SAME_SEED, self.play(env, seed, _random_reply(seed)).trace == first[seed], seed)

    def _policies(self) -> None:
        """Measure the random policy and the heuristic, at every level that anchors are stated for."""
        inside: Any = self.make().unwrapped
        own = getattr(inside, "level", None)
        levels = sorted({*getattr(inside, "anchors", {}), *getattr(inside, "heuristic_anchors", {})} - {own})
        self.random, self.heuristic = self._measured(self.make(), "")
        for level in levels:
            self._measured(self.make(level=level), f" at level {level}")
        if stated_anchor(inside) is None:
            self.not_asked.add(c.NOT_ASKED["ANCHOR"])

    def _measured(self, env: gym.Env[Any, Any], where: str) -> tuple[Anchor, Anchor | None]:
        """Hold what the two policies score against what is stated."""
        inside: Any = env.unwrapped
        ends = []
        for seed in range(5 * self.n):
            ends.append(self.play(env, seed, _random_reply(seed)))
            self.hold(c.RANDOM_LEGAL, ends[-1].malformed is None, seed, excerpt(ends[-1].malformed or ""))
        random = self._agrees(c.ANCHOR, ends, stated_anchor(inside), where)
        stated = getattr(inside, "heuristic_anchor", None)
        missing = not hasattr(inside, "heuristic_reply") or inside.heuristic_reply() is None
        self.hold(c.HEURISTIC_STATED, missing == (stated is None), "reply" if missing else "score", where)
        if missing:
            return random, None
        ends = [self.play(env, seed, lambda inside: inside.heuristic_reply()) for seed in range(5 * self.n)]
        return random, self._agrees(c.HEURISTIC, ends, stated, where)

    def _agrees(self, clause: str, ends: Sequence[Played], stated: Anchor | None, where: str) -> Anchor:
        scores = {"success": [float(end.success) for end in ends], "progress": [end.progress for end in ends]}
        for name, values in scores.items():
            at = getattr(stated, name, None)
            if at is not None:
                self.hold(clause, agrees(values, at), name, at, np.mean(values), len(values), where)
        return Anchor(*(float(np.mean(values)) for values in scores.values()))

    def _hostile(self) -> None:
        env = self.make()
        for under_way in (False, True):
            for text in c.HOSTILE:
                env.reset(seed=0)
                if under_way and any(env.step(env.unwrapped.oracle())[2:4]):  # type: ignore[attr-defined]
                    return  # one step ends the task, so that no episode is under way
                self._survive(env, text, earned=under_way)

    def _survive(self, env: gym.Env[Any, Any], text: str, earned: bool) -> None:
        """Say one hostile text. ``earned``: the oracle's work may be done, so that any last word ends it well."""
        shown = f"{excerpt(text, 30)} ({len(text)} characters)"
        started = time.process_time()
        try:
            observation, _, _, _, info = env.step(text)
        except Exception as error:
            self.hold(c.HOSTILE_RAISES, False, shown, type(error).__name__)
            return
        seconds = time.process_time() - started
        self.hold(c.HOSTILE_SUCCEEDS, earned or not info["success"] or self.silence_may_score(env), shown)
        self.hold(c.HOSTILE_ANSWER, observation in env.observation_space, shown)
        self.hold(c.HOSTILE_SLOW, seconds <= c.SECONDS_PER_STEP, c.SECONDS_PER_STEP, shown, seconds)

    def _gymnasium(self) -> None:
        """Run Gymnasium's checker; its complaints are warnings or failed assertions."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                check_env(self.make().unwrapped)
            except Exception as error:
                self.hold(c.GYMNASIUM, False, uncoloured(error))
        for warning in caught:
            self.hold(c.GYMNASIUM, not issubclass(warning.category, UserWarning), uncoloured(warning.message))

    def _splits(self) -> None:
        env = self.make()
        if "train" not in c.splits_of(env.unwrapped):
            self.not_asked.add(c.NOT_ASKED["SPLITS"])
            end = refusal(lambda: env.reset(seed=0, options={"split": "train"}))
            self.hold(c.NO_TRAINING, end is None, end)
            return
        seen = {
            split: [env.reset(seed=seed, options={"split": split})[1]["task"].hash for seed in range(5 * self.n)]
            for split in ("eval", "train")
        }
        shared = sum(task in set(seen["eval"]) for task in seen["train"])
        self.hold(c.SPLITS, shared == 0, shared, 5 * self.n)
        plain = [env.reset(seed=seed)[1]["task"].hash for seed in range(self.n)]
        self.hold(c.DEFAULT_SPLIT, plain == seen["eval"][: self.n])

    def _arguments(self) -> None:
        env = self.make()
        for options in ({"split": "test"}, {"spilt": "train"}):
            end = refusal(lambda options=options: env.reset(seed=0, options=options))  # type: ignore[misc]
            self.hold(c.OPTION, end is None, options, end)
        if hasattr(env.unwrapped, "level"):
            for level in (0, -1, "3", True):
                end = refusal(lambda level=level: self.make(level=level))  # type: ignore[misc]
                self.hold(c.LEVEL, end is None, level, end)
        else:
            self.not_asked.add(c.NOT_ASKED["LEVEL"])

    def _render(self) -> None:
        env = self.make(render_mode="ansi")
        env.reset(seed=0)
        shown: object = env.render()
        self.hold(c.RENDER, isinstance(shown, str), type(shown).__name__)

    def _vector(self) -> None:
        """Two copies in a vector must tell what they tell alone."""
        env = self.make()
        alone = [(env.reset(seed=seed)[0], env.step("")[0]) for seed in (0, 1)]
        try:
            vector = gym.make_vec(self.spec, num_envs=2, vectorization_mode="sync")
            seeds: Any = [0, 1]  # VectorEnv.reset states less than it takes
            told = vector.reset(seed=seeds)[0]
            answered = vector.step(("", ""))[0]
        except Exception as error:
            self.hold(c.VECTOR, False, f"they raised {type(error).__name__}: {error}")
            return
        vector.close()
        self.hold(c.VECTOR, list(zip(told, answered, strict=True)) == alone, "they told something else")


def _random_reply(seed: int) -> Callable[[Any], str]:
    """Return the random policy with its own generator."""
    rng = np.random.default_rng(seed)
    return lambda inside: inside.random_reply(rng)
