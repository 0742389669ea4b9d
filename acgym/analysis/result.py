"""The content of ``comparison.json`` as frozen dataclasses: what report, export and command line read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean

from acgym.analysis.degenerate import Degenerate
from acgym.analysis.equivalence import Equivalence
from acgym.analysis.inflation import Inflation
from acgym.analysis.numbers import Comparison, NotMeasured, Score
from acgym.record.sheet import Sheet, SignalNumbers
from acgym.statistics.prediction import Association, Discrimination
from acgym.typed import Written, from_json
from acgym.types import Json

RESULT = "comparison.json"
POOLED = "all"
"""Label of what is told of all environments together."""
VERSION = 1
"""Of the file's format. A file without one is of format 0: there, what is told of all environments together takes all
episodes as one sample and is not corrected over the agents. ``acgym rescore`` makes it anew."""


@dataclass(frozen=True)
class RunSettings(Written):
    """What a comparison's reader needs of the run's settings (:class:`acgym.experiment.settings.Settings`)."""

    agents: tuple[str, ...]
    envs: Mapping[str, Mapping[str, Json]]
    """Environment -> its arguments."""
    episodes: int
    """Of each agent in each environment; at most, where ``until`` is set."""
    seed: int = 0
    calibration: str | None = field(default=None, metadata={"optional": True})
    until: float | None = field(default=None, metadata={"optional": True})
    """Half-width at which an interval is narrow enough; None if all episodes were played."""
    suite: str | None = field(default=None, metadata={"optional": True})
    """The suite that named the environments; None where ids did."""
    rows: Mapping[str, int] = field(default_factory=dict)
    """Environment -> its number of rows, where they are fewer than ``episodes``."""
    more: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True)
class Guess(Written):
    """What the random policy scores in an environment, both in [0, 1]."""

    success: float
    progress: float
    more: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True)
class TurnOutcomes(Written):
    """Pairs whose first other decision was in one turn (from 0), and what came of them."""

    turn: int
    diverged: int
    lost: int
    won: int
    kept: int


@dataclass(frozen=True)
class ClassTurn(Written):
    """Lost pairs of one failure class that the class points at one turn of (from 0)."""

    turn: int
    kind: str = field(metadata={"json": "class"})
    lost: int


@dataclass(frozen=True)
class FirstToken(Written):
    """The first token of a reply that differs, over the ``n`` pairs that have one."""

    n: int
    median: float


@dataclass(frozen=True)
class Diverged(Written):
    """Where pairs first differ, and how the lost ones were lost: :func:`acgym.analysis.divergence_summary.summarise`.

    Counts of pairs in which both finished.
    """

    n: int
    n_failed: int
    same: int
    reworded: int
    diverged: int
    lost: int
    won: int
    kept: int
    turns: tuple[TurnOutcomes, ...]
    first_token: FirstToken | None
    lost_classes: Mapping[str, int]
    lost_turns: tuple[ClassTurn, ...]
    unsolved_classes: Mapping[str, int]
    more: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True)
class CurvePoint(Written):
    """Share of pairs that were solved after k first turns of one agent, with its 95 % interval."""

    k: int
    n: int
    success: float
    low: float
    high: float


@dataclass(frozen=True)
class TurnLost(Written):
    """Lost pairs whose fatal turn is this one (from 0)."""

    turn: int
    lost: int


@dataclass(frozen=True)
class HandedLost(Written):
    """Hand-offs of lost pairs."""

    pairs: int
    curves: Mapping[str, tuple[CurvePoint, ...]]
    """Who plays first (``other``, ``dense``) -> one point for each number of turns."""
    fatal_turns: tuple[TurnLost, ...]
    fatal_at_difference: int
    unknown: int


@dataclass(frozen=True)
class HandedKept(Written):
    """Hand-offs of pairs that both solved."""

    pairs: int
    curves: Mapping[str, tuple[CurvePoint, ...]]


@dataclass(frozen=True)
class HandedOver(Written):
    """What hand-offs showed: :func:`acgym.analysis.handoff.attribute`."""

    lost: HandedLost
    kept: HandedKept


@dataclass(frozen=True)
class Prediction(Written):
    """Whether the signals predicted what was lost: :func:`acgym.analysis.proxy.prediction`."""

    recipes: Mapping[str, Mapping[str, Association]]
    """Environment or ``"all"`` -> signal -> over the compressed agents."""
    episodes: Mapping[str, Discrimination]
    """Signal -> over the probed episodes."""


@dataclass(frozen=True)
class AgentResult(Written):
    """One agent of a comparison; mappings are by environment and, under ``"all"``, of all of them together."""

    name: str
    sheet: Sheet
    scores: Mapping[str, NotMeasured | Score]
    comparisons: Mapping[str, NotMeasured | Comparison]
    """With the first agent; empty for that one itself."""
    signals: Mapping[str, SignalNumbers | None]
    """Under ``"all"`` the plain mean, which for effective ranks is not the rank of the pooled states."""
    divergence: Mapping[str, NotMeasured | Diverged] = field(default_factory=dict)
    capability_scores: Mapping[str, NotMeasured | Score] = field(default_factory=dict)
    """Capability that several environments measure -> means over those."""
    capability_comparisons: Mapping[str, NotMeasured | Comparison] = field(default_factory=dict)
    """The same with the first agent; empty for that one itself and where agents stop by themselves."""
    handoff: Mapping[str, HandedOver] | None = None
    """None where no hand-offs were played."""
    equivalence: Mapping[str, NotMeasured | Equivalence] | None = field(default=None, metadata={"optional": True})
    """Whether it is worse than the first agent by :attr:`ComparisonResult.margin`; None where no margin was asked for,
    and for the first agent."""
    capability_equivalence: Mapping[str, NotMeasured | Equivalence] | None = field(
        default=None, metadata={"optional": True}
    )
    """The same over the environments of each capability that several measure."""
    inflation: Mapping[str, NotMeasured | Inflation] | None = field(default=None, metadata={"optional": True})
    """What it said against the first agent; None for that one, and in files from before."""
    degenerate: Mapping[str, Degenerate] | None = field(default=None, metadata={"optional": True})
    """Its replies that have come apart; None in files from before."""

    def score(self, env: str) -> Score | None:
        """Return the score; None where nothing was measured."""
        found = self.scores.get(env)
        return found if isinstance(found, Score) else None

    def comparison(self, env: str) -> Comparison | None:
        """Return the comparison with the first agent; None where there is none."""
        found = self.comparisons.get(env)
        return found if isinstance(found, Comparison) else None

    def diverged(self, env: str) -> Diverged | None:
        """Return where pairs first differ; None where that was not measured."""
        found = self.divergence.get(env)
        return found if isinstance(found, Diverged) else None

    @property
    def probed(self) -> bool:
        """Whether any signal of it was measured."""
        return any(numbers is not None for numbers in self.signals.values())


@dataclass(frozen=True)
class ComparisonResult(Written):
    """A comparison, as :func:`acgym.analysis.comparison.assemble_result` makes it."""

    settings: RunSettings
    dense: str
    """Spec of the first agent, which the others are compared with."""
    agents: tuple[AgentResult, ...]
    """In the order of the settings."""
    anchors: Mapping[str, Guess | None] = field(default_factory=dict)
    """Environment -> the random policy's scores as the episodes state them; None if they state none."""
    heuristic_anchors: Mapping[str, Guess | None] = field(default_factory=dict)
    """The same of the best simple heuristic."""
    capabilities: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Capability that several environments measure -> those environments."""
    noise_floor: str | None = None
    """The agent that is the first one played again; None if there is none."""
    prediction: Prediction | None = None
    """None when no agent but the first was measured inside."""
    margin: float | None = field(default=None, metadata={"optional": True})
    """Loss of success that is asked about, in (0, 1); None if none was."""
    scorer: str | None = field(default=None, metadata={"optional": True})
    """Name of the scorer that judged in the environments' place."""
    version: int | None = field(default=None, metadata={"optional": True})
    """Of the format, see :data:`VERSION`; None is 0."""
    more: Mapping[str, Json] = field(default_factory=dict)

    @classmethod
    def from_json(cls, value: Json, where: str = RESULT) -> ComparisonResult:
        """Read a comparison of this format or of an older one.

        Raises:
            ValueError: naming the place in it that is not what it should be, or a format newer than this one or none;
                or if it has no agents.
        """
        version = value.get("version") if isinstance(value, Mapping) else None
        if isinstance(version, int) and version > VERSION:
            raise ValueError(f"{where} is of format {version}, this acgym reads up to {VERSION}: use a newer acgym")
        if isinstance(version, int) and version < 0:
            raise ValueError(f"{where}.version must be 0 or more, got {version}")
        read = from_json(cls, value, where)
        if not read.agents:
            raise ValueError(f"{where}.agents must be a list of at least one agent, got []")
        return read

    @property
    def envs(self) -> list[str]:
        """The environments."""
        return list(self.settings.envs)

    @property
    def others(self) -> tuple[AgentResult, ...]:
        """The agents that are compared with the first one."""
        return self.agents[1:]

    @property
    def labels(self) -> list[str]:
        """The environments, and ``"all"`` where there are several."""
        return self.envs if len(self.envs) == 1 else [*self.envs, POOLED]

    def above_heuristic(self, score: Score | NotMeasured | None, envs: Sequence[str]) -> float | None:
        """Return the success of ``score`` minus the mean of the simple heuristics' over ``envs``, in [-1, 1].

        None where nothing was measured, or an environment's episodes state no heuristic anchor.
        """
        stated = [guess.success for env in envs if (guess := self.heuristic_anchors.get(env)) is not None]
        if not isinstance(score, Score) or not stated or len(stated) < len(envs):
            return None
        return score.success - fmean(stated)

    def judged_by(self, scorer: str) -> ComparisonResult:
        """Return it as a scorer's: named, and without hand-offs, which were played under the old scores."""
        return replace(self, scorer=scorer, agents=tuple(replace(agent, handoff=None) for agent in self.agents))
