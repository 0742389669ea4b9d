"""Workers that are processes on this machine."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from acgym.plain_warnings import warn_plainly
from acgym.workers.side import Reporter, Work

THREADS = "OMP_NUM_THREADS"


@dataclass(frozen=True)
class Processes:
    """Starts processes on this machine; each computes with its share of the cores.

    Args:
        count: how many there will be at once.
    """

    count: int

    def start(self, work: Work) -> Process:
        """Start one: a fresh interpreter, since a fork would copy locks that other threads of this process hold."""
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, work), daemon=True)
        with _born_deaf(), _born_with_threads(max(1, (os.cpu_count() or 1) // self.count)):
            process.start()
        theirs.close()
        return Process(process, ours)

    def ready(self, workers: Sequence[Process], seconds: float) -> Sequence[Process]:
        """Wait at most so long; return those that have said something or died."""
        heard = wait([worker.connection for worker in workers], seconds)
        return [worker for worker in workers if worker.connection in heard]

    def close(self) -> None:
        """Nothing is left to let go of."""


@dataclass(eq=False)
class Process:
    """One process and the pipe to it."""

    process: BaseProcess
    connection: Connection

    def send(self, message: bytes) -> None:
        """Send a message; that the process is dead is seen when it is listened to."""
        with contextlib.suppress(OSError):
            self.connection.send_bytes(message)

    def receive(self) -> bytes:
        """Return the next message; EOFError if it is dead."""
        try:
            return self.connection.recv_bytes()
        except (EOFError, OSError) as error:
            self.process.join(1)  # it is about to end by itself, and how it does is worth knowing
            raise EOFError from error

    def end(self) -> None:
        """End it at once. It writes no file that it could leave half written."""
        self.process.terminate()
        self.process.join()

    def death(self) -> str:
        """Say how it ended."""
        code = self.process.exitcode
        if code is not None and code < 0:
            return f"ended by {signal.Signals(-code).name}"
        return f"exit status {code}"


@contextlib.contextmanager
def _born_deaf() -> Iterator[None]:
    """Let processes that are started here never hear SIGINT, from their first moment: it is for their parent.

    The mask is inherited. An interrupt that comes meanwhile waits for this process.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # else it starts with the process, and lifts the mask
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _born_with_threads(count: int) -> Iterator[None]:
    """Let processes that are started here compute with so many threads, unless the user has said how many.

    They must find the number in their environment: the libraries of NumPy and SciPy read it as they are loaded, which
    is before the first line of ours runs there.
    """
    if THREADS in os.environ:
        yield
        return
    os.environ[THREADS] = str(count)
    try:
        yield
    finally:
        del os.environ[THREADS]


def _serve(connection: Connection, work: Work) -> None:
    """Do what is asked for until the other end is closed. Runs in a process of its own."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # where there are no masks
    warn_plainly()

    def send(message: bytes) -> None:
        try:
            connection.send_bytes(message)
        except OSError:
            os._exit(1)

    reporter = Reporter(send)
    threading.Thread(target=_read, args=(connection, reporter), daemon=True).start()
    reporter.serve(work)


def _read(connection: Connection, reporter: Reporter) -> None:
    """Hand on what is asked for; end this process as soon as nobody is there to ask."""
    while True:
        try:
            reporter.receive(connection.recv_bytes())
        except (EOFError, OSError):
            os._exit(1)
