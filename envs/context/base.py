"""What the long-context environments share: their capability, and anchors for the arguments that were measured."""

from __future__ import annotations

from abc import abstractmethod

from acgym.env import TextEnv


class LongEnv(TextEnv):
    """A :class:`TextEnv` with further arguments, None by default; its anchors were measured with none of them given.

    With other arguments it states no anchors, and its heuristic has nothing to say: measured or absent.
    """

    capability = "long-context retrieval"

    def __init__(self, level: int, render_mode: str | None = None) -> None:
        super().__init__(level, render_mode)
        if not self.as_measured:
            vars(self).update(anchors={}, heuristic_anchors={})

    @property
    def as_measured(self) -> bool:
        """Whether no argument but the level was given."""
        return all(value is None for name, value in self._arguments.items() if name != "level")

    def heuristic_reply(self) -> str | None:
        """Return what the simple heuristic says now; None with arguments for which its score is not stated."""
        return self.simple_reply() if self.as_measured else None

    @abstractmethod
    def simple_reply(self) -> str:
        """Return what the best simple heuristic says now, from what was told alone."""
