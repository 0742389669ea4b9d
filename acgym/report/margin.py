"""Whether compressed agents are worse than a margin, as a table and in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from acgym.analysis.equivalence import Equivalence
from acgym.analysis.numbers import NotMeasured
from acgym.analysis.result import POOLED, AgentResult, ComparisonResult
from acgym.report.cells import DASH, Cell, Grid
from acgym.report.words import EASIER, join, short_env
from acgym.text import printable

CEILING = 0.99
"""Both agents solve a larger share than this: a harder level would be a harder test."""


def margin_grids(result: ComparisonResult) -> list[Grid]:
    """Lay out who is not worse than the margin, and where; nothing where no margin was asked for."""
    if result.margin is None or not result.others:
        return []
    labels = [*result.envs, *result.capabilities, *([POOLED] if len(result.envs) > 1 else [])]
    rows = []
    for agent in result.others:
        cells = (_cell(_found(agent, label)) for label in labels)
        rows.append((Cell(printable(agent.name)), *cells))
    heads = ("agent", *("all" if label == POOLED else printable(short_env(label)) for label in labels))
    return [Grid(f"Not worse than {_points(result.margin)}?", heads, tuple(rows), note=_note(result))]


def margin_sentence(agent: AgentResult, result: ComparisonResult) -> str:
    """Say where an agent is not worse than the margin, where it is, and where that is open; empty without a margin."""
    if result.margin is None:
        return ""
    groups: dict[str, list[str]] = {}
    for env in result.envs:
        found = _found(agent, env)
        if isinstance(found, Equivalence):
            groups.setdefault(found.verdict, []).append(short_env(env) + (_more(found) if found.further else ""))
    said = [f"{words} {join(groups[verdict])}" for verdict, words in _WORDS.items() if verdict in groups]
    if "cannot" in groups:
        said.append(f"{join(groups['cannot'])} cannot be measured here")
    return f"Not worse than {_points(result.margin)}: {'; '.join(said)}." if said else ""


_WORDS = {"yes": "yes in", "no": "no in", "open": "not yet known in"}


def _found(agent: AgentResult, label: str) -> Equivalence | NotMeasured | None:
    rows: Mapping[str, Equivalence | NotMeasured] = {
        **(agent.capability_equivalence or {}),
        **(agent.equivalence or {}),
    }
    return rows.get(label)


def _more(found: Equivalence) -> str:
    return f" (about {_rounded(found.further or 0):,} more episodes would tell)"


def _rounded(count: int) -> int:
    """Round up to two digits: more would be a promise."""
    step = int(10 ** max(0, len(str(count)) - 2))
    return -(-count // step) * step


def _cell(found: Equivalence | NotMeasured | None) -> Cell:
    if not isinstance(found, Equivalence):
        return Cell(DASH)
    if found.verdict == "yes":
        return Cell("yes", "gain")
    if found.verdict == "no":
        return Cell("no", "loss")
    if found.verdict == "cannot":
        return Cell("cannot be\nmeasured")
    return Cell("not yet known" if found.further is None else f"not yet known,\n~{_rounded(found.further):,} more")


def _note(result: ComparisonResult) -> str:
    """Say how the table is to be read, and what to change where nothing can be measured."""
    points = _points(result.margin or 0.0)
    parts = [
        f"yes: a loss of {points} or more is ruled out; no: the loss is larger than that (one-sided tests at 0.05, "
        "Holm-corrected as p is); not yet known: about so many more episodes, in each environment, would tell."
    ]
    blind = {env: found.why for agent in result.others for env, found in _equivalences(agent, result)
             if found.verdict == "cannot" and found.why}  # fmt: skip
    for why in dict.fromkeys(blind.values()):
        named = join([short_env(env) for env, one in blind.items() if one == why])
        parts.append(f"{named} cannot be measured here, since {result.dense} solves {_WHY[why]}: {EASIER}.")
    full = [env for env in result.envs if _at_ceiling(result, env)]
    if full:
        parts.append(f"In {join([short_env(env) for env in full])} all agents solve next to everything: a harder level "
                     "would be a harder test.")  # fmt: skip
    return printable(" ".join(parts))


_WHY = {
    "floor": "less than 5 %",
    "margin": "no more than the margin",
    "guess": "no more than guessing does",
}


def _equivalences(agent: AgentResult, result: ComparisonResult) -> Iterator[tuple[str, Equivalence]]:
    for env in result.envs:
        found = _found(agent, env)
        if isinstance(found, Equivalence):
            yield env, found


def _at_ceiling(result: ComparisonResult, env: str) -> bool:
    scores = [agent.score(env) for agent in result.agents]
    return all(score is not None and score.success > CEILING for score in scores)


def _points(margin: float) -> str:
    return f"{100 * margin:g} {'point' if margin == 0.01 else 'points'}"
