"""A policy that knows nothing: any action on what is at hand."""

from __future__ import annotations

from acgym.draw import Draw
from acgym.envs.world.lab.state import Lab
from acgym.types import Json

_ON = {
    "thermometer": "use {0} on {1}", "balance": "use {0} on {1}", "ph meter": "use {0} on {1}",
    "ruler": "use {0} on {1}", "voltmeter": "use {0} on {1}", "magnet": "use {0} on {1}",
    "brush": "use {0} on {1}", "can": "use {0} on {1}",
    "fertiliser": "use {0} on {1}", "vessel": "pour {2} g from {0} into {1}", "part": "connect {0} to {1}",
    "creature": "cross {0} with {1}", "seed": "sow {0} in {1}", "soil": "put {0} in {1}",
}  # fmt: skip


def any_action(lab: Lab, draw: Draw, asked: Json) -> str:
    """Return an action in the grammar; where an answer is asked for, one in twenty is an answer."""
    near = list(lab.near())
    if asked is not None and draw.chance(0.05):
        if asked["kind"] == "number":
            return f"Action: answer {draw.between(1, 2000)}"
        return f"Action: answer {' and '.join(draw.sample(asked['among'], len(asked['right'])))}"
    if draw.chance(0.15) or not near:
        waits = [f"wait {draw.between(1, 60)} {unit}" for unit in ("minutes", "days")]
        return f"Action: {draw.pick([*(f'go to {room}' for room in lab.rooms), *waits])}"
    one = draw.pick(near)
    if one.kind == "heater" and draw.chance(0.5):
        return f"Action: set {one.name} to {draw.between(20, 350)}"
    if one.kind == "holder" and one.more.get("closed"):
        return f"Action: open {one.name}"
    other = draw.pick(near)
    form = _ON.get(one.kind)
    if form is None or draw.chance(0.3):
        place = draw.pick([thing for thing in near if thing.kind in ("heater", "holder", "cylinder")] or near)
        form, other = draw.pick(("take {0}", "put {0} in {1}", "read {0}")), place
    return f"Action: {form.format(one.name, other.name, draw.between(1, 300))}"
