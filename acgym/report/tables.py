"""The report's further tables: capability by recipe, calibrations, noise floor, do the signals predict."""

from __future__ import annotations

from collections.abc import Sequence

from acgym.analysis.numbers import Comparison
from acgym.analysis.result import POOLED, AgentResult, ComparisonResult
from acgym.report.cells import DASH, Cell, Grid
from acgym.report.figures import short_env
from acgym.report.grids import difference, number, percent, points, tone
from acgym.report.material import Material, Missing
from acgym.statistics.paired import Interval
from acgym.statistics.prediction import Association, Discrimination
from acgym.text import printable

NOT_CALIBRATION = ("packed", "rerun")
"""What may stand after an @ and names no calibration."""


def capabilities(material: Material) -> Grid:
    """Success of each agent in each environment with its interval, and the difference to the dense one."""
    labels = material.result.labels
    heads = ("agent", *("all" if env == POOLED else short_env(env) for env in labels))
    result = material.result
    rows = [
        (Cell(printable(agent.name)), *(_capability(result, agent, env) for env in labels)) for agent in material.agents
    ]
    note = (
        "Success in %, with its 95 % interval; then how many points that is above the best simple heuristic, where one "
        "is stated; then the difference to the first agent in points, with its interval."
    )
    return Grid("Success by capability and recipe", heads, tuple(rows), note=note)


def _capability(result: ComparisonResult, agent: AgentResult, env: str) -> Cell:
    score, row = agent.score(env), agent.comparison(env)
    if score is None:
        return Cell(DASH)
    shown = (
        f"{percent(score.success)} ({percent(score.success_interval.low)} to {percent(score.success_interval.high)})"
    )
    above = result.above_heuristic(score, result.envs if env == POOLED else [env])
    shown += "" if above is None else f"\n{points(above)} above heuristic"
    return Cell(shown) if row is None else Cell(f"{shown}\n{difference(row)}", tone(row))


def calibrations(material: Material) -> Grid:
    """The same recipe under several calibrations, side by side."""
    groups: dict[str, list[AgentResult]] = {}
    for agent in material.others:
        groups.setdefault(_without_calibration(agent.name), []).append(agent)
    several = {recipe: agents for recipe, agents in groups.items() if len(agents) > 1}
    if not several:
        raise Missing("no recipe was calibrated in two ways (one more is written reference+gptq-w3@text:FILE)")
    rows = [
        (Cell(printable(agent.name)), *(_capability(material.result, agent, env) for env in [*material.envs, POOLED]))
        for agents in several.values()
        for agent in agents
    ]
    default = printable(material.result.settings.calibration or "trajectories")
    note = f"A recipe without @ was calibrated on: {default}. Success and difference as above."
    heads = ("recipe @ calibration", *map(short_env, material.envs), "all")
    return Grid("The same recipe, calibrated in several ways", heads, tuple(rows), note=note)


def _without_calibration(name: str) -> str:
    """``reference+gptq-w3@text:f.txt,64x512@packed`` -> ``reference+gptq-w3@packed``."""
    head, plus, recipe = name.rpartition("+")
    parts = recipe.split("@")
    return head + plus + "@".join([parts[0], *(part for part in parts[1:] if part in NOT_CALIBRATION)])


def noise_floor(material: Material) -> Grid:
    """What changed where the dense agent played once more, beside the largest changes of the others."""
    name = material.result.noise_floor
    agent = next((agent for agent in material.others if agent.name == name), None)
    if agent is None:
        raise Missing("the dense agent was not played twice ('acgym compare ... --noise-floor' does)")
    rows = []
    for env in [*material.envs, POOLED]:
        row = agent.comparison(env)
        others = [other.comparison(env) for other in material.others if other.name != name]
        rows.append((Cell("all" if env == POOLED else short_env(env)), *_floor(row), Cell(_largest(others))))
    heads = ("environment", "difference\npoints", "lost/\nwon", "pairs", "largest loss of\nanother agent, points")
    note = "Chance alone moves this much: the same model, the same episodes, another batch size."
    return Grid("Noise floor", heads, tuple(rows), note=note)


def _floor(row: Comparison | None) -> list[Cell]:
    if row is None:
        return [Cell(DASH)] * 3
    return [Cell(f"{100 * row.success_difference:+.1f}"), Cell(f"{row.lost}/{row.won}"), Cell(str(row.n))]


def _largest(rows: Sequence[Comparison | None]) -> str:
    known = [-100 * row.success_difference for row in rows if row is not None and row.limit != "floor"]
    return number(max(known) + 0.0, ".1f") if known else DASH


def predictions(material: Material) -> Grid:
    """Each signal: does its change go with lost success over recipes, does it tell lost from kept episodes."""
    found = material.result.prediction
    if not found:
        raise Missing("no agent but the first was measured inside")
    recipes, episodes = found.recipes.get(POOLED, {}), found.episodes
    rows = [
        (Cell(printable(name)), *_association(recipes.get(name)), *_auroc(episodes.get(name)))
        for name in dict.fromkeys([*recipes, *episodes])
    ]
    if all(cell.text == DASH for row in rows for cell in row[1:]):
        why = [row.reason for row in recipes.values()] + [row.reason for row in episodes.values()]
        raise Missing(next(filter(None, why), None) or "nothing was measured")
    heads = ("signal", "recipes", "Kendall τ\n(95 %)", "p", "Spearman ρ\n(95 %)", "lost of\nepisodes", "AUROC\n(95 %)")
    note = (
        "Left: over recipes, rank correlation of the signal's change with lost success over all environments. Right: "
        "within recipe and environment, the chance that a lost episode has the larger signal than a kept one; 0.5 is "
        f"guessing. {DASH}: too few recipes, no lost episode that was probed, or not measured."
    )
    return Grid("Do the signals predict what was lost?", heads, tuple(rows), note=note)


def _association(row: Association | None) -> list[Cell]:
    if row is None:
        return [Cell(DASH)] * 4
    return [
        Cell(str(row.n)),
        Cell(_with_interval(row.kendall, row.kendall_interval)),
        Cell(number(row.p, ".3f")),
        Cell(_with_interval(row.spearman, row.spearman_interval)),
    ]


def _auroc(row: Discrimination | None) -> list[Cell]:
    if row is None:
        return [Cell(DASH)] * 2
    return [Cell(f"{row.n_lost}/{row.n}"), Cell(_with_interval(row.auroc, row.interval))]


def _with_interval(value: float | None, interval: Interval | None) -> str:
    shown = number(value, ".2f")
    return shown if interval is None or value is None else f"{shown} ({interval.low:.2f} to {interval.high:.2f})"
