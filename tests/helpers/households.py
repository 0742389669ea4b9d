"""A household that opens a given task."""

from __future__ import annotations

from acgym.envs.world.household.env import Household


class Fixed(Household):
    """Opens the task that it is given, whatever the seed."""

    def __init__(self, task):
        super().__init__(level=task.data["level"])
        self.given_task = task

    def draw_task(self, draw, split):
        """Return that task."""
        return self.given_task
