"""Shares the episodes of a run out to workers, each with a model of its own; this process alone writes them down."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from acgym.listener import Listener
from acgym.record.episode import Episode
from acgym.workers.interrupts import Held
from acgym.workers.side import Work, WorkerBug, raised

__all__ = ["Carrier", "Spent", "Team", "Work", "WorkerBug", "WorkerDied", "Workers"]

SHARE = 256
"""Most episodes that a worker is given at once: one that is slow must not hold the others at the end."""
FINER = 2
"""Shares for each worker, at least, where they begin at different times."""
POLL = 0.2
"""Seconds after which an interrupt is seen."""


class WorkerDied(OSError):
    """Workers died again and again; usually there is too little memory."""


class Carrier(Protocol):
    """One worker as this process sees it."""

    def send(self, message: bytes) -> None:
        """Send a message; one to a worker that is dead is dropped."""

    def receive(self) -> bytes:
        """Return the next message.

        Raises:
            EOFError: if the worker is dead and has left no other message.
        """

    def end(self) -> None:
        """End the worker at once; messages that it has sent whole can still be received."""

    def death(self) -> str:
        """Say how it ended."""


class Team(Protocol):
    """Where workers come from."""

    def start(self, work: Work) -> Carrier:
        """Start a worker; does not wait until it is ready."""

    def ready(self, workers: Sequence[Any], seconds: float) -> Sequence[Carrier]:
        """Wait at most so long; return the workers whose ``receive`` would not wait."""

    def close(self) -> None:
        """Let go of what the workers ran on; all of them have ended."""


@dataclass(frozen=True)
class Spent:
    """What shares cost."""

    seconds: float
    """Wall-clock seconds of playing, added up over the workers, as if one had played them all; loading their models is
    not in it."""
    episodes: int
    """Finished ones."""
    usage: Mapping[str, int]
    """Requests, retries and tokens of a remote agent, over all workers; empty for any other."""


@dataclass
class _Task:
    """One agent, or a share of its episodes."""

    agent: str
    seeds: int | None
    """How many of the run's seeds, if it is the whole agent."""
    left: dict[str, list[int]]
    """Environment -> seeds without an episode, if it is a share."""

    def message(self) -> bytes:
        kind, what = ("share", self.left) if self.seeds is None else ("whole", self.seeds)
        return json.dumps([kind, self.agent, what]).encode()


