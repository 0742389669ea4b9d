"""What a comparison does with one agent: play what is left of its episodes, and probe its model."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, cast

from acgym.assemble.models import Models
from acgym.assemble.spec import GIVEN, REMOTE, AgentSpec
from acgym.asynchronous import wait_for
from acgym.experiment.settings import Settings
from acgym.record.run import Run
from acgym.record.sheet import Sheet
from acgym.types import Json

if TYPE_CHECKING:
    from acgym.agents.base import Agent
    from acgym.agents.local import LocalAgent
    from acgym.probe.baseline import Baseline, Tokens
    from acgym.record.episode import Episode


@dataclass
class AgentJob:
    """A comparison under way: which agent still has something to do, and what the others are measured against."""

    settings: Settings
    run: Run
    models: Models
    first: AgentSpec = field(init=False)
    _tokens: Tokens | None = None
    _baseline: Baseline | str | None = None
    _made: tuple[str, Agent, dict[str, Json]] | None = None
    """The agent whose share was played last: it is not made anew for the next share."""
    _counted: dict[str, int] = field(default_factory=dict)
    """What :attr:`_made` had used when it was asked last."""

    def __post_init__(self) -> None:
        """Find the first agent."""
        self.first = self.settings.specs[self.settings.agents[0]]

    def do(self, spec: AgentSpec, seeds: range) -> None:
        """Play what is left of an agent's episodes and probe its model; do nothing if all is on the disk.

        With no seeds, its model is probed and nothing is played.
        """
        left = episodes_left(self.settings, self.run, spec.text, seeds)
        sheet = Sheet.read(self.run, spec.text)
        for env, missing in left.items() if seeds else ():
            self.tell(spec, env, len(seeds) - len(missing), len(seeds))
        if not any(left.values()) and self._probed(sheet):
            return
        if self._to_probe(spec) and spec.text != self.first.text:
            self.baseline()  # before this agent is made: the first one's model may have to be loaded for it
        agent, facts = self._make(spec)
        sheet = self.play(spec, agent, left, sheet.updated(facts), len(seeds))
        if spec.text == self.first.text:
            self._forget_tokens()  # it may just have played: collect them anew
        if not self._probed(sheet):
            self.probe(spec, agent, sheet)
        self._made = None

    def play(self, spec: AgentSpec, agent: Agent, left: dict[str, list[int]], sheet: Sheet, total: int) -> Sheet:
        """Play the seeds that are left of ``total`` in all environments at once, and keep the agent's data sheet.

        Returns:
            The sheet with what the play took, as it then is on the disk.
        """
        started = time.perf_counter()
        totals = {env: min(total, self.settings.rows.get(env, total)) for env in left}
        writers = {env: self._writer(spec, env, totals[env] - len(seeds), totals[env]) for env, seeds in left.items()}
        finished = self._episodes(spec, agent, left, writers)
        sheet = sheet.played(time.perf_counter() - started, finished, self._used(agent))
        sheet.write(self.run, spec.text)
        return sheet

    def some(self, spec: AgentSpec, left: Mapping[str, list[int]], total: int) -> None:
        """Play these seeds of some environments, ``total`` being there in the end, and keep the agent's data sheet."""
        agent, facts = self._make(spec)
        self.play(spec, agent, dict(left), Sheet.read(self.run, spec.text).updated(facts), total)

    def share(self, spec: AgentSpec, left: Mapping[str, list[int]]) -> tuple[float, dict[str, int]]:
        """Play these seeds of each environment and nothing else; the agent is kept for the next share.

        Returns:
            Wall-clock seconds of playing, and what a remote agent used since it was asked last (empty for any other).
        """
        agent, _ = self._make(spec)
        started = time.perf_counter()
        self._episodes(spec, agent, left, dict.fromkeys(left, partial(self.run.append, spec.text)))
        return time.perf_counter() - started, self._used(agent)

    def _make(self, spec: AgentSpec) -> tuple[Agent, dict[str, Json]]:
        """Return an agent, the one that was asked for last if it is the same."""
        if self._made is None or self._made[0] != spec.text:
            self._made, self._counted = None, {}  # the old goes before the new one comes
            self._made = (spec.text, *self.models.make(spec))
            self._expect(spec, self._made[1])
        return self._made[1:]

    def _used(self, agent: Agent) -> dict[str, int]:
        """Return what a remote agent used since it was asked last."""
        before, self._counted = self._counted, dict(getattr(agent, "usage", None) or {})
        return {name: count - before.get(name, 0) for name, count in self._counted.items()}

    def _episodes(
        self,
        spec: AgentSpec,
        agent: Agent,
        left: Mapping[str, list[int]],
        writers: Mapping[str, Callable[[Episode], None]],
    ) -> int:
        """Play seeds of all environments at once; return how many episodes finished."""
        from acgym.agents.function import NamedAgent
        from acgym.agents.shots import ShownAgent
        from acgym.loop import play_async

        finished = 0
        player = NamedAgent(agent, spec.text) if spec.kind == GIVEN else agent

        async def one(env: str, seeds: list[int]) -> None:
            def count(episode: Episode) -> None:
                nonlocal finished
                writers[env](episode)
                finished += episode.outcome == "finished"

            kwargs, shots = self.settings.envs[env], self.settings.shots
            await play_async(
                ShownAgent(player, shots, kwargs) if shots else player,
                env,
                seeds,
                kwargs=kwargs,
                on_episode=count,
                time_limit=self.settings.episode_seconds,
                malformed_limit=self.settings.malformed_limit,
                keep=False,
            )

        async def everything() -> None:
            await asyncio.gather(*(one(env, seeds) for env, seeds in left.items()))

        wait_for(everything())
        agent.rest()
        return finished

    def probe(self, spec: AgentSpec, agent: Agent, sheet: Sheet) -> None:
        """Teacher-force the first agent's transcripts through an agent's model, or note why not."""
        digest = self.tokens().digest
        if not self.models.here(spec):
            reason = "its model runs elsewhere" if spec.kind in REMOTE else "the agent has no model"
            signals: dict[str, Json] = {"tokens_sha256": digest, "reason": reason}
        elif not self.models.here(self.first):
            reason = f"{self.first.text} has no model here to compare with"
            signals = {"tokens_sha256": digest, "reason": reason}
        else:
            from acgym.probe.baseline import write_signals

            self.models.listener.stage(spec.text, "probing")
            own = cast("LocalAgent", agent)
            baseline = self.baseline(own if spec.text == self.first.text else None)
            if isinstance(baseline, str):
                signals = {"tokens_sha256": digest, "reason": baseline}
            else:
                signals, measured = baseline.measure(own, self._first_alive(spec, own))
                write_signals(measured, self.run.folder(spec.text))
        sheet.updated({"signals": signals}).write(self.run, spec.text)

    def _expect(self, spec: AgentSpec, agent: Agent) -> None:
        """Let an agent with a model know what the first one said: checking that is faster than finding it out."""
        if spec.text != self.first.text and self._to_probe(spec):
            for episode in self.run.episodes(self.first.text):
                cast("LocalAgent", agent).expect(episode.sequences())

    def tokens(self) -> Tokens:
        """Collect the first agent's tokens; it has played by now."""
        from acgym.probe.baseline import Tokens

        if self._tokens is None:
            self._tokens = Tokens.of(self.run, self.first.text)
        return self._tokens

    def _forget_tokens(self) -> None:
        """Let the first agent's tokens be collected anew, and what was measured on others be made anew."""
        before, self._tokens = self._tokens, None
        if before is not None and before.digest != self.tokens().digest:
            self._baseline = None

    def baseline(self, first: LocalAgent | None = None) -> Baseline | str:
        """Return what models are measured against, or why there is nothing; makes the first agent if it must."""
        from acgym.probe.baseline import Baseline

        if self._baseline is None:
            if first is None:
                self._made = None  # one model at a time
            first = first or cast("LocalAgent", self.models.make(self.first)[0])
            try:
                self._baseline = Baseline.of(self.tokens(), first)
            except ValueError as why:
                self._baseline = f"{self.first.text} cannot be probed: {why}"
        return self._baseline

    def tell(self, spec: AgentSpec, env: str, done: int, total: int) -> None:
        """Tell the listener how many episodes are done."""
        self.models.listener.playing(spec.text, env, done, total)

    def _to_probe(self, spec: AgentSpec) -> bool:
        return self.models.here(spec) and self.models.here(self.first)

    def _probed(self, sheet: Sheet) -> bool:
        """Say whether the signals on the disk are there and were taken on the tokens of today."""
        return sheet.signals is not None and sheet.signals.tokens_sha256 == self.tokens().digest

    def _first_alive(self, spec: AgentSpec, agent: LocalAgent) -> LocalAgent | None:
        if spec.text == self.first.text:
            return agent
        if self.first.kind == GIVEN:
            return cast("LocalAgent", self.models.make(self.first)[0])
        if self.first.recipe is None and spec.base.text == self.first.text:
            return self.models.dense(self.first)
        return None

    def _writer(self, spec: AgentSpec, env: str, count: int, total: int) -> Callable[[Episode], None]:
        """Return the callback that appends each episode to the record and tells the listener."""

        def write(episode: Episode) -> None:
            nonlocal count
            count += 1
            self.run.append(spec.text, episode)
            self.tell(spec, env, count, total)

        return write


def episodes_left(settings: Settings, run: Run, agent: str, seeds: range) -> dict[str, list[int]]:
    """Return environment -> the seeds of which an agent has no finished episode."""
    return {
        env: run.seeds_left(agent, env, kwargs, "eval", seeds[: settings.rows.get(env)])
        for env, kwargs in settings.envs.items()
    }
