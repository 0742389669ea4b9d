"""The agents of a finished run, made again from the same model files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from acgym.assemble.agent import fingerprint, parse_spec
from acgym.assemble.models import Models
from acgym.listener import Listener
from acgym.record.run import Run

if TYPE_CHECKING:
    from acgym.agents.base import Agent
    from acgym.agents.local import LocalAgent


class RunModels:
    """Makes agents as a run made them, one model at a time."""

    def __init__(self, run: Run, listener: Listener) -> None:
        self.run = run
        self.models = Models.of(run.settings, listener, run)

    def make(self, name: str) -> Agent:
        """Make the agent of a spec.

        Raises:
            ValueError: if its model files are not those that the run was made with.
        """
        self.refuse_other_files(name)
        return self.models.make(parse_spec(name))[0]

    def dense_beside(self, name: str, agent: LocalAgent) -> LocalAgent | None:
        """Return the run's first agent where it costs no second model beside another one's; None if it would."""
        first, spec = parse_spec(self.run.settings["agents"][0]), parse_spec(name)
        if spec.text == first.text:
            return agent
        return self.models.dense(first) if first.recipe is None and spec.base.text == first.text else None

    def refuse_other_files(self, name: str) -> None:
        """Raise a ValueError if an agent's model files are not those that the run was made with."""
        spec = parse_spec(name)
        if self.run.settings["models"].get(spec.base.text) != fingerprint(spec):
            raise ValueError(f"the model files of {spec.base.text} are not those that the run was made with")
