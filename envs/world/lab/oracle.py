"""The expert: plans over the laboratory's state, part by part of the task, and answers last."""

from __future__ import annotations

from collections.abc import Mapping

from acgym.envs.world.lab import plans_living, plans_matter
from acgym.envs.world.lab.goals import holds
from acgym.envs.world.lab.state import Lab
from acgym.types import Json

PLANS = {**plans_matter.PLANS, **plans_living.PLANS}


def expert(lab: Lab, data: Mapping[str, Json]) -> str:
    """Return a line ``Thought: ...`` and a line ``Action: ...``, from whatever state the laboratory is in."""
    for plan in data["plans"]:
        done = all(holds(lab, goal) for goal in plan["goals"])
        step = None if done else PLANS[plan["kind"]](lab, plan)
        if step is not None:
            return f"Thought: The next step is to {step}.\nAction: {step}"
    return f"Thought: All that is needed has been done.\nAction: answer {answer(data['answer'])}"


def answer(asked: Json) -> str:
    """Write the right answer."""
    if asked is None:
        return "done"
    if asked["kind"] == "names":
        return " and ".join(asked["right"])
    value = asked["value"]
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"
