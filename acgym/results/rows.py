"""A comparison as rows: one for each agent and environment, and one for each agent and episode."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from importlib import import_module
from operator import attrgetter
from typing import Any

from acgym.analysis.divergence import first_difference
from acgym.analysis.failure import classify
from acgym.analysis.numbers import Comparison, Score
from acgym.analysis.result import AgentResult
from acgym.analysis.result import ComparisonResult as Numbers
from acgym.record.episode import Episode
from acgym.types import Json


@dataclass(frozen=True, slots=True)
class AgentRow:
    """One agent in one environment. None is "not measured" or "does not apply", as of the first agent's difference."""

    agent: str
    env: str
    """Gymnasium id; ``"all"`` for all environments together."""
    n: int
    """Finished episodes."""
    n_failed: int
    """Episodes that an infrastructure failure ended: counted, never scored."""
    success: float | None
    """Share of episodes solved, in [0, 1], with its 95 % interval."""
    success_low: float | None
    success_high: float | None
    progress: float | None
    """Mean final progress, in [0, 1]."""
    difference: float | None
    """Success minus that of the first agent on the same episodes, in [-1, 1], with its 95 % interval (anytime-valid in
    a run that stops by itself): below 0 is a loss."""
    difference_low: float | None
    difference_high: float | None
    p: float | None
    """Of the difference, exact and corrected for the tests beside it (Holm); it decides what counts as a change."""
    significant: bool | None
    """Whether ``p`` is below 0.05."""
    limit: str | None
    """Why nothing can be said of a loss here (``floor``, ``few``: :attr:`acgym.analysis.numbers.Comparison.limit`)."""
    lost: int | None
    """Episodes that only the first agent solved."""
    won: int | None
    """Episodes that only this one solved."""
    detectable_drop: float | None
    """Smallest true drop that so many episodes would show (power 0.8), in [0, 1]."""
    anchored_success: float | None
    """(success - random) / (1 - random)."""
    format_error_rate: float | None
    decision_error_rate: float | None
    """Shares of turns, in [0, 1]."""
    turns: float | None
    """Mean of an episode."""
    generated_tokens: float | None
    """Mean of an episode; None of an agent without tokens."""
    seconds: float | None
    """Mean wall-clock seconds of an episode."""
    bits_per_weight: float | None
    weight_bytes: float | None
    """As packed storage would take."""
    kl: float | None
    """Signals, on the tokens that the first agent wrote: :class:`acgym.record.sheet.SignalNumbers`."""
    top1_flip: float | None
    topk_jaccard_10: float | None
    erank: float | None
    energy_shift: float | None


def agent_rows(numbers: Numbers, envs: Iterable[str]) -> list[AgentRow]:
    """Return a row for each agent and each of ``envs``, in this order."""
    return [_agent_row(agent, env) for agent in numbers.agents for env in envs]


def _agent_row(agent: AgentResult, env: str) -> AgentRow:
    measured = agent.scores[env]
    score = measured if isinstance(measured, Score) else None
    row, signals = agent.comparison(env), agent.signals.get(env)
    return AgentRow(
        agent=agent.name,
        env=env,
        n=measured.n,
        n_failed=measured.n_failed,
        success=_of(score, "success"),
        success_low=_of(score, "success_interval.low"),
        success_high=_of(score, "success_interval.high"),
        progress=_of(score, "progress"),
        **_difference(row),
        anchored_success=_of(score, "anchored_success"),
        format_error_rate=_of(score, "format_error_rate"),
        decision_error_rate=_of(score, "decision_error_rate"),
        turns=_of(score, "steps"),
        generated_tokens=_of(score, "generated_tokens"),
        seconds=_of(score, "seconds"),
        bits_per_weight=agent.sheet.bits_per_weight,
        weight_bytes=agent.sheet.weight_bytes,
        kl=_of(signals, "kl"),
        top1_flip=_of(signals, "top1_flip"),
        topk_jaccard_10=None if signals is None else signals.at("topk_jaccard", "10"),
        erank=_of(signals, "erank"),
        energy_shift=_of(signals, "energy_shift"),
    )


def _of(thing: object, name: str) -> Any:
    """Return an attribute; None where there is no thing."""
    return None if thing is None else attrgetter(name)(thing)


def _difference(row: Comparison | None) -> dict[str, Any]:
    return {
        "difference": _of(row, "success_difference"),
        "difference_low": _of(row, "success_interval.low"),
        "difference_high": _of(row, "success_interval.high"),
        "p": _of(row, "adjusted_p"),
        "significant": _of(row, "significant"),
        "limit": _of(row, "limit"),
        "lost": _of(row, "lost"),
        "won": _of(row, "won"),
        "detectable_drop": _of(row, "detectable_drop"),
    }


