"""What ``acgym probe`` found in the models of a run, as frozen dataclasses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Literal

from acgym.record.sheet import SignalNumbers, SignalSheet
from acgym.typed import Written, from_json
from acgym.types import Json

if TYPE_CHECKING:
    from acgym.record.run import Run


@dataclass(frozen=True)
class ProbeOptions(Written):
    """On which tokens to measure, and what."""

    own: bool = False
    """Along each agent's own episodes, where nothing is compared; else on the first agent's, compared with its model.
    """
    told: bool = False
    """The tokens that the agent was told, not those that it generated."""
    layers: Literal["final", "all"] | tuple[int, ...] | None = None
    """As :func:`acgym.probe.run.probe` takes them; None for those that ``acgym compare`` watches."""
    temperature: float = 1.0
    """T of the energy, above 0."""

    @property
    def name(self) -> str:
        """Name of the files in an agent's folder, without their ending."""
        return f"signals-{'own' if self.own else 'dense'}{'-told' if self.told else ''}"


OWN = f"{ProbeOptions(own=True).name}.json"
"""In an agent's folder: what was found along its own episodes."""


@dataclass(frozen=True)
class ProbedAgent(Written):
    """One agent; where something could not be measured, ``signals.reason`` says why."""

    name: str
    signals: SignalSheet

    def numbers(self, env: str) -> SignalNumbers | None:
        """Return its signals in an environment; None if they were not measured."""
        return (self.signals.by_env or {}).get(env)


@dataclass(frozen=True)
class ProbeResult(Written):
    """The agents of a run, as :func:`acgym.experiment.reprobe.probe_run` measured them."""

    dense: str
    """The first agent of the run."""
    envs: tuple[str, ...]
    options: ProbeOptions
    agents: tuple[ProbedAgent, ...]

    @classmethod
    def from_json(cls, value: Json, where: str = "the result of a probe") -> ProbeResult:
        """Read what :meth:`to_json` made.

        Raises:
            ValueError: naming the place in it that is not what it should be.
        """
        return from_json(cls, value, where)


def own_signals(run: Run, names: Sequence[str]) -> ProbeResult | None:
    """Read what was found along agents' own episodes; None if nothing was measured.

    Raises:
        ValueError: if a file does not hold what it should.
    """
    rows: dict[str, Mapping[str, Json]] = {name: run.read_json(OWN, name) or {} for name in names}
    known = [row for row in rows.values() if row]
    if not known:
        return None
    asked = {each.name: known[0][each.name] for each in fields(ProbeOptions) if each.name in known[0]}
    sheets = {
        name: from_json(SignalSheet, row or {"reason": "not measured"}, f"{name}: {OWN}") for name, row in rows.items()
    }
    agents = tuple(ProbedAgent(name, sheet) for name, sheet in sheets.items())
    return ProbeResult(names[0], tuple(run.settings["envs"]), from_json(ProbeOptions, asked, OWN), agents)
