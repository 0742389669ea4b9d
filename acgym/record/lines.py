"""One append-only file of episodes: a finished episode a line, durable when written, a torn last line tolerated."""

from __future__ import annotations

import contextlib
import math
import os
import sys
import time
from collections.abc import Callable, Hashable, Iterator
from pathlib import Path
from typing import BinaryIO, TypeAlias

from acgym.files import open_regular, read_regular
from acgym.machine import uncollected
from acgym.record.episode import Episode, NewerFormat

Key = tuple[str, str, str, str, int]
"""Identity of an episode, ``Episode.key``."""

Identity: TypeAlias = Callable[[Episode], Hashable]
"""What tells the episodes of one file apart."""


def by_task(episode: Episode) -> Hashable:
    """Tell episodes apart by their task: for a file in which one agent plays."""
    return episode.key


def by_agent_and_task(episode: Episode) -> Hashable:
    """Tell episodes apart by agent and task: for a file in which several agents play."""
    return (episode.agent, episode.key)


class RunExists(Exception):
    """The folder holds something else than a run with these settings."""


class RecordDamaged(ValueError):
    """A line that a record wrote whole can no longer be read."""


class RecordNotWritten(OSError):
    """An episode could not be written; those before it are safe."""


def read_episodes(file: Path, identity: Identity = by_task) -> list[Episode]:
    """Read the episodes of a file, in the order they were written; a torn last line is left out.

    A failed episode that was played again later is left out as well: the last line of an identity counts.

    Raises:
        OSError: if the file cannot be read.
        NotRegular: if it is a link, a pipe or a device.
        RecordDamaged: naming file and line, if a line that ends in a newline is not an episode.
    """
    latest: dict[Hashable, Episode] = {}
    with uncollected():
        for episode in _lines(file, read_regular(file)):
            key = identity(episode)
            latest.pop(key, None)
            latest[key] = episode
    return list(latest.values())


SYNC_SECONDS = 0.5
"""How often a file is forced onto the disk: many short episodes would wait for the disk and for nothing else."""


class EpisodeLog:
    """One file of episodes, open for appending, locked against other processes.

    A line that was appended outlives this process at once, however it ends, and the machine after SYNC_SECONDS or
    :meth:`close`.

    Raises:
        RecordDamaged: if a line of it is not an episode.
        NotRegular: if it is a link, a pipe or a device.
        RunExists: if another process has it open.
    """

    def __init__(self, path: Path, identity: Identity = by_task) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.identity = identity
        self.file: BinaryIO = open_regular(path, append=True)
        self._synced = -math.inf
        try:
            _lock(self.file, path)
            self.file.seek(0)
            content = self.file.read()
            self.finished = {identity(episode) for episode in _lines(path, content) if episode.outcome == "finished"}
            self._mend(content)
        except BaseException:
            self.file.close()
            raise

    def _mend(self, content: bytes) -> None:
        """Cut a torn last line off; if only its newline is missing, the episode is whole and stays."""
        whole = content.rfind(b"\n") + 1
        if whole == len(content):
            return
        if _is_episode(content[whole:]):
            self.file.write(b"\n")
        else:
            self.file.truncate(whole)

    def append(self, episode: Episode) -> None:
        """Write one episode; when this returns, it is in the file. Raises as :meth:`acgym.record.run.Run.append`
        does.
        """
        if self.identity(episode) in self.finished:
            raise ValueError(f"{self.path} already holds the episode {episode.key}; it would be counted twice")
        line = memoryview(episode.to_line().encode("ascii") + b"\n")
        size = os.fstat(self.file.fileno()).st_size
        try:
            while line:
                line = line[self.file.write(line) :]
            if time.monotonic() - self._synced >= SYNC_SECONDS:
                os.fsync(self.file.fileno())
                self._synced = time.monotonic()
        except BaseException as error:
            with contextlib.suppress(OSError):
                self.file.truncate(size)
            if not isinstance(error, OSError):
                raise  # interrupted: no half line stays
            raise RecordNotWritten(
                error.errno,
                f"an episode could not be written ({error.strerror}); the episodes before it are safe. "
                "Make room and run the same command again to resume",
                str(self.path),
            ) from error
        if episode.outcome == "finished":
            self.finished.add(self.identity(episode))

    def close(self) -> None:
        """Force the file onto the disk, let go of it and its lock."""
        if not self.file.closed:
            with self.file:
                os.fsync(self.file.fileno())


def _lines(file: Path, content: bytes) -> Iterator[Episode]:
    """Parse every line; only the last may be torn, and only if its newline is missing."""
    lines = content.split(b"\n")
    for number, line in enumerate(lines[:-1], start=1):
        try:
            yield Episode.from_line(line.decode("utf-8"))
        except NewerFormat as error:
            raise RecordDamaged(f"{file}, line {number}: {error}") from None
        except ValueError as error:
            raise RecordDamaged(
                f"{file}, line {number}: this is not an episode ({error}); it was changed after it was written. "
                "Remove the line to play the episode again"
            ) from error
    if _is_episode(lines[-1]):
        yield Episode.from_line(lines[-1].decode("utf-8"))


def _is_episode(line: bytes) -> bool:
    try:
        Episode.from_line(line.decode("utf-8"))
    except ValueError:
        return False
    return True


def _lock(file: BinaryIO, path: Path) -> None:
    """Take the file for this process; the lock goes with the process. Windows and some network disks have none."""
    if sys.platform != "win32":
        import fcntl

        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunExists(f"another process is writing {path}; wait for it or choose another --out") from None
        except OSError:
            return  # this file system has no locks
