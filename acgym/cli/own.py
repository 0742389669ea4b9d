"""The commands for packages of one's own and for the machine: new, doctor."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from acgym.cli.terminal import output, plain_errors, say


def new(
    kind: Annotated[str, typer.Argument(help="env, method or agent.")],
    name: Annotated[str, typer.Argument(help="Name of the package: small letters, digits, '-' and '_'.")],
    folder: Annotated[Path, typer.Option(help="Folder in which the package's own is made.")] = Path(),
) -> None:
    """Begin a package of your own: an environment, a compression method or an agent, with tests that pass at once."""
    with plain_errors():
        from rich.console import Console

        from acgym.scaffold.write import write_package

        written = write_package(kind, name, folder)
        place = folder / name
        say("\n".join(map(str, written)), Console())
        say(f"Next: cd {place} && pip install -e . && python -m pytest", Console())


def doctor() -> None:
    """Say what works on this machine and how to get what does not: torch, GPU, extras, browser, data, plugins."""
    with plain_errors():
        from rich.table import Table
        from rich.text import Text

        from acgym.cli.doctor import findings
        from acgym.text import printable

        table = Table(box=None, pad_edge=False, show_header=False)
        table.add_column()
        table.add_column(no_wrap=True, style="bold")
        table.add_column(overflow="fold")
        for found in findings():
            mark = Text("yes", "green") if found.works else Text("no", "yellow")
            table.add_row(mark, Text(printable(found.what)), Text(printable(found.said)))
        output().print(table)
