"""A workflow task written by hand: boiling, peeling and serving an egg."""

from __future__ import annotations

from typing import Any

EGG = [
    ["Boil the egg", "Cook the egg in water", "Put the egg in boiling water"],
    ["Peel the boiled egg", "Take the shell off the cooked egg", "Shell the hot egg"],
    ["Set a plate out", "Get a plate", "Fetch a plate"],
    ["Lay the peeled egg on the plate", "Put the shelled egg on its plate", "Serve the bare egg on the plate"],
]
HAND: dict[str, Any] = {
    "scenario": "open_grounded",
    "listed": ["Get a plate", "Freeze the plate", "Boil the egg", "Peel the boiled egg", "Wash both hands",
               "Lay the peeled egg on the plate", "Shell the hot egg"],
    "is": [2, -1, 0, 1, -1, 3, 1],
    "steps": EGG,
    "after": [[], [0], [], [1, 2]],
    "done": ["Clean your hands"],
    "past": ["Clean your hands", "Wash both hands"],
    "numbers": [1, 2, 3, 4],
    "room": "",
}  # fmt: skip
