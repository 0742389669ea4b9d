"""The ``prediction`` section of a comparison: did the signals on the dense agent's tokens predict what was lost?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from acgym.analysis.result import AgentResult
from acgym.record.run import SIGNALS
from acgym.record.sheet import SignalNumbers
from acgym.record.tokens import decision_sequences
from acgym.statistics.prediction import Stratum, association, discrimination
from acgym.types import Json

if TYPE_CHECKING:
    from acgym.record.episode import Episode
    from acgym.record.run import Run


Change: TypeAlias = Callable[[SignalNumbers, SignalNumbers], float | None]
Columns: TypeAlias = Mapping[str, NDArray[Any]]


def _minus(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a - b


def _lost_agreement(name: str, k: str) -> Change:
    return lambda dense, other: _minus(1.0, other.at(name, k))


BY_RECIPE: dict[str, Change] = {
    "erank": lambda dense, other: _minus(dense.erank, other.erank),
    "diff_erank": lambda dense, other: _minus(dense.diff_erank, other.diff_erank),
    "energy_shift": lambda dense, other: None if other.energy_shift is None else abs(other.energy_shift),
    "energy_abs_shift": lambda dense, other: other.energy_abs_shift,
    "energy_w1": lambda dense, other: other.energy_w1,
    "energy_ks": lambda dense, other: other.energy_ks,
    **{
        f"{name}@{k}": _lost_agreement(name, str(k))
        for name in ("topk_jaccard", "topk_kendall", "topk_spearman")
        for k in (3, 10, 20)
    },
    "kl": lambda dense, other: other.kl,
    "js": lambda dense, other: other.js,
    "margin": lambda dense, other: _minus(dense.margin, other.margin),
    "nll": lambda dense, other: _minus(other.nll, dense.nll),
    "top1_flip": lambda dense, other: other.top1_flip,
}
"""Signal -> its change from the dense to the compressed model (:class:`acgym.record.sheet.SignalNumbers`), turned
so that a larger value means more damage: lost rank and margin, |mean ΔE|, 1 - agreement, gained NLL; the others are
distances already. Runs from before a signal was measured lack it."""

PER_TOKEN: dict[str, Callable[[Columns, Columns], NDArray[Any]]] = {
    "energy_shift": lambda dense, other: other["energy"] - other["energy_dense"],
    "energy_abs_shift": lambda dense, other: np.abs(other["energy"] - other["energy_dense"]),
    "kl": lambda dense, other: other["kl"],
    "nll": lambda dense, other: other["nll"] - dense["nll"],
    "top1_flip": lambda dense, other: other["flip"].astype(np.float64),
    "nll_dense": lambda dense, other: dense["nll"],
    "energy_dense": lambda dense, other: dense["energy"],
}
"""Signal -> its value at each decision token; an episode's value is the mean over its tokens, of ``energy_shift`` the
size of it. The last two know nothing of the compressed model: what a signal adds to how hard the episode is in itself.
"""

EPISODE = "episode"
"""Values that the probe itself keeps for each episode are read as ``ENV/episode/NAME``, (episodes,) each in the order
of ``ENV/episode/seed``; larger must mean more damage. None are needed for the signals of PER_TOKEN."""


def prediction(run: Run, agents: Sequence[AgentResult], played: Mapping[str, Sequence[Episode]]) -> Json:
    """Say how well each signal predicted lost success, over recipes and over episodes.

    Args:
        run: whose signals are read.
        agents: those of a comparison; the first is the dense one. Re-runs of it are no recipes.
        played: agent -> all its episodes.

    Returns:
        ``recipes``: environment or ``"all"`` -> signal -> :class:`acgym.statistics.prediction.Association` over all
        compressed agents; ``episodes``: signal -> :class:`acgym.statistics.prediction.Discrimination` over the probed
        episodes of all recipes and environments. None when no agent but the first was measured.
    """
    dense, others = agents[0], [agent for agent in agents[1:] if agent.sheet.rerun is None]
    if not any(agent.probed for agent in others):
        return None
    recipes = {env: _over_recipes(env, dense, others) for env in dense.signals}
    return {"recipes": recipes, "episodes": _over_episodes(run, dense, others, played)}


def _over_recipes(env: str, dense: AgentResult, others: Sequence[AgentResult]) -> dict[str, Json]:
    rows = [(agent.signals[env], agent.comparison(env)) for agent in others]
    known = [(signals, row) for signals, row in rows if signals and row is not None]
    found: dict[str, Json] = {}
    reference = dense.signals[env]
    for name, change in BY_RECIPE.items():
        points = [(change(reference, s), -row.success_difference) for s, row in known] if reference else []
        measured = [(x, y) for x, y in points if x is not None]
        found[name] = asdict(association([x for x, _ in measured], [y for _, y in measured]))
    return found


def _over_episodes(
    run: Run, dense: AgentResult, others: Sequence[AgentResult], played: Mapping[str, Sequence[Episode]]
) -> dict[str, Json]:
    strata: dict[str, list[Stratum]] = {name: [] for name in PER_TOKEN}
    first = _arrays(run, dense)
    for agent in others:
        arrays = _arrays(run, agent)
        if arrays is None or first is None or not _same_tokens(dense, agent):
            continue
        for env in run.settings["envs"]:
            solved = {e.seed: e for e in played[dense.name] if e.env == env and e.success}
            after = {e.seed: e for e in played[agent.name] if e.env == env and e.outcome == "finished"}
            probed = agent.sheet.signals.episodes if agent.sheet.signals is not None else None
            owners = _owners([e for e in played[dense.name] if e.env == env], probed or 0)
            for name, values in _by_episode(_of(first, env), _of(arrays, env), owners).items():
                seeds = [seed for seed in values if seed in solved and seed in after]
                lost = [not after[seed].success for seed in seeds]
                row = ([values[seed] for seed in seeds], lost, [(env, seed) for seed in seeds])
                strata.setdefault(name, []).append(row)
    return {name: asdict(discrimination(rows)) for name, rows in strata.items()}


def _by_episode(dense: Columns, other: Columns, owners: Sequence[int]) -> dict[str, dict[int, float]]:
    """Return signal -> seed -> value of the episode."""
    found: dict[str, dict[int, float]] = {}
    if "kl" in other and "nll" in dense and len(dense["nll"]) == len(other["kl"]):
        seeds = np.asarray(owners)[other["sequence"]]
        for name, value in PER_TOKEN.items():
            tokens = value(dense, other)
            means = {int(seed): float(tokens[seeds == seed].mean()) for seed in np.unique(seeds)}
            found[name] = {seed: abs(mean) for seed, mean in means.items()} if name == "energy_shift" else means
    seeds_kept = other.get(f"{EPISODE}/seed")
    for name, kept in other.items():
        if seeds_kept is not None and name.startswith(f"{EPISODE}/") and name != f"{EPISODE}/seed":
            pairs = zip(seeds_kept, kept, strict=True)
            found[name.removeprefix(f"{EPISODE}/")] = {int(s): float(v) for s, v in pairs if np.isfinite(v)}
    return found


def _owners(episodes: Sequence[Episode], probed: int) -> list[int]:
    """Return the seed of the episode that each probed sequence is of, in the order of the probe."""
    chosen = sorted(episodes, key=lambda episode: episode.seed)[:probed]
    return [episode.seed for episode in chosen for _ in decision_sequences([episode])]


def _arrays(run: Run, agent: AgentResult) -> dict[str, NDArray[Any]] | None:
    """Read an agent's arrays; None if it has none."""
    from safetensors.numpy import load_file

    file = run.folder(agent.name) / SIGNALS
    return load_file(file) if file.is_file() and agent.probed else None


def _of(arrays: Mapping[str, NDArray[Any]], env: str) -> dict[str, NDArray[Any]]:
    return {name.removeprefix(f"{env}/"): array for name, array in arrays.items() if name.startswith(f"{env}/")}


def _same_tokens(dense: AgentResult, other: AgentResult) -> bool:
    digests = [None if agent.sheet.signals is None else agent.sheet.signals.tokens_sha256 for agent in (dense, other)]
    return digests[0] is not None and digests[0] == digests[1]
