"""A listener that kills workers."""

from __future__ import annotations

import multiprocessing
import os
import signal

from acgym.listener import Listener


class Killer(Listener):
    """Kills a worker whenever so many episodes of an agent are done.

    Where none is alive at a moment (those that were killed are still being heard), it kills the next one.
    """

    def __init__(self, agent, moments, pids=lambda: [child.pid for child in multiprocessing.active_children()]):
        self.agent, self.moments, self.killed, self.pids = agent, set(moments), [], pids

    def playing(self, agent, env, done, total):
        due = [moment for moment in self.moments if moment <= done]
        if agent == self.agent and due and done < total and (victims := self.pids()):
            self.moments.remove(min(due))
            victim = victims[done % len(victims)]
            os.kill(victim, signal.SIGKILL)
            self.killed.append(victim)
