"""Capabilities that several environments measure: the mean over those, for each agent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from acgym.analysis.numbers import Comparison, NotMeasured, Score
from acgym.analysis.score import NoEpisodes, adjusted
from acgym.analysis.together import compare_together, score_together
from acgym.record.episode import Episode

Played = Mapping[str, Sequence[Episode]]
"""Environment -> an agent's episodes."""


def capability_groups(played: Played) -> dict[str, tuple[str, ...]]:
    """Name the environments of each capability that has several, as their episodes say it."""
    groups: dict[str, list[str]] = {}
    for env, episodes in played.items():
        said = {episode.capability for episode in episodes}
        if len(said) == 1 and (name := said.pop()) is not None:
            groups.setdefault(name, []).append(env)
    return {name: tuple(envs) for name, envs in groups.items() if len(envs) > 1}


def capability_scores(played: Played, groups: Mapping[str, Sequence[str]]) -> dict[str, Score | NotMeasured]:
    """Score an agent on each capability: means over its environments, stratified intervals."""
    found: dict[str, Score | NotMeasured] = {}
    for name, envs in groups.items():
        try:
            found[name] = score_together({env: played[env] for env in envs})
        except NoEpisodes as why:
            found[name] = NotMeasured(str(why), n_failed=sum(len(played[env]) for env in envs))
    return found


def capability_comparisons(
    dense: Played, others: Mapping[str, Played], groups: Mapping[str, Sequence[str]]
) -> dict[str, dict[str, Comparison | NotMeasured]]:
    """Compare agents with the dense one on each capability.

    Returns:
        Agent -> capability -> the comparison of means over its environments; p-values are Holm-adjusted over all
        agents and capabilities.
    """
    rows: dict[str, dict[str, Comparison | NotMeasured]] = {name: {} for name in others}
    measured: dict[tuple[str, str], Comparison] = {}
    for name, other in others.items():
        for capability, envs in groups.items():
            try:
                row = compare_together({env: dense[env] for env in envs}, {env: other[env] for env in envs})
                measured[name, capability] = row
            except NoEpisodes as why:
                count = sum(max(len(dense[env]), len(other[env])) for env in envs)
                rows[name][capability] = NotMeasured(str(why), n_failed=count)
    for (name, capability), adjusted_row in adjusted(measured).items():
        if isinstance(adjusted_row, Comparison):
            rows[name][capability] = adjusted_row
    return rows
