"""The tables of a comparison as plain text cells: what is shown, not how. It computes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from acgym.text import printable
from acgym.types import Json

DASH = "-"
"""Stands where nothing was measured."""
POOLED = "all"


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell; ``tone`` says whether it is a significant loss or gain."""

    text: str
    tone: Literal["", "loss", "gain"] = ""


@dataclass(frozen=True, slots=True)
class Grid:
    """One table: a row for each agent, the agent's name first."""

    title: str
    heads: tuple[str, ...]
    """May hold line ends, where a narrow column breaks them."""
    rows: tuple[tuple[Cell, ...], ...]
    fold: int | None = None
    """Index of the column where a table that is too wide may be cut in two; None for never."""
    note: str = ""
    """Goes under the table."""


def grids(result: Mapping[str, Json]) -> list[Grid]:
    """Lay a comparison out: one table per environment, one of all together if there are several, one of sizes.

    Args:
        result: what :func:`acgym.analysis.comparison.assemble_result` returns.
    """
    envs = list(result["settings"]["envs"])
    return [*(_scores(result, env) for env in (envs if len(envs) == 1 else [*envs, POOLED])), _costs(result)]


def _scores(result: Mapping[str, Json], env: str) -> Grid:
    agents = result["agents"]
    failed = any(agent["scores"][env]["n_failed"] for agent in agents)
    compared = len(agents) > 1
    own_end = "until" in result["settings"]
    heads = ["agent", "success\n%", *(["episodes"] if own_end else []), *(["failed"] if failed else [])]
    middle = [] if own_end else ["mid-p"]
    heads += ["difference\n(95 % interval)", "p", *middle, "lost/\nwon"] if compared else []
    heads += ["format\nerr %", "decision\nerr %"]
    fold = len(heads)
    heads += ["ERank", "top-10\nJ", "top-10\nτ", "energy", "|ΔE|", "KL"]
    rows = []
    for agent in agents:
        score = agent["scores"][env]
        cells = [Cell(printable(agent["name"])), Cell(percent(score.get("success")))]
        cells += [Cell(str(score["n"]))] if own_end else []
        cells += [Cell(str(score["n_failed"]))] if failed else []
        cells += _difference(agent["comparisons"].get(env), bool(middle)) if compared else []
        cells += [Cell(percent(score.get(name))) for name in ("format_error_rate", "decision_error_rate")]
        rows.append((*cells, *_signals(agent["signals"].get(env))))
    notes = (_resolution(result, env), _noise_floor(result, env))
    return Grid(_title(result, env), tuple(heads), tuple(rows), fold, " ".join(filter(None, notes)))


def _difference(row: Mapping[str, Json] | None, middle: bool) -> list[Cell]:
    if row is None or "reason" in row:
        return [Cell(DASH)] * (3 + middle)
    low, high = row["success_interval"]["low"], row["success_interval"]["high"]
    difference = row["success_difference"]
    shown = f"{100 * difference:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})"
    p = row["p"] if row["p_holm"] is None else row["p_holm"]
    mid = row.get("p_mid") if row.get("p_mid_holm") is None else row["p_mid_holm"]
    tone: Literal["", "loss", "gain"] = "" if p >= 0.05 else "loss" if difference < 0 else "gain"
    return [Cell(shown, tone), Cell(_p(p)), *([Cell(_p(mid))] if middle else []), Cell(f"{row['lost']}/{row['won']}")]


def _p(p: float | None) -> str:
    return "<0.001" if p is not None and p < 0.001 else number(p, ".3f")


def _title(result: Mapping[str, Json], env: str) -> str:
    settings = result["settings"]
    most, count = "at most " if "until" in settings else "", settings["episodes"]
    episodes = f"{most}{count} {'episode' if count == 1 else 'episodes'}"
    if env == POOLED:
        return f"All {len(settings['envs'])} environments, {episodes} in each"
    kwargs = ", ".join(f"{name}={value}" for name, value in settings["envs"][env].items())
    anchor, heuristic = result["anchors"][env], result.get("heuristic_anchors", {}).get(env)
    guess = "" if anchor is None else f", random policy {percent(anchor['success'])} %"
    guess += "" if heuristic is None else f", simple heuristic {percent(heuristic['success'])} %"
    return printable(f"{env}{f' ({kwargs})' if kwargs else ''}, {episodes}{guess}")


