"""The one loop: an agent meets an environment, episode by episode, many at once, with no barrier between them."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

import gymnasium as gym

from acgym.agents.base import Agent, AgentFailure
from acgym.asynchronous import wait_for
from acgym.record.episode import Episode, Turn
from acgym.types import Anchor, Json, Message, Reply, Split, Task, spoken_by, stated_anchor


class EnvBug(RuntimeError):
    """The environment broke its contract: it raised, or answered what no score can be made of. Stops the run."""


def play(
    agent: Agent,
    env_id: str,
    seeds: Sequence[int],
    *,
    kwargs: Mapping[str, Json] | None = None,
    split: Split = "eval",
    concurrency: int = 64,
    on_episode: Callable[[Episode], None] | None = None,
    time_limit: float | None = None,
    malformed_limit: int | None = None,
    keep: bool = True,
) -> list[Episode]:
    """Play one episode per seed and return the records in the order of ``seeds``.

    Args:
        agent: who plays; asked for up to ``concurrency`` replies at a time, so that it can batch them.
        env_id: a Gymnasium id, such as ``"ACB/ToolCall-v0"``.
        seeds: integers, 0 or larger.
        kwargs: arguments of ``gym.make``.
        split: ``"eval"`` or ``"train"``.
        concurrency: episodes under way at once, at least 1. It changes no episode of a deterministic agent.
        on_episode: called with each episode when it ends, in the order of ending; a record appends it here, so that an
            interrupted run keeps all that was finished.
        time_limit: wall-clock seconds that one episode may take, None for no limit. An episode over it is recorded as
            failed and truncated. An agent that never awaits cannot be stopped.
        malformed_limit: end an episode, truncated, when so many replies in a row were malformed and the same; None for
            no limit. A broken agent that repeats itself would do so until the step limit.
        keep: False to return no episode, so that memory does not grow with their number.

    Returns:
        Finished episodes, and failed ones: the agent's infrastructure broke (``AgentFailure``, ``MemoryError``,
        ``TimeoutError``). A failed episode keeps its turns so far and has no score.

    Raises:
        EnvBug: if the environment raises or breaks its contract; the message names environment, seed and turn.
        ValueError: for an unknown split, a bad concurrency or a seed that is not an integer from 0 on.
    """
    return wait_for(
        play_async(
            agent,
            env_id,
            seeds,
            kwargs=kwargs,
            split=split,
            concurrency=concurrency,
            on_episode=on_episode,
            time_limit=time_limit,
            malformed_limit=malformed_limit,
            keep=keep,
        )
    )


async def play_async(
    agent: Agent,
    env_id: str,
    seeds: Sequence[int],
    *,
    kwargs: Mapping[str, Json] | None = None,
    split: Split = "eval",
    concurrency: int = 64,
    on_episode: Callable[[Episode], None] | None = None,
    time_limit: float | None = None,
    malformed_limit: int | None = None,
    keep: bool = True,
) -> list[Episode]:
    """Do what :func:`play` does as a coroutine, so that others can run meanwhile."""
    if split not in get_args(Split):
        raise ValueError(f"the split must be 'eval' or 'train', got {split!r}")
    if concurrency < 1:
        raise ValueError(f"concurrency must be at least 1 episode, got {concurrency}")
    for seed in seeds:
        if not isinstance(seed, int) or seed < 0:
            raise ValueError(f"a seed must be an integer, 0 or larger, got {seed!r}")
    setup = _Setup(agent, env_id, dict(kwargs or {}), split, time_limit, malformed_limit)
    episodes: dict[int, Episode] = {}

    def ended(index: int, episode: Episode) -> None:
        if keep:
            episodes[index] = episode
        if on_episode is not None:
            on_episode(episode)

    waiting = iter(enumerate(seeds))
    slots = [asyncio.create_task(_slot(setup, waiting, ended)) for _ in range(min(concurrency, len(seeds)))]
    try:
        await asyncio.gather(*slots)
    finally:
        for slot in slots:
            slot.cancel()
        await asyncio.gather(*slots, return_exceptions=True)
    return [episodes[index] for index in sorted(episodes)]


@dataclass(frozen=True, slots=True)
class _Setup:
    """What the episodes of one call have in common."""

    agent: Agent
    env_id: str
    kwargs: dict[str, Json]
    split: Split
    time_limit: float | None
    malformed_limit: int | None


async def _slot(setup: _Setup, waiting: Iterator[tuple[int, int]], ended: Callable[[int, Episode], None]) -> None:
    """Play one waiting seed after the other in one environment; same seed, same episode, so it can be used again."""
    env = gym.make(setup.env_id, **{"disable_env_checker": True, **setup.kwargs})
    try:
        for index, seed in waiting:
            ended(index, await _episode(setup, env, seed))
            await asyncio.sleep(0)  # an agent that never waits must not keep an interrupt out
    finally:
        env.close()


async def _episode(setup: _Setup, env: gym.Env[Any, Any], seed: int) -> Episode:
    """Play one episode. Only what breaks in the agent's infrastructure is caught."""
    started = time.perf_counter()
    run = _EpisodeRun(setup, env, seed)
    failure = None
    clock = asyncio.timeout(setup.time_limit)
    try:
        async with clock:
            agent = setup.agent.for_episode(env)
            while not run.over:
                run.step(await agent.reply(run.conversation(), run.task.tools))
    except (AgentFailure, MemoryError, TimeoutError) as error:
        failure = f"{type(error).__name__}: {error}"
        if clock.expired():
            failure = f"TimeoutError: the episode had not ended after {setup.time_limit} s"
            run.truncated = True
    return run.record(failure, time.perf_counter() - started)


