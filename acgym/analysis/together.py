"""One estimate over all environments of a run: each of them weighs the same, and recipes are corrected for being many.

The mean of the environments' own figures, with intervals whose variance comes from within the environments
(:mod:`acgym.statistics.stratified`). The test is McNemar's over the pairs of all environments: where compression
changes nothing each discordant pair is as likely lost as won, in whichever environment, so that their sums are binomial
too; whole tasks where tasks repeat. Every agent of a run has one such test, and all of these stand together (Holm).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from statistics import fmean

from acgym.analysis.numbers import Comparison, Score
from acgym.analysis.score import NoEpisodes, compared, score
from acgym.record.episode import Episode
from acgym.record.pairing import pair
from acgym.statistics.stratified import Stratum, stratified_difference, stratified_mean


def score_together(by_env: Mapping[str, Sequence[Episode]]) -> Score:
    """Score one agent over all environments.

    Success and progress are means over the environments, whatever number of episodes finished in each, and so is the
    anchor that ``anchored_success`` allows for. Rates of errors stay shares of all turns; steps, tokens and seconds are
    means over all episodes.

    Args:
        by_env: environment -> its episodes.

    Raises:
        NoEpisodes: when nothing finished in one of the environments: there is no mean over all of them then.
    """
    each = [score(episodes) for episodes in by_env.values()]
    done = [[episode for episode in rows if episode.outcome == "finished"] for rows in by_env.values()]
    everything = score([episode for rows in by_env.values() for episode in rows])
    tasks = [[episode.task for episode in rows] for rows in done]
    solved = [[float(bool(episode.success)) for episode in rows] for rows in done]
    progress = [[float(episode.progress or 0.0) for episode in rows] for rows in done]
    success = fmean(one.success for one in each)
    return replace(
        everything,
        success=success,
        success_interval=stratified_mean(list(zip(solved, tasks, strict=True))),
        progress=fmean(one.progress for one in each),
        progress_interval=stratified_mean(list(zip(progress, tasks, strict=True))),
        anchored_success=_anchored(success, done),
    )


def _anchored(success: float, done: Sequence[Sequence[Episode]]) -> float | None:
    anchors = [[e.random_success for e in rows if e.random_success is not None] for rows in done]
    if any(len(known) < len(rows) for known, rows in zip(anchors, done, strict=True)):
        return None
    guess = fmean(fmean(known) for known in anchors)
    return None if guess >= 1 else (success - guess) / (1 - guess)


def compare_together(dense: Mapping[str, Sequence[Episode]], other: Mapping[str, Sequence[Episode]]) -> Comparison:
    """Compare two agents over all environments.

    Counts (``n``, ``n_tasks``, ``lost``, ``won``) are sums, rates and differences are means over the environments. With
    one environment everything is that of :func:`acgym.analysis.score.compare`.

    Args:
        dense: environment -> episodes of the dense agent.
        other: environment -> episodes of the other agent, the same environments.

    Raises:
        NoEpisodes: when no pair finished in one of the environments.
        ValueError: as :func:`acgym.analysis.score.compare`.
    """
    pairs = {env: pair(dense[env], other[env]) for env in dense}
    done = {env: [both for both in rows if both[0].outcome == both[1].outcome == "finished"]
            for env, rows in pairs.items()}  # fmt: skip
    missing = [env for env, rows in done.items() if not rows]
    if missing or not done:
        where = ", ".join(missing) or "no environment"
        raise NoEpisodes(f"no mean over all environments: no finished pair of episodes in {where}")
    flat = [both for rows in done.values() for both in rows]
    found = compared(flat, n_failed=sum(map(len, pairs.values())) - len(flat))
    success = [_stratum(rows, lambda episode: float(bool(episode.success))) for rows in done.values()]
    progress = [_stratum(rows, lambda episode: float(episode.progress or 0.0)) for rows in done.values()]
    return replace(
        found,
        dense_success=fmean(fmean(rows.dense) for rows in success),
        other_success=fmean(fmean(rows.other) for rows in success),
        success_difference=fmean(fmean(rows.other) - fmean(rows.dense) for rows in success),
        success_interval=stratified_difference(success),
        dense_progress=fmean(fmean(rows.dense) for rows in progress),
        other_progress=fmean(fmean(rows.other) for rows in progress),
        progress_difference=fmean(fmean(rows.other) - fmean(rows.dense) for rows in progress),
        progress_interval=stratified_difference(progress),
    )


def _stratum(pairs: Sequence[tuple[Episode, Episode]], value: Callable[[Episode], float]) -> Stratum:
    """Return a value of both episodes of each pair, and the pair's task."""
    return Stratum([value(a) for a, _ in pairs], [value(b) for _, b in pairs], [a.task for a, _ in pairs])
