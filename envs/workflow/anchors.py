"""What a random plan and a guess by shared words score in each scenario, over 2,000 evaluation seeds a level."""

from __future__ import annotations

from collections.abc import Mapping

from acgym.types import Anchor


def _levels(*scores: tuple[float, float]) -> Mapping[int, Anchor]:
    """Number the levels from 1."""
    return {level: Anchor(*pair) for level, pair in enumerate(scores, 1)}


ANCHORS: Mapping[str, Mapping[int, Anchor]] = {
    "function_call": _levels((0.0060, 0.390), (0.0000, 0.273), (0.0000, 0.233), (0.0000, 0.220), (0.0000, 0.208)),
    "problem_solving": _levels((0.0040, 0.384), (0.0000, 0.267), (0.0000, 0.236), (0.0000, 0.227), (0.0000, 0.223)),
    "embodied": _levels((0.0040, 0.382), (0.0000, 0.260), (0.0000, 0.229), (0.0000, 0.213), (0.0000, 0.213)),
    "open_grounded": _levels((0.0040, 0.373), (0.0000, 0.257), (0.0000, 0.229), (0.0000, 0.213), (0.0000, 0.209)),
    "run": _levels((0.1570, 0.358), (0.0000, 0.125), (0.0000, 0.085), (0.0000, 0.074), (0.0000, 0.056)),
}
"""Scenario, or ``"run"`` for the execution of all -> level -> what ``random_reply`` scores."""

HEURISTIC_ANCHORS: Mapping[str, Mapping[int, Anchor]] = {
    "function_call": _levels((0.1135, 0.557), (0.0350, 0.498), (0.0050, 0.430), (0.0000, 0.346), (0.0000, 0.320)),
    "problem_solving": _levels((0.0630, 0.504), (0.0150, 0.434), (0.0035, 0.396), (0.0000, 0.341), (0.0000, 0.320)),
    "embodied": _levels((0.0255, 0.465), (0.0025, 0.380), (0.0005, 0.327), (0.0000, 0.265), (0.0000, 0.248)),
    "open_grounded": _levels((0.0540, 0.489), (0.0045, 0.373), (0.0000, 0.310), (0.0000, 0.262), (0.0000, 0.239)),
    "run": _levels((0.3290, 0.488), (0.0345, 0.201), (0.0090, 0.167), (0.0010, 0.137), (0.0005, 0.125)),
}
"""Scenario, or ``"run"`` for the execution of all -> level -> what ``heuristic_reply`` scores."""
