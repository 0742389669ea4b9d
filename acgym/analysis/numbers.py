"""What a comparison tells of one agent in one environment: its score, and its difference from the dense agent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from acgym.record.pairing import Key
from acgym.statistics.paired import Interval, mcnemar
from acgym.typed import Written
from acgym.types import Json

ALPHA = 0.05
"""Level of the test that verdicts and colours rest on."""
FLOOR = 0.05
"""A first agent that solves a smaller share than this has next to nothing to lose."""

Limit: TypeAlias = Literal["floor", "few"]
"""Why a comparison without a significant change says nothing: ``floor``, the dense agent solves less than FLOOR, so
that not even the loss of everything would be a loss of interest; ``few``, it solved so few episodes (below six) that
the exact test could not have told the loss of all of them from chance."""


Verdict: TypeAlias = Literal["loss", "gain", "narrow", "open", "drift"]
"""What a look at a comparison under way says, see :attr:`InterimLook.verdict`."""


@dataclass(frozen=True, slots=True)
class NotMeasured(Written):
    """Stands where there is no number, and says why."""

    reason: str
    n: int = 0
    """Episodes or pairs that tell something: none."""
    n_failed: int = 0
    """Those that an infrastructure failure ended."""


@dataclass(frozen=True, slots=True)
class Score(Written):
    """What one agent scored on its finished episodes. None is "not measured", never a number."""

    n: int
    """Finished episodes, at least 1; everything below is about these."""
    n_failed: int
    """Episodes that an infrastructure failure ended: counted, never scored."""
    success: float
    """Share of episodes solved, in [0, 1]."""
    success_interval: Interval
    """95 % interval: Wilson; see :func:`acgym.statistics.cluster.clustered_mean` where tasks repeat."""
    progress: float
    """Mean final progress, in [0, 1]."""
    progress_interval: Interval
    """95 % interval, see :func:`acgym.statistics.cluster.clustered_mean`."""
    anchored_success: float | None
    """(success - random) / (1 - random): 0 is guessing, 1 perfect. None if an episode states no anchor."""
    format_error_rate: float | None
    """Share of turns whose action was not in the grammar, in [0, 1]; None when there was no turn."""
    decision_error_rate: float | None
    """Share of turns whose action was well formed but wrong, in [0, 1]; None when there was no turn."""
    steps: float
    """Mean turns of an episode."""
    generated_tokens: float | None
    """Mean tokens that the agent generated in an episode; None for an agent without tokens."""
    seconds: float
    """Mean wall-clock seconds of an episode, waiting in a batch included."""


@dataclass(frozen=True, slots=True)
class Divergence(Written):
    """Where one pair first went separate ways."""

    key: Key
    turn: int
    """Index, from 0, of the first turn whose action differs, or that only one of the two episodes has."""
    lost: bool
    """The dense agent solved the task, the other did not."""
    won: bool
    """The other way round."""
    progress_lost: float
    """Final progress of the dense agent minus the other's, in [-1, 1]."""


@dataclass(frozen=True, slots=True)
class InterimLook(Written):
    """An interim look (group sequential): what the episodes so far show of one agent in one environment.

    Differences are other - dense.
    """

    n: int
    """Pairs in which both finished."""
    tasks: int
    """Distinct tasks among them. Each counts once, by its lowest seed: a repeat is not independent news."""
    confidence: float
    """Of both intervals: 1 - 0.05 / number of environments (Bonferroni); 0.95 of all together."""
    success_interval: Interval | None
    """:func:`acgym.statistics.sequential.confidence_sequence` of the difference in success; None if nothing is left of
    it."""
    progress_interval: Interval | None
    """The same of final progress. It does not decide when to stop."""
    p: float
    """:func:`acgym.statistics.sequential.sequential_p` of success."""
    p_holm: float | None
    """``p`` adjusted for the number of environments (Holm), as valid at any time as ``p`` is; None of all together."""
    verdict: Verdict
    """``loss`` or ``gain``: the interval of success excludes 0. ``narrow``: its half-width is at most what was asked.
    ``open``: neither yet. ``drift``: no one mean fits all episodes, which stops the play too."""


