"""Steps that bring things together: to the room of a device, out of cupboards, by hand."""

from __future__ import annotations

from collections.abc import Iterable

from acgym.envs.world.lab.state import YOU, Lab


def bring(lab: Lab, things: Iterable[str], room: str) -> str | None:
    """Return the next step that brings things to a room and out of what is closed; None when all are at hand there."""
    hidden = None
    for name in things:
        there = lab.room_of(name)
        if lab.things[name].at == YOU:
            continue
        if there == room:
            hidden = hidden or lab.hidden_in(name)
            continue
        if lab.here != there:
            return f"go to {there}"
        shut = lab.hidden_in(name)
        return f"open {shut}" if shut else f"take {name}"
    if lab.here != room:
        return f"go to {room}"
    return f"open {hidden}" if hidden else None


def put(lab: Lab, name: str, place: str, with_it: Iterable[str] = ()) -> str | None:
    """Return the next step that puts a thing into or on a fixed place, bringing others along; None when it is there."""
    step = bring(lab, [name, place, *with_it], lab.room_of(place))
    if step is not None:
        return step
    return None if lab.things[name].at == place else f"put {name} on {place}"


def first_of_kind(lab: Lab, kind: str) -> str:
    """Return the name of the first thing of a kind.

    Raises:
        StopIteration: if there is none.
    """
    return next(thing.name for thing in lab.things.values() if thing.kind == kind)
