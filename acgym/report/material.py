"""What a report is made from: a comparison, and the episodes and signals of its run where they are at hand."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from acgym.analysis.result import AgentResult, ComparisonResult
from acgym.record.run import SIGNALS
from acgym.text import printable

if TYPE_CHECKING:
    from acgym.record.episode import Episode
    from acgym.record.run import Run

MOST_LETTERS = 44
"""Of an agent's name in a figure."""


class Missing(Exception):
    """A piece of the report cannot be made; the message says why, in words for the reader."""


@dataclass(frozen=True)
class Material:
    """A comparison and its run."""

    result: ComparisonResult
    run: Run | None = None

    @property
    def envs(self) -> list[str]:
        """The environments."""
        return self.result.envs

    @property
    def agents(self) -> list[AgentResult]:
        """The agents, the dense one first."""
        return list(self.result.agents)

    @property
    def others(self) -> list[AgentResult]:
        """The agents that are compared with the dense one."""
        return self.agents[1:]

    def label(self, name: str) -> str:
        """Name an agent in a figure: its recipe alone, where it is the dense one compressed; cut if too long."""
        short = printable(name.removeprefix(f"{self.result.dense}+"))
        half = MOST_LETTERS // 2
        return short if len(short) <= MOST_LETTERS else f"{short[: half - 1]}…{short[-half:]}"

    @cached_property
    def episodes(self) -> dict[str, list[Episode]]:
        """Every agent's episodes.

        Raises:
            Missing: if there is no run, or a file is damaged.
        """
        if self.run is None:
            raise Missing("the episodes are not at hand")
        try:
            return {agent.name: self.run.episodes(agent.name) for agent in self.agents}
        except (ValueError, OSError) as why:
            raise Missing(f"the episodes cannot be read: {why}") from None

    @cached_property
    def arrays(self) -> dict[str, dict[str, NDArray[Any]]]:
        """Agent -> ``"ENV/array"`` -> values of its decision tokens; agents without signals are missing.

        Raises:
            Missing: if there is no run, no agent has signals, or a file is damaged.
        """
        if self.run is None:
            raise Missing("the signals are not at hand")
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        found = {}
        for agent in self.agents:
            file = self.run.folder(agent.name) / SIGNALS
            try:
                if file.is_file() and agent.probed:
                    found[agent.name] = load_file(file)
            except (SafetensorError, OSError) as why:
                raise Missing(f"{printable(agent.name)}: its signals cannot be read: {why}") from None
        if not found:
            raise Missing("no agent's signals were measured")
        return found

    def column(self, agent: str, env: str, name: str) -> NDArray[Any] | None:
        """Return one array of signals; None where it was not measured."""
        return self.arrays.get(agent, {}).get(f"{env}/{name}")
