"""The tables of a comparison as plain text cells: what is shown, not how. It computes nothing."""

from __future__ import annotations

from collections.abc import Sequence

from acgym.analysis.numbers import Comparison, NotMeasured, Score
from acgym.analysis.result import POOLED, ComparisonResult
from acgym.record.sheet import Sheet, SignalNumbers
from acgym.report.cells import DASH, Cell, Grid, Tone
from acgym.report.verdict import cannot
from acgym.report.words import EASIER
from acgym.text import printable


def grids(result: ComparisonResult) -> list[Grid]:
    """Lay a comparison out: a table per environment, per capability that has several, of all together, of sizes."""
    tables = {env: _scores(result, env) for env in result.labels}
    means = [_capability(result, name) for name in result.capabilities]
    together = [tables.pop(POOLED)] if POOLED in tables else []
    return [*tables.values(), *means, *together, _costs(result)]


def _capability(result: ComparisonResult, name: str) -> Grid:
    """Lay out the means over the environments of one capability."""
    rows = []
    envs = result.capabilities[name]
    for agent in result.agents:
        score, row = agent.capability_scores.get(name), agent.capability_comparisons.get(name)
        cells = [Cell(printable(agent.name)), Cell(percent(score.success if isinstance(score, Score) else None))]
        cells += _above(result, score, envs)
        rows.append((*cells, *_difference(row if isinstance(row, Comparison) else None, False)))
    heads = ["agent", "success\n%", *_above_head(result, envs), "difference\n(95 % interval)", "p", "lost/\nwon"]
    return Grid(printable(f"Capability: {name}, mean of {', '.join(envs)}"), tuple(heads), tuple(rows))


def _above_head(result: ComparisonResult, envs: Sequence[str]) -> list[str]:
    """Return the head of the column that stands beside success where every environment states a heuristic anchor."""
    return ["above\nheuristic"] if all(result.heuristic_anchors.get(env) is not None for env in envs) else []


def _above(result: ComparisonResult, score: Score | NotMeasured | None, envs: Sequence[str]) -> list[Cell]:
    """Return the cell of that column: what an agent solves beyond the best simple heuristic, in points."""
    return [Cell(points(result.above_heuristic(score, envs)))] * len(_above_head(result, envs))


def _scores(result: ComparisonResult, env: str) -> Grid:
    failed = any(agent.scores[env].n_failed for agent in result.agents)
    compared = len(result.agents) > 1
    own_end = result.settings.until is not None
    solving = result.envs if env == POOLED else [env]
    heads = ["agent", "success\n%", *_above_head(result, solving)]
    heads += [*(["episodes"] if own_end else []), *(["failed"] if failed else [])]
    middle = [] if own_end else ["mid-p"]
    heads += ["difference\n(95 % interval)", "p", *middle, "lost/\nwon"] if compared else []
    heads += ["format\nerr %", "decision\nerr %"]
    fold = len(heads)
    heads += ["ERank", "top-10\nJ", "top-10\nτ", "energy", "|ΔE|", "KL"]
    rows = []
    for agent in result.agents:
        score = agent.score(env)
        solved, malformed, wrong = (None, None, None) if score is None else (
            score.success, score.format_error_rate, score.decision_error_rate)  # fmt: skip
        cells = [Cell(printable(agent.name)), Cell(percent(solved)), *_above(result, score, solving)]
        cells += [Cell(str(agent.scores[env].n))] if own_end else []
        cells += [Cell(str(agent.scores[env].n_failed))] if failed else []
        cells += _difference(agent.comparison(env), bool(middle)) if compared else []
        cells += [Cell(percent(malformed)), Cell(percent(wrong))]
        rows.append((*cells, *_signals(agent.signals.get(env))))
    notes = (_floor(result, env), _resolution(result, env), _noise_floor(result, env))
    return Grid(_title(result, env), tuple(heads), tuple(rows), fold, " ".join(filter(None, notes)))


def _difference(row: Comparison | None, middle: bool) -> list[Cell]:
    if row is None:
        return [Cell(DASH)] * (3 + middle)
    counts = Cell(f"{row.lost}/{row.won}")
    if row.limit == "floor":
        return [*[Cell(DASH)] * (2 + middle), counts]
    mid = row.p_mid if row.p_mid_holm is None else row.p_mid_holm
    return [Cell(difference(row), tone(row)), Cell(_p(row.adjusted_p)), *([Cell(_p(mid))] if middle else []), counts]


def difference(row: Comparison) -> str:
    """Show a difference in success in points, with its interval; a dash where nothing could be lost."""
    if row.limit == "floor":
        return DASH
    low, high = row.success_interval.low, row.success_interval.high
    return f"{100 * row.success_difference:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})"


def tone(row: Comparison) -> Tone:
    """Say whether the printed test shows a loss or a gain."""
    return "" if not row.significant else "loss" if row.success_difference < 0 else "gain"


def _p(p: float | None) -> str:
    return "<0.001" if p is not None and p < 0.001 else number(p, ".3f")


def _title(result: ComparisonResult, env: str) -> str:
    most, count = "" if result.settings.until is None else "at most ", result.settings.episodes
    count = result.settings.rows.get(env, count)
    episodes = f"{most}{count} {'episode' if count == 1 else 'episodes'}"
    if env == POOLED:
        most = "at most " if result.settings.rows and not most else ""
        return f"All {len(result.envs)} environments, {most}{episodes} in each"
    kwargs = ", ".join(f"{name}={value}" for name, value in result.settings.envs[env].items())
    anchor = result.anchors.get(env)
    guess = "" if anchor is None else f", random policy {percent(anchor.success)} %"
    heuristic = result.heuristic_anchors.get(env)
    guess += "" if heuristic is None else f", simple heuristic {percent(heuristic.success)} %"
    return printable(f"{env}{f' ({kwargs})' if kwargs else ''}, {episodes}{guess}")