@dataclass(frozen=True, slots=True)
class EpisodeRow:
    """One episode of one agent, beside the first agent's episode of the same task. Turns count from 0.

    None is "not measured" or "does not apply": the first agent is compared with none.
    """

    agent: str
    env: str
    seed: int
    success: bool | None
    """None if an infrastructure failure ended it."""
    progress: float | None
    """Final, in [0, 1]."""
    turns: int
    outcome: str
    """Of the pair: ``both`` solved it, ``lost`` (only the first agent did), ``won`` (only this one), ``neither``,
    ``failed``; of the first agent: ``solved``, ``unsolved``, ``failed``."""
    first_difference: int | None
    """First turn whose words differ from the first agent's; None if none do."""
    first_decision: int | None
    """First turn that decides otherwise; None if the two differ in words alone, or not at all."""
    failure_class: str | None
    """How it was lost, one of :data:`acgym.analysis.failure.CLASSES` or an error's own word; None if it was solved."""
    failure_turn: int | None
    """The turn that the class points at."""
    format_errors: int
    decision_errors: int
    generated_tokens: int | None
    """None of an agent without tokens."""
    seconds: float
    """Wall-clock, waiting in a batch included."""
    truncated: bool
    """Whether a limit ended it."""
    failure: str | None
    """What broke, if an infrastructure failure ended it."""


class EpisodeRows(list[EpisodeRow]):
    """Rows of episodes; a list that also goes into a data frame."""

    def to_pandas(self) -> Any:
        """Return the rows as a ``pandas.DataFrame``, one column for each field of :class:`EpisodeRow`.

        Raises:
            ImportError: if pandas is not installed.
        """
        return to_frame(self, EpisodeRow)


def episode_rows(dense: Sequence[Episode], other: Sequence[Episode] | None, agent: str) -> list[EpisodeRow]:
    """Return the rows of one agent, sorted by environment as played and seed.

    Args:
        dense: the first agent's episodes.
        other: the agent's; None for the first agent itself.
        agent: its name in the run.
    """
    if other is None:
        return [_row(agent, episode, None) for episode in dense]
    first = {episode.key: episode for episode in dense}
    return [_row(agent, episode, first.get(episode.key)) for episode in other]


def _row(agent: str, episode: Episode, dense: Episode | None) -> EpisodeRow:
    tokens = [len(turn.token_ids) for turn in episode.turns if turn.token_ids is not None]
    reference = dense if dense is not None and dense.outcome == "finished" else None
    how = classify(episode, reference)
    difference = None
    if reference is not None and episode.outcome == "finished":
        difference = first_difference(reference, episode)
    return EpisodeRow(
        agent=agent,
        env=episode.env,
        seed=episode.seed,
        success=episode.success,
        progress=episode.progress,
        turns=len(episode.turns),
        outcome=_outcome(episode, dense),
        first_difference=_of(difference, "turn"),
        first_decision=_of(difference, "decision_turn"),
        failure_class=_of(how, "kind"),
        failure_turn=_of(how, "turn"),
        format_errors=episode.format_errors,
        decision_errors=episode.decision_errors,
        generated_tokens=sum(tokens) if tokens else None,
        seconds=episode.seconds,
        truncated=episode.truncated,
        failure=episode.failure,
    )


def _outcome(episode: Episode, dense: Episode | None) -> str:
    if episode.outcome == "failed" or (dense is not None and dense.outcome == "failed"):
        return "failed"
    if dense is None:
        return "solved" if episode.success else "unsolved"
    if episode.success:
        return "both" if dense.success else "won"
    return "lost" if dense.success else "neither"


def to_frame(rows: Sequence[object], kind: type) -> Any:
    """Return dataclasses as a ``pandas.DataFrame`` with the class's fields as columns.

    Raises:
        ImportError: if pandas is not installed.
    """
    try:
        pandas: Any = import_module("pandas")
    except ImportError:
        raise ImportError(
            "pandas is not installed, so there is no data frame; run: pip install 'acgym[pandas]'. "
            "Without it, rows() and episodes() return the same as lists of dataclasses"
        ) from None
    names = [each.name for each in fields(kind)]
    return pandas.DataFrame({name: list(map(attrgetter(name), rows)) for name in names})


def as_dict(row: object) -> Mapping[str, Json]:
    """Return a row's fields by name."""
    return {each.name: getattr(row, each.name) for each in fields(row)}  # type: ignore[arg-type]
