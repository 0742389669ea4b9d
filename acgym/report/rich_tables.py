"""Tables as rich renders them: on a terminal of any width, or as plain text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from acgym.report.cells import Grid

WIDE = 170
"""Columns of the output where there is no terminal."""
_TONES = {"": "", "loss": "bold red", "gain": "bold green"}


def show_grids(tables: Sequence[Grid], console: Console) -> None:
    """Print tables with their notes; one that is wider than the console is told in several, with every column."""
    for grid in tables:
        for table in fitting(grid, console):
            console.print(table)
        if grid.note:
            console.print(Text(grid.note, style="dim"))
        console.print()


def fitting(grid: Grid, console: Console) -> Iterator[RenderableType]:
    """Yield a table; if it is too wide, as many tables of some of its columns as it takes, first cut at its fold."""
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
    table = bare(Text(grid.title) if titled else None)
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


def bare(title: Text | str | None) -> Table:
    """Return an empty table in the style of all."""
    return Table(
        title=title, title_justify="left", title_style="bold", box=box.SIMPLE, pad_edge=False, padding=(0, 1, 0, 0)
    )


def _widest(grid: Grid, column: int) -> int:
    cells = [grid.heads[column], *(row[column].text for row in grid.rows)]
    return max(len(line) for cell in cells for line in cell.split("\n"))
