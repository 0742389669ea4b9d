"""Draws the tool-calling tasks of levels 2 to 5: which goals, how many calls they take, the tools and the policy."""

from __future__ import annotations

from dataclasses import replace

from acgym.draw import Draw
from acgym.envs.tools.call.chains import PAGE, Shape
from acgym.envs.tools.call.goals import Goals
from acgym.envs.tools.call.kinds import Kind, qualifiers
from acgym.envs.tools.call.phrases import request
from acgym.envs.tools.call.policy import can_rule, never, rule, when
from acgym.envs.tools.call.user import no_idea
from acgym.envs.tools.call.words import CHOICES
from acgym.types import Split, Task

SHAPES = {
    2: Shape(tools=6, goals=(0, 1), calls=(2, 4), obstacle=0.15, question=0.3, chain=1, missing=(0.35, 1),
             refusable=(0, 0)),
    3: Shape(tools=10, goals=(1, 2), calls=(4, 6), obstacle=0.3, question=0.4, chain=2, missing=(0.2, 2),
             refusable=(1, 1), policies=3),
    4: Shape(tools=14, goals=(1, 3), calls=(6, 10), obstacle=0.3, question=0.5, chain=2, missing=(0.2, 2),
             refusable=(1, 2), policies=4, listed=(0.3, 2), stale=0.4),
    5: Shape(tools=22, goals=(2, 4), calls=(10, 19), obstacle=0.4, question=0.7, chain=3, missing=(0.2, 2),
             refusable=(1, 2), policies=6, listed=(0.3, 3), stale=0.4, differ=0.4),
}  # fmt: skip
_WANTED = ("add", "add", "change", "remove", "several", "each")
_MOST_KINDS = 5
"""A goal may take as many kinds of thing."""


def draw_composed(draw: Draw, split: Split, level: int) -> Task:
    """Draw a task of level 2 to 5: goals are drawn anew until they take as many calls as the level asks for.

    Returns:
        A task as :func:`~acgym.envs.tools.call.simple.draw_simple` describes it; its ``reference`` also holds
        ``refused`` (the things that the final reply must refuse, with the tool that must not be used and the calls that
        each refusal needs) and ``served`` (the things that something is done to). Its kind lists the goals, such as
        ``"add+change+rule+question"``.
    """
    shape = SHAPES[level]
    while True:
        goals = Goals(draw, split, level, shape)
        goals.start()
        wanted = [draw.pick(_WANTED) for _ in range(draw.between(*shape.goals))]
        wanted += [draw.pick(("rule", "rule", "unserved")) for _ in range(draw.between(*shape.refusable))]
        if _grown(goals, wanted := draw.shuffled(wanted)):
            return _task(goals, "+".join(wanted))


def _grown(goals: Goals, wanted: list[str]) -> bool:
    """Add goals one by one, then perhaps a question; say whether the task has the level's size."""
    shape = goals.shape
    for kind in wanted:
        if goals.stock.left < _MOST_KINDS:
            return False
        goals.goal(kind)
    if goals.stock.left < _MOST_KINDS:
        return False
    if not wanted or goals.draw.chance(shape.question):
        goals.question()
        wanted.append("question")
    wants = bool(goals.served) or goals.answer is not None
    return wants and shape.calls[0] <= len(goals.calls) <= shape.calls[1] and goals.stock.used <= shape.tools - 3


def _task(goals: Goals, kind: str) -> Task:
    """Add tools that only look right and rules that only look relevant, and write the request."""
    stock, shape, draw = goals.stock, goals.shape, goals.draw
    for _ in range(20):
        if len(goals.policies) >= shape.policies:
            break
        idle = _idle_rule(goals)
        if idle is not None:
            goals.policies.append(idle)
    stock.fill(shape.tools - 1)
    specs, effects = stock.specs()
    data = {
        "tables": stock.tables,
        "tools": effects,
        "moved": goals.moved,
        "full": goals.full,
        "made": goals.made,
        "spare": [stock.code() for _ in range(6)],
        "missing": goals.missing,
        "no_idea": no_idea(draw),
    }
    if shape.policies:
        data["policy"] = draw.shuffled(goals.policies)
    if shape.stale:
        stamps = stock.stamps()
        for table, made in goals.stamped.items():
            stamps[table] = {**stamps.get(table, {}), **made}
        data |= {"stamps": stamps, "stale": goals.stale, "page_size": PAGE[goals.level]}
    reference = {
        "calls": goals.calls,
        "answer": goals.answer,
        "answer_needs": goals.answer_needs,
        "refused": goals.refused,
        "served": [kind.noun for kind in goals.served],
    }
    said = request(draw, goals.split, goals.said, plain=goals.level == 2)
    return Task(kind, said, data, reference, tuple(specs))


def _idle_rule(goals: Goals) -> str | None:
    """Word a rule that nothing in the task falls under: about a near-duplicate, or about another verb."""
    draw = goals.draw
    kind = draw.pick(goals.stock.kinds)
    verb = draw.pick(("cancel", "change", kind.adder))
    twins = [q for q in qualifiers(goals.split, kind.noun) if q != kind.qualifier]
    if draw.chance(0.7) or goals.touches(kind, verb):
        kind = replace(kind, qualifier=draw.pick(twins))
    return _worded(draw, kind, verb)


def _worded(draw: Draw, kind: Kind, verb: str) -> str | None:
    if draw.chance(0.4):
        return never(draw, verb, kind)
    field = draw.pick([f for f in kind.fields if can_rule(f)])
    value = draw.pick(CHOICES[field]) if field in CHOICES else draw.between(20, 80)
    condition = rule(draw, field, value, draw.chance(0.5))
    return None if condition is None else when(draw, verb, kind, field, condition)