def _signals(measured: Mapping[str, Json] | None) -> list[Cell]:
    if measured is None:
        return [Cell(DASH)] * 6
    jaccard, kendall = (measured[name] or {} for name in ("topk_jaccard", "topk_kendall"))
    values = [
        (measured["erank"], ".1f"), (jaccard.get("10"), ".3f"), (kendall.get("10"), ".3f"),
        (measured["energy"], ".2f"), (measured["energy_abs_shift"], ".3f"), (measured["kl"], ".4f"),
    ]  # fmt: skip
    return [Cell(number(value, style)) for value, style in values]


def _resolution(result: Mapping[str, Json], env: str) -> str:
    """Say the smallest drop that the episodes could have shown, at the discordance seen, over the agents."""
    rows = [agent["comparisons"].get(env) or {} for agent in result["agents"][1:]]
    drops = [row["detectable_drop"] for row in rows if row.get("detectable_drop") is not None]
    needed = [row["episodes_for_two_points"] for row in rows if "episodes_for_two_points" in row]
    if "until" in result["settings"]:
        return _ends(result, env)
    if not needed:
        return ""
    if not drops:
        return "So few episodes cannot show any drop."
    points = _span([f"{100 * drop:.1f}" for drop in (min(drops), max(drops))])
    episodes = _span([f"{count:,}" for count in (min(needed), max(needed))])
    return (
        f"Smallest drop these episodes could show (power 0.8, from agent to agent): {points} points; "
        f"a drop of 2 points would need {episodes} episodes."
    )


def _noise_floor(result: Mapping[str, Json], env: str) -> str:
    """Say what changed where the first agent played once more: what every other difference is to be held against."""
    name = result.get("noise_floor")
    row = next((agent["comparisons"].get(env) or {} for agent in result["agents"] if agent["name"] == name), {})
    if name is None or "lost" not in row:
        return ""
    return (
        f"Noise floor: {printable(result['dense'])} played again differs from itself by "
        f"{100 * row['success_difference']:+.1f} points, {row['lost']} lost and {row['won']} won of {row['n']:,}."
    )


def _ends(result: Mapping[str, Json], env: str) -> str:
    """Say why the play of each agent ended, where it ended by itself; of all together it did not."""
    if env == POOLED:
        return ""
    ends: dict[str, list[str]] = {}
    for agent in result["agents"][1:]:
        verdict = (agent["comparisons"].get(env) or {}).get("anytime", {}).get("verdict")
        if verdict is not None:
            ends.setdefault(verdict, []).append(printable(agent["name"]))
    words = {"loss": "a loss is clear", "gain": "a gain is clear", "open": "still open at the last episode",
             "narrow": f"known to within {100 * result['settings']['until']:g} points"}  # fmt: skip
    return "; ".join(f"{words[verdict]}: {', '.join(names)}" for verdict, names in ends.items()) + "." if ends else ""


def _span(ends: Sequence[str]) -> str:
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"


def _costs(result: Mapping[str, Json]) -> Grid:
    heads = ("agent", "bits/\nweight", "MB", "zeros\n%", "compress\ns", "play\ns", "probe\ns", "tokens/\nepisode")
    rows = []
    for agent in result["agents"]:
        sheet = agent["sheet"]
        compression = sheet.get("compression") or {}
        size = sheet.get("weight_bytes")
        values = (
            number(sheet.get("bits_per_weight"), ".2f"),
            number(None if size is None else size / 1e6, ".2f"),
            percent(compression.get("sparsity")),
            number(compression.get("seconds"), ".1f"),
            number(_play_seconds(sheet, result["settings"], agent["scores"][POOLED]), ".1f"),
            number(sheet.get("signals", {}).get("seconds"), ".1f"),
            number(agent["scores"][POOLED].get("generated_tokens"), ".0f"),
        )
        rows.append((Cell(printable(agent["name"])), *map(Cell, values)))
    return Grid("Size and time", heads, tuple(rows))