@dataclass(frozen=True, slots=True)
class TurnCount(Written):
    """Pairs whose actions first differ at one turn."""

    turn: int
    diverged: int
    lost: int
    """Of these, solved by the dense agent alone."""


@dataclass(frozen=True, slots=True)
class Comparison(Written):
    """Two agents on the same episodes. Differences are other - dense: below 0 is a loss."""

    dense: str
    other: str
    n: int
    """Pairs in which both finished, at least 1; everything below is about these."""
    n_tasks: int
    """Distinct tasks among the pairs; below n where tasks repeat, and intervals and p then allow for it."""
    n_failed: int
    """Pairs left out because an infrastructure failure ended at least one of the two."""
    lost: int
    """Pairs that only the dense agent solved."""
    won: int
    """Pairs that only the other agent solved."""
    dense_success: float
    other_success: float
    success_difference: float
    """(won - lost) / n, in [-1, 1]."""
    success_interval: Interval
    """95 % score interval for paired proportions (Tango 1998); :func:`acgym.statistics.cluster.clustered_difference`
    where tasks repeat."""
    p: float
    """Exact two-sided McNemar test; :func:`acgym.statistics.cluster.cluster_mcnemar` where tasks repeat."""
    p_holm: float | None
    """``p`` adjusted for the number of tests that stand together: over the environments (:func:`compare_all`), of all
    environments together over the agents (:mod:`acgym.analysis.together`); None until that is done."""
    p_mid: float | None
    """Its mid-p, less conservative and not guaranteed: :func:`acgym.statistics.paired.mcnemar_mid_p`.
    None where looking on the way forbids it."""
    p_mid_holm: float | None
    """``p_mid`` adjusted likewise."""
    dense_progress: float
    other_progress: float
    progress_difference: float
    progress_interval: Interval
    """95 % interval, see :func:`acgym.statistics.cluster.clustered_difference`."""
    detectable_drop: float | None
    """Smallest true drop that n_tasks pairs would show (power 0.8, level 0.05 over the number of tests that stand
    together, see :func:`at_level`), discordance as seen; None if none would."""
    episodes_for_two_points: int
    """Pairs with which a true drop of 0.02 would show, on the same terms."""
    divergence_turns: tuple[TurnCount, ...]
    """By rising turn; turns at which no pair first differed are left out."""
    lost_from_divergence: float | None
    """Share of the diverged pairs that were lost from there on; None when none diverged."""
    anytime: InterimLook | None = field(default=None, metadata={"optional": True})
    """Of a run that stops by itself: what intervals and p were taken from."""
    divergences: tuple[Divergence, ...] = field(default=(), metadata={"kept": False})
    """The pairs whose actions differ somewhere, in the order of the dense run. Thousands of rows, which can be made
    from the episodes: they are not written."""

    @property
    def adjusted_p(self) -> float:
        """The p that is printed and that decides: ``p_holm``, or ``p`` where nothing stands beside it."""
        return self.p if self.p_holm is None else self.p_holm

    @property
    def significant(self) -> bool:
        """Whether the printed test shows a change at ALPHA."""
        return self.adjusted_p < ALPHA

    @property
    def limit(self) -> Limit | None:
        """Why nothing can be said of a loss here; None where something can, or where a change is significant."""
        if self.significant:
            return None
        if self.dense_success < FLOOR:
            return "floor"
        solved = min(round(self.dense_success * self.n), self.n_tasks)
        return "few" if mcnemar(solved, 0) > ALPHA else None

    def to_json(self) -> dict[str, Json]:
        """Return the comparison as JSON, with its ``limit``."""
        return {**Written.to_json(self), "limit": self.limit}