def _signals(measured: SignalNumbers | None) -> list[Cell]:
    if measured is None:
        return [Cell(DASH)] * 6
    values = [
        (measured.erank, ".1f"), (measured.at("topk_jaccard", "10"), ".3f"), (measured.at("topk_kendall", "10"), ".3f"),
        (measured.energy, ".2f"), (measured.energy_abs_shift, ".3f"), (measured.kl, ".4f"),
    ]  # fmt: skip
    return [Cell(number(value, style)) for value, style in values]


def _rows(result: ComparisonResult, env: str) -> list[Comparison]:
    return [row for agent in result.others if (row := agent.comparison(env)) is not None]


def _floor(result: ComparisonResult, env: str) -> str:
    """Say where and why a loss cannot be measured, and what to change."""
    envs = result.envs if env == POOLED else [env]
    floor = {name: row for name in envs for row in _rows(result, name) if row.limit == "floor"}
    if not floor:
        return ""
    mean = " The means over all environments count them nevertheless." if env == POOLED else ""
    return printable(f"{cannot(floor, result.dense)}: {EASIER}.{mean}")


def _resolution(result: ComparisonResult, env: str) -> str:
    """Say the smallest drop that the episodes could have shown, at the discordance seen, over the agents."""
    if result.settings.until is not None:
        return _ends(result, env)
    rows = [row for row in _rows(result, env) if row.limit != "floor"]
    drops = [row.detectable_drop for row in rows if row.detectable_drop is not None]
    if not rows:
        return ""
    if not drops:
        return "So few episodes cannot show any drop."
    strata = len(result.envs) if env == POOLED else 1
    needed = [-(-row.episodes_for_two_points // strata) for row in rows]
    points = _span([f"{100 * drop:.1f}" for drop in (min(drops), max(drops))])
    episodes = _span([f"{count:,}" for count in (min(needed), max(needed))])
    return (
        f"Smallest drop these episodes could show (power 0.8 of the corrected test where nothing else is damaged, from "
        f"agent to agent): {points} points; a drop of 2 points would need {episodes} episodes"
        f"{' in each' if strata > 1 else ''}."
    )


def _noise_floor(result: ComparisonResult, env: str) -> str:
    """Say what changed where the first agent played once more: what every other difference is to be held against."""
    row = next((agent.comparison(env) for agent in result.others if agent.name == result.noise_floor), None)
    if row is None:
        return ""
    return (
        f"Noise floor: {printable(result.dense)} played again differs from itself by "
        f"{100 * row.success_difference:+.1f} points, {row.lost} lost and {row.won} won of {row.n:,}."
    )


def _ends(result: ComparisonResult, env: str) -> str:
    """Say why the play of each agent ended, where it ended by itself; of all together it did not."""
    if env == POOLED:
        return ""
    ends: dict[str, list[str]] = {}
    for agent in result.others:
        row = agent.comparison(env)
        if row is not None and row.anytime is not None:
            ends.setdefault(row.anytime.verdict, []).append(printable(agent.name))
    words = {"loss": "a loss is clear", "gain": "a gain is clear", "open": "still open at the last episode",
             "narrow": f"known to within {100 * (result.settings.until or 0):g} points"}  # fmt: skip
    return "; ".join(f"{words[verdict]}: {', '.join(names)}" for verdict, names in ends.items()) + "." if ends else ""


def _span(ends: Sequence[str]) -> str:
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"


def _costs(result: ComparisonResult) -> Grid:
    heads = ("agent", "bits/\nweight", "MB", "zeros\n%", "compress\ns", "play\ns", "probe\ns", "tokens/\nepisode")
    rows = []
    for agent in result.agents:
        sheet, score = agent.sheet, agent.score(POOLED)
        size, compression = sheet.weight_bytes, sheet.compression
        values = (
            number(sheet.bits_per_weight, ".2f"),
            number(None if size is None else size / 1e6, ".2f"),
            percent(None if compression is None else compression.sparsity),
            number(None if compression is None else compression.seconds, ".1f"),
            number(_play_seconds(sheet, result, score), ".1f"),
            number(None if sheet.signals is None else sheet.signals.seconds, ".1f"),
            number(None if score is None else score.generated_tokens, ".0f"),
        )
        rows.append((Cell(printable(agent.name)), *map(Cell, values)))
    return Grid("Size and time", heads, tuple(rows))


def _play_seconds(sheet: Sheet, result: ComparisonResult, score: Score | None) -> float | None:
    """Return the seconds of play; None if they do not cover every episode (a session was killed, an agent failed)."""
    every = sum(result.settings.rows.get(env, result.settings.episodes) for env in result.envs)
    wanted = every if result.settings.until is None else None if score is None else score.n
    return sheet.play.seconds if sheet.play is not None and sheet.play.episodes == wanted else None


def percent(value: float | None) -> str:
    """Show a share in per cent, or a dash."""
    return number(None if value is None else 100 * value, ".1f")


def points(value: float | None) -> str:
    """Show a difference of shares in points, with its sign, or a dash."""
    return number(None if value is None else 100 * value, "+.1f")


def number(value: float | None, style: str) -> str:
    """Show a number, or a dash where nothing was measured."""
    return DASH if value is None else format(value, style)
