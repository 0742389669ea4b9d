"""What a worker does, whatever carries its messages: it plays what it is asked to and reports every episode."""

from __future__ import annotations

import gc
import json
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Protocol, TypeAlias

from acgym.listener import Listener
from acgym.loop import EnvBug
from acgym.record.episode import Episode
from acgym.record.lines import RecordDamaged, RecordNotWritten, RunExists
from acgym.record.run import Run
from acgym.types import Json

_KNOWN = {
    kind.__name__: kind
    for kind in (
        FileNotFoundError,
        ImportError,
        RecordDamaged,
        RecordNotWritten,
        RunExists,
        EnvBug,
        OSError,
        ValueError,
    )
}
"""Errors that a user can mend, the special ones first: they come out of a worker as they went in."""


class WorkerBug(RuntimeError):
    """A worker met an error that nobody expected; its traceback is in the message."""


class Player(Protocol):
    """Plays the agents of a run."""

    def whole(self, agent: str, seeds: int) -> None:
        """Do all that is left to do of an agent on the run's first so many seeds."""

    def share(self, agent: str, left: Mapping[str, list[int]]) -> tuple[float, dict[str, int]]:
        """Play these seeds of each environment.

        Returns:
            Wall-clock seconds of playing, and what a remote agent used since it was asked last.
        """


Opener: TypeAlias = Callable[[Path], Run]
"""Opens a run's folder for one who plays."""
Work: TypeAlias = Callable[[Listener, Opener], Player]
"""Run once in each worker; tells the listener how far it is, and records by the run that the opener returns."""


class Reporter(Listener):
    """A worker's end of the conversation with whoever shares the work out.

    A message is a JSON array whose first element says what it is, or an episode's line (a JSON object). It hears
    ``["whole", agent, seeds]``, ``["share", agent, {env: seeds}]`` and ``["written"]``; it reports ``["stage", ...]``
    and ``["playing", ...]`` (see :class:`Listener`), episodes, ``["written?"]`` (are all episodes on the disk?),
    ``["done", seconds, usage]`` and ``["error", kind, arguments, traceback]``.

    Args:
        send: sends one message.
    """

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._send = send
        self._asked: SimpleQueue[list[Any]] = SimpleQueue()
        self._written: SimpleQueue[None] = SimpleQueue()

    def receive(self, message: bytes) -> None:
        """Take a message in; may be called from any thread."""
        asked = json.loads(message)
        if asked[0] == "written":
            self._written.put(None)
        else:
            self._asked.put(asked)

    def serve(self, work: Work) -> None:
        """Do what is asked for, one thing after the other, for ever."""
        player: Player | None = None
        settled = False
        while True:
            what, agent, share = self._asked.get()
            try:
                player = player or work(self, lambda folder: Streamed.to(self, folder))
                seconds, used = 0.0, dict[str, int]()
                if what == "share":
                    seconds, used = player.share(agent, share)
                else:
                    player.whole(agent, share)
                if not settled:  # libraries and the first model stay: not to be looked through at every collection
                    gc.freeze()
                    settled = True
                self.report("done", seconds, used)
            except Exception as error:
                self.report("error", *described(error))

    def report(self, *what: Json) -> None:
        """Send a report."""
        self._send(json.dumps(what).encode())

    def episode(self, episode: Episode) -> None:
        """Send an episode of the agent that is being played."""
        self._send(episode.to_line().encode("ascii"))

    def wait_until_written(self) -> None:
        """Wait until all episodes that were sent are on the disk."""
        self.report("written?")
        self._written.get()

    def stage(self, agent: str, what: str) -> None:
        """Send it on."""
        self.report("stage", agent, what)

    def playing(self, agent: str, env: str, done: int, total: int) -> None:
        """Send it on."""
        self.report("playing", agent, env, done, total)


class Streamed(Run):
    """A run whose episodes another process writes: it appends by sending, and reads what has been written."""

    _reporter: Reporter
    _open = False
    """Whether episodes are on their way."""

    @classmethod
    def to(cls, reporter: Reporter, folder: Path) -> Streamed:
        """Open a run's folder; episodes go to the reporter. Raises as :meth:`Run.read` does."""
        run = cls.read(folder)
        assert isinstance(run, cls)
        run._reporter = reporter
        return run

    def append(self, agent: str, episode: Episode) -> None:
        """Send an episode."""
        self._open = True
        self._reporter.episode(episode)

    def episodes(self, agent: str) -> list[Episode]:
        """Read the agent's episodes, all that were sent among them."""
        if self._open:
            self._reporter.wait_until_written()
            self._open = False
        return super().episodes(agent)


def described(error: Exception) -> tuple[str, list[Json], str]:
    """Return an error's kind, its arguments as far as they are plain, and its traceback."""
    kind = next((name for name, known in _KNOWN.items() if isinstance(error, known)), "")
    arguments: list[Json] = [str(error)]  # a subclass that is not known here may put its words together itself
    if isinstance(error, OSError) and error.errno is not None:
        arguments = [error.errno, error.strerror, None if error.filename is None else str(error.filename)]
    return kind, arguments, "".join(traceback.format_exception(error))


def raised(kind: str, arguments: list[Any], words: str) -> Exception:
    """Make the error that :func:`described` was given; a :class:`WorkerBug` if it is none that a user can mend."""
    if kind in _KNOWN:
        error: Exception = _KNOWN[kind](*arguments)
        return error
    return WorkerBug(f"a worker met an unexpected error:\n{words}")
