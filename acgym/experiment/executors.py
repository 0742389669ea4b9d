"""Who plays a comparison: this process, or several workers that share agents and episodes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

from acgym.assemble.models import Models
from acgym.assemble.spec import AgentSpec
from acgym.experiment.job import AgentJob, episodes_left
from acgym.experiment.settings import Settings
from acgym.listener import Listener
from acgym.record.run import Run
from acgym.record.sheet import Sheet

if TYPE_CHECKING:
    from acgym.agents.base import Agent
    from acgym.record.episode import Episode
    from acgym.workers.pool import Workers


@dataclass(frozen=True)
class Work:
    """What a process that plays needs to know."""

    settings: Settings
    folder: Path
    given: Mapping[str, Agent] = field(default_factory=dict)
    """Agents that a script handed over; they play in its own process alone."""

    def __call__(self, listener: Listener, opener: Callable[[Path], Run]) -> SerialExecutor:
        """Prepare to play; models are loaded when they are needed."""
        for module in self.settings.modules:
            import_module(module)
        run = opener(self.folder)
        models = Models.of(self.settings.to_dict(), listener, run, self.given)
        return SerialExecutor(self.settings, AgentJob(self.settings, run, models))


@dataclass(frozen=True)
class SerialExecutor:
    """Plays in this process."""

    settings: Settings
    job: AgentJob

    def whole(self, agent: str, seeds: int) -> None:
        """Play and probe an agent on the first seeds."""
        self.job.do(self.settings.specs[agent], self.settings.seeds[:seeds])

    def share(self, agent: str, left: Mapping[str, list[int]]) -> tuple[float, dict[str, int]]:
        """Play a share of an agent's episodes; see :meth:`acgym.experiment.job.AgentJob.share`."""
        return self.job.share(self.settings.specs[agent], left)

    def all(self, agents: Sequence[str], seeds: int) -> None:
        """Play agents, the run's first one before the others; see :data:`acgym.experiment.run.Play`."""
        for name in agents:
            self.whole(name, seeds)


@dataclass(frozen=True)
class ParallelExecutor:
    """Lets workers play: an agent each, or all of them shares of one agent.

    Shared is the first agent, which the others wait for, and the last one: else workers would wait for one of them.
    """

    settings: Settings
    run: Run
    workers: Workers
    listener: Listener

    def all(self, agents: Sequence[str], seeds: int) -> None:
        """Play agents, the run's first one before the others; see :data:`acgym.experiment.run.Play`."""
        first = self.settings.agents[0]
        if agents[0] == first:
            self._share(first, seeds)
            if any(episodes_left(self.settings, self.run, first, self.settings.seeds[:seeds]).values()):
                self.workers.whole([first], seeds)  # what failed, once more: the others are measured on its tokens
        *others, last = sorted(agents, key=lambda name: (name != first, _order(self.settings.specs[name])))
        if last != first:
            self._share(last, seeds, others)
        self.workers.whole([last], seeds)  # whole after share: its model is still there

    def _share(self, agent: str, seeds: int, after: Sequence[str] = ()) -> None:
        """Let all workers play what is left of an agent's episodes, and keep on its data sheet what that took.

        Other agents are done ``after`` which, an agent a worker.
        """
        left = episodes_left(self.settings, self.run, agent, self.settings.seeds[:seeds])
        if not any(left.values()):
            self.workers.whole(after, seeds)
            return
        totals = {env: min(seeds, self.settings.rows.get(env, seeds)) for env in left}
        done = {env: totals[env] - len(missing) for env, missing in left.items()}

        def heard(episode: Episode) -> None:
            done[episode.env] += 1
            self.listener.playing(agent, episode.env, done[episode.env], totals[episode.env])

        spent = self.workers.share(agent, left, heard, after, seeds)
        sheet = Sheet.read(self.run, agent)
        sheet.played(spent.seconds, spent.episodes, spent.usage).write(self.run, agent)


def _order(spec: AgentSpec) -> tuple[float, bool, bool]:
    """Return what agents are sorted by, so that those that play longest begin early and workers end together.

    What breaks an agent lets it play longest: fewest bits a weight in packed storage first (infinity if no step packs
    any), n:m patterns before shares. Then what is calibrated: the last one is compressed by all who share its episodes.
    """
    recipe = spec.recipe
    return (
        (inf, True, True)
        if recipe is None
        else (recipe.fewest_bits, not recipe.patterned, not recipe.needs_calibration)
    )
