"""ACB/Telecom: tickets of tau2-bench telecom, solved alone with the carrier's tools and the customer's phone."""

from __future__ import annotations

import hashlib
import re

from acgym.data.cache import data_folder
from acgym.env import Outcome
from acgym.envs.tools.tau2 import DONE, NO_CALL, Tau2Env
from acgym.envs.tools.telecom.files import check_task, prepared, read_policy, read_state, read_tasks, telecom_folder
from acgym.envs.tools.telecom.judge import verdict
from acgym.envs.tools.telecom.tools import TOOLS, fault
from acgym.envs.tools.telecom.world import World
from acgym.rows import Row
from acgym.types import Call, Json, Task, calls_to_action

SOURCE = "tau2-bench, telecom (MIT)"
_RULES = (
    "You are an agent of a telephone carrier, and you work on a ticket alone: nobody answers questions. You have the "
    "tools of the carrier, and you hold the customer's phone: its tools act on it as the customer would. Keep to the "
    "policy. Reply with tool calls only. When the ticket is dealt with, call done; a reply in words ends the episode "
    "too.\n"
)


class Telecom(Tau2Env):
    """ACB/Telecom-v0: tau2-bench's telecom domain in solo mode, without a simulated user and without a judge model.

    What the agent sees: rules, step limit, the data's policy and workflow for solo mode, the ticket. Its tools: 13 of
    the carrier, 30 of the customer's phone, and ``done``.

    What it must say: one tool call, or several at once (a list in canonical call JSON, at most 20), which are run in
    order. Each is answered with JSON, a refused one with ``{"error": ...}``. ``done`` or a reply in words ends the
    episode; JSON that cannot be read as calls is malformed, and the episode goes on.

    What earns progress: nothing on the way; 1 at the end if the task is solved as the data says: all its assertions on
    account and phone hold and, where its reward rests on actions too (tasks that must be handed to a human), the gold
    calls were made. Judged when the episode ends, also by the step limit.

    Errors in ``info["error"]``: ``unknown_tool``, ``bad_argument`` (missing, unknown or of a wrong type), ``refused``
    (the account or the phone could not do it); at the end ``unsolved``, ``missing_action``.

    Differences from the original: tools are described, and results are written, in words of our own, as JSON; the
    original gives a run that reaches its step limit nothing, and its limit is longer; a wrong argument of
    ``set_network_mode_preference`` or ``grant_app_permission`` is an error, which it tells in words.

    Args:
        subset: which tasks, as the data's split file names them: ``"base"``, ``"train"``, ``"test"``, ``"small"``,
            ``"full"``.
        path: folder of tau2's domains, or of the telecom domain; None for what ``acgym data get tau2`` fetched.
        render_mode: ``"ansi"`` or None.

    Raises:
        FileNotFoundError: if the data is not here, saying how to get it.
        ValueError: for a subset that does not exist, or a malformed file or row (:class:`acgym.rows.BadRow`).

    Source: Barres et al., tau2-bench: Evaluating Conversational Agents in a Dual-Control Environment, 2025; data (MIT)
    as inspect-evals 0.28.0 carries it. The tasks are public: a model may have been trained on them.

    Versions: v0, first.
    """

    env_id = "ACB/Telecom-v0"
    solved = "The ticket is solved."
    unsolved = "The ticket is not solved."
    error_kinds = {  # noqa: RUF012  (declared ClassVar by the base)
        "unknown_tool": "wrong_tool",
        "bad_argument": "wrong_argument",
        "refused": "wrong_argument",
        "unsolved": "premature_stop",
        "missing_action": "premature_stop",
    }
    unclear_errors = frozenset(("unsolved",))

    def __init__(self, subset: str = "base", path: str | None = None, render_mode: str | None = None) -> None:
        folder = telecom_folder(data_folder("tau2", path))
        self.subset = subset
        self._policy = read_policy(folder)
        self._state = read_state(folder)
        self._begin = hashlib.sha256(f"{self._state}\0{self._policy}".encode()).hexdigest()
        super().__init__(read_tasks(folder, subset), render_mode)

    def check_row(self, row: Row) -> None:
        """Check a row by setting its task up."""
        check_task(row, self._state)

    def task_of(self, row: Row) -> Task:
        """Return the task of a row that was checked; its identity names the state and the policy by their hash."""
        criteria = row.value["evaluation_criteria"]
        named = re.match(r"\[(\w+)\]", row.id)
        data = {"begin": self._begin, "initialization_actions": prepared(row), "evaluation_criteria": criteria}
        gold = [[action["name"], action["arguments"]] for action in criteria["actions"] or ()]
        return Task(named[1] if named else "telecom", row.value["ticket"], data, gold, TOOLS, SOURCE)

    def tell(self) -> str:
        """Set account and phone up, and say rules, policy and ticket."""
        self._world = World(self._state)
        self._world.prepare(self.task.data["initialization_actions"])
        self.begin()
        return f"{_RULES}{self.limit_line()}\n# Policy\n\n{self._policy}\n\n# Ticket\n\n{self.task.goal}"

    def fault(self, call: Call) -> str | None:
        """Check a call against the schema of its tool."""
        return fault(call.name, call.arguments)

    def run(self, call: Call) -> Json:
        """Run a call on the account or the phone."""
        return self._world.call(call.name, call.arguments)

    def hear(self, words: str) -> Outcome:
        """End the episode: nobody listens."""
        return self.malformed(NO_CALL) if words.lstrip()[:1] in ("{", "[") else self.end()

    def verdict(self) -> str | None:
        """Return what the data's assertions say of account and phone."""
        return verdict(self._world, self.task.data["evaluation_criteria"], self._called)

    def oracle(self) -> str:
        """Return the next gold call, then ``done``."""
        return self.next_gold() or calls_to_action((Call(DONE, {}),))
