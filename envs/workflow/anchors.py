"""What a random plan and a guess by shared words score in each scenario, over 2,000 evaluation seeds a level."""

from __future__ import annotations

from collections.abc import Mapping

from acgym.types import Anchor


def _levels(*scores: tuple[float, float]) -> Mapping[int, Anchor]:
    """Number the levels from 1."""
    return {level: Anchor(*pair) for level, pair in enumerate(scores, 1)}


ANCHORS: Mapping[str, Mapping[int, Anchor]] = {
    "function_call": _levels((0.0045, 0.389), (0.0000, 0.264), (0.0000, 0.263), (0.0000, 0.217), (0.0000, 0.208)),
    "problem_solving": _levels((0.0035, 0.380), (0.0000, 0.261), (0.0000, 0.265), (0.0000, 0.225), (0.0000, 0.222)),
    "embodied": _levels((0.0050, 0.375), (0.0005, 0.264), (0.0000, 0.258), (0.0000, 0.217), (0.0000, 0.213)),
    "open_grounded": _levels((0.0040, 0.381), (0.0005, 0.262), (0.0000, 0.254), (0.0000, 0.213), (0.0000, 0.208)),
    "run": _levels((0.1450, 0.355), (0.0000, 0.119), (0.0000, 0.097), (0.0000, 0.076), (0.0000, 0.056)),
}
"""Scenario, or ``"run"`` for the execution of all -> level -> what ``random_reply`` scores."""

HEURISTIC_ANCHORS: Mapping[str, Mapping[int, Anchor]] = {
    "function_call": _levels((0.1165, 0.560), (0.0250, 0.452), (0.0070, 0.424), (0.0000, 0.337), (0.0000, 0.317)),
    "problem_solving": _levels((0.0765, 0.509), (0.0070, 0.351), (0.0025, 0.343), (0.0000, 0.297), (0.0000, 0.287)),
    "embodied": _levels((0.0330, 0.470), (0.0000, 0.271), (0.0000, 0.262), (0.0000, 0.227), (0.0000, 0.214)),
    "open_grounded": _levels((0.0470, 0.485), (0.0000, 0.284), (0.0000, 0.271), (0.0000, 0.236), (0.0000, 0.218)),
    "run": _levels((0.3435, 0.502), (0.0290, 0.160), (0.0085, 0.146), (0.0015, 0.117), (0.0015, 0.110)),
}
"""Scenario, or ``"run"`` for the execution of all -> level -> what ``heuristic_reply`` scores."""
