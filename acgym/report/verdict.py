"""The sentences a user takes home, made from a comparison's numbers: what was lost, how certainly, how and where.

They claim what the numbers carry and no more: a loss or gain is stated as one only where the (Holm-corrected) test
says so at 0.05; anything else is "none that n episodes could show", with the interval that says what was not ruled out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from acgym.report.grids import POOLED
from acgym.text import printable
from acgym.types import Json

ALPHA = 0.05
FEW = 5
"""Fewer lost episodes than this are counted, not described by shares."""

WORDS = {
    "format": "to replies that are not in the format",
    "wrong_tool": "at a wrong tool or step",
    "wrong_argument": "at a wrong argument or value",
    "wrong_order": "at a wrong order",
    "premature_stop": "by stopping before all was done",
    "loop": "in a loop",
    "lost_track": "by losing track",
    "truncation": "to a limit of steps or tokens",
}
"""Failure class -> how "were lost ..." goes on."""


def verdict(result: Mapping[str, Json]) -> list[str]:
    """Say in plain sentences what each compressed agent lost, one paragraph an agent.

    Args:
        result: what :func:`acgym.analysis.comparison.assemble_result` returns.

    Returns:
        Paragraphs in the order of the agents, without control characters; empty when there is nothing to compare.
    """
    dense = result["dense"]
    return [printable(_of_agent(agent, result, dense)) for agent in result["agents"] if agent["comparisons"]]


def _of_agent(agent: Mapping[str, Json], result: Mapping[str, Json], dense: str) -> str:
    again = agent["name"] == result.get("noise_floor")
    name = f"{dense} played again" if again else agent["name"].removeprefix(f"{dense}+")
    envs = list(result["settings"]["envs"])
    rows = {env: agent["comparisons"][env] for env in envs}
    lost = [env for env in envs if _significant(rows[env]) and rows[env]["success_difference"] < 0]
    won = [env for env in envs if _significant(rows[env]) and rows[env]["success_difference"] > 0]
    open_ = [env for env in envs if env not in (*lost, *won) and "reason" not in rows[env]]
    unmeasured = [env for env in envs if "reason" in rows[env]]
    parts = [f"costs {_join([_change(rows[env], env) for env in lost])}"] if lost else []
    parts += [f"gains {_join([_change(rows[env], env) for env in won])}"] if won else []
    if open_:
        parts.append(_not_shown([rows[env] for env in open_], open_, bool(parts)))
    if not parts:
        return f"{name}: not measured ({_join([_short(env) for env in unmeasured])})."
    said = f"{name} {', '.join(parts)}"
    said += f"; {_join([_short(env) for env in unmeasured])} not measured." if unmeasured else "."
    attributed = attribution(agent.get("handoff"), dense)
    return " ".join(
        [
            said,
            *_how(agent.get("divergence", {}).get(POOLED), dense),
            *([f"By hand-off, {attributed}."] if attributed else []),
        ]
    )


def _change(row: Mapping[str, Json], env: str) -> str:
    """Say one difference, its interval turned so that a loss counts up."""
    sign = -1 if row["success_difference"] < 0 else 1
    ends = sorted(100 * sign * row["success_interval"][end] for end in ("low", "high"))
    points = 100 * abs(row["success_difference"])
    sure = 100 * row.get("anytime", {}).get("confidence", 0.95)
    return f"{points:.1f} ({sure:.3g} % interval {ends[0]:.1f} to {ends[1]:.1f}) points of {_short(env)}"


def _not_shown(rows: Sequence[Mapping[str, Json]], envs: Sequence[str], after: bool) -> str:
    """Say that no change could be shown, by how many episodes, and the largest loss that they leave possible."""
    counts = sorted({row["n"] for row in rows})
    n = f"{counts[0]:,}" if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,}"
    worst = max(-100 * row["success_interval"]["low"] for row in rows)
    episodes = "episode" if counts[-1] == 1 else "episodes"
    head = "" if after else "costs "
    each = " in any of them" if len(envs) > 1 else ""
    possible = f"a loss of up to {worst:.1f} points is not ruled out{each}" if worst > 0 else "no loss is likely"
    return f"{head}nothing that {n} {episodes} could show of {_join([_short(env) for env in envs])} ({possible})"


def _how(divergence: Mapping[str, Json] | None, dense: str) -> list[str]:
    """Say how the episodes that only the dense agent solved were lost, and where the other first decided otherwise."""
    if not divergence or "reason" in divergence:
        return []
    classes = {kind: n for kind, n in divergence["lost_classes"].items() if n}
    lost = sum(classes.values())
    if lost == 0:
        return []
    kind = max(classes, key=lambda one: classes[one])
    if lost < FEW:
        counted = _join([f"{n} {_lost(kind)}" for kind, n in classes.items()])
        what = f"1 episode that {dense} solved was" if lost == 1 else f"{lost} episodes that {dense} solved were"
        return [f"{what} lost: {counted}."]
    share = 100 * classes[kind] / lost
    turns = {row["turn"]: row["lost"] for row in divergence["lost_turns"] if row["class"] == kind}
    turn = max(turns, key=lambda one: (turns[one], -one))
    first = {row["turn"]: row["lost"] for row in divergence["turns"] if row["lost"]}
    said = f"{share:.0f} % of the {lost:,} lost episodes were lost {_lost(kind)}, most often in turn {turn + 1}"
    if first:
        apart = max(first, key=lambda one: (first[one], -one))
        said += f"; most first took another way than {dense} in turn {apart + 1}" if 2 * first[apart] > lost else ""
    return [f"{said}."]


def _lost(kind: str) -> str:
    """Say how episodes of a class were lost; an error that no class was stated for is named by its own word."""
    return WORDS.get(kind) or f'at "{printable(kind)}"'


def attribution(handoff: Mapping[str, Json] | None, dense: str) -> str | None:
    """Say, without a full stop, which turns lost the episodes that were looked at by hand-off.

    Args:
        handoff: what :func:`acgym.analysis.handoff.handoff_section` returns.
        dense: the dense agent's name.

    Returns:
        None if nothing was played, or nothing was lost.
    """
    lost = handoff[POOLED]["lost"] if handoff else None
    if lost is None or lost["pairs"] == 0:
        return None
    known = lost["pairs"] - lost["unknown"]
    if known == 0:
        return f"the fatal turn of none of {lost['pairs']} lost episodes is known"
    turns = {row["turn"]: row["lost"] for row in lost["fatal_turns"]}
    most = max(turns, key=lambda one: (turns[one], -one))
    unknown = f" ({lost['unknown']} more are not known)" if lost["unknown"] else ""
    return (
        f"{lost['fatal_at_difference']} of {known} lost episodes{unknown} were past saving for {dense} right after the "
        f"first other decision; the fatal turn was most often turn {most + 1} ({turns[most]} of {known})"
    )


def _significant(row: Mapping[str, Json]) -> bool:
    if "reason" in row:
        return False
    p = row["p"] if row.get("p_holm") is None else row["p_holm"]
    return bool(p < ALPHA)


def _short(env: str) -> str:
    """``ACB/ToolCall-v0`` -> ``ToolCall``; other people's ids keep their namespace."""
    return env.removeprefix("ACB/").removesuffix("-v0") if env.startswith("ACB/") else env


def _join(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
