"""ACB/Retail and ACB/Airline: tau2-bench's shop and airline, for the tasks that need neither judge nor customer."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from acgym.data.cache import data_folder
from acgym.env import Outcome
from acgym.envs.tools.desk.airline import AIRLINE
from acgym.envs.tools.desk.files import (
    Domain,
    basis,
    domain_folder,
    gold,
    read_policy,
    read_tables,
    read_tasks,
    said,
    ticket,
)
from acgym.envs.tools.desk.records import Records
from acgym.envs.tools.desk.retail import RETAIL
from acgym.envs.tools.schema import fault
from acgym.envs.tools.tau2 import DONE, NO_CALL, Tau2Env
from acgym.rows import Row
from acgym.types import Call, FailureClass, Json, Task, calls_to_action

_DONE: Json = {
    "type": "function",
    "function": {
        "name": DONE,
        "description": "Say that the request is dealt with. Nothing can be done after it.",
        "parameters": {"type": "object", "properties": {}, "required": []},
    },
}
_RULES = (
    "You are the agent of a customer service, and you work on a request alone: the customer has written down all that "
    "he wants and knows, and does not answer. Where the policy asks for his confirmation, his request is it. Keep to "
    "the policy. Reply with tool calls; a reply in words is read by the customer, so write there what he asked to be "
    "told. When the request is dealt with, or must be denied, call done.\n"
)
_REQUEST = '# Request (written for the customer: "you" is the customer)\n\n'
_NOTICE = "The customer reads it, and does not answer. Go on, or call done."


class _Desk(Tau2Env):
    """What the two have in common; see :class:`Retail` and :class:`Airline`."""

    error_kinds: ClassVar[Mapping[str, FailureClass]] = {
        "unknown_tool": "wrong_tool",
        "bad_argument": "wrong_argument",
        "refused": "wrong_argument",
        "wrong_change": "wrong_argument",
        "missing_change": "premature_stop",
        "missing_action": "premature_stop",
        "missing_information": "premature_stop",
    }
    solved = "The request is dealt with."
    unsolved = "The request is not dealt with as it should be."
    domain: ClassVar[Domain]

    def __init__(self, subset: str = "base", path: str | None = None, render_mode: str | None = None) -> None:
        folder = domain_folder(data_folder("tau2", path), self.domain.name)
        self.subset = subset
        self._policy = read_policy(folder)
        self._tables = read_tables(folder, self.domain)
        tasks = read_tasks(folder, subset)
        self.not_played: Mapping[str, str] = MappingProxyType(dict(tasks.not_played))
        """Id of each task of the subset that is not played -> why."""
        if not tasks.played:
            raise ValueError(f"{folder}: none of the {len(tasks.not_played)} tasks of {subset!r} can be played alone")
        self._begin = hashlib.sha256(self._policy.encode()).hexdigest()
        self._tools = (*(tool.spec(name) for name, tool in self.domain.tools.items()), _DONE)
        super().__init__(tasks.played, render_mode)

    def __getstate__(self) -> dict[str, Json]:
        """Write what cannot be pickled as it is."""
        return {**self.__dict__, "not_played": dict(self.not_played)}

    def task_of(self, row: Row) -> Task:
        """Return the task of a row; its identity names the policy by its hash, and holds the records it must end in."""
        calls, records = gold(row, self.domain, self._tables)
        data = {
            "begin": self._begin,
            "basis": list(basis(row)),
            "said": said(row),
            "changes": [[table, key, record] for (table, key), record in sorted(records.changes().items())],
        }
        source = f"tau2-bench, {self.domain.name} (MIT)"
        return Task(self.domain.name, ticket(row), data, calls, self._tools, source)

    def tell(self) -> str:
        """Set the records up, and say rules, policy and request."""
        self._records = Records(self._tables)
        self._wanted = {(table, key): record for table, key, record in self.task.data["changes"]}
        self._told = ""
        self.begin()
        return f"{_RULES}{self.limit_line()}\n# Policy\n\n{self._policy}\n\n{_REQUEST}{self.task.goal}"

    def fault(self, call: Call) -> str | None:
        """Check a call against the schema of its tool."""
        return fault(self.domain.tools[call.name].schema, call.arguments)

    def run(self, call: Call) -> Json:
        """Run a call on the records."""
        return self.domain.tools[call.name].run(self._records, **call.arguments)

    def hear(self, words: str) -> Outcome:
        """Show a reply in words to the customer."""
        if not words.strip() or words.lstrip()[:1] in ("{", "["):
            return self.malformed(NO_CALL)
        self._told += f"\n{words}"
        return Outcome(_NOTICE, 0.0)

    def verdict(self) -> str | None:
        """Compare the records, the calls and what was told, as far as the task's reward rests on them."""
        data = self.task.data
        changes = self._records.changes() if "DB" in data["basis"] else self._wanted
        if changes != self._wanted:
            right = all(self._wanted.get(place) == record for place, record in changes.items())
            return "missing_change" if right else "wrong_change"
        made = [[call.name, dict(call.arguments)] for call in self._called]
        if "ACTION" in data["basis"] and not all(call in made for call in self.task.reference):
            return "missing_action"
        told = self._told.lower().replace(",", "")
        if "COMMUNICATE" in data["basis"] and not all(one.lower() in told for one in data["said"]):
            return "missing_information"
        return None

    def oracle(self) -> str:
        """Return the next gold call, then what the customer must be told, then ``done``."""
        words = ", ".join(self.task.data["said"])
        due = self.next_gold()
        if due is not None:
            return due
        return calls_to_action((Call(DONE, {}),)) if not words or words in self._told else f"You asked for: {words}"