def _play_seconds(sheet: Mapping[str, Json], settings: Mapping[str, Json], score: Mapping[str, Json]) -> float | None:
    """Return the seconds of play; None if they do not cover every episode (a session was killed, an agent failed)."""
    play = sheet.get("play")
    wanted = settings["episodes"] * len(settings["envs"]) if "until" not in settings else score["n"]
    whole = play is not None and play["episodes"] == wanted
    return play["seconds"] if play is not None and whole else None


def percent(value: float | None) -> str:
    """Show a share in per cent, or a dash."""
    return number(None if value is None else 100 * value, ".1f")


def number(value: float | None, style: str) -> str:
    """Show a number, or a dash where nothing was measured."""
    return DASH if value is None else format(value, style)


def legend(result: Mapping[str, Json]) -> list[str]:
    """Say how the tables are to be read, a paragraph each, and why what is missing is missing."""
    agents = result["agents"]
    probed = any(any(agent["signals"].values()) for agent in agents)
    parts = []
    if len(agents) > 1:
        parts.append(
            f"Differences are to {result['dense']}, pair by pair on the same episodes: {_method(result)}. "
            "lost/won: episodes that only the first agent / only the other one solved."
        )
    parts.append("Errors are shares of turns: not in the format that is asked for / well formed but wrong.")
    if probed:
        pooled = " Over all environments: their mean." if len(result["settings"]["envs"]) > 1 else ""
        parts.append(
            f"All on the tokens that {result['dense']} wrote. ERank: effective rank of the last hidden states; "
            "energy: mean -logsumexp of the logits; and against that agent's model: top-10 J and τ, Jaccard index "
            f"and Kendall's τ of the ten likeliest tokens; |ΔE|, mean change of energy; KL, divergence.{pooled}"
        )
    return [printable(part) for part in [*parts, *_execution(agents), *_missing(result)]]


def _execution(agents: Sequence[Mapping[str, Json]]) -> list[str]:
    """Say which bits, bytes and times are measured of packed integers, and which compression is simulated."""
    records = {agent["name"]: record for agent in agents if (record := agent["sheet"].get("compression"))}
    packed = {name: record["execution"] for name, record in records.items() if not record.get("simulated", True)}
    parts = [f"{name} runs {how}: bits, MB and times are measured." for name, how in packed.items()]
    if len(packed) < len(records):
        parts.append(
            f"{'All other compression' if packed else 'Compression'} is simulated: bits and MB are what packed storage "
            "would take, times are those of dense arithmetic."
        )
    return parts


def _method(result: Mapping[str, Json]) -> str:
    """Name the intervals and the test."""
    holm = "(Holm-corrected over the environments; uncorrected over all)"
    if "until" in result["settings"]:
        return (
            "intervals and p are anytime-valid (confidence sequences by betting), so that they hold although the play "
            f"ended when they were good enough; all environments' intervals of an agent hold at once with 95 % {holm}"
        )
    return (
        f"interval by Tango's score method, p by the exact McNemar test {holm}; mid-p, the same test less conservative "
        "and without its guarantee, likewise"
    )


def _missing(result: Mapping[str, Json]) -> list[str]:
    """Say why what is not measured is not: one line for each agent and reason."""
    reasons: dict[str, list[str]] = {}
    for agent in result["agents"]:
        why = [score["reason"] for score in agent["scores"].values() if "reason" in score]
        why += [agent["sheet"].get("signals", {}).get("reason")]
        for reason in dict.fromkeys(filter(None, why)):
            reasons.setdefault(str(reason), []).append(agent["name"])
    return [f"{DASH}: not measured.", *(f"{', '.join(names)}: {reason}." for reason, names in reasons.items())]
