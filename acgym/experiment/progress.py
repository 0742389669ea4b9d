"""Shows how far a comparison is: a bar on a terminal, a line that changes in a notebook, a line per stage elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from importlib import import_module
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from acgym.listener import Listener
from acgym.text import printable


@contextmanager
def watching(episodes: int, console: Console | None = None) -> Iterator[Listener]:
    """Show progress while the block runs; the listener is to be given to ``run_comparison``.

    Args:
        episodes: episodes of the whole run, over all agents and environments.
        console: where to; standard error if None.
    """
    console = console or Console(stderr=True)
    if console.is_jupyter:
        yield _Notebook(episodes)
        return
    if not console.is_terminal:
        yield _Lines(console)
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console, refresh_per_second=4) as bars:
        yield _Bars(bars, episodes)


class _Bars(Listener):
    """One bar over all episodes of the run; its words say who plays what."""

    def __init__(self, bars: Progress, episodes: int) -> None:
        self._bars = bars
        self._done: dict[tuple[str, str], int] = {}
        self._task = bars.add_task("starting", total=episodes)

    def stage(self, agent: str, what: str) -> None:
        self._bars.update(self._task, description=f"{printable(agent)}: {what}")

    def playing(self, agent: str, env: str, done: int, total: int) -> None:
        self._done[agent, env] = done
        self._bars.update(
            self._task, description=f"{printable(agent)}: {printable(env)}", completed=sum(self._done.values())
        )


class _Lines(Listener):
    """A line whenever an agent enters a stage or has finished an environment."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._finished: set[tuple[str, str]] = set()

    def stage(self, agent: str, what: str) -> None:
        self._say(f"{agent}: {what}")

    def playing(self, agent: str, env: str, done: int, total: int) -> None:
        if done == total and (agent, env) not in self._finished:
            self._finished.add((agent, env))
            self._say(f"{agent}: {env}, {done} episodes played")

    def _say(self, line: str) -> None:
        self._console.print(printable(line), markup=False, highlight=False, emoji=False, soft_wrap=True)


class _Notebook(Listener):
    """One line of a notebook's output, written over at most four times a second."""

    def __init__(self, episodes: int) -> None:
        self._show: Any = import_module("IPython.display")
        self._total = episodes
        self._done: dict[tuple[str, str], int] = {}
        self._next = 0.0
        self._line: Any = self._show.display(self._show.HTML("starting"), display_id=True)

    def stage(self, agent: str, what: str) -> None:
        self._say(f"{agent}: {what}")

    def playing(self, agent: str, env: str, done: int, total: int) -> None:
        self._done[agent, env] = done
        played = sum(self._done.values())
        if time.monotonic() >= self._next or played >= self._total:
            self._say(f"{played:,} of {self._total:,} episodes, {agent}: {env}", played)

    def _say(self, line: str, played: int | None = None) -> None:
        bar = "" if played is None else f'<progress value="{played}" max="{max(self._total, 1)}"></progress> '
        self._line.update(self._show.HTML(f"{bar}{escape(printable(line))}"))
        self._next = time.monotonic() + 0.25
