"""The sentences a user takes home, made from a comparison's numbers: what was lost, how certainly, how and where.

They claim what the numbers carry and no more: a loss or gain is stated as one only where the (Holm-corrected) test
says so at 0.05; anything else is "none that n episodes could show", with the interval that says what was not ruled out.
Where the dense agent solved next to nothing, next to nothing can be lost, and that is what is said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from acgym.analysis.numbers import Comparison
from acgym.analysis.result import POOLED, AgentResult, ComparisonResult, Diverged, HandedOver
from acgym.report.margin import margin_sentence
from acgym.report.words import EASIER, join, short_env
from acgym.text import printable

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


def verdict(result: ComparisonResult) -> list[str]:
    """Say in plain sentences what each compressed agent lost, one paragraph an agent.

    Args:
        result: the comparison.

    Returns:
        Paragraphs in the order of the agents, without control characters; empty when there is nothing to compare.
    """
    return list(verdicts(result).values())


def verdicts(result: ComparisonResult) -> dict[str, str]:
    """Return the same by agent."""
    said = {agent.name: (_of_agent(agent, result), margin_sentence(agent, result)) for agent in result.others
            if agent.comparisons}  # fmt: skip
    return {name: printable(" ".join(filter(None, parts))) for name, parts in said.items()}


def _of_agent(agent: AgentResult, result: ComparisonResult) -> str:
    dense = result.dense
    again = agent.name == result.noise_floor
    name = f"{dense} played again" if again else agent.name.removeprefix(f"{dense}+")
    rows = {env: row for env in result.envs if (row := agent.comparison(env)) is not None}
    claims = _claims(rows, agent.comparison(POOLED) if len(result.envs) > 1 else None, result)
    limits = _limits(rows, dense)
    gone = [env for env in result.envs if env not in rows]
    if gone and not claims and not limits:
        return f"{name}: not measured ({join([short_env(env) for env in gone])})."
    said = [f"{name} {', '.join(claims)}"] if claims else []
    said += limits if claims else [f"{name}: {'; '.join(limits)}"] if limits else []
    said += [f"{join([short_env(env) for env in gone])} not measured"] if gone else []
    attributed = attribution(agent.handoff, dense)
    how = _how(agent.diverged(POOLED), dense)
    return " ".join([f"{'; '.join(said)}.", *how, *([f"By hand-off, {attributed}."] if attributed else [])])


def _claims(rows: Mapping[str, Comparison], pooled: Comparison | None, result: ComparisonResult) -> list[str]:
    """Say what was lost, what was gained, and of what the episodes could show no change."""
    lost = [env for env, row in rows.items() if row.significant and row.success_difference < 0]
    won = [env for env, row in rows.items() if row.significant and row.success_difference > 0]
    open_ = {env: row for env, row in rows.items() if not row.significant and row.limit is None}
    shown = pooled is not None and pooled.significant
    losses, gains = ([_change(rows[env], short_env(env), result, env) for env in found] for found in (lost, won))
    if pooled is not None and shown:
        overall = _change(pooled, f"success over all {len(result.envs)} environments")
        (losses if pooled.success_difference < 0 else gains).insert(0, overall)
    claims = [f"costs {join(losses)}"] if losses else []
    claims += [f"gains {join(gains)}"] if gains else []
    if open_:
        claims.append(_not_shown(open_, bool(claims)))
        if pooled is not None and not shown and pooled.limit is None:
            claims[-1] += f", over all {len(result.envs)} environments {_not_ruled_out([pooled])}"
    return claims


def _change(row: Comparison, what: str, result: ComparisonResult | None = None, env: str = "") -> str:
    """Say one difference, its interval turned so that a loss counts up, and whether more than guessing is left."""
    sign = -1 if row.success_difference < 0 else 1
    ends = sorted(100 * sign * end for end in (row.success_interval.low, row.success_interval.high))
    points = 100 * abs(row.success_difference)
    sure = 100 * (row.anytime.confidence if row.anytime is not None else 0.95)
    said = f"{points:.1f} ({sure:.3g} % interval {ends[0]:.1f} to {ends[1]:.1f}) points of {what}"
    return said if result is None or sign > 0 else f"{said}{_left(row, result, env)}"


def _left(row: Comparison, result: ComparisonResult, env: str) -> str:
    """Say so where what an agent still solves is no more than guessing or a simple heuristic solves: that is no skill.

    The one of them that solves more is named.
    """
    stated = {"guessing": result.anchors.get(env), "a simple heuristic": result.heuristic_anchors.get(env)}
    solved = {who: guess.success for who, guess in stated.items() if guess is not None}
    who = max(solved, key=lambda one: solved[one], default="")
    if not who or row.other_success > solved[who] or solved[who] == 0:
        return ""
    return f" (down to {100 * row.other_success:.1f} %, where {who} solves {100 * solved[who]:.1f} %)"


def _not_shown(rows: Mapping[str, Comparison], after: bool) -> str:
    """Say that no change could be shown, by how many episodes, and the largest loss that they leave possible."""
    head = "" if after else "costs "
    each = " in any of them" if len(rows) > 1 else ""
    named = join([short_env(env) for env in rows])
    possible = f"({_not_ruled_out(list(rows.values()))}{each})"
    return f"{head}nothing that {_episodes(list(rows.values()))} could show of {named} {possible}"


def _not_ruled_out(rows: Sequence[Comparison]) -> str:
    worst = max(-100 * row.success_interval.low for row in rows)
    return f"a loss of up to {worst:.1f} points is not ruled out" if worst > 0 else "no loss is likely"


def _episodes(rows: Sequence[Comparison]) -> str:
    counts = sorted({row.n for row in rows})
    n = f"{counts[0]:,}" if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,}"
    return f"{n} {'episode' if counts[-1] == 1 else 'episodes'}"


def _limits(rows: Mapping[str, Comparison], dense: str) -> list[str]:
    """Say where nothing can be said of a loss, why, and what to change."""
    floor = {env: row for env, row in rows.items() if row.limit == "floor"}
    few = {env: row for env, row in rows.items() if row.limit == "few"}
    said = []
    if floor:
        said.append(f"{cannot(floor, dense)}: {EASIER}")
    if few:
        named = join([short_env(env) for env in few])
        solved = f"{dense} solved too few of {_episodes(list(few.values()))} for the loss of all of them to show"
        said.append(f"{named} cannot be measured with so few episodes, since {solved}: play more of them")
    return said


def cannot(floor: Mapping[str, Comparison], dense: str) -> str:
    """Say, without a full stop, that environments cannot be measured because the first agent solves next to nothing."""
    shares = sorted({f"{100 * row.dense_success:.1f}" for row in floor.values()}, key=float)
    solves = f"{shares[0]} %" if len(shares) == 1 else f"{shares[0]} to {shares[-1]} %"
    named = join([short_env(env) for env in floor])
    return f"{named} cannot be measured here, since {dense} solves {solves}, so that there is next to nothing to lose"


def _how(divergence: Diverged | None, dense: str) -> list[str]:
    """Say how the episodes that only the dense agent solved were lost, and where the other first decided otherwise."""
    classes = {kind: n for kind, n in divergence.lost_classes.items() if n} if divergence is not None else {}
    lost = sum(classes.values())
    if divergence is None or lost == 0:
        return []
    kind = max(classes, key=lambda one: classes[one])
    if lost < FEW:
        counted = join([f"{n} {_lost(kind)}" for kind, n in classes.items()])
        what = f"1 episode that {dense} solved was" if lost == 1 else f"{lost} episodes that {dense} solved were"
        return [f"{what} lost: {counted}."]
    share = 100 * classes[kind] / lost
    turns = {row.turn: row.lost for row in divergence.lost_turns if row.kind == kind}
    turn = max(turns, key=lambda one: (turns[one], -one))
    first = {row.turn: row.lost for row in divergence.turns if row.lost}
    said = f"{share:.0f} % of the {lost:,} lost episodes were lost {_lost(kind)}, most often in turn {turn + 1}"
    if first:
        apart = max(first, key=lambda one: (first[one], -one))
        said += f"; most first took another way than {dense} in turn {apart + 1}" if 2 * first[apart] > lost else ""
    return [f"{said}."]


def _lost(kind: str) -> str:
    """Say how episodes of a class were lost; an error that no class was stated for is named by its own word."""
    return WORDS.get(kind) or f'at "{printable(kind)}"'


def attribution(handoff: Mapping[str, HandedOver] | None, dense: str) -> str | None:
    """Say, without a full stop, which turns lost the episodes that were looked at by hand-off.

    Args:
        handoff: what :func:`acgym.analysis.handoff.handoff_section` returns.
        dense: the dense agent's name.

    Returns:
        None if nothing was played, or nothing was lost.
    """
    lost = handoff[POOLED].lost if handoff else None
    if lost is None or lost.pairs == 0:
        return None
    known = lost.pairs - lost.unknown
    if known == 0:
        return f"the fatal turn of none of {lost.pairs} lost episodes is known"
    turns = {row.turn: row.lost for row in lost.fatal_turns}
    most = max(turns, key=lambda one: (turns[one], -one))
    unknown = f" ({lost.unknown} more are not known)" if lost.unknown else ""
    return (
        f"{lost.fatal_at_difference} of {known} lost episodes{unknown} were past saving for {dense} right after the "
        f"first other decision; the fatal turn was most often turn {most + 1} ({turns[most]} of {known})"
    )
