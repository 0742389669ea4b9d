"""What the adapters share: a package that may be missing, commands read in a reply, a simulator's state by replay."""

from __future__ import annotations

import contextlib
import io
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.metadata import version
from types import ModuleType
from typing import Any, ClassVar, NamedTuple

from acgym.env import Outcome, TaskEnv
from acgym.text import excerpt
from acgym.types import FailureClass

CAPABILITY = "real-world applications"
HELP = "check valid actions"
"""What AgentBoard's agents say to be told what can be done; it counts as a reply and reaches no simulator."""
MAX_COMMAND_CHARS = 200
_EDGES = " \t\r\n*_`\"'“”.!"
_NO_HELP = frozenset({"never"})
VALID_ACTIONS = ("ask", "always", "never")


def package(module: str, extra: str, tested: str) -> ModuleType:
    """Import a simulator's package, what it prints left out.

    Args:
        module: such as ``"minigrid"``; the distribution has the same name.
        extra: the extra of acgym that installs it.
        tested: the version that the adapter is tested with.

    Raises:
        ImportError: one sentence with the command that installs it.
    """
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            return import_module(module)
    except ImportError as error:
        raise ImportError(
            f"this environment plays the simulator {module} ({tested} is tested), which cannot be imported ({error}); "
            f"install it: pip install 'acgym[{extra}]'"
        ) from None


def source_of(distribution: str) -> str:
    """Return the name and version of a simulator, the source of its tasks: another version may play otherwise."""
    return f"{distribution} {version(distribution)}"


def read_command(reply: str) -> str | None:
    """Read the command of a reply: behind the last ``Action:``, else the last line that says something.

    Returns:
        One line without the signs that surround it, spaces made single; None if there is none, it is longer than
        ``MAX_COMMAND_CHARS``, or it holds characters that no simulator reads (controls, lone surrogates).
    """
    mark = reply.lower().rfind("action:")
    if mark >= 0:
        line = reply[mark + 7 :].lstrip(" \t\r\n*`").partition("\n")[0]
    else:
        line = reply.strip(_EDGES).rpartition("\n")[2]
    line = line.strip(_EDGES)
    if not line or len(line) > MAX_COMMAND_CHARS:
        return None
    line = " ".join(line.split())
    return line if line.isascii() and line.isprintable() else None


class Heard(NamedTuple):
    """What a simulator answered."""

    observation: str
    reward: float = 0.0
    """The simulator's own."""
    done: bool = False
    """Whether the simulator ended the episode."""
    progress: float = 0.0
    """In [0, 1], as the adapter defines it."""
    success: bool = False
    error: str | None = None
    """Kind of the decision error, if the adapter sees one."""


class Simulator(TaskEnv):
    """An environment whose world is a simulator of others.

    A subclass supplies ``open`` (the simulator at the begin of ``self.task``), ``send`` (one command), ``path``
    (commands that solve the task), ``actions`` (what can be done now) and ``rules``.

    A copy and a pickle hold the task and the commands so far: at its next use the copy opens the task anew and
    gives the commands again, so that it costs as long as the episode took.

    ``last`` is what the simulator answered to the last command, its own reward included.
    """

    capability = CAPABILITY
    needs: ClassVar[str] = "a simulator, which an extra of acgym installs"
    error_kinds: ClassVar[Mapping[str, FailureClass]] = {"refused": "wrong_argument", "failed": "wrong_order"}
    unclear_errors: ClassVar[frozenset[str]] = frozenset({"refused"})
    live: ClassVar[tuple[str, ...]] = ()
    """Attributes that hold the running simulator, left out of copies."""
    valid_actions: str = "ask"
    last: Heard
    _stale: bool = False
    _sent: list[str]
    _best: float = 0.0

    @abstractmethod
    def open(self) -> Heard:
        """Bring the simulator to the begin of the task."""

    @abstractmethod
    def send(self, command: str) -> Heard:
        """Give the simulator one command, as :func:`read_command` returns it; never raise."""

    @abstractmethod
    def path(self) -> Sequence[str]:
        """Return commands that solve the task from its begin."""

    @abstractmethod
    def actions(self) -> Sequence[str]:
        """List what can be done now, each a command; in an order that is the same in every process."""

    @abstractmethod
    def rules(self) -> str:
        """Say how to act, before the step limit and the task."""

    def tell(self) -> str:
        """Say rules, limit, goal and what is seen first."""
        self._sent, self._best, self._stale = [], 0.0, False
        self.last = self.open()
        told = f"{self.rules()}\n{self.limit_line()}Task: {self.task.goal}\n\n{self.last.observation}"
        return self._with_actions(told)

    def judge(self, action: str) -> Outcome:
        """Hand the command on, and count as progress the most that was reached."""
        command = read_command(action)
        if command is None:
            return self.malformed(f"{excerpt(action, 30)} is no command. End with one line such as: Action: look")
        if self._stale:
            self._again()
        if command.lower() == HELP and self.valid_actions not in _NO_HELP:
            return Outcome("You can do:\n" + "\n".join(self.actions()), self._best)
        heard = self.send(command)
        self._sent.append(command)
        self.last = heard
        if heard.success:
            return Outcome(heard.observation, 1.0, success=True, terminated=True)
        if heard.progress > self._best:
            self._best = min(heard.progress, 1.0)
        if heard.done:
            return Outcome(heard.observation, self._best, terminated=True, error=heard.error or "failed")
        return Outcome(self._with_actions(heard.observation), self._best, error=heard.error)

    def oracle(self) -> str:
        """Say the next command of the path: after other commands, the first one that was not yet given in its turn."""
        if self._stale:
            self._again()
        path, at = self.path(), 0
        for command in self._sent:
            at += at < len(path) and command == path[at]
        return f"Action: {path[min(at, len(path) - 1)]}"

    def _with_actions(self, told: str) -> str:
        return f"{told}\nYou can do: {'; '.join(self.actions())}" if self.valid_actions == "always" else told

    def help_line(self) -> str:
        """Say what tells the commands that are possible now; the empty string where nothing does."""
        return f"'{HELP}' lists what can be done now.\n" if self.valid_actions == "ask" else ""

    def _again(self) -> None:
        """Bring the simulator of a copy to where the original was."""
        self._stale = False
        self.open()
        for command in self._sent:
            self.send(command)

    def __getstate__(self) -> dict[str, Any]:
        """Leave the running simulator out."""
        state = dict(self.__dict__)
        for name in self.live:
            state.pop(name, None)
        return state

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        """Note that the simulator has to be brought to where the original was."""
        self.__dict__.update(state)
        self._stale = self._task is not None


def checked_choice(name: str, value: str, known: Sequence[str]) -> str:
    """Return ``value`` if it is known.

    Raises:
        ValueError: with what is known.
    """
    if value not in known:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, known))}, got {value!r}")
    return value
