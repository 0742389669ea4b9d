"""The scorer: episodes in, numbers out. It sees neither a model nor an environment, so old runs can be scored again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import fmean

from acgym.record.episode import Episode
from acgym.record.pairing import Key, agent_name, by_key, by_task, pair
from acgym.statistics.cluster import cluster_mcnemar, cluster_mcnemar_mid_p, clustered_difference, clustered_mean
from acgym.statistics.paired import Interval, holm
from acgym.statistics.power import episodes_needed, minimum_detectable_drop
from acgym.types import Json

DROP_OF_INTEREST = 0.02
"""A comparison says how many episodes a drop of this size would need."""


class NoEpisodes(ValueError):
    """Nothing is left to score; the message names the agents and environments. Never reported as a number."""


@dataclass(frozen=True, slots=True)
class Score:
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

    def to_dict(self) -> dict[str, Json]:
        """Return the score as JSON; intervals are ``{"low", "high"}``."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Divergence:
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
class Comparison:
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
    """``p`` adjusted for the number of environments; None until :func:`compare_all` has seen them all."""
    p_mid: float
    """Its mid-p, less conservative and not guaranteed: :func:`acgym.statistics.paired.mcnemar_mid_p`."""
    p_mid_holm: float | None
    """``p_mid`` adjusted likewise."""
    dense_progress: float
    other_progress: float
    progress_difference: float
    progress_interval: Interval
    """95 % interval, see :func:`acgym.statistics.cluster.clustered_difference`."""
    detectable_drop: float | None
    """Smallest true drop that n_tasks pairs would show (power 0.8, level 0.05), discordance as seen; None if none
    would."""
    episodes_for_two_points: int
    """Pairs with which a true drop of 0.02 would show, on the same terms."""
    divergences: tuple[Divergence, ...]
    """The pairs whose actions differ somewhere, in the order of the dense run."""

    @property
    def lost_from_divergence(self) -> float | None:
        """Share of the diverged pairs that were lost from there on; None when none diverged."""
        return fmean(d.lost for d in self.divergences) if self.divergences else None

    def divergence_turns(self) -> list[tuple[int, int, int]]:
        """Return (turn, pairs that first diverged there, of these lost) by rising turn, turns without any left out."""
        diverged = Counter(d.turn for d in self.divergences)
        lost = Counter(d.turn for d in self.divergences if d.lost)
        return [(turn, diverged[turn], lost[turn]) for turn in sorted(diverged)]

    def to_dict(self, divergences: bool = True) -> dict[str, Json]:
        """Return the comparison as JSON; ``divergences`` are thousands of rows, and can be made from the episodes."""
        turns = [{"turn": turn, "diverged": n, "lost": lost} for turn, n, lost in self.divergence_turns()]
        row = asdict(self if divergences else replace(self, divergences=()))
        if not divergences:
            del row["divergences"]
        return {**row, "lost_from_divergence": self.lost_from_divergence, "divergence_turns": turns}


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
    return _compared(done, n_failed=len(pairs) - len(done))


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
        measured = {env: cell for env, cell in row.items() if isinstance(cell, Comparison)}
        exact, middle = (holm([getattr(c, name) for c in measured.values()]) for name in ("p", "p_mid"))
        for (env, cell), p, p_mid in zip(measured.items(), exact, middle, strict=True):
            row[env] = replace(cell, p_holm=p, p_mid_holm=p_mid)
        table[agent] = row
    return table


def _compared(pairs: list[tuple[Episode, Episode]], n_failed: int) -> Comparison:
    n = len(pairs)
    a_success, b_success = [bool(a.success) for a, _ in pairs], [bool(b.success) for _, b in pairs]
    a_progress, b_progress = [float(a.progress or 0.0) for a, _ in pairs], [float(b.progress or 0.0) for _, b in pairs]
    tasks, labels = by_task(pairs), [a.task for a, _ in pairs]
    lost, won = _lost(pairs), _lost(pairs, won=True)
    by_task_lost, by_task_won = zip(*((_lost(rows), _lost(rows, won=True)) for rows in tasks.values()), strict=True)
    discordant = (lost + won) / n
    return Comparison(
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
        detectable_drop=minimum_detectable_drop(len(tasks), discordant),
        episodes_for_two_points=episodes_needed(DROP_OF_INTEREST, discordant),
        divergences=tuple(d for a, b in pairs if (d := _divergence(a, b)) is not None),
    )


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