class Retail(_Desk):
    """ACB/Retail-v0: tau2-bench's shop (orders, returns, exchanges), without a simulated customer and without a judge.

    What the agent sees: rules, step limit, the data's policy, and the request: what the data tells a simulated
    customer, in its words. Its tools: 15 of the shop, and ``done``.

    What it must say: one tool call, or several at once (a list in canonical call JSON, at most 20), which are run in
    order and answered with JSON, a refused one with ``{"error": ...}``. Words are kept as what the customer was told
    and answered with a notice; ``done`` ends the episode. An empty reply, and JSON that cannot be read as calls, is
    malformed.

    What earns progress: nothing on the way; 1 at the end if the records are as the gold calls leave them, nothing else
    changed, and the customer was told each text that the data asks for (in any case, commas left out): the reward of
    the original (``DB``, ``COMMUNICATE``). Judged when the episode ends, also by the step limit.

    Which tasks: those whose reward no judge model gives, and whose customer wants nothing that rests on the agent's own
    words ("if the agent asks ..."), which takes a customer to play: 68 of the 114. ``not_played`` names the others
    with the reason. Some requests must be denied: there silence is right.

    Errors in ``info["error"]``: ``unknown_tool``, ``bad_argument``, ``refused``; at the end ``wrong_change``,
    ``missing_change``, ``missing_action``, ``missing_information``.

    Differences from the original: the customer's instructions are read, not acted; tools are described in words of our
    own; the original gives a run that reaches its step limit nothing.

    Args:
        subset: which tasks, as the data's split file names them: ``"base"``, ``"train"``, ``"test"``.
        path: folder of tau2's domains, or of this domain; None for what ``acgym data get tau2`` fetched.
        render_mode: ``"ansi"`` or None.

    Raises:
        FileNotFoundError: if the data is not here, saying how to get it.
        ValueError: for a subset that does not exist, or a malformed file or row (:class:`acgym.rows.BadRow`).

    Source: Barres et al., tau2-bench, 2025; Yao et al., tau-bench, 2024; data (MIT) as inspect-evals 0.28.0 carries
    it. The tasks are public: a model may have been trained on them.

    Versions: v0, first.
    """

    env_id = "ACB/Retail-v0"
    domain = Domain(
        "retail",
        {
            "products": ("name", "product_id", "variants"),
            "users": ("name", "address", "email", "payment_methods", "orders"),
            "orders": ("user_id", "items", "status", "payment_history", "address"),
        },
        RETAIL,
    )


class Airline(_Desk):
    """ACB/Airline-v0: tau2-bench's airline (bookings, changes, refunds), without a simulated customer or a judge.

    As :class:`Retail`, with 14 tools of the airline. Which tasks: 20 of the 50, by the same rule; ``not_played`` names
    the others with the reason. The data's assertions in words, which a judge model would read, are no part of the
    original's reward, nor of ours. Many requests must be denied: there silence is right.

    What the agent sees: rules, step limit, policy and request. What it must say: tool calls, words for the customer,
    and ``done`` at the end. What earns progress: 1 at the end if the records are as the gold calls leave them and the
    customer was told what the data asks for.

    Args:
        subset: ``"base"``, ``"train"`` or ``"test"``.
        path: folder of tau2's domains, or of this domain; None for what ``acgym data get tau2`` fetched.
        render_mode: ``"ansi"`` or None.

    Raises:
        FileNotFoundError, ValueError: as :class:`Retail`.

    Source: as :class:`Retail`.

    Versions: v0, first.
    """

    env_id = "ACB/Airline-v0"
    domain = Domain(
        "airline",
        {
            "flights": ("origin", "destination", "dates"),
            "users": ("payment_methods", "reservations"),
            "reservations": ("user_id", "cabin", "flights", "passengers", "payment_history", "nonfree_baggages"),
        },
        AIRLINE,
    )
