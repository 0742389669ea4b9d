"""What every form of export is given, and small things that several of them write."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from acgym.analysis.result import AgentResult, ComparisonResult
from acgym.record.episode import Episode
from acgym.record.manifest import MANIFEST
from acgym.record.run import Run, folder_name
from acgym.statistics.paired import Interval
from acgym.types import Json


@dataclass(frozen=True)
class Exported:
    """A run as the forms need it."""

    run: Run
    result: ComparisonResult
    """Its comparison."""
    agents: Sequence[AgentResult]
    """Those of the comparison's agents that were asked for."""

    @cached_property
    def manifest(self) -> Mapping[str, Json]:
        """When the run was made, and with which versions."""
        manifest: Mapping[str, Json] = json.loads((self.run.path / MANIFEST).read_bytes())
        return manifest

    @property
    def envs(self) -> Mapping[str, Mapping[str, Json]]:
        """Environment -> arguments."""
        return self.result.settings.envs

    @cached_property
    def capabilities(self) -> Mapping[str, str]:
        """Environment -> the capability that it measures; without those whose episodes do not say it."""
        said: dict[str, str] = {}
        for agent in self.agents:
            for episode in self.episodes(agent.name):
                if episode.capability is not None:
                    said.setdefault(episode.env, episode.capability)
            if said.keys() >= self.envs.keys():
                break
        return said

    def episodes(self, agent: str) -> list[Episode]:
        """Return an agent's episodes by environment and seed."""
        return sorted(self.run.episodes(agent), key=lambda episode: (episode.env, episode.seed))


Files: TypeAlias = dict[str, bytes]
"""Path inside the folder that is written to -> content."""


def as_json(value: Json) -> bytes:
    """Write JSON for people to read as well; NaN and Infinity are refused."""
    return (json.dumps(value, indent=2, ensure_ascii=True, allow_nan=False) + "\n").encode()


def standard_error(interval: Interval) -> float:
    """Return the standard error that a 95 % interval amounts to: half its width over 1.96."""
    return (interval.high - interval.low) / (2 * 1.959963984540054)


def env_version(env: str) -> int:
    """Return the version in an environment's id: ``ACB/Needle-v0`` -> 0; 0 if it has none."""
    last = env.rpartition("-v")[2]
    return int(last) if last.isdigit() else 0


def agent_folder(name: str) -> str:
    """Return the folder that an agent's files go into."""
    return folder_name(name)
