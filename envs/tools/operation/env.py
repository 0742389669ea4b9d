"""ACB/ToolOperation: mail, calendar, spreadsheets and tickets, judged by the state in which they are left."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from acgym.draw import Draw
from acgym.env import Outcome, TextEnv
from acgym.envs.tools.operation.functions import APPS, FUNCTIONS
from acgym.envs.tools.operation.goal import Goal
from acgym.envs.tools.operation.heuristic import overlap
from acgym.envs.tools.operation.office import long_date
from acgym.envs.tools.operation.policies import forbidden
from acgym.envs.tools.operation.tasks import draw_operation, goal_of
from acgym.envs.tools.operation.words import answered, meaning
from acgym.envs.tools.operation.world import World
from acgym.envs.tools.schema import random_arguments, whole
from acgym.envs.tools.turns import join_results, read_turn, refused
from acgym.types import Anchor, Call, FailureClass, Json, Split, Task, calls_to_action, canonical_json

RULES = """\
Do what the user asks with the tools, exactly as asked, and change nothing else.
When all is done, reply without a tool call: Done."""
ASK_RULE = """\
If the user forgot to say something that you cannot look up, ask for it in a question, without a tool call."""
POLICY_RULE = """\
Keep to the policy below. Leave undone what it forbids, do the rest, and end with: Refused: reason"""

_GRAMMAR = (
    'Expected a tool call as JSON, {"name": "tool", "arguments": {...}}, a list of such calls, a question to the user, '
    "or Done."
)
_WHAT = "What exactly do you need to know?"
_NOTHING = "I have said all that I know about it. Go on, please, and say Done. when all is done."


class ToolOperation(TextEnv):
    """ACB/ToolOperation-v0: an office's mail, calendar, spreadsheets and tickets are put into the state asked for.

    What the agent sees:
        The rules, the step limit, today's date, from level 3 on a policy of several sentences, and the request of a
        user in one of more than 20 voices. The functions are in ``info["tools"]`` (OpenAI function form), among them
        ones that are easily mistaken for one another. After a call: its result as JSON, ``{"error": sentence}`` if it
        was refused; after a list of calls: the list of their results. After a question: the user's answer. After the
        end of an instalment that is not the last: the user's next request.

    What it must say:
        ``{"name": ..., "arguments": {...}}``, or a list of at most 16 such calls, run in order; a question to the user;
        ``Done.`` when all is done; or ``Refused: reason`` when all is done but what the policy forbids (read as
        :func:`acgym.envs.tools.operation.words.meaning` does, in many words). A statement that is none of these is
        answered by the user and changes nothing.

    What earns progress:
        Items: each cell change, each row to be created or removed, and each instalment that has to end with a refusal.
        progress = (items that hold - rows changed, created or removed that should not be) / items, in [0, 1]. It can
        fall: then the reward is negative. Case, spaces and a final period do not count in texts, nor does order in
        lists.

    When it ends:
        With ``Done.`` or a refusal that ends the last instalment (terminated). success: the state is exactly the one
        asked for, nothing else has changed, and every instalment ended as it should: refused if the policy forbids a
        part of it, done if not. Truncated after 60 steps, without success.

    Levels:
        ===== ==== ==== ===== ============================================================================
        level apps jobs tools what is new
        ===== ==== ==== ===== ============================================================================
        1     1    1    6     find a record by its description and change it, or make a new one
        2     2    2    10    all records of a kind, the newest one; the user forgets something
        3     3    3    16    policies that forbid; one application says what to do in another; dates in words
        4     4    4    24    up to two instalments; ``tomorrow``, weekdays (the first one after today)
        5     4    6    37    two or three instalments; all functions
        ===== ==== ==== ===== ============================================================================

        An expert who makes one call a turn takes 2 to 40 turns.

    Info:
        ``error``: ``unknown_tool``, ``bad_arguments`` (breaks the schema), ``wrong_tool`` (a function of an application
        that no job concerns; or one that changes something and that no job needs), ``failed_call`` (refused by the
        application), ``forbidden_call`` (against the policy), ``wrong_call`` (changed what should not change),
        ``needless_question`` (nothing was left unsaid, or another thing), and at the end ``unfinished``,
        ``wrong_state`` or ``wrong_end`` (done said where a refusal was due, or the other way round). Of several in one
        list of calls, the first. ``found``, at the end: whether the state is the one asked for, however it was ended.

    Splits share no surname, subject, title, customer, item, room or sentence.

    Args:
        level: 1 to 5.
        render_mode: ``"ansi"`` or None.

    Source:
        Generated, MIT. Stands for ACBench's real-world tasks of the kind tool-operation (arXiv 2505.19433; AgentBoard,
        arXiv 2401.13178), judged as tau-bench judges (arXiv 2406.12045). Departs from AgentBoard: no service is called,
        and success is the equality of states; from tau-bench: the user is scripted, no model.

    Version history:
        v0: first version.
    """

    env_id = "ACB/ToolOperation-v0"
    capability = "tool calling"
    error_kinds: ClassVar[Mapping[str, FailureClass]] = {
        "unknown_tool": "wrong_tool",
        "bad_arguments": "wrong_argument",
        "failed_call": "wrong_argument",
        "forbidden_call": "wrong_tool",
        "wrong_call": "wrong_argument",
        "needless_question": "lost_track",
        "unfinished": "premature_stop",
        "wrong_state": "wrong_argument",
        "wrong_end": "lost_track",
    }
    unclear_errors = frozenset(("failed_call", "wrong_call"))
    anchors: ClassVar[Mapping[int, Anchor]] = {level: Anchor(0.0, 0.0) for level in (1, 2, 3, 4, 5)}
    heuristic_anchors: ClassVar[Mapping[int, Anchor]] = {
        1: Anchor(0.277, 0.277),
        2: Anchor(0.050, 0.194),
        3: Anchor(0.002, 0.087),
        4: Anchor(0.000, 0.061),
        5: Anchor(0.000, 0.031),
    }

    def draw_task(self, draw: Draw, split: Split) -> Task:
        """Draw the office, the jobs, the policies and the words."""
        return draw_operation(draw, split, self.level)

    def tell(self) -> str:
        """Say the rules, the day, the policy and the first request; the functions are in ``task.tools``."""
        data = self.task.data
        self._opened: tuple[World, Goal] | None = None
        self._counted: tuple[int, int] = (-1, 0)
        self._kept: tuple[int, list[bool]] = (-1, [])
        self._made: set[str] = set()
        self._turn = 0
        self._ends: list[str] = []
        rules = [RULES, *([ASK_RULE] if self.level > 1 else []), *([POLICY_RULE] if data["policies"] else [])]
        lines = [*rules, f"{self.limit_line()}Today is {long_date(data['today'])}."]
        if self.level > 3:
            lines[-1] += " A weekday without a date is the first one after today."
        if data["policies"]:
            lines.append("Policy: " + " ".join(policy["text"] for policy in data["policies"]))
        return "\n".join([*lines, data["turns"][0]])

    def judge(self, action: str) -> Outcome:
        """Run the calls, answer a question, or end an instalment."""
        turn = read_turn(action, _GRAMMAR)
        if turn.malformed:
            return self.malformed(turn.malformed)
        if not turn.calls:
            return self._hear(turn.words)
        told, error = join_results([self._run(call) for call in turn.calls], turn.listed)
        return Outcome(told, self._score(), error=error)

    def _open(self) -> tuple[World, Goal]:
        """Return the world and what it should become; made at the first call, since many episodes never make one."""
        if self._opened is None:
            data = self.task.data
            self._opened = World(data["state"], data["sheets"], data["today"]), goal_of(self.task)
        return self._opened

    def _run(self, call: Call) -> tuple[Json, str | None]:
        """Run one call; return what the agent is told and the kind of error, if any."""
        wrong = refused(call, {spec["function"]["name"]: spec["function"] for spec in self.task.tools})
        if wrong is not None:
            return wrong
        arguments = whole(call.arguments)
        world, _ = self._open()
        data = self.task.data
        barred = forbidden(data["policies"], call.name, arguments, world.state, data["today"])
        before = self._wrong()
        result = world.call(call.name, arguments)
        self._made.add(canonical_json([call.name, arguments]))
        strayed = self._strayed(call.name)
        if isinstance(result, dict) and "error" in result:
            return result, "wrong_tool" if strayed else "failed_call"
        if FUNCTIONS[call.name].reads:
            return result, "wrong_tool" if strayed else None
        if self._wrong() > before:
            return result, "forbidden_call" if barred else "wrong_tool" if strayed else "wrong_call"
        return result, None

    def _strayed(self, name: str) -> bool:
        """Say whether no job concerns a function: for one that reads, none concerns its application."""
        needed = {made[0] for job in self._jobs() for made in (*job["looks"], *job["acts"])}
        if not FUNCTIONS[name].reads:
            return name not in needed
        return not any(name in names and names & needed for names in _NAMES)

    def _jobs(self) -> list[dict[str, Any]]:
        """List the jobs of all instalments."""
        return [job for turn in self.task.reference for job in turn]

    def _due(self, turn: int) -> str:
        """Say how an instalment should end."""
        return "refused" if any(job["forbidden"] for job in self.task.reference[turn]) else "done"

    def _score(self) -> float:
        """Return progress in [0, 1]; see the class."""
        dues = [self._due(turn) for turn in range(len(self.task.reference))]
        said = sum(end == due == "refused" for end, due in zip(self._ends, dues, strict=False))
        if self._opened is None:
            wants = sum(len(job["wants"]) for job in self._jobs() if not job["forbidden"])
            return said / (wants + dues.count("refused"))
        held = self._held()
        return max(0.0, (sum(held) + said - self._wrong()) / (len(held) + dues.count("refused")))

    def _wrong(self) -> int:
        """Count what should not be so; anew only if a call may have changed the state."""
        world, goal = self._open()
        if self._counted[0] != world.changes:
            self._counted = world.changes, goal.wrong(world.state)
        return self._counted[1]

    def _held(self) -> list[bool]:
        """Say which wants hold; anew only if a call may have changed the state."""
        world, goal = self._open()
        if self._kept[0] != world.changes:
            self._kept = world.changes, goal.held(world.state)
        return self._kept[1]

    def _hear(self, text: str) -> Outcome:
        """Take words: the end of an instalment, or something for the user to answer."""
        means = meaning(text)
        if means in ("done", "refused"):
            self._ends.append(means)
            self._turn += 1
            if self._turn < len(self.task.data["turns"]):
                return Outcome(self.task.data["turns"][self._turn], self._score())
            return self._finish()
        open_asks = [job["ask"] for job in self.task.reference[self._turn] if job["ask"] is not None]
        answers = answered(text, open_asks)
        if answers:
            return Outcome(" ".join(answers), self._progress)
        return Outcome(_WHAT if open_asks else _NOTHING, self._progress, error="needless_question")

    def _finish(self) -> Outcome:
        """Compare the state with the one asked for."""
        error: str | None = None
        if self._wrong():
            error = "wrong_state"
        elif not all(self._held()):
            error = "unfinished"
        elif self._ends != [self._due(turn) for turn in range(len(self.task.reference))]:
            error = "wrong_end"
        told = "All is as it should be." if error is None else f"Not solved: {error.replace('_', ' ')}."
        found = error in (None, "wrong_end")
        return Outcome(told, self._score(), success=error is None, terminated=True, error=error, found=found)

    def oracle(self) -> str:
        """Return the next call for the first job of the instalment that is not done yet, or the words that end it."""
        held = self._held()
        for number, turn in enumerate(self.task.reference):
            for job in turn:
                done, held = ([], held) if job["forbidden"] else (held[: len(job["acts"])], held[len(job["acts"]) :])
                reply = self._next(job, done) if number == self._turn else None
                if reply is not None:
                    return reply
        return "Refused: the policy forbids a part of it." if self._due(self._turn) == "refused" else "Done."

    def _next(self, job: Mapping[str, Any], done: list[bool]) -> str | None:
        """Return the next reply for a job, given which of its acts hold; None if nothing is left to do."""
        pending = [act for act, holds in zip(job["acts"], done, strict=False) if not holds]
        if done and not pending:
            return None
        if job["ask"] is not None and not any(job["ask"]["answer"] in told for told in self.observations):
            return str(job["ask"]["question"])
        for name, args in [*job["looks"], *pending]:
            if canonical_json([name, args]) not in self._made or [name, args] in pending:
                return calls_to_action((Call(name, args),))
        return None

    def heuristic_reply(self) -> str:
        """Search and act by shared words; see :mod:`acgym.envs.tools.operation.heuristic`."""
        return overlap(self.observations, self.replies, self.task.tools)

    def random_reply(self, rng: np.random.Generator) -> str:
        """Return a call of a random function with random legal arguments, or, one time in ten, ``Done.``"""
        draw = Draw(rng)
        if draw.chance(0.1):
            return "Done."
        function = draw.pick(self.task.tools)["function"]
        return calls_to_action((Call(function["name"], random_arguments(draw, function["parameters"])),))


_NAMES = tuple({function.name for function in functions} for functions in APPS.values())
