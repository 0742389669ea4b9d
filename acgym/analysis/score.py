"""The scorer: episodes in, numbers out. It sees neither a model nor an environment, so old runs can be scored again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from statistics import fmean
from typing import TypeVar

from acgym.analysis.numbers import ALPHA, Comparison, Divergence, Score, TurnCount
from acgym.record.episode import Episode
from acgym.record.pairing import agent_name, by_key, by_task, pair
from acgym.statistics.cluster import cluster_mcnemar, cluster_mcnemar_mid_p, clustered_difference, clustered_mean
from acgym.statistics.paired import holm
from acgym.statistics.power import episodes_needed, minimum_detectable_drop

DROP_OF_INTEREST = 0.02
"""A comparison says how many episodes a drop of this size would need."""

Name = TypeVar("Name")
"""Of what is compared: an environment, an agent, or both."""


class NoEpisodes(ValueError):
    """Nothing is left to score; the message names the agents and environments. Never reported as a number."""


def score(episodes: Iterable[Episode]) -> Score:
    """Score the episodes of one agent, in one environment or several (each episode then counts the same).

    Raises:
        NoEpisodes: when none of them finished.
        ValueError: when an episode is there twice.
    """
    everything = list(by_key(episodes, "the run").values())
    done = [episode for episode in everything if episode.outcome == "finished"]
    if not done:
        raise NoEpisodes(_nothing(everything))
    solved = sum(bool(episode.success) for episode in done)
    progress = [float(episode.progress or 0.0) for episode in done]
    tasks = [episode.task for episode in done]
    turns = sum(len(episode.turns) for episode in done)
    return Score(
        n=len(done),
        n_failed=len(everything) - len(done),
        success=solved / len(done),
        success_interval=clustered_mean([float(bool(episode.success)) for episode in done], tasks),
        progress=fmean(progress),
        progress_interval=clustered_mean(progress, tasks),
        anchored_success=_anchored(solved / len(done), done),
        format_error_rate=sum(episode.format_errors for episode in done) / turns if turns else None,
        decision_error_rate=sum(episode.decision_errors for episode in done) / turns if turns else None,
        steps=turns / len(done),
        generated_tokens=_generated_tokens(done),
        seconds=fmean(episode.seconds for episode in done),
    )


def compare(dense: Iterable[Episode], other: Iterable[Episode]) -> Comparison:
    """Compare two agents pair by pair; pairs share :attr:`acgym.record.episode.Episode.key`.

    Raises:
        NoEpisodes: when no pair is left in which both finished.
        ValueError: when one run lacks an episode that the other has (the first few are named), or has one twice.
    """
    pairs = pair(dense, other)
    done = [(a, b) for a, b in pairs if a.outcome == b.outcome == "finished"]
    if not done:
        raise NoEpisodes(_nothing([episode for both in pairs for episode in both]))
    return compared(done, n_failed=len(pairs) - len(done))


def compare_all(
    dense: Mapping[str, Sequence[Episode]], others: Mapping[str, Mapping[str, Sequence[Episode]]]
) -> dict[str, dict[str, Comparison | NoEpisodes]]:
    """Compare each other agent with the dense one in every environment, p-values Holm-adjusted per agent.

    Args:
        dense: environment label -> episodes of the dense agent.
        others: agent name -> environment label -> episodes; the same labels as ``dense``.

    Returns:
        agent name -> environment label -> comparison. Where nothing could be compared, the :class:`NoEpisodes` that
        says why stands in its place, and the environment does not count in the adjustment.

    Raises:
        ValueError: as :func:`compare`; also when an agent lacks an environment or has one that the dense agent lacks.
    """
    table: dict[str, dict[str, Comparison | NoEpisodes]] = {}
    for agent, by_env in others.items():
        if set(by_env) != set(dense):
            odd = ", ".join(sorted(set(by_env) ^ set(dense)))
            raise ValueError(f"{agent} and the dense agent must have played the same environments; one lacks {odd}")
        row: dict[str, Comparison | NoEpisodes] = {}
        for env in dense:
            try:
                row[env] = compare(dense[env], by_env[env])
            except NoEpisodes as why:
                row[env] = why
        table[agent] = adjusted(row)
    return table


def adjusted(row: Mapping[Name, Comparison | NoEpisodes]) -> dict[Name, Comparison | NoEpisodes]:
    """Holm-adjust the p-values of comparisons that stand together; what was not measured does not count."""
    measured = {name: cell for name, cell in row.items() if isinstance(cell, Comparison)}
    exact = dict(zip(measured, holm([cell.p for cell in measured.values()]), strict=True))
    known = {name: cell.p_mid for name, cell in measured.items() if cell.p_mid is not None}
    middle = dict(zip(known, holm(list(known.values())), strict=True))
    together = {
        name: replace(at_level(cell, len(measured)), p_holm=exact[name], p_mid_holm=middle.get(name))
        for name, cell in measured.items()
    }
    return {name: together.get(name, cell) for name, cell in row.items()}


def at_level(row: Comparison, tests: int) -> Comparison:
    """Say what the pairs can show when this is one of several tests whose p-values are Holm-adjusted.

    Planned for the hardest case, in which this one alone is damaged: Holm then asks for p <= 0.05 / tests. Where others
    are damaged too it asks for less, so the power is at least what is said.
    """
    discordant, alpha = (row.lost + row.won) / row.n, ALPHA / tests
    if row.anytime is not None:
        return row  # what is played until it is known has no number of episodes to plan for
    return replace(
        row,
        detectable_drop=minimum_detectable_drop(row.n_tasks, discordant, alpha=alpha),
        episodes_for_two_points=episodes_needed(DROP_OF_INTEREST, discordant, alpha=alpha),
    )


def compared(pairs: Sequence[tuple[Episode, Episode]], n_failed: int) -> Comparison:
    """Compare pairs in which both finished, at least one, all of them as one sample."""
    n = len(pairs)
    a_success, b_success = [bool(a.success) for a, _ in pairs], [bool(b.success) for _, b in pairs]
    a_progress, b_progress = [float(a.progress or 0.0) for a, _ in pairs], [float(b.progress or 0.0) for _, b in pairs]
    tasks, labels = by_task(pairs), [a.task for a, _ in pairs]
    lost, won = _lost(pairs), _lost(pairs, won=True)
    by_task_lost, by_task_won = zip(*((_lost(rows), _lost(rows, won=True)) for rows in tasks.values()), strict=True)
    apart = tuple(d for a, b in pairs if (d := _divergence(a, b)) is not None)
    found = Comparison(
        dense=agent_name(a for a, _ in pairs),
        other=agent_name(b for _, b in pairs),
        n=n,
        n_tasks=len(tasks),
        n_failed=n_failed,
        lost=lost,
        won=won,
        dense_success=fmean(a_success),
        other_success=fmean(b_success),
        success_difference=(won - lost) / n,
        success_interval=clustered_difference(a_success, b_success, labels),
        p=cluster_mcnemar(by_task_lost, by_task_won),
        p_holm=None,
        p_mid=cluster_mcnemar_mid_p(by_task_lost, by_task_won),
        p_mid_holm=None,
        dense_progress=fmean(a_progress),
        other_progress=fmean(b_progress),
        progress_difference=fmean(b_progress) - fmean(a_progress),
        progress_interval=clustered_difference(a_progress, b_progress, labels),
        detectable_drop=None,
        episodes_for_two_points=0,
        divergence_turns=_by_turn(apart),
        lost_from_divergence=fmean(d.lost for d in apart) if apart else None,
        divergences=apart,
    )
    return at_level(found, 1)


def _lost(pairs: Sequence[tuple[Episode, Episode]], won: bool = False) -> int:
    """Count the pairs that only the first agent solved, or only the second one."""
    return sum(bool(a.success) > bool(b.success) for a, b in (((b, a) for a, b in pairs) if won else pairs))


def _divergence(a: Episode, b: Episode) -> Divergence | None:
    """Find the first turn at which two episodes differ; None if all their actions are equal."""
    ours, theirs = [turn.action for turn in a.turns], [turn.action for turn in b.turns]
    if ours == theirs:
        return None
    shared = min(len(ours), len(theirs))
    turn = next((i for i in range(shared) if ours[i] != theirs[i]), shared)
    solved, still = bool(a.success), bool(b.success)
    gap = float(a.progress or 0.0) - float(b.progress or 0.0)
    return Divergence(a.key, turn, lost=solved and not still, won=still and not solved, progress_lost=gap)


def _by_turn(divergences: Sequence[Divergence]) -> tuple[TurnCount, ...]:
    diverged = Counter(d.turn for d in divergences)
    lost = Counter(d.turn for d in divergences if d.lost)
    return tuple(TurnCount(turn, diverged[turn], lost[turn]) for turn in sorted(diverged))


def _anchored(success: float, episodes: Sequence[Episode]) -> float | None:
    anchors = [episode.random_success for episode in episodes if episode.random_success is not None]
    if len(anchors) < len(episodes) or fmean(anchors) >= 1:
        return None
    return (success - fmean(anchors)) / (1 - fmean(anchors))


def _generated_tokens(episodes: Sequence[Episode]) -> float | None:
    counts = [len(t.token_ids) if t.token_ids is not None else None for e in episodes for t in e.turns]
    known = [count for count in counts if count is not None]
    return sum(known) / len(episodes) if counts and len(known) == len(counts) else None


def _nothing(episodes: Sequence[Episode]) -> str:
    envs = ", ".join(sorted({episode.env for episode in episodes})) or "no environment"
    failed = [episode for episode in episodes if episode.outcome == "failed"]
    why = f"; {len(failed)} failed, the first with: {failed[0].failure}" if failed else ""
    return f"no finished episodes of {agent_name(episodes)} in {envs}{why}"
