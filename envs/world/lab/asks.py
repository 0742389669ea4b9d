"""Draws a task: one part at levels 1 to 3, one that changes something and one that finds something out above."""

from __future__ import annotations

from collections.abc import Callable

from acgym.draw import Draw
from acgym.envs.world.lab import asks_circuit, asks_heat, asks_living, asks_measure, asks_mixing
from acgym.envs.world.lab.build import Build
from acgym.types import Json, Split

Ask = Callable[[Build], None]

CHANGES: dict[str, dict[int, tuple[Ask, ...]]] = {
    "states of matter": {1: (asks_heat.change,), 2: (asks_heat.change, asks_heat.reach), 3: (asks_heat.reach,)},
    "circuits": {
        1: (asks_circuit.light,),
        2: (asks_circuit.light, asks_circuit.conductors),
        3: (asks_circuit.flow, asks_circuit.conductors),
    },
    "genetics": {2: (asks_living.breed,), 3: (asks_living.breed,)},
    "growth": {1: (asks_living.grow,), 2: (asks_living.grow,), 3: (asks_living.grow,)},
    "mixtures": {
        1: (asks_mixing.solution, asks_mixing.colour, asks_mixing.neutral),
        2: (asks_mixing.colour, asks_mixing.neutral, asks_mixing.apart),
        3: (asks_mixing.solution, asks_mixing.neutral, asks_mixing.apart),
    },
}
"""What changes the laboratory: kind of task -> level -> what is drawn; above level 3 as at level 3."""
FINDINGS: dict[str, dict[int, tuple[Ask, ...]]] = {
    "states of matter": {3: (asks_heat.melting_point,)},
    "circuits": {3: (asks_circuit.resistance,)},
    "genetics": {
        1: (asks_living.dominance,), 2: (asks_living.dominance,),
        3: (asks_living.dominance, asks_living.breeds_true),
    },
    "growth": {3: (asks_living.fertilisers,)},
    "measurement": {1: (asks_measure.density,), 2: (asks_measure.density,), 3: (asks_measure.density,)},
    "hypotheses": {2: (asks_measure.which_metal,), 3: (asks_measure.which_metal, asks_heat.which_melts)},
}  # fmt: skip
"""What finds something out that is to be answered: the same."""
_SAME_THINGS = {"states of matter": ("hypotheses",), "genetics": ("genetics",), "growth": ("growth",)}
"""Kinds that are not joined: they would stand in one another's way."""


def draw_lab(draw: Draw, split: Split, level: int) -> tuple[str, str, dict[str, Json]]:
    """Draw a laboratory and what is asked in it: kinds, the request, the data."""
    build = Build(draw, split, level)
    at = min(level, 3)
    changes = [kind for kind, by_level in CHANGES.items() if at in by_level]
    findings = [kind for kind, by_level in FINDINGS.items() if at in by_level]
    if level > 3:
        first = draw.pick(changes)
        second = draw.pick([kind for kind in findings if kind != first and kind not in _SAME_THINGS.get(first, ())])
        draw.pick(CHANGES[first][at])(build)
        draw.pick(FINDINGS[second][at])(build)
    else:
        kind = draw.pick(sorted({*changes, *findings}))
        tables = [table for table in (CHANGES, FINDINGS) if at in table.get(kind, {})]
        draw.pick([ask for table in tables for ask in table[kind][at]])(build)
    build.clutter()
    text = build.asks[0] if len(build.asks) == 1 else f"First: {build.asks[0]} Then: {build.asks[1]}"
    return " and ".join(build.kinds), text, build.data()
