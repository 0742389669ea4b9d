"""Shows things on a terminal: a comparison's tables, the list of environments, a conversation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from acgym.analysis.result import ComparisonResult
from acgym.record.episode import Episode
from acgym.report.grids import Grid, grids
from acgym.report.legend import legend
from acgym.report.paper_table import paper_tables
from acgym.report.verdict import verdict
from acgym.text import printable

WIDE = 170
"""Columns of the output where there is no terminal."""
_TONES = {"": "", "loss": "bold red", "gain": "bold green"}


def show_comparison(result: ComparisonResult, console: Console) -> None:
    """Print the tables of a comparison, then what they come to; tables wider than the console are cut in two."""
    show_grids([*grids(result), *paper_tables(result)], console)
    for line in legend(result):
        console.print(Text(line, style="dim"))
    for line in verdict(result):
        console.print()
        console.print(Text(line))


def show_grids(tables: Sequence[Grid], console: Console) -> None:
    """Print tables with their notes; one that is wider than the console is told in several, with every column."""
    for grid in tables:
        for table in _fitting(grid, console):
            console.print(table)
        if grid.note:
            console.print(Text(grid.note, style="dim"))
        console.print()


def _fitting(grid: Grid, console: Console) -> Iterator[RenderableType]:
    """Yield the table; if it is too wide, as many tables of some of its columns as it takes, first cut at its fold."""
    end = len(grid.heads)
    if grid.fold is None or _width(_table(grid, range(1, end), console), console) <= console.width:
        parts = [range(1, end)]
    else:
        parts = [range(1, grid.fold), range(grid.fold, end)]
    titled = True
    for part in parts:
        start = part.start
        while start < part.stop:
            stop = part.stop
            while stop > start + 1 and _width(_table(grid, range(start, stop), console), console) > console.width:
                stop -= 1
            yield _table(grid, range(start, stop), console, titled)
            start, titled = stop, False


def _width(table: Table, console: Console) -> int:
    """Return how wide a table wants to be."""
    return console.measure(table, options=console.options.update(width=10_000)).maximum


def _table(grid: Grid, columns: range, console: Console, titled: bool = True) -> Table:
    """Make a table of the agents' names and some columns; long names go on in the next line, and nothing is cut."""
    table = _bare(Text(grid.title) if titled else None)
    table.add_column(grid.heads[0], no_wrap=True)
    for column in columns:
        table.add_column(Text(grid.heads[column]), justify="right", no_wrap=True, min_width=_widest(grid, column))
    for row in grid.rows:
        name = Text(broken(row[0].text, max(24, console.width // 4)), style=_TONES[row[0].tone])
        table.add_row(name, *(Text(cell.text, style=_TONES[cell.tone]) for cell in (row[column] for column in columns)))
    return table


def broken(name: str, width: int) -> str:
    """Break an agent's name into lines of at most ``width``: before a + or @, else before a -, else behind a /.

    Only a piece without any of these that is longer than a line is broken within.
    """
    lines: list[str] = []
    for steps in _joined(re.split(r"(?=[+@])", name), width):
        for words in _joined(re.split(r"(?=-)|(?<=/)", steps), width) if len(steps) > width else [steps]:
            lines += [words[i : i + width] for i in range(0, len(words), width)]
    return "\n".join(lines)


def _joined(pieces: Sequence[str], width: int) -> list[str]:
    """Put as many pieces into each line as it holds."""
    lines: list[str] = []
    for piece in filter(None, pieces):
        if lines and len(lines[-1]) + len(piece) <= width:
            lines[-1] += piece
        else:
            lines.append(piece)
    return lines


def _bare(title: Text | str | None) -> Table:
    return Table(
        title=title, title_justify="left", title_style="bold", box=box.SIMPLE, pad_edge=False, padding=(0, 1, 0, 0)
    )


def _widest(grid: Grid, column: int) -> int:
    cells = [grid.heads[column], *(row[column].text for row in grid.rows)]
    return max(len(line) for cell in cells for line in cell.split("\n"))


def show_environments(ids: Sequence[str], console: Console, with_tasks: bool = False) -> None:
    """List environments with capability, most steps of an episode, what a random policy and a simple heuristic solve.

    With tasks, instead of that, which task of ACBench's paper each plays, on official rows or as a stand-in.
    """
    import gymnasium as gym

    from acgym.suites import capability_of

    table = _bare("Environments")
    policies = ("steps", "random policy solves, %, levels 1 to 5", "simple heuristic")
    for head in ("id", "capability", *(("task of the paper", "played on") if with_tasks else policies)):
        table.add_column(head, no_wrap=head == "id")
    for env_id in ids:
        limit = str(gym.spec(env_id).max_episode_steps or "-")
        more = _papers_task(env_id) if with_tasks else (limit, *_policies(env_id))
        table.add_row(env_id, capability_of(env_id) or "-", *more)
    console.print(table)
    console.print("Python: gymnasium.make(ID, level=1).  Try: acgym play oracle ACB/Needle-v0 --episodes 1 --show")


def _policies(env_id: str) -> tuple[str, str]:
    """Say what the random policy and the heuristic solve."""
    from acgym.suites import environment_class

    maker = environment_class(env_id)
    random, heuristic = (
        "  ".join(f"{100 * anchor.success:.1f}" for _, anchor in sorted(getattr(maker, name, {}).items()))
        for name in ("anchors", "heuristic_anchors")
    )
    return random or getattr(maker, "needs", ""), heuristic


def _papers_task(env_id: str) -> tuple[str, str]:
    """Say which of the paper's tasks an environment plays, and on what."""
    from acgym.acbench import tasks_of

    ways = {"official": "official rows", "native": "a stand-in"}
    tasks = {task.name: ways[how] for task, how in tasks_of(env_id) if how in ways}
    return ", ".join(tasks), ", ".join(dict.fromkeys(tasks.values()))


def show_conversation(episode: Episode, console: Console) -> None:
    """Print an episode's messages; control characters and markup in them do nothing."""
    solved = {True: "solved", False: "not solved", None: "failed"}[episode.success]
    shown = Text().append(f"\n{episode.env} seed {episode.seed}: {printable(episode.agent)}, {solved}\n", style="bold")
    for turn in episode.turns:
        shown.append(f"[{turn.role}] {printable(turn.observation)}\n", style="cyan")
        shown.append(f"[agent] {printable(turn.text)}\n")
    shown.append(f"[end] {printable(episode.final_observation)}\n", style="cyan")
    if episode.failure is not None:
        shown.append(f"[failure] {printable(episode.failure)}\n", style="red")
    console.print(shown)
