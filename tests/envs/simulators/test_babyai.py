"""What a reply means to BabyAI; the simulator itself is played in tests/cross."""

from __future__ import annotations

import pytest

from acgym.envs.world.simulators.babyai import read_steps

LEFT, RIGHT, FORWARD, PICK, DROP, TOGGLE, DONE = range(7)


@pytest.mark.parametrize(
    ("said", "steps"),
    [
        ("turn left", (LEFT,)),
        ("Turn to the right", (RIGHT,)),
        ("right", (RIGHT,)),
        ("move forward 3", (FORWARD,) * 3),
        ("go forward", (FORWARD,)),
        ("walk ahead 2 steps", (FORWARD,) * 2),
        ("forward 0", (FORWARD,)),
        ("pick up the red ball", (PICK,)),
        ("pickup", (PICK,)),
        ("drop it", (DROP,)),
        ("put down the key", (DROP,)),
        ("open the door", (TOGGLE,)),
        ("toggle", (TOGGLE,)),
        ("done", (DONE,)),
        ("dance", None),
        ("pickle", None),
        ("righteous", None),
        ("", None),
    ],
)
def test_actions_are_read_as_people_write_them(said, steps):
    assert read_steps(said) == steps
