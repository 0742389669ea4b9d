"""Subgoals: what must hold of the laboratory, or must have been observed; and whether an answer is right."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from acgym.envs.world.lab import circuit, growing, mixing
from acgym.envs.world.lab.breeding import form
from acgym.envs.world.lab.heat import phase, temperature
from acgym.envs.world.lab.library import substances
from acgym.envs.world.lab.state import Lab
from acgym.envs.world.lab.units import NUMBER, convert, number_of, unit_named
from acgym.types import Json

STAGES = ("empty", "seed", "seedling", "plant", "flower", "fruit")
_LABEL = re.compile(r"\s*(?:it is |it's |about |approximately |roughly |approx\.? |~|≈|=|:)*", re.IGNORECASE)
_WORDS_IN_UNIT = 4
_SPLIT = re.compile(r"[^a-z0-9-]+")


def holds(lab: Lab, goal: Sequence[Json]) -> bool:
    """Say whether one subgoal holds now.

    Raises:
        KeyError: for a kind of subgoal that there is none of.
    """
    return bool(_HOLDS[goal[0]](lab, *goal[1:]))


def _phase(lab: Lab, name: str, phases: Sequence[str], low: float, high: float) -> bool:
    thing = lab.things[name]
    of, enthalpy = substances()[thing.more["of"]], thing.more["enthalpy"]
    return phase(of, enthalpy) in phases and low <= temperature(of, enthalpy) <= high


def _mix(lab: Lab, name: str, shares: dict[str, float], low: float, high: float) -> bool:
    """Each substance makes up its share of the whole within 2 % of the share, and the whole has the mass asked for."""
    held, total = lab.things[name].more["contents"], mixing.grams(lab.things[name])
    if not low <= total <= high or any(other not in shares for other in held):
        return False
    return all(abs(held.get(one, 0.0) / total - share) <= 0.02 * share for one, share in shares.items())


def _near(lab: Lab, name: str, shares: dict[str, float]) -> bool:
    """Each substance makes up its share within a quarter of it, whatever the mass of the whole."""
    held, total = lab.things[name].more["contents"], mixing.grams(lab.things[name])
    return all(abs(held.get(one, 0.0) - share * total) < 0.25 * share * total for one, share in shares.items())


def _alone(lab: Lab, substance: str, least: float, vessel: str | None) -> bool:
    """At least so many grams of a substance are in one vessel that holds next to nothing else."""
    for thing in lab.things.values():
        if thing.kind == "vessel" and vessel in (None, thing.name) and not thing.more.get("stock"):
            held = thing.more["contents"]
            mass = held.get(substance, 0.0)
            if mass >= least and mixing.grams(thing) - mass <= 0.02 * mass:
                return True
    return False


def _acid(lab: Lab, name: str, low: float, high: float) -> bool:
    value = mixing.acidity(lab.things[name])
    return value is not None and low <= value <= high


def _current(lab: Lab, name: str, low: float, high: float) -> bool:
    return low <= circuit.current(lab, name) <= high


def _shows(lab: Lab, forms: dict[str, str], place: str) -> bool:
    return any(
        thing.kind == "creature" and all(form(thing, trait) == wanted for trait, wanted in forms.items())
        for thing in lab.on(place)
    )


def _stage(lab: Lab, plant: str, least: str) -> bool:
    return any(
        pot.more.get("sown") == plant and STAGES.index(growing.stage(pot)) >= STAGES.index(least)
        for pot in lab.of_kind("pot")
    )


def _bred(lab: Lab, forms: dict[str, str]) -> bool:
    return any(all(form(one, trait) == wanted for trait, wanted in forms.items()) for one in lab.of_kind("creature"))


def _exposed(lab: Lab, name: str, low: float, high: float) -> bool:
    place = lab.things.get(lab.things[name].at)
    return place is not None and place.kind == "heater" and low <= float(place.more["set"]) <= high


_HOLDS: dict[str, Callable[..., object]] = {
    "exposed": _exposed,
    "wired": lambda lab, name: not circuit.free_ends(lab, lab.things[name]),
    "bred": _bred,
    "phase": _phase,
    "lit": lambda lab, name: circuit.lit(lab, lab.things[name]),
    "current": _current,
    "at": lambda lab, name, place: lab.things[name].at == place,
    "mix": _mix,
    "near": _near,
    "alone": _alone,
    "ph": _acid,
    "shows": _shows,
    "stage": _stage,
    "seen": lambda lab, fact: fact in lab.seen,
    "any": lambda lab, *goals: any(holds(lab, goal) for goal in goals),
    "all": lambda lab, *goals: all(holds(lab, goal) for goal in goals),
}


def answer_right(said: str, asked: Json) -> bool | None:
    """Say whether an answer is right; None where it is no answer to what was asked.

    A number is right within the tolerance, in the unit that was asked for or another one that is named; a name is
    right where it is the only one of those that could be meant.
    """
    if asked["kind"] == "number":
        return _number_right(said, asked)
    words = _SPLIT.sub(" ", said.lower()).strip()
    named = [name for name in asked["among"] if f" {name.lower()} " in f" {words} "]
    named = [name for name in named if not any(name != other and name in other for other in named)]
    if not named:
        short = {name.split()[-1].lower(): name for name in asked["among"]}
        if len(short) == len(asked["among"]):
            named = [name for word, name in short.items() if word in words.split()]
    if len(named) != len(asked["right"]):
        return None if not named else False
    return sorted(named) == sorted(asked["right"])


def _number_right(said: str, asked: Json) -> bool | None:
    text = _LABEL.sub("", said.rpartition("=")[2], count=1)
    found = NUMBER.search(text)
    if found is None:
        return None
    value, unit = number_of(found[0]), asked["unit"]
    behind = text[found.end() :].split(maxsplit=_WORDS_IN_UNIT)[:_WORDS_IN_UNIT]
    sizes = range(len(behind), 0, -1)
    named = next((one for n in sizes if (one := unit_named(" ".join(behind[:n]))) is not None), "")
    if named:
        converted = convert(value, named, unit)
        if converted is None:
            return False
        value = converted
    return bool(abs(value - asked["value"]) <= asked["within"])
