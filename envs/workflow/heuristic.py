"""The simple heuristic of the workflow: needs in brackets are taken over as they stand, else every step can start."""

from __future__ import annotations

import re

_LISTED = re.compile(r"^- (.+?)(?: \(needs: (.*)\))?(?: \(takes: .*\))?$", re.MULTILINE)


def list_steps(observation: str) -> str:
    """Write a plan without sorting or reading sentences.

    Needs in brackets: the steps that the goal needs, directly or not, in the order in which they are listed, with the
    stated edges. Otherwise: all steps in that order, as a star: an edge from START to each.

    Args:
        observation: the first observation: rules, goal and steps.
    """
    goal = observation.rpartition("\nGoal: ")[2].partition("\n")[0]
    listed = [(step, needs) for step, needs in _LISTED.findall(observation)]
    names = [step for step, _ in listed]
    needs = {step: [] if below in ("", "nothing") else below.split(", ") for step, below in listed}
    if any(below for _, below in listed):
        wanted = {goal}
        left = [goal]
        while left:
            for below in needs.get(left.pop(), ()):
                if below not in wanted:
                    wanted.add(below)
                    left.append(below)
    else:
        wanted, needs = set(names), {}
    chosen = [step for step in names if step in wanted]
    number = {step: place for place, step in enumerate(chosen, 1)}
    nodes = [f"{place}: {step}" for step, place in number.items()]
    edges = [
        f"({number[below] if below else 'START'},{number[step]})"
        for step in chosen
        for below in (needs.get(step) or [""])
        if not below or below in number
    ]
    return "\n".join(["Node:", *nodes, f"Edge: {' '.join(edges)} ({number.get(goal, len(chosen))},END)"])
