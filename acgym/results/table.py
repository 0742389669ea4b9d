"""A table that prints as text, shows as HTML in a notebook, and is rendered by rich."""

from __future__ import annotations

import io
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from acgym.report.cells import Grid

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

_STYLE = ' style="color:{};font-weight:bold"'
_STYLES = {"": "", "loss": _STYLE.format("#c0392b"), "gain": _STYLE.format("#1e8449")}


@dataclass(frozen=True)
class Table:
    """One table of a comparison: ``print`` it, show it in a notebook, or hand it to a rich console."""

    grid: Grid
    """Its cells as text."""
    width: int = 170
    """Columns of the text; a wider table goes on below, with every column."""

    def __str__(self) -> str:
        """Return it as plain text."""
        from rich.console import Console

        from acgym.report.rich_tables import show_grids

        file = io.StringIO()
        show_grids([self.grid], Console(file=file, width=self.width, color_system=None))
        return "\n".join(line.rstrip() for line in file.getvalue().strip("\n").split("\n"))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Render it as wide as the console is."""
        from rich.text import Text

        from acgym.report.rich_tables import fitting

        yield from fitting(self.grid, console)
        if self.grid.note:
            yield Text(self.grid.note, style="dim")

    def _repr_html_(self) -> str:
        """Return it as HTML; everything in it is escaped."""
        heads = "".join(f"<th>{_cell(head)}</th>" for head in self.grid.heads)
        rows = "".join(
            "<tr>" + "".join(f"<td{_STYLES[cell.tone]}>{_cell(cell.text)}</td>" for cell in row) + "</tr>"
            for row in self.grid.rows
        )
        note = f"<p><small>{escape(self.grid.note)}</small></p>" if self.grid.note else ""
        return (
            f"<table><caption>{escape(self.grid.title)}</caption><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody>"
            f"</table>{note}"
        )


def _cell(text: str) -> str:
    return escape(text).replace("\n", "<br>")
