"""Goals to take apart: which of the listed steps a goal takes and in which order follows from what they mean."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import NamedTuple

from acgym.draw import Draw
from acgym.envs.workflow.library import Goal, goals
from acgym.scorers.workflow_text import normal
from acgym.types import Json, Split, Task

_RULES = """\
{lead}
List only the {steps} that are still needed, each after all those that must come before it. {copy}{twins}
Write an edge (a,b) if number b cannot be done before number a, (START,b) if b can be done at once, and (a,END) if \
nothing comes after a. Edges that follow from others may be left out or written; more of them than needed do no harm.
Use this format:
Node:
1: {first}
2: {second}
Edge: (START,1) (1,2) (2,END)"""
_TWINS = " Some {steps} are listed twice in different words: take one of the two."
_WORD_FOR_WORD = "Copy them word for word."


class _Words(NamedTuple):
    """How a scenario speaks."""

    lead: str
    """What is to be done."""
    goal: str
    """Label of what is wanted."""
    steps: str
    """What the steps are called."""
    done: str
    """Label of the steps that have been done."""
    copy: str = _WORD_FOR_WORD
    first: str = "first step"
    second: str = "second step"


_SCENARIOS = {
    "function_call": _Words(
        "Plan the calls that serve the request.",
        "Request",
        "functions",
        "Already called",
        "Write their names only.",
        "first_function",
        "second_function",
    ),
    "problem_solving": _Words("Plan how to answer the question.", "Question", "steps", "Already done"),
    "embodied": _Words(
        "Plan what you do in the room.",
        "Task",
        "actions",
        "Already done",
        first="first action",
        second="second action",
    ),
    "open_grounded": _Words("Plan how to reach the goal.", "Goal", "steps", "Already done"),
}


class Size(NamedTuple):
    """What a level draws."""

    steps: tuple[int, int]
    """Fewest and most steps that are still to be done."""
    far: int
    """Listed steps of other goals."""
    near: int
    """Listed steps that look as if they belonged."""
    done: int
    """Listed steps that have been done, in other words than they are told in; every other time, if any have been."""
    twins: int
    """Needed steps that are listed in two wordings."""


SIZES = {
    1: Size((4, 4), 1, 0, 0, 0),
    2: Size((5, 5), 0, 3, 0, 0),
    3: Size((6, 7), 0, 3, 1, 0),
    4: Size((8, 8), 0, 5, 1, 1),
    5: Size((9, 12), 0, 6, 1, 2),
}
MOST_DONE = 6
"""A goal with more steps than a level takes has so many of them done at most."""


@cache
def fitting(scenario: str, split: Split, level: int) -> tuple[Goal, ...]:
    """List the goals of a split that a level can play."""
    fewest, most = SIZES[level].steps
    return tuple(goal for goal in goals(scenario, split) if fewest <= len(goal.steps) <= most + MOST_DONE)


def draw_decomposition(draw: Draw, split: Split, level: int, scenario: str) -> Task:
    """Draw a goal, what of it has been done, and the list of steps."""
    goal = draw.pick(fitting(scenario, split, level))
    most = draw.between(*SIZES[level].steps)
    data = draw_list(draw, split, level, scenario, goal, draw_done(draw, goal, len(goal.steps) - most))
    said = draw.pick(goal.says)
    return Task(f"{scenario}: {goal.name}", said, data, write_graph(data))


def draw_done(draw: Draw, goal: Goal, count: int, kept: frozenset[int] = frozenset()) -> list[int]:
    """Draw up to ``count`` steps that have been done, none of ``kept``: with each step also all before it."""
    done: list[int] = []
    past: set[int] = set()
    left = [number for number in range(len(goal.steps)) if number not in kept]
    while len(done) < count:
        ready = [number for number in left if past.issuperset(goal.steps[number].after)]
        if not ready:
            break
        done.append(draw.pick(ready))
        past.add(done[-1])
        left.remove(done[-1])
    return done


def draw_list(draw: Draw, split: Split, level: int, scenario: str, goal: Goal, done: Sequence[int]) -> dict[str, Json]:
    """Draw the list of steps that an agent sees.

    Returns:
        ``listed``: the texts in the order of the list; ``is``: for each the step that it is, or -1. ``steps``: all
        wordings of each step to do; ``after``: its needs among them. ``done``: what is told as done, ``past``: all
        wordings of that. ``numbers``: the place of each step in the library. ``room``: the room's line, or nothing.
    """
    size = SIZES[level]
    numbers = [number for number in range(len(goal.steps)) if number not in done]
    place = {number: i for i, number in enumerate(numbers)}
    steps = [goal.steps[number] for number in numbers]
    lines: list[tuple[str, int]] = []
    twins = draw.sample(range(len(steps)), size.twins) if size.twins else []
    for i, step in enumerate(steps):
        if i in twins:
            lines += [(text, i) for text in draw.sample(step.says, 2)]
        else:
            lines.append((draw.pick(step.says), i))
    told = [draw.sample(goal.steps[number].says, 2 if size.done else 1) for number in done]
    if size.near:
        lines += [(text, NOT_NEEDED) for text in draw.sample(goal.near, min(size.near, len(goal.near)))]
    if size.done and draw.chance(0.5):
        lines += [(texts[1], NOT_NEEDED) for texts in draw.sample(told, min(size.done, len(told)))]
    strangers = _strangers(scenario, split)[goal.name]
    lines += [(text, NOT_NEEDED) for text in draw.sample(strangers, size.far)]
    lines = draw.shuffled(lines)
    return {
        "scenario": scenario,
        "listed": [text for text, _ in lines],
        "is": [i for _, i in lines],
        "steps": [list(step.says) for step in steps],
        "after": [[place[before] for before in step.after if before in place] for step in steps],
        "done": [texts[0] for texts in told],
        "past": [text for number in done for text in goal.steps[number].says],
        "numbers": numbers,
        "room": f"{goal.place} with {', '.join(draw.shuffled(goal.things))}" if goal.things else "",
    }


@cache
def _strangers(scenario: str, split: Split) -> dict[str, tuple[str, ...]]:
    """For each goal of a split the lines of others that cannot be taken for its own.

    A line whose words are all common ones, or that would do no harm anywhere (gloves, washing hands), is lent to none.
    """
    pool = goals(scenario, split)
    words = {goal.name: _telling(goal) for goal in pool}
    often = Counter(word for own in words.values() for word in own)
    common = {word for word, count in often.items() if count > len(pool) * COMMON}
    lent = []
    for goal in pool:
        for text in [text for step in goal.steps for text in step.says]:
            said = frozenset(_WORD.findall(text.lower()))
            rare = said - common - _SMALL
            if len(rare) > 1 and not said & _ANYWHERE:
                lent.append((goal.field, text, rare))
    return {
        goal.name: tuple(text for field, text, rare in lent if field != goal.field and not rare & words[goal.name])
        for goal in pool
    }


def _telling(goal: Goal) -> frozenset[str]:
    """List the words that a goal speaks with."""
    texts = [*goal.says, *goal.near, *goal.things, *(text for step in goal.steps for text in step.says)]
    return frozenset(_WORD.findall(" ".join(texts).lower())) - _SMALL


def say_decomposition(task: Task, limit_line: str) -> str:
    """Say the rules, what is wanted, the room, what has been done, and the list."""
    data = task.data
    twice = len(data["is"]) - data["is"].count(NOT_NEEDED) > len(data["steps"])
    return f"{_rules(data['scenario'], twice)}\n{limit_line}{say_task(task)}"


@cache
def _rules(scenario: str, twice: bool) -> str:
    """Say the rules of a scenario; ``twice``: some steps are listed in two wordings."""
    words = _SCENARIOS[scenario]
    twins = _TWINS.format(steps=words.steps) if twice else ""
    return _RULES.format(**{**words._asdict(), "twins": twins})


def say_task(task: Task) -> str:
    """Say what is wanted, the room, what has been done, and the list."""
    data = task.data
    words = _SCENARIOS[data["scenario"]]
    lines = [f"{words.goal}: {task.goal}"]
    if data["room"]:
        lines.append(f"Room: {data['room']}")
    if data["done"]:
        lines += [f"{words.done}:", *(f"- {text}" for text in data["done"])]
    lines += [f"{words.steps.capitalize()}:", *(f"- {text}" for text in data["listed"])]
    return "\n".join(lines)


_FUNCTION = re.compile(r"[a-z0-9_]+")
_WORD = re.compile(r"[^\W_]+")
_SMALL = frozenset(("a", "an", "the"))
_ANYWHERE = frozenset(["glove", "gloves", "goggles", "gown", "hands", "price", "prices", "tariff", "tariffs", "cost"])
"""Words of lines that could be part of many goals."""
COMMON = 0.15
"""A word that more than this share of a split's goals use is common."""


