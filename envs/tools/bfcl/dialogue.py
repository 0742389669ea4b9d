"""One dialogue under way: the model's services beside the gold run's, compared after each turn."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from acgym.envs.tools.bfcl.services.base import Service, run
from acgym.envs.tools.bfcl.services.file_system import FileSystem
from acgym.envs.tools.bfcl.services.maths import Maths
from acgym.envs.tools.bfcl.services.messages import Messages
from acgym.envs.tools.bfcl.services.posting import Posting
from acgym.envs.tools.bfcl.services.tickets import Tickets
from acgym.envs.tools.bfcl.services.trading import Trading
from acgym.envs.tools.bfcl.services.travel import Travel
from acgym.envs.tools.bfcl.services.vehicle import Vehicle
from acgym.rows import Row
from acgym.types import Call, Json

SERVICES: Mapping[str, type[Service]] = {
    "GorillaFileSystem": FileSystem,
    "MathAPI": Maths,
    "MessageAPI": Messages,
    "TwitterAPI": Posting,
    "TicketAPI": Tickets,
    "TradingBot": Trading,
    "TravelAPI": Travel,
    "VehicleControlAPI": Vehicle,
}
"""Name in the data -> simulator."""


class Run:
    """The services of one run of a dialogue.

    Args:
        involved: names of the services.
        config: name -> initial state.
        extension: constants of the long-context category; None in the others.
    """

    def __init__(
        self, involved: Sequence[str], config: Mapping[str, Json], extension: Mapping[str, Json] | None
    ) -> None:
        self.services = {name: SERVICES[name](config.get(name, {}), extension) for name in involved}
        self._functions: dict[str, Callable[..., Any]] = {
            name: getattr(service, name) for service in self.services.values() for name in service.functions()
        }

    def call(self, call: Call) -> str:
        """Run one call; return what the caller is told."""
        return run(self._functions, call)

    def differs(self, other: Run) -> str | None:
        """Name the first service whose state is another than the other run's; None if all are equal."""
        return next((name for name, one in self.services.items() if not one.same(other.services[name])), None)


def set_up(row: Row, extension: Mapping[str, Json] | None) -> None:
    """Check that the services of a dialogue's row can begin in its initial state.

    Raises:
        BadRow: if they cannot, saying which.
    """
    config = row.need("initial_config", dict)
    for name in row.need("involved_classes", list):
        state = config.get(name, {})
        if not isinstance(state, dict):
            raise row.bad(f"the initial state of {name!r} must be an object, it is {type(state).__name__}")
        try:
            SERVICES[name](state, extension)
        except RecursionError:
            raise row.bad(f"the initial state of {name!r} is nested too deeply") from None
        except (AttributeError, IndexError, KeyError, OSError, StopIteration, TypeError, ValueError) as error:
            raise row.bad(f"{name!r} cannot begin in its initial state: {type(error).__name__} {error}") from None


class Dialogue:
    """A model's run and the gold run of one row, turn by turn.

    As the leaderboard judges: after each turn in which gold calls anything, the model must have called something in
    this turn, both runs' states must be equal, and every response of gold's turn must be among the model's responses
    so far (each as often as gold got it in this turn, in any order). A turn in which gold calls nothing is not judged.

    Args:
        task: the row: ``involved_classes`` and ``initial_config``.
        gold: the calls of each turn.
        extension: see :class:`Run`.
    """

    def __init__(
        self, task: Mapping[str, Json], gold: Sequence[Sequence[Call]], extension: Mapping[str, Json] | None = None
    ) -> None:
        self.gold = gold
        self.model = Run(task["involved_classes"], task["initial_config"], extension)
        self._gold_run = Run(task["involved_classes"], task["initial_config"], extension)
        self._responses: list[str] = []
        self.turn = 0
        self.called = False
        """Whether the model called anything in the turn under way."""

    def call(self, calls: Sequence[Call]) -> list[str]:
        """Run the model's calls; return the responses."""
        told = [self.model.call(call) for call in calls]
        self._responses += map(_kept, told)
        self.called = self.called or bool(calls)
        return told

    def end_turn(self) -> str | None:
        """Judge the turn under way and go on to the next.

        Returns:
            None if it is right, else ``"empty_turn"``, ``"state_mismatch"`` or ``"response_mismatch"``.
        """
        calls = self.gold[self.turn]
        expected = [_kept(self._gold_run.call(call)) for call in calls]
        called, self.called = self.called, False
        self.turn += 1
        if not calls:
            return None
        if not called:
            return "empty_turn"
        if self.model.differs(self._gold_run) is not None:
            return "state_mismatch"
        left = list(self._responses)
        for response in expected:
            if response not in left:
                return "response_mismatch"
            left.remove(response)
        return None

    @property
    def over(self) -> bool:
        """Whether all turns were judged."""
        return self.turn == len(self.gold)


def _kept(response: str) -> str:
    """Return what is kept of a response to compare it: all of it, or the SHA-256 of a long one."""
    if len(response) <= 1_000:
        return response
    return hashlib.sha256(response.encode("utf-8", "surrogatepass")).hexdigest()
