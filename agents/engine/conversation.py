"""One conversation in the engine: its tokens, their keys and values, and what its own text suggests."""

from __future__ import annotations

from dataclasses import dataclass, field

from acgym.agents.engine.kv_pool import States
from acgym.agents.engine.speculation import Index

FIRST_DRAFT = 8
LONGEST_DRAFT = 32


@dataclass(slots=True, eq=False)
class Conversation:
    """Tokens said and heard so far."""

    ids: list[int]
    states: States
    own: Index = field(default_factory=dict)
    """The index of its own text; see :class:`acgym.agents.engine.speculation.Drafts`."""
    learnt: int = 0
    """How many of its tokens are in the index."""
    draft: int = FIRST_DRAFT
    """How many tokens to draft next: more after good guesses, fewer after bad ones."""
    shared: list[int] = field(default_factory=list)
    """Keys under which others find its beginning."""

    def judge(self, drafted: int, right: int) -> None:
        """Adjust the length of drafts: ``right`` of ``drafted`` tokens were what the model chose."""
        if not drafted:
            return
        self.draft = min(2 * self.draft, LONGEST_DRAFT) if right == drafted else max(right + 1, self.draft // 2, 1)