NOT_NEEDED, DONE, UNKNOWN = -1, -2, -3
"""What stands for a step that the task does not need, that has been done, or that is not listed."""


@lru_cache(maxsize=20_000)
def name(text: str, scenario: str) -> str:
    """Name a line of the library: a function by its name, else by its words without case, articles and marks."""
    if scenario == "function_call":
        return text.partition(":")[0]
    return _plain(text)


def _plain(text: str) -> str:
    return " ".join([word for word in _WORD.findall(normal(text)) if word not in _SMALL])


def known(data: Mapping[str, Json]) -> dict[str, int]:
    """Map the name of every accepted wording to its step, of what is done to DONE, of other lines to NOT_NEEDED."""
    scenario = data["scenario"]
    found = {name(text, scenario): NOT_NEEDED for text in data["listed"]}
    found.update((name(text, scenario), DONE) for text in data["past"])
    found.update((name(text, scenario), i) for i, says in enumerate(data["steps"]) for text in says)
    return found


def meant(text: str, names: Mapping[str, int], scenario: str) -> int:
    """Say which step an agent's words mean, by :func:`known`; of a call the first function that is named counts."""
    if scenario == "function_call":
        return next((names[word] for word in _FUNCTION.findall(text.lower()) if word in names), UNKNOWN)
    return names.get(_plain(text), UNKNOWN)


def as_written(data: Mapping[str, Json], step: int) -> str:
    """Return how a plan writes a step: the name of a function, else the text that is listed first."""
    text: str = data["listed"][data["is"].index(step)]
    return text.partition(":")[0] if data["scenario"] == "function_call" else text


def write_graph(data: Mapping[str, Json]) -> str:
    """Write the reference plan: the steps in the library's order, and the edges that they must have."""
    after = data["after"]
    nodes = "\n".join([f"{i + 1}: {as_written(data, i)}" for i in range(len(after))])
    edges = [f"({j + 1},{i + 1})" for i, below in enumerate(after) for j in below]
    first = [f"(START,{i + 1})" for i, below in enumerate(after) if not below]
    used = {j for below in after for j in below}
    last = [f"({i + 1},END)" for i in range(len(after)) if i not in used]
    return f"Node:\n{nodes}\nEdge: {' '.join([*first, *edges, *last])}"
