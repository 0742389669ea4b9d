"""Workers that are actors on a Ray cluster (extra ``acgym[ray]``); they do what processes on one machine do."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any

from acgym.workers.side import Reporter, Work

LOCAL = "local"
"""The address of a cluster that is started here for the run, and ends with it."""


class Cluster:
    """Starts actors on a Ray cluster.

    The folder of the run and those of models must be on a file system that all nodes share, under the same path, and
    acgym must be installed on all of them. Episodes are written by this process alone.

    Args:
        address: of the cluster (``"auto"``, ``"HOST:6379"``, ``"ray://HOST:10001"``), or LOCAL.
        count: how many actors there will be at once. Each reserves its share of the cluster's GPUs if there are any
            (at most one), and a core.

    Raises:
        ImportError: if Ray is not installed.
        ConnectionError: if there is no cluster at the address.
        ValueError: if the cluster cannot hold so many actors.
    """

    def __init__(self, address: str, count: int) -> None:
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # an actor without a GPU leaves others' alone
        try:
            import ray
        except ImportError:
            raise ImportError("--ray needs Ray: pip install 'acgym[ray]'") from None
        self._ray = ray
        quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "error"}
        if address == LOCAL:
            os.environ.setdefault("RAY_AUTH_MODE", "disabled")  # nobody else can reach it
            cores = max(count, os.cpu_count() or 1)
            same = {"env_vars": {"PYTHONPATH": os.pathsep.join(sys.path)}}  # the actors find what this process finds
            memory = 200 << 20  # bytes; messages are small
            ray.init(num_cpus=cores, include_dashboard=False, object_store_memory=memory, runtime_env=same, **quiet)
        else:
            try:
                ray.init(address, **quiet)
            except (ConnectionError, ValueError, RuntimeError) as error:
                raise ConnectionError(f"no Ray cluster answers at {address!r}: {error}") from None
        there: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call,unused-ignore]
        gpus = there.get("GPU", 0)
        self._needs = {"num_cpus": 1.0, "num_gpus": min(1.0, gpus / count) if gpus else 0.0}
        if there.get("CPU", 0) < count:
            self.close()
            raise ValueError(f"{count} workers need {count} cores, and the cluster has {there.get('CPU', 0):g}")

    def start(self, work: Work) -> Actor:
        """Start an actor."""
        # An actor answers at most one question for reports at a time; two more threads receive and end.
        made = self._ray.remote(_Actor).options(max_concurrency=3, max_restarts=0, **self._needs)
        return Actor(self._ray, made.remote(work))

    def ready(self, workers: Sequence[Actor], seconds: float) -> Sequence[Actor]:
        """Wait at most so long; return those that have said something or died."""
        if any(worker.reports for worker in workers):
            return [worker for worker in workers if worker.reports]
        waiting = {worker.asked(): worker for worker in workers}
        done, _ = self._ray.wait(list(waiting), num_returns=1, timeout=seconds)
        return [waiting[ref] for ref in done]

    def close(self) -> None:
        """Leave the cluster; one that was started here ends."""
        self._ray.shutdown()


@dataclass(eq=False)
class Actor:
    """One actor as this process sees it."""

    ray: Any
    actor: Any
    reports: list[bytes] = field(default_factory=list)
    """Messages that arrived together and are not taken yet, the last one first."""
    _question: Any = None
    _death: str = "it did not say why"

    def asked(self) -> Any:
        """Ask for reports, unless the question is open; return the reference of the answer."""
        if self._question is None:
            self._question = self.actor.reports.remote()
        return self._question

    def send(self, message: bytes) -> None:
        """Send a message; that the actor is dead is seen when it is listened to."""
        with contextlib.suppress(self.ray.exceptions.RayError):
            self.actor.receive.remote(message)

    def receive(self) -> bytes:
        """Return the next message; EOFError if it is dead."""
        if not self.reports:
            try:
                answer = self.ray.get(self.asked())
            except self.ray.exceptions.RayError as error:
                self._death = " ".join(str(error).split())[:200]
                raise EOFError from error
            self._question = None
            self.reports = answer[::-1]
        return self.reports.pop()

    def end(self) -> None:
        """End it at once."""
        self.ray.kill(self.actor, no_restart=True)

    def death(self) -> str:
        """Say how it ended."""
        return self._death


class _Actor:
    """The actor itself. Its messages are bytes."""

    def __init__(self, work: Work) -> None:
        self._out: SimpleQueue[bytes] = SimpleQueue()
        self._reporter = Reporter(self._out.put)
        threading.Thread(target=self._reporter.serve, args=(work,), daemon=True).start()

    def receive(self, message: bytes) -> None:
        """Take a message in."""
        self._reporter.receive(message)

    def reports(self) -> list[bytes]:
        """Wait for a report; return all that there are, oldest first."""
        found = [self._out.get()]
        while not self._out.empty():
            found.append(self._out.get())
        return found