@dataclass(slots=True)
class _EpisodeRun:
    """One episode under way: the conversation (its only copy), the turns, the tokens of the sequence so far."""

    setup: _Setup
    env: gym.Env[Any, Any]
    seed: int
    observation: str = ""
    messages: list[Message] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    ids: tuple[int, ...] = ()
    previous: Reply | None = None
    progress: float = 0.0
    success: bool = False
    truncated: bool = False
    over: bool = False
    task: Task = field(init=False)

    def __post_init__(self) -> None:
        try:
            self.observation, info = self.env.reset(seed=self.seed, options={"split": self.setup.split})
            self.task = info["task"]
        except Exception as error:
            raise self._bug("reset", error) from error

    def conversation(self) -> list[Message]:
        """Append the observation to the conversation and return it."""
        self.messages.append(Message(spoken_by(self.previous), self.observation))
        return self.messages

    def step(self, reply: Reply) -> None:
        """Hand a reply to the environment and write the turn down."""
        self.messages.append(Message("assistant", reply.text, reply))
        told = self.messages[-2]
        try:
            self.observation, reward, terminated, self.truncated, info = self.env.step(reply.action)
            self.progress, self.success = float(info["progress"]), bool(info["success"])
            malformed, error = bool(info["malformed"]), info["error"]
            if not (0.0 <= self.progress <= 1.0 and math.isfinite(reward)):
                raise ValueError(f"progress must be in [0, 1] and the reward finite, got {self.progress} and {reward}")
        except Exception as problem:
            raise self._bug(f"turn {len(self.turns)}", problem) from problem
        kept, prompt_ids, token_ids = self._new_ids(reply)
        self.turns.append(
            Turn(
                role=told.role,
                observation=told.content,
                text=reply.text,
                action=reply.action,
                reward=float(reward),
                progress=self.progress,
                malformed=malformed,
                error=error,
                finish_reason=reply.finish_reason,
                seconds=reply.seconds,
                kept=kept,
                prompt_ids=prompt_ids,
                token_ids=token_ids,
            )
        )
        self.previous = reply
        self.over = bool(terminated or self.truncated)
        if not self.over and self._repeats():
            self.over = self.truncated = True

    def _repeats(self) -> bool:
        """Whether the last replies were as many equal malformed ones as end an episode."""
        last = self.turns[-(self.setup.malformed_limit or 0) :]
        return len(last) == self.setup.malformed_limit and all(t.malformed and t.action == last[0].action for t in last)

    def _new_ids(self, reply: Reply) -> tuple[int, tuple[int, ...] | None, tuple[int, ...] | None]:
        """Return how many tokens of the sequence so far the prompt keeps, the prompt's others, and the reply's."""
        if reply.prompt_ids is None or reply.token_ids is None:
            return 0, None, None
        kept = common_prefix(self.ids, reply.prompt_ids)
        self.ids = reply.prompt_ids + reply.token_ids
        return kept, reply.prompt_ids[kept:], reply.token_ids

    def record(self, failure: str | None, seconds: float) -> Episode:
        """Write the episode down; ``final_observation`` of a failed one is what the agent left unanswered."""
        inside = self.env.unwrapped
        return Episode(
            env=self.env.spec.id if self.env.spec else self.setup.env_id,
            kwargs=self.setup.kwargs,
            split=self.setup.split,
            seed=self.seed,
            agent=self.setup.agent.name,
            task_hash=self.task.hash,
            task_kind=self.task.kind,
            tools=self.task.tools,
            **_stated(inside),
            turns=tuple(self.turns),
            final_observation=self.observation,
            outcome="finished" if failure is None else "failed",
            failure=failure,
            success=self.success if failure is None else None,
            progress=self.progress if failure is None else None,
            truncated=self.truncated,
            seconds=seconds,
            capability=getattr(inside, "capability", None),
            facts={name: float(number) for name, number in self.task.facts.items()},
        )

    def _bug(self, where: str, error: Exception) -> EnvBug:
        setup = self.setup
        what = f"{setup.env_id} {setup.kwargs or ''} split {setup.split} seed {self.seed}, {where}"
        return EnvBug(f"{what}: the environment broke its contract with {type(error).__name__}: {error}")


def _stated(inside: object) -> dict[str, Any]:
    """Return what an environment states about itself, as fields of a record."""
    random = stated_anchor(inside)
    heuristic: Anchor | None = getattr(inside, "heuristic_anchor", None)
    return {
        "random_success": random.success if random else None,
        "random_progress": random.progress if random else None,
        "heuristic_success": heuristic.success if heuristic else None,
        "heuristic_progress": heuristic.progress if heuristic else None,
        "error_kinds": dict(getattr(inside, "error_kinds", {})),
        "unclear_errors": tuple(sorted(getattr(inside, "unclear_errors", ()))),
    }


def common_prefix(a: tuple[int, ...], b: tuple[int, ...]) -> int:
    """Return the length of the longest common prefix."""
    if b[: len(a)] == a:
        return len(a)
    return next(i for i, (x, y) in enumerate(zip((*a, None), (*b, None), strict=False)) if x != y)