@dataclass
class Workers:
    """A few workers, processes or Ray actors, that play agents.

    They send every episode here, in whatever order it ends; nobody else writes an agent's episodes. A worker that dies
    is replaced, and what it left unfinished is played again. When this process ends, however it ends, they end. Within
    the context the first interrupt ends the workers once the episode at hand is written, the second one at once.

    Args:
        count: number of workers.
        work: what they do; pickled to them, so it must be importable.
        write: writes an agent's episode down, durably.
        listener: hears how far whole agents are.
        team: where they come from; processes on this machine if None.
        idle: called here once, when a worker is left without anything to do for the first time: a core is free.
    """

    count: int
    work: Work
    write: Callable[[str, Episode], None]
    listener: Listener
    team: Team | None = None
    idle: Callable[[], None] | None = None
    _free: list[Carrier] = field(default_factory=list, init=False)
    _busy: list[tuple[Carrier, _Task]] = field(default_factory=list, init=False)
    _deaths: dict[str, int] = field(default_factory=dict, init=False)
    _usage: dict[str, int] = field(default_factory=dict, init=False)
    _finished: int = field(default=0, init=False)
    _seconds: float = field(default=0.0, init=False)
    _interrupts: Held = field(default_factory=Held, init=False)

    def __enter__(self) -> Workers:
        """Start the workers."""
        from acgym.workers.processes import Processes

        self._team: Team = self.team or Processes(self.count)
        self._interrupts.__enter__()
        try:
            for _ in range(self.count):
                self._free.append(self._team.start(self.work))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        """End the workers; episodes that they have sent are written."""
        try:
            for worker in (*self._free, *(worker for worker, _ in self._busy)):
                worker.end()
            for worker, task in self._busy:
                for episode in _rest(worker):
                    self.write(task.agent, episode)
        finally:
            self._team.close()
            self._interrupts.__exit__()

    def whole(self, agents: Sequence[str], seeds: int) -> None:
        """Do all that is left to do of agents, one worker an agent, the first ones first.

        Args:
            agents: their specs.
            seeds: how many of the run's seeds each of them plays.

        Raises:
            WorkerDied: if more workers than there are died over an agent in a row, without an episode in between.
            WorkerBug: for an error in a worker that is none of those that a run in this process raises.
            KeyboardInterrupt: at the first interrupt.
        """
        self._do(deque(_Task(agent, seeds, {}) for agent in agents), self.write)

    def share(
        self,
        agent: str,
        left: Mapping[str, Sequence[int]],
        heard: Callable[[Episode], None],
        after: Sequence[str] = (),
        seeds: int = 0,
    ) -> Spent:
        """Play an agent's episodes on all workers.

        Args:
            agent: its spec.
            left: environment -> the seeds to play.
            heard: called with each of its episodes when it is written.
            after: other agents, done as :meth:`whole` does them; whoever finds none of them left begins to share. Then
                all that this agent needs besides its episodes is done first.
            seeds: how many of the run's seeds each of those plays.

        Returns:
            What the shares cost, and nothing of the agents before.

        Raises:
            WorkerDied, WorkerBug, KeyboardInterrupt: as :meth:`whole` does.
        """
        self._usage, self._finished, self._seconds = {}, 0, 0.0

        def write(name: str, episode: Episode) -> None:
            self.write(name, episode)
            if name == agent:
                heard(episode)
                self._finished += episode.outcome == "finished"

        before = [_Task(name, seeds, {}) for name in after]
        if before:
            before.append(_Task(agent, 0, {}))  # on the way, and not when all others are idle
        shares = [_Task(agent, None, share) for share in cut(left, self.count, FINER if after else 1)]
        self._do(deque([*before, *shares]), write)
        return Spent(self._seconds, self._finished, self._usage)

    def _do(self, waiting: deque[_Task], write: Callable[[str, Episode], None]) -> None:
        """Give tasks to free workers until all are done."""
        while waiting or self._busy:
            while waiting and self._free:
                worker, task = self._free.pop(0), waiting.popleft()
                self._busy.append((worker, task))
                worker.send(task.message())
            if self._free and self._busy and self.idle is not None:
                self.idle()
                self.idle = None
            ready = self._team.ready([worker for worker, _ in self._busy], POLL)
            for worker, task in [pair for pair in self._busy if pair[0] in ready]:
                self._read(worker, task, waiting, write)
                self._interrupts.check()
            self._interrupts.check()

    def _read(self, worker: Carrier, task: _Task, waiting: deque[_Task], write: Callable[[str, Episode], None]) -> None:
        """Take one message, or the death of a worker."""
        try:
            message = worker.receive()
        except EOFError:
            self._replace(worker, task, waiting)
            return
        if message.startswith(b"{"):
            self._take(Episode.from_line(message.decode("ascii")), task, write)
            return
        kind, *what = json.loads(message)
        if kind == "written?":
            worker.send(b'["written"]')  # messages keep their order: all episodes before it were taken
        elif kind == "done":
            seconds, used = what
            self._seconds += seconds
            for name, number in used.items():
                self._usage[name] = self._usage.get(name, 0) + number
            self._busy.remove((worker, task))
            self._free.append(worker)
        elif kind == "error":
            raise raised(*what)
        elif kind == "stage":
            self.listener.stage(*what)
        else:
            self.listener.playing(*what)

    def _take(self, episode: Episode, task: _Task, write: Callable[[str, Episode], None]) -> None:
        """Write an episode down."""
        write(task.agent, episode)
        if task.seeds is None:
            task.left[episode.env].remove(episode.seed)
        self._deaths[task.agent] = 0

    def _replace(self, worker: Carrier, task: _Task, waiting: deque[_Task]) -> None:
        """Start another worker in place of one that died, and let what it left be done."""
        worker.end()
        self._busy.remove((worker, task))
        deaths = self._deaths[task.agent] = self._deaths.get(task.agent, 0) + 1
        if deaths > self.count:
            raise WorkerDied(
                f"{deaths} workers in a row died over {task.agent} ({worker.death()}); if memory is short, use "
                "--workers 1. All finished episodes are kept"
            )
        self._free.append(self._team.start(self.work))
        if task.seeds is not None or any(task.left.values()):
            waiting.appendleft(task)


def cut(left: Mapping[str, Sequence[int]], workers: int, finer: int = 1) -> list[dict[str, list[int]]]:
    """Cut episodes into shares of about equal size and kind: as many as workers or a multiple, each at most SHARE.

    Args:
        left: environment -> seeds.
        workers: at least 1.
        finer: the least such multiple, at least 1.

    Returns:
        Shares that hold every seed of every environment once; none of them is empty.
    """
    total = sum(map(len, left.values()))
    pieces = workers * max(finer, -(-total // (SHARE * workers)))
    rows: list[dict[str, list[int]]] = [{} for _ in range(pieces)]
    for number, (env, seed) in enumerate((env, seed) for env, seeds in left.items() for seed in seeds):
        rows[number % pieces].setdefault(env, []).append(seed)
    return [row for row in rows if row]


def _rest(worker: Carrier) -> Iterator[Episode]:
    """Yield the episodes that a worker sent before it was ended."""
    try:
        while True:
            message = worker.receive()
            if message.startswith(b"{"):
                yield Episode.from_line(message.decode("ascii"))
    except EOFError:
        return
