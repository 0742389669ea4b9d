"""What a random plan and a guess by shared words score in each scenario, over 2,000 evaluation seeds a level."""

from __future__ import annotations

from collections.abc import Mapping

from acgym.types import Anchor


def _levels(*scores: tuple[float, float]) -> Mapping[int, Anchor]:
    """Number the levels from 1."""
    return {level: Anchor(*pair) for level, pair in enumerate(scores, 1)}


ANCHORS: Mapping[str, Mapping[int, Anchor]] = {
    "function_call": _levels((0.0045, 0.389), (0.0000, 0.264), (0.0000, 0.234), (0.0000, 0.220), (0.0000, 0.208)),
    "problem_solving": _levels((0.0035, 0.380), (0.0000, 0.261), (0.0000, 0.238), (0.0000, 0.227), (0.0000, 0.223)),
    "embodied": _levels((0.0050, 0.375), (0.0005, 0.263), (0.0000, 0.230), (0.0000, 0.213), (0.0000, 0.213)),
    "open_grounded": _levels((0.0040, 0.381), (0.0005, 0.263), (0.0000, 0.232), (0.0000, 0.213), (0.0000, 0.209)),
    "run": _levels((0.1450, 0.355), (0.0000, 0.119), (0.0000, 0.089), (0.0000, 0.074), (0.0000, 0.056)),
}
"""Scenario, or ``"run"`` for the execution of all -> level -> what ``random_reply`` scores."""

HEURISTIC_ANCHORS: Mapping[str, Mapping[int, Anchor]] = {
    "function_call": _levels((0.1165, 0.560), (0.0280, 0.476), (0.0045, 0.415), (0.0000, 0.346), (0.0000, 0.320)),
    "problem_solving": _levels((0.0765, 0.509), (0.0110, 0.390), (0.0020, 0.348), (0.0000, 0.315), (0.0000, 0.296)),
    "embodied": _levels((0.0330, 0.470), (0.0000, 0.311), (0.0000, 0.273), (0.0000, 0.242), (0.0000, 0.229)),
    "open_grounded": _levels((0.0470, 0.485), (0.0010, 0.324), (0.0005, 0.276), (0.0000, 0.252), (0.0000, 0.232)),
    "run": _levels((0.3435, 0.502), (0.0335, 0.183), (0.0080, 0.149), (0.0005, 0.124), (0.0005, 0.115)),
}
"""Scenario, or ``"run"`` for the execution of all -> level -> what ``heuristic_reply`` scores."""
