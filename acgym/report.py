"""Writes a comparison's tables to one self-contained HTML file; everything in it is escaped."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path

from acgym.files import write_whole
from acgym.table import Grid, grids, legend
from acgym.types import Json

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>acgym comparison</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
:root {{ color-scheme: light dark; --text: #1b1b1b; --page: #ffffff; --line: #c8c8c8; --soft: #595959;
  --loss: #b00020; --gain: #0a6b2d; }}
@media (prefers-color-scheme: dark) {{ :root {{ --text: #e8e8e8; --page: #161616; --line: #484848; --soft: #b0b0b0;
  --loss: #ff8a80; --gain: #7bd88f; }} }}
body {{ color: var(--text); background: var(--page); font: 14px/1.45 system-ui, sans-serif; margin: 2em; }}
figure {{ margin: 0 0 2em; overflow-x: auto; }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; }}
caption {{ text-align: left; font-weight: bold; padding: 0.3em 0; }}
th, td {{ padding: 0.25em 0.8em; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }}
th:first-child, td:first-child {{ text-align: left; }}
.loss {{ color: var(--loss); font-weight: bold; }}
.gain {{ color: var(--gain); font-weight: bold; }}
p, figcaption {{ color: var(--soft); max-width: 60em; }}
</style></head><body>
<h1>acgym comparison</h1>
{tables}
{legend}
</body></html>
"""


def write_report(result: Mapping[str, Json], path: Path) -> None:
    """Write the tables and how to read them; the file needs no other, and runs nothing.

    Args:
        result: what :func:`acgym.comparison.assemble_result` returns.
        path: of the file; written whole or not at all.

    Raises:
        OSError: if it cannot be written.
    """
    tables = "\n".join(_figure(grid) for grid in grids(result))
    paragraphs = "\n".join(f"<p>{escape(line)}</p>" for line in legend(result))
    page = _PAGE.format(tables=tables, legend=paragraphs)
    write_whole(path, page.encode("utf-8", "backslashreplace"))


def _figure(grid: Grid) -> str:
    heads = "".join(f'<th scope="col">{escape(head).replace(chr(10), "<br>")}</th>' for head in grid.heads)
    rows = "\n".join(
        "<tr>" + "".join(f'<td class="{cell.tone}">{escape(cell.text)}</td>' for cell in row) + "</tr>"
        for row in grid.rows
    )
    note = f"<figcaption>{escape(grid.note)}</figcaption>" if grid.note else ""
    table = f"<table><caption>{escape(grid.title)}</caption>\n<thead><tr>{heads}</tr></thead>\n<tbody>{rows}</tbody>"
    return f"<figure>{table}</table>{note}</figure>"
