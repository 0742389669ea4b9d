"""The content of ``repeats.json`` as frozen dataclasses: what repeated sampling showed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from acgym.analysis.repeated import Repeated, RepeatedDifference
from acgym.analysis.result import POOLED, RunSettings
from acgym.typed import Written, from_json
from acgym.types import Json

REPEATS = "repeats.json"
VERSION = 1
"""Of the file's format. A file without one is of format 0, which says the same in the same words."""


@dataclass(frozen=True)
class RepeatedAgent(Written):
    """One agent; mappings are environment, or ``"all"`` of all of them together, -> k as text -> estimate."""

    name: str
    repeats: Mapping[str, Mapping[str, Repeated]]
    differences: Mapping[str, Mapping[str, RepeatedDifference | None]] | None = field(
        default=None, metadata={"optional": True}
    )
    """To the first agent; None of that one itself, and an estimate is None where no task was tried k times by both."""

    def difference(self, env: str, k: int) -> RepeatedDifference | None:
        """Return the difference to the first agent, if there is one."""
        return (self.differences or {}).get(env, {}).get(str(k))


@dataclass(frozen=True)
class RepeatsResult(Written):
    """Every agent's samples, as :func:`acgym.experiment.repeats.repeats_result` makes it."""

    settings: RunSettings
    samples: int
    """Of each episode, at least 2."""
    sampling_seeds: tuple[int, ...]
    """One a sample."""
    k: tuple[int, ...]
    """Numbers of tries that are told of."""
    dense: str
    """The first agent, which the others are compared with."""
    agents: tuple[RepeatedAgent, ...]
    version: int | None = field(default=None, metadata={"optional": True})
    """Of the format, see :data:`VERSION`; None is 0."""
    more: Mapping[str, Json] = field(default_factory=dict)

    @classmethod
    def from_json(cls, value: Json, where: str = REPEATS) -> RepeatsResult:
        """Read what was written.

        Raises:
            ValueError: naming the place in it that is not what it should be, or a format newer than this one.
        """
        read = from_json(cls, value, where)
        if read.version is not None and read.version > VERSION:
            raise ValueError(
                f"{where} is of format {read.version}, this acgym reads up to {VERSION}: use a newer acgym"
            )
        return read

    @property
    def labels(self) -> list[str]:
        """The environments, and ``"all"`` where there are several."""
        envs = list(self.settings.envs)
        return envs if len(envs) == 1 else [*envs, POOLED]

    @property
    def temperature(self) -> float:
        """Of sampling, above 0."""
        return float(self.settings.more["decoding"]["temperature"])
